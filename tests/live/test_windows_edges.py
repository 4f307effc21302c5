"""The smaller sums beside the windows, at their borders: minutes of a sparkline, of a session, of a count."""

from aitop.live import windows
from aitop.live.windows import Minutes, RecentBySession, RecentCount
from aitop.model.sums import ZERO, Sum

NOW = 1_790_000_040.0  # the first second of a minute
ONE = Sum(requests=1, uncached_input_tokens=5, output_tokens=3, cost=7)


def test_a_minute_of_a_sparkline_adds_input_and_output():
    minutes = Minutes()
    minutes.add(NOW, ONE)
    minutes.add(NOW + 59, ONE)
    costs, _, tokens = minutes.values(NOW + 59)
    assert (costs[-1], tokens[-1]) == (14, 16)


def test_a_session_keeps_fifteen_minutes_and_not_the_one_before():
    recent = RecentBySession()
    for back in range(20):
        recent.add(NOW - 60 * back, 1, ONE, NOW - 60 * back)
    assert recent.sum(1, NOW) == Sum(*(windows.RECENT_MINUTES * value for value in ONE))
    late = RecentBySession()
    late.add(NOW - 60 * windows.RECENT_MINUTES, 1, ONE, NOW)
    assert late.sum(1, NOW) == ZERO
    late.add(NOW - 60 * (windows.RECENT_MINUTES - 1), 1, ONE, NOW)
    assert late.sum(1, NOW) == ONE


def test_a_session_tells_of_fewer_minutes_where_fewer_are_asked_for():
    recent = RecentBySession()
    for back in (0, 4, 5, 9):
        recent.add(NOW - 60 * back, 1, ONE, NOW)
    assert recent.sum(1, NOW, 5).requests == 2
    assert recent.sum(1, NOW, 10).requests == 4
    assert recent.sum(2, NOW) == ZERO


def test_a_session_at_rest_leaves_nothing_behind():
    recent = RecentBySession()
    recent.add(NOW, 1, ONE, NOW)
    assert recent.sum(1, NOW + 60 * windows.RECENT_MINUTES) == ZERO
    assert recent._minutes == {}


def test_among_many_sessions_those_at_rest_make_room_once_a_minute():
    recent = RecentBySession()
    for session in range(windows.MAX_RECENT_SESSIONS):
        recent.add(NOW, session, ONE, NOW)
    recent.add(NOW + 59, -1, ONE, NOW + 59)
    assert recent.sum(-1, NOW + 59) == ZERO  # full, and all are at work
    later = NOW + 60 * windows.RECENT_MINUTES
    recent.add(later, -1, ONE, later)
    assert recent.sum(-1, later) == ONE
    assert len(recent._minutes) == 1


def test_a_count_holds_fifteen_minutes_and_what_is_taken_back_cancels():
    count = RecentCount()
    for back in range(20):
        count.add(NOW - 60 * back, 1)
    assert count.count(NOW) == windows.RECENT_MINUTES
    count.add(NOW, 2)
    assert count.count(NOW) == windows.RECENT_MINUTES + 2
    count.add(NOW, -3)
    assert count.count(NOW) == windows.RECENT_MINUTES - 1
    assert count.count(NOW + 60) == windows.RECENT_MINUTES - 2
