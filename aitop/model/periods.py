"""Where today, this week and this month began, in local time. Pure but for the zone and the week of the process."""

from datetime import date, datetime, timedelta, tzinfo

NAMES = ("today", "week", "month")
MONDAY, SUNDAY = 0, 6  # as `date.weekday` counts
WEEKDAYS = {"monday": MONDAY, "sunday": SUNDAY}
_week_start = MONDAY


def begin_weeks_on(weekday: int) -> bool:
    """Let weeks begin on that day (0: Monday) in this process, as its time zone holds for it; whether that is new."""
    global _week_start
    changed, _week_start = weekday != _week_start, weekday
    return changed


def starts(now: float) -> dict[str, float]:
    """Local midnight of today, of the week's first day, of the first of the month; right across DST. Epoch seconds."""
    today = _midnight(now)
    week = today - timedelta(days=_days_into_week(today))
    return {"today": today.timestamp(), "week": week.timestamp(), "month": today.replace(day=1).timestamp()}


def _days_into_week(day: datetime) -> int:
    return (day.weekday() - _week_start) % 7


def next_midnight(now: float) -> float:
    """The next local midnight."""
    return (_midnight(now) + timedelta(days=1)).timestamp()


def _midnight(now: float) -> datetime:
    """Without a zone on purpose: arithmetic on local wall time is what makes a day of 23 hours right."""
    return datetime.fromtimestamp(now).replace(hour=0, minute=0, second=0, microsecond=0)  # noqa: DTZ006


def ends(now: float) -> dict[str, float]:
    """When today, this week and this month end, in local time."""
    today = _midnight(now)
    week = today + timedelta(days=7 - _days_into_week(today))
    first = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    return {"today": next_midnight(now), "week": week.timestamp(), "month": first.timestamp()}


def date_of(now: float) -> date:
    """The local date."""
    return _midnight(now).date()


def midnight(day: date, zone: tzinfo | None = None) -> float:
    """When a date begins there (here without a zone), as epoch seconds; where that hour is skipped, its end."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()
