"""The part of the history that an address asks for: days or moments, and exact names. Pure: now is an argument."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple

from aitop.model import periods
from aitop.reports import filters

BY = ("model", "project", "provider", "branch")
UNITS = ("day", "week", "month")
NAMES = ("provider", "model", "project", "branch", "session", "named", "budget")
LONGEST = 500  # characters of a name


class BadAddressError(Exception):
    """The address asks for something that cannot be; the message says which part."""


class Part(NamedTuple):
    """Days (inclusive) or moments, and exact names; None lets everything through.

    `project` is a folder's path, "" for work in no known folder; `named` the last part of such a path, as the state
    names projects. `branch` "" is work on no branch. `budget` is a budget of the configuration.
    """

    since: date | None = None
    until: date | None = None
    start: float | None = None  # epoch seconds; instead of days
    end: float | None = None
    provider: str | None = None
    model: str | None = None
    project: str | None = None
    branch: str | None = None
    session: str | None = None
    named: str | None = None
    budget: str | None = None

    def span(self) -> tuple[float | None, float | None]:
        """The same as moments, the end excluded."""
        if self.start is not None or self.end is not None:
            return self.start, self.end
        begins = periods.midnight(self.since) if self.since else None
        ends = periods.midnight(self.until + timedelta(days=1)) if self.until else None
        return begins, ends


def part(query: Mapping[str, str], now: float) -> Part:
    """What an address asks for. Raises BadAddressError."""
    today = periods.date_of(now)
    since, until = (_day(query.get(key), key, today) for key in ("since", "until"))
    if since and until and until < since:
        raise BadAddressError("until lies before since")
    start, end = (_moment(query.get(key), key) for key in ("from", "to"))
    last = _moment(query.get("last"), "last")
    if last is not None:
        start = float(int(now) - int(last) + 1)
    names = {key: _name(query.get(key), key) for key in NAMES}
    return Part(since, until, start, end, **names)


def choice(query: Mapping[str, str], key: str, known: tuple[str, ...]) -> str:
    """One of several words; the first is the default. Raises BadAddressError."""
    value = query.get(key, known[0])
    if value not in known:
        raise BadAddressError(f"{key}: {value[:40]} is none of {', '.join(known)}")
    return value


def whole(query: Mapping[str, str], key: str, default: int, most: int) -> int:
    """A whole number from 0 to `most`. Raises BadAddressError."""
    text = query.get(key)
    if text is None:
        return default
    if not text.isascii() or not text.isdecimal() or len(text) > 12:
        raise BadAddressError(f"{key}: {text[:40]} is no whole number")
    return min(int(text), most)


def _day(text: str | None, key: str, today: date) -> date | None:
    if not text:
        return None
    try:
        return filters.day(text, today, None)
    except (ValueError, OverflowError, OSError) as error:
        raise BadAddressError(f"{key}: {text[:40]} is no day such as 2026-01-31, today or 7d") from error


def _moment(text: str | None, key: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
        datetime.fromtimestamp(value)  # noqa: DTZ006 - only whether the calendar has it
    except (ValueError, OverflowError, OSError) as error:
        raise BadAddressError(f"{key}: {text[:40]} is no time in epoch seconds") from error
    return value


def _name(text: str | None, key: str) -> str | None:
    if text is not None and len(text) > LONGEST:
        raise BadAddressError(f"{key}: the name is too long")
    return text
