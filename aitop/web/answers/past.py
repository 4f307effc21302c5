"""The page History: the year as a heat map, and everything below it of the days that were picked."""

import sqlite3
from datetime import timedelta

from aitop.history.query import spans
from aitop.model import periods
from aitop.model.json_types import JsonObject
from aitop.reports import overview
from aitop.reports.ask import Asker
from aitop.reports.filters import Period
from aitop.web import narrow, params
from aitop.web.answers.asked import Asked, money
from aitop.web.params import Part

GROUPS_MAX, SESSIONS_MAX = 200, 50
USUAL_DAYS = 30
UNITS: tuple[Period, ...] = ("day", "week", "month")


def history(db: sqlite3.Connection, asked: Asked) -> JsonObject:
    """Periods, stack, groups and total of the days picked, and the year. Raises BadAddressError, sqlite3.Error.

    It is one question: each process that starts costs more than many answers.
    """
    part = _part(asked)
    by = params.choice(asked.query, "by", params.BY)
    unit = UNITS[params.UNITS.index(params.choice(asked.query, "unit", params.UNITS))]
    asker = narrow.asker(db, asked.config, part, asked.tags)
    assert part.since is not None
    return {
        **overview.overview(asker, unit, by, GROUPS_MAX),
        **_year(asker, asked),
        "since": part.since.isoformat(),
        "until": (part.until or periods.date_of(asked.now)).isoformat(),
        "known": _known(db),
        "money": money(db, asked),
    }


def sessions(db: sqlite3.Connection, asked: Asked) -> JsonObject:
    """The dearest sessions of the days picked."""
    asker = narrow.asker(db, asked.config, _part(asked), asked.tags)
    return {**overview.sessions(asker, SESSIONS_MAX), "money": money(db, asked)}


def _year(asker: Asker, asked: Asked) -> JsonObject:
    """The last 53 weeks by day, narrowed to the same model, folder, branch or client."""
    today = periods.date_of(asked.now)
    year = Asker(asker.db, overview.year(asker.wanted, today), asked.config.tags, dict(asked.tags))
    year.only = asker.only
    return {"heat": overview.heat(year), "today": today.isoformat()}


def _part(asked: Asked) -> Part:
    """The days asked for; without any, the last thirty."""
    part = params.part(asked.query, asked.now)
    if part.since is not None:
        return part
    last = part.until or periods.date_of(asked.now)
    return part._replace(since=last - timedelta(days=USUAL_DAYS - 1))


def _known(db: sqlite3.Connection) -> list[str] | None:
    """The first and the last day of the history."""
    bounds = spans.bounds(db)
    return [periods.date_of(at).isoformat() for at in (bounds[0], bounds[1] - 1)] if bounds else None
