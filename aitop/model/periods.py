"""Where today, this week and this month began, in local time. Pure but for the zone of the process."""

from datetime import date, datetime, timedelta, tzinfo

NAMES = ("today", "week", "month")
WEEK_STARTS = {"monday": 0, "sunday": 6}  # as `date.weekday` counts
MONDAY = WEEK_STARTS["monday"]


def starts(now: float, week_start: int = MONDAY) -> dict[str, float]:
    """Local midnight of today, of the week's first day, of the first of the month: epoch seconds, right across DST."""
    today = _midnight(now)
    week = today - timedelta(days=(today.weekday() - week_start) % 7)
    return {"today": today.timestamp(), "week": week.timestamp(), "month": today.replace(day=1).timestamp()}


def next_midnight(now: float) -> float:
    """The next local midnight."""
    return (_midnight(now) + timedelta(days=1)).timestamp()


def _midnight(now: float) -> datetime:
    """Without a zone on purpose: arithmetic on local wall time is what makes a day of 23 hours right."""
    return datetime.fromtimestamp(now).replace(hour=0, minute=0, second=0, microsecond=0)  # noqa: DTZ006


def ends(now: float, week_start: int = MONDAY) -> dict[str, float]:
    """When today, this week and this month end, in local time."""
    today = _midnight(now)
    week = today + timedelta(days=7 - (today.weekday() - week_start) % 7)
    first = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    return {"today": next_midnight(now), "week": week.timestamp(), "month": first.timestamp()}


def date_of(now: float) -> date:
    """The local date."""
    return _midnight(now).date()


def midnight(day: date, zone: tzinfo | None = None) -> float:
    """When a date begins there (here without a zone), as epoch seconds; where that hour is skipped, its end."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()
