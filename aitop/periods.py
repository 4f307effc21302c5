"""Where today, this week and this month began, in local time. Pure but for the zone of the process."""

from datetime import datetime, timedelta

NAMES = ("today", "week", "month")


def starts(now: float) -> dict[str, float]:
    """Local midnight of today, of Monday, of the first of the month, as epoch seconds; right across DST."""
    today = datetime.fromtimestamp(now).replace(hour=0, minute=0, second=0, microsecond=0)
    monday = today - timedelta(days=today.weekday())
    return {"today": today.timestamp(), "week": monday.timestamp(), "month": today.replace(day=1).timestamp()}


def next_midnight(now: float) -> float:
    """The next local midnight."""
    day = datetime.fromtimestamp(now).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return day.timestamp()
