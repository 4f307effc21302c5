"""Codex's usage limits: their names, their accounts, and which of two tellings stands."""

import json

import pytest
from support.codex_records import (
    CHILD,
    PARENT,
    A,
    B,
    count,
    meta,
    path,
    turn,
)
from support.desk import START, Desk, write

from aitop.model.events import ContextSize, Limit
from aitop.providers import Source
from aitop.providers.codex import provider, rollout
from aitop.providers.codex.limits import limits


@pytest.fixture
def desk(tmp_path):
    return Desk(provider, *provider.folders([str(tmp_path)], {}))


def window(used=12.0, minutes=300, resets=START + 600, **more):
    return {"used_percent": used, "window_minutes": minutes, "resets_at": resets} | more


def test_both_limits_are_told_with_their_names():
    found = limits({"limit_id": "codex", "primary": window(), "secondary": window(30.0, 10_080)}, START)
    assert [(one.name, one.used_percent) for one in found] == [("five_hour", 12.0), ("seven_day", 30.0)]


def test_older_limits_tell_the_seconds_until_their_reset():
    (found,) = limits({"primary": {"used_percent": 3, "window_minutes": 299, "resets_in_seconds": 60}}, START)
    assert (found.name, found.resets_at) == ("five_hour", START + 60)


@pytest.mark.parametrize(
    ("minutes", "name"),
    [(1440, "one_day"), (43_200, "thirty_day"), (20_160, "14_day"), (720, "12_hour"), (90, "90_minute")],
)
def test_a_window_of_any_length_has_a_name(minutes, name):
    (found,) = limits({"primary": window(85.0, minutes)}, START)
    assert (found.name, found.window_minutes) == (name, minutes)


def test_a_limit_that_was_passed_is_full():
    (found,) = limits({"primary": window(150.0)}, START)
    assert found.used_percent == 100.0


def test_limits_of_two_codex_homes_are_two_accounts(tmp_path):
    rates = {"limit_id": "codex", "primary": window()}
    lines = b"".join(json.dumps(one).encode() + b"\n" for one in (meta(), count(A, limits=rates)))
    accounts = set()
    for home in ("one", "two"):
        parsed = rollout.parse(lines, 0, rollout.identify(path(tmp_path / home)))
        accounts |= {event.account for event in parsed.events if isinstance(event, Limit)}
    assert accounts == {str(tmp_path / "one"), str(tmp_path / "two")}


def test_the_usual_codex_home_is_no_account_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert "account" not in rollout.identify(path(tmp_path / ".codex")).pending


def test_limits_of_another_family_keep_its_name():
    (found,) = limits({"limit_id": "codex_spark", "primary": window()}, START)
    assert found.name == "codex_spark_five_hour"


@pytest.mark.parametrize(
    "odd", [window(1795300000), window(resets=START - 1), window(resets=START + 1e6), window("1"), None]
)
def test_a_limit_that_cannot_be_true_is_left_out(odd):
    assert limits({"primary": odd}, START) == []


def test_the_newest_word_on_a_limit_stays_whatever_file_is_read_last(tmp_path, desk):
    for thread, at, used in ((PARENT, 100, 40.0), (CHILD, 0, 10.0)):
        told = {"limit_id": "codex", "primary": window(used, resets=START + 5000)}
        write(path(tmp_path, thread), meta(thread), turn(), count(A, at=at, limits=told))
        desk.read()
    assert desk.db.execute("SELECT used_percent FROM usage_limit").fetchall() == [(40.0,)]


def test_only_the_newest_gauge_and_limits_of_a_run_are_told():
    told = {"primary": window(resets=START + 5000)}
    lines = [meta(), turn(), *(count(A, *[B] * n, at=n, limits=told) for n in range(5))]
    found = rollout.parse(b"".join(json.dumps(one).encode() + b"\n" for one in lines), 0, Source(None, None))
    assert sum(isinstance(one, Limit | ContextSize) for one in found.events) == 2
