"""`aitop report`: the whole history's totals, with a listener and without one."""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from conftest import ROOT
from support.lines import MODEL, OTHER, SESSION, append, assistant, gave_up, transcript, usage, use, user

from aitop.history import schema
from aitop.reports.cli import REPORTS

pytestmark = pytest.mark.slow  # the command as a process: a fifth of a second each, before it reads anything

FIELDS = {
    "provider": str,
    "requests": int,
    "input_tokens": int,
    "uncached_input_tokens": int,
    "output_tokens": int,
    "cache_read_tokens": int,
    "cache_write_tokens": int,
    "cache_write_5m_tokens": int,
    "cache_write_1h_tokens": int,
    "cost_usd": float,
}


@pytest.fixture
def claude(tmp_path):
    return str(tmp_path / "user" / ".claude")


def run(*words, **more):
    environ = os.environ | {"PYTHONPATH": ROOT} | more
    return subprocess.run(
        [sys.executable, "-m", "aitop", "report", *words],
        env=environ,
        capture_output=True,
        text=True,
        timeout=30,
    )


def report(*words, **more):
    found = run(*words, "--json", **more)
    assert found.returncode == 0, found.stderr
    assert found.stderr == ""
    return json.loads(found.stdout)


def at(*parts, zone=UTC):
    return datetime(*parts, tzinfo=zone).timestamp()


SPLIT = {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 1000}


def history(claude):
    """Two sessions over three days: a fork's copy, two models, an error, a tool."""
    first = at(2026, 9, 20, 23, 59, 59)
    transcript(claude, [
        user(at=first), assistant("a", first, usage=usage(50, 10, 2000, 1200, cache_creation=SPLIT), request_id="ra",
                                  content=[use("t1")]),
        assistant("b", at(2026, 9, 21, 12), usage=usage(70, 10), request_id="rb"), gave_up(at=at(2026, 9, 21, 12)),
    ])  # fmt: skip
    transcript(claude, [
        user(at=first, session=OTHER),
        assistant("a", first, usage=usage(50, 10, 2000, 1200, cache_creation=SPLIT), request_id="ra", session=OTHER,
                  requestSessionId=SESSION),
        assistant("c", at(2026, 9, 22), model="claude-haiku-4-5", request_id="rc", session=OTHER),
    ], session=OTHER)  # fmt: skip


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_answers_from_a_fresh_home_without_a_listener(home, claude, name):
    history(claude)
    rows = report(name, *([] if name == "today" else ["--since", "2026-09-01"]))
    assert bool(rows) == (name != "today")  # nothing is of today
    if name == "commits":  # the records name a branch, and the folder is gone
        assert [row["subject"] for row in rows] == ["unknown: shop"]


def test_models_are_told_by_their_id_as_written_dearest_first(home, claude):
    history(claude)
    rows = report("models")
    assert [(row["model"], row["requests"]) for row in rows] == [(MODEL, 2), ("claude-haiku-4-5", 1)]
    for row in rows:
        assert {key: type(row[key]) for key in FIELDS} == FIELDS
        assert (
            row["input_tokens"]
            == row["uncached_input_tokens"] + row["cache_read_tokens"] + row["cache_write_tokens"]
        )
    top = rows[0]
    assert (top["cache_write_5m_tokens"], top["cache_write_1h_tokens"], top["cache_read_tokens"]) == (
        200,
        1000,
        2000,
    )
    assert (top["uncached_input_tokens"], top["output_tokens"]) == (20, 120)
    assert top["cost_usd"] == pytest.approx(
        (20 * 5 + 120 * 25 + 2000 * 0.5 + 200 * 6.25 + 1000 * 10) / 1e6, abs=1e-9
    )


def test_sessions_are_told_with_a_fork_s_copies_counted_once(home, claude):
    history(claude)
    rows = report("sessions")
    assert {row["session"]: row["requests"] for row in rows} == {SESSION: 2, OTHER: 1}
    for row in rows:
        assert {key: type(row[key]) for key in FIELDS} == FIELDS
    (first,) = [row for row in rows if row["session"] == SESSION]
    assert (first["errors"], first["tool_calls"], first["cwd"], first["branch"]) == (
        1,
        1,
        "/work/shop",
        "main",
    )
    assert sum(row["cost_usd"] for row in rows) == pytest.approx(
        sum(row["cost_usd"] for row in report("models"))
    )


def days(*words, **more):
    return sum(row["requests"] for row in report("models", *words, **more))


def test_days_are_inclusive_and_of_the_zone_asked_for(home, claude):
    history(claude)  # at 23:59:59 on the 20th, at noon on the 21st, at 00:00:00 on the 22nd, all UTC
    utc = ("--timezone", "UTC")
    assert days() == 3
    assert days("--since", "2026-09-20", "--until", "2026-09-22", *utc) == 3
    assert days("--since", "2026-09-20", "--until", "2026-09-20", *utc) == 1
    assert days("--since", "2026-09-21", "--until", "2026-09-21", *utc) == 1
    assert days("--since", "2026-09-22", *utc) == 1
    assert days("--until", "2026-09-19", *utc) == 0
    berlin = ("--timezone", "Europe/Berlin")
    assert days("--until", "2026-09-20", *berlin) == 0
    assert days("--since", "2026-09-21", "--until", "2026-09-21", *berlin) == 2
    assert days("--since", "2026-09-21", "--until", "2026-09-21", TZ="Europe/Berlin") == 2


def test_a_day_of_changed_clocks_is_whole(home, claude):
    berlin = ZoneInfo("Europe/Berlin")
    moments = [
        at(2026, 10, 25, zone=berlin),
        at(2026, 10, 25, 23, 59, zone=berlin),
        at(2026, 10, 26, zone=berlin),
    ]
    transcript(claude, [assistant(f"m{n}", when, request_id=f"r{n}") for n, when in enumerate(moments)])
    assert days("--since", "2026-10-25", "--until", "2026-10-25", "--timezone", "Europe/Berlin") == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [(["--since", "tomorrow"], "tomorrow is no day such as"), (["--timezone", "Mars"], "Mars is no time zone"),
     (["--timezone", "../etc/passwd"], "is no time zone"), (["--since", "2026-13-01"], "no day such as"),
     (["--since", "2026-09-22", "--until", "2026-09-20"], "--until lies before --since"),
     (["--until", "9999-12-31"], "no day such as"), (["--since", "0001-01-01"], "no day such as")],
)  # fmt: skip
def test_a_wrong_date_or_zone_is_told_in_one_sentence(home, words, told):
    found = run("models", "--json", *words)
    assert (found.returncode, found.stdout) == (2, "")
    assert told in found.stderr
    assert "Traceback" not in found.stderr


def test_without_any_transcript_the_list_is_empty(home):
    assert report("models") == report("sessions") == []
    assert run("models").stdout.startswith("the history is empty\nno client's folder was found")


def test_what_the_client_deleted_is_still_told(home, claude):
    history(claude)
    before = report("models")
    os.rename(claude, claude + ".gone")
    assert report("models") == before


def test_what_is_new_is_read_before_it_is_told(home, claude):
    path = transcript(claude, [assistant()])
    assert days() == 1
    append(path, assistant("m2", request_id="r2"))
    assert days() == 2


def test_beside_a_listener_the_same_is_told(listener, claude):
    history(claude)
    alone = report("sessions", AITOP_HOME=listener.home + "-other")
    listener.start()
    told = report("sessions")
    assert told == alone
    append(transcript(claude, session=SESSION), assistant("z", time.time(), request_id="rz"))
    listener.wait_for(lambda s: s["today"]["requests"] == 1)
    assert days() == 4


def test_the_table_is_for_people(home, claude):
    history(claude)
    found = run("sessions")
    assert found.returncode == 0
    assert "shop" in found.stdout
    assert "total" in found.stdout
    assert run().stdout.splitlines()[2].startswith("model")


def test_control_characters_of_a_name_do_not_reach_the_terminal(home, claude):
    transcript(
        claude, [assistant(cwd="/w/\x1b[31mred\x07"), assistant("m2", model="\x1b]0;x\x07", request_id="r2")]
    )
    for words in ("models", "sessions"):
        shown = run(words).stdout
        assert "\x1b" not in shown
        assert "\x07" not in shown


def test_a_newer_history_is_told_in_plain_words(home):
    db = schema.connect(os.path.join(home, "history.db"))
    db.execute("PRAGMA user_version = 99")
    db.close()
    found = run("models")
    assert (found.returncode, found.stdout) == (1, "")
    assert "was written by a newer aitop" in found.stderr
    assert "Traceback" not in found.stderr


def test_an_unpriced_model_makes_the_sum_a_lower_bound(home, claude):
    transcript(claude, [assistant(), assistant("m2", model="somebody-else", request_id="r2")])
    found = {row["model"]: row for row in report("models")}
    assert (found["somebody-else"]["unpriced_requests"], found["somebody-else"]["cost_usd"]) == (1, 0.0)
    assert "≥" in run("models").stdout
