"""Where days, weeks and months begin, in two zones and across the nights when clocks change."""

import time
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aitop.model import periods

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "UTC")


@pytest.fixture
def zone(monkeypatch):
    def choose(name):
        monkeypatch.setenv("TZ", name)
        time.tzset()
        return ZoneInfo(name)

    return choose


def at(zone, *parts):
    return datetime(*parts, tzinfo=zone).timestamp()


@pytest.mark.parametrize(
    ("name", "day", "hours"),
    [("Europe/Berlin", (2026, 3, 29), 23), ("Europe/Berlin", (2026, 10, 25), 25),
     ("America/New_York", (2026, 3, 8), 23), ("America/New_York", (2026, 11, 1), 25),
     ("Europe/Berlin", (2026, 11, 22), 24)],
)  # fmt: skip
def test_a_day_of_changed_clocks_has_its_own_length(zone, name, day, hours):
    there = zone(name)
    for hour in (0, 1, 4, 12, 23):
        now = at(there, *day, hour, 30)
        today = periods.starts(now)["today"]
        assert today == at(there, *day)
        assert periods.next_midnight(now) - today == hours * 3600


def test_the_week_begins_on_monday_and_the_month_on_the_first(zone):
    there = zone("Europe/Berlin")
    starts = periods.starts(at(there, 2026, 11, 1, 12))  # a Sunday after the clocks changed
    assert starts == {
        "today": at(there, 2026, 11, 1),
        "week": at(there, 2026, 10, 26),
        "month": at(there, 2026, 11, 1),
    }
    assert periods.starts(at(there, 2026, 3, 30))["week"] == at(there, 2026, 3, 30)


@pytest.mark.parametrize("name", ZONES)
def test_every_start_lies_on_a_quarter_hour(zone, name):
    zone(name)

    @given(st.floats(1_600_000_000, 1_900_000_000))
    def holds(now):
        starts = periods.starts(now)
        assert starts["month"] <= starts["today"] <= now < periods.next_midnight(now)
        assert starts["week"] <= starts["today"]
        assert all(start % 900 == 0 for start in starts.values())

    holds()


def test_midnight_itself_is_the_new_day(zone):
    there = zone("America/New_York")
    midnight = at(there, 2026, 5, 5)
    assert periods.starts(midnight)["today"] == midnight
    assert periods.next_midnight(midnight - 0.001) == midnight
