"""Clients that write Codex's rollouts into a folder of their own: counted under their own name."""

import pytest
from support.codex_records import MODEL, PARENT, A, B, count, meta, path, record, turn
from support.desk import START, Desk, write

from aitop.model.events import Limit
from aitop.providers.codex import provider, trae

RATES = {"primary": {"used_percent": 12.0, "window_minutes": 300, "resets_at": START + 600}}


@pytest.fixture
def desk(tmp_path):
    return Desk(trae, *trae.folders([str(tmp_path)], {}))


def test_a_relative_is_found_in_its_own_folder_alone():
    assert trae.folders([], {"HOME": "/u", "CODEX_HOME": "/c"}) == [
        "/u/.trae/cli/sessions",
        "/u/.trae/cli/archived_sessions",
    ]
    assert provider.folders([], {"HOME": "/u", "CODEX_HOME": "/c"})[0] == "/c/sessions"


def test_its_rollouts_count_as_codexs_do(tmp_path, desk):
    write(path(tmp_path), meta(), turn(), record("r1", A), count(A), record("r2", B, A), count(B, A))
    total = desk.read().total(PARENT)
    assert (total.requests, total.input_tokens, total.output_tokens) == (2, 2400, 120)
    assert desk.session(PARENT).model == MODEL


def test_its_limits_are_its_own(tmp_path, desk):
    write(path(tmp_path), meta(), turn(), count(A, limits=RATES))
    desk.read()
    with open(path(tmp_path), "rb") as file:
        parsed = trae.parse(file.read(), 0, trae.identify(path(tmp_path)))
    assert {one.provider for one in parsed.events if isinstance(one, Limit)} == {"trae"}


def test_hooks_and_telemetry_of_codex_are_none_of_its():
    assert trae.feed({"provider": "codex"}, {"session_id": PARENT, "hook_event_name": "Stop"}, START) is None
    assert trae.services == ()
