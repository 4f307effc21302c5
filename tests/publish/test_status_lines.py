"""Status lines prepared for the sessions that asked: current numbers, bounded, gone after a while."""

import pytest

from aitop.publish import status_lines
from aitop.publish.status_lines import StatusLines, segment_of

NOW = 1_790_000_000.0
STATE = {
    "written_at": NOW,
    "display": {
        "billing": "api",
        "symbol": "$",
        "rate": 1.0,
        "levels": {"burn": [5, 20], "context": [40, 95]},
    },
    "today": {"spent_usd": 7.5, "cost_usd": 7.5},
    "windows": {"1m": {"cost_usd_per_hour": 6.0}},
}


def said(session="5f0c", **more):
    return {
        "session_id": session,
        "model": {"display_name": "Opus 5.5"},
        "cost": {"total_cost_usd": 1.2},
        **more,
    }


def test_a_session_that_asked_has_its_line_under_its_own_name():
    lines = StatusLines()
    lines.remember(said(), {"colour": False}, NOW)
    lines.remember(said("other"), {"preset": "burn"}, NOW)
    texts = lines.texts(STATE, NOW + 1)
    assert set(texts) == {"status-5f0c-plain", "status-other-burn"}
    assert "Opus 5.5" in texts["status-5f0c-plain"]


def test_its_line_follows_the_state():
    lines = StatusLines()
    lines.remember(said(), {"colour": False}, NOW)
    before = lines.texts(STATE, NOW)
    after = lines.texts(STATE | {"today": {"spent_usd": 9.25, "cost_usd": 9.25}}, NOW + 1)
    assert "$7.50" in before["status-5f0c-plain"]
    assert "$9.25" in after["status-5f0c-plain"]


def test_who_has_not_asked_for_ten_minutes_is_forgotten():
    lines = StatusLines()
    lines.remember(said(), {}, NOW)
    assert lines.texts(STATE, NOW + status_lines.KEPT_SECONDS - 1)
    assert not lines.texts(STATE, NOW + status_lines.KEPT_SECONDS)
    assert not lines.texts(STATE, NOW)


def test_the_sessions_that_asked_last_are_kept():
    lines = StatusLines()
    for number in range(status_lines.MOST + 5):
        lines.remember(said(f"s{number}"), {}, NOW)
    lines.remember(said("s5"), {}, NOW)
    lines.remember(said("new"), {}, NOW)
    names = lines.texts(STATE, NOW)
    assert len(names) == status_lines.MOST
    assert "status-s5" in names
    assert "status-s6" not in names


@pytest.mark.parametrize("session", ["../../etc", "a/b", "", "x" * 65, None, 7, "a\nb"])
def test_a_session_without_a_plain_name_has_no_segment(session):
    assert segment_of(said(session), {}) is None
    assert segment_of(said(), {"preset": "../x"}) is None
