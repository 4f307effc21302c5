"""Sums of the history cut into spans of time: what every report, budget and forecast is made of.

Reads the quarter-hour sums only, one indexed range a span, so a year of two million responses is a
fraction of a second in any time zone, and all groupings are made from the same cells and agree. A
span begins on a quarter hour, as every local midnight does. Pure questions; no clock.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from aitop.model import Sum

QUARTER = 900
_COLUMNS = (
    "requests", "errors", "uncached", "output", "cache_read", "write_5m", "write_1h", "cost",
    "unpriced", "estimated", "incomplete", "understated",
)  # fmt: skip
_SUMS = ", ".join(f"sum({name})" for name in _COLUMNS)
Span = tuple[float, float]  # begin, end (excluded), epoch seconds


class Cell(NamedTuple):
    """One session's use of one model in one span; `span` is the span's place in the list asked for."""

    span: int
    session: int
    model: str  # "" for failed requests and tool calls, which belong to no model
    sum: Sum


class ToolCell(NamedTuple):
    """One session's calls of one tool in one span."""

    span: int
    session: int
    name: str
    calls: int
    failures: int


class SessionFacts(NamedTuple):
    """What is known of a session besides its sums."""

    id: int
    provider: str
    name: str
    cwd: str | None
    branch: str | None
    model: str | None
    tag: str | None
    started_at: float | None
    last_at: float | None
    client_cost: float | None
    compactions: int


def bounds(db: sqlite3.Connection) -> Span | None:
    """From the first quarter hour that holds anything to the end of the last, None while there is none."""
    found = []
    for table in ("quarter", "quarter_tool"):
        first, last = db.execute(f"SELECT min(at), max(at) FROM {table}").fetchone()  # noqa: S608
        if first is not None:
            found.append((first, last + QUARTER))
    return (min(f for f, _ in found), max(t for _, t in found)) if found else None


def cells(db: sqlite3.Connection, spans: Iterable[Span]) -> Iterator[Cell]:
    """Responses and errors of each span by session and model."""
    models = dict(db.execute("SELECT id, name FROM model"))
    ask = (
        f"SELECT session, model, {_SUMS} FROM quarter WHERE at >= ? AND at < ? "  # noqa: S608
        "GROUP BY session, model"
    )
    for number, span in enumerate(spans):
        for session, model, *values in db.execute(ask, span):
            if any(values):
                yield Cell(number, session, models[model], Sum._make((*values[:8], 0, 0, *values[8:])))


def tool_cells(db: sqlite3.Connection, spans: Iterable[Span]) -> Iterator[ToolCell]:
    """Tool calls of each span by session and tool."""
    ask = (
        "SELECT session, name, sum(calls), sum(failures) FROM quarter_tool WHERE at >= ? AND at < ? "
        "GROUP BY session, name HAVING sum(calls) != 0 OR sum(failures) != 0"
    )
    for number, span in enumerate(spans):
        for row in db.execute(ask, span):
            yield ToolCell(number, *row)


def facts(db: sqlite3.Connection, since: float = 0.0) -> dict[int, SessionFacts]:
    """The facts of every session active since a moment, by its number."""
    rows = db.execute(
        "SELECT id, provider, name, cwd, branch, model, tag, started_at, last_at, client_cost, compactions "
        "FROM session WHERE ifnull(last_at, 0) >= ?",
        (since,),
    )
    return {row[0]: SessionFacts(*row) for row in rows}


def quarters(db: sqlite3.Connection, span: Span) -> list[tuple[int, str, int, int, int]]:
    """(at, provider, cost, input and output tokens outside the cache, requests) of each quarter hour in use."""
    return db.execute(
        "SELECT q.at, s.provider, sum(q.cost), sum(q.uncached + q.output), sum(q.requests) "
        "FROM quarter q JOIN session s ON s.id = q.session WHERE q.at >= ? AND q.at < ? "
        "GROUP BY q.at, s.provider HAVING sum(q.requests) > 0 ORDER BY q.at, s.provider",
        span,
    ).fetchall()


def cost(db: sqlite3.Connection, span: Span) -> int:
    """Picodollars of one span."""
    found: int | None = db.execute("SELECT sum(cost) FROM quarter WHERE at >= ? AND at < ?", span).fetchone()[
        0
    ]
    return found or 0


def costs(db: sqlite3.Connection, start: float) -> list[tuple[int, int, int, int]]:
    """(session, picodollars, unpriced, estimated requests) of each session from a moment on."""
    return db.execute(
        "SELECT session, sum(cost), sum(unpriced), sum(estimated) FROM quarter WHERE at >= ? GROUP BY session",
        (start,),
    ).fetchall()


def responses(db: sqlite3.Connection, span: Span) -> Iterator[tuple[float, int, int, int]]:
    """(at, session, cost, unpriced) of each response in a span, oldest first: for what needs the second."""
    yield from db.execute(
        "SELECT at, session, cost, basis = 2 FROM response WHERE at >= ? AND at < ? ORDER BY at", span
    )
