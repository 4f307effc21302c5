"""Which part of the history a report asks for: days of a zone, and patterns. Pure: today is an argument."""

import re
from datetime import date, datetime, timedelta, tzinfo
from typing import Literal, NamedTuple

from aitop.model import periods
from aitop.model.periods import MONDAY

Period = Literal["day", "week", "month"]
PERIODS: tuple[Period, ...] = ("day", "week", "month")
_BACK = re.compile(r"([1-9]\d{0,3})([dw])")


class Filter(NamedTuple):
    """Days are inclusive and of `zone` (None: this machine's). A pattern of None lets everything through."""

    since: date | None = None
    until: date | None = None
    zone: tzinfo | None = None
    project: str | None = None
    model: str | None = None
    tag: str | None = None
    provider: str | None = None
    week_start: int = MONDAY

    def span(self) -> tuple[float | None, float | None]:
        """The same as moments: epoch seconds, the end excluded."""
        start = periods.midnight(self.since, self.zone) if self.since else None
        end = periods.midnight(self.until + timedelta(days=1), self.zone) if self.until else None
        return start, end

    def patterns(self) -> dict[str, str]:
        """Option → pattern, of those that are set."""
        pairs = {"project": self.project, "model": self.model, "tag": self.tag, "provider": self.provider}
        return {name: value for name, value in pairs.items() if value is not None}


def day(text: str, today: date, zone: tzinfo | None) -> date:
    """2026-01-31, 20260131, today, yesterday, or 7d and 2w: so many days up to today. Raises ValueError."""
    back = _BACK.fullmatch(text)
    if text in ("today", "yesterday"):
        return today - timedelta(days=text == "yesterday")
    if back:
        return today - timedelta(days=int(back[1]) * (7 if back[2] == "w" else 1) - 1)
    form = "%Y%m%d" if re.fullmatch(r"\d{8}", text) else "%Y-%m-%d"
    wanted = datetime.strptime(text, form).date()  # noqa: DTZ007
    periods.midnight(wanted - timedelta(days=1), zone)  # years at the ends of the calendar have no such day
    periods.midnight(wanted + timedelta(days=2), zone)
    return wanted


def first_of(period: Period, within: date, week_start: int) -> date:
    """The first day of the period a day lies in."""
    if period == "week":
        return within - timedelta(days=(within.weekday() - week_start) % 7)
    return within.replace(day=1) if period == "month" else within


def last(count: int, period: Period, today: date, week_start: int) -> date:
    """The first day of the newest `count` periods, today's included. Raises OverflowError, ValueError."""
    first = first_of(period, today, week_start)
    if period == "month":
        months = first.year * 12 + first.month - count
        return date(months // 12, months % 12 + 1, 1)
    return first - timedelta(days=(count - 1) * (7 if period == "week" else 1))


def label(period: Period, within: date, week_start: int) -> str:
    """What a period is called: 2026-01-31, the first day of a week, or 2026-01."""
    first = first_of(period, within, week_start)
    return first.isoformat()[:7] if period == "month" else first.isoformat()
