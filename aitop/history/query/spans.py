"""Sums of the history cut into spans of time: what every report, budget and forecast is made of.

Reads sums only, never the responses (but for `responses`): whole UTC days where a span holds them,
quarter hours at its ends. So a year of two million responses is a fraction of a second in any time
zone. A span begins on a quarter hour, as every local midnight does. Pure questions; no clock.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from aitop.history import columns
from aitop.model.sums import ZERO, Sum, minus, negative, plus
from aitop.pricing.basis import Basis

QUARTER = 900
DAY = 86_400
LONG = DAY * 3 // 4  # seconds: a shorter span reads less by its quarter hours alone
Span = tuple[float, float]  # begin, end (excluded), epoch seconds


class Cell(NamedTuple):
    """One session's use of one model; "" for errors and tool calls, which belong to no model."""

    session: int
    model: str
    sum: Sum


class ToolCell(NamedTuple):
    """Calls of one tool."""

    name: str
    calls: int
    failures: int


class Only(NamedTuple):
    """What is let through: a part of the sessions, a part of the models; None: all. Needs `let_through`."""

    sessions: bool = False
    models: tuple[int, ...] | None = None

    def where(self) -> str:
        parts = ["at >= ? AND at < ?"]
        if self.sessions:
            parts.append("session IN temp.allowed")
        if self.models is not None:
            parts.append(f"model IN ({','.join(str(int(model)) for model in self.models)})")
        return " AND ".join(parts)


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
        # two questions: one alone finds its end of the index at once, both together read all of it
        first, last = (
            db.execute(f"SELECT {end}(at) FROM {table}").fetchone()[0]  # noqa: S608
            for end in ("min", "max")
        )
        if first is not None:
            found.append((first, last + QUARTER))
    return (min(f for f, _ in found), max(t for _, t in found)) if found else None


def let_through(db: sqlite3.Connection, sessions: Iterable[int]) -> None:
    """Name the sessions that `Only(sessions=True)` lets through, for this connection."""
    db.execute("CREATE TEMP TABLE IF NOT EXISTS allowed (id INTEGER PRIMARY KEY)")
    db.execute("DELETE FROM temp.allowed")
    db.executemany("INSERT INTO temp.allowed VALUES (?)", ((session,) for session in sessions))


def sums(db: sqlite3.Connection, spans: Iterable[Span], only: Only) -> Iterator[Sum]:
    """Everything of each span in one sum; tool calls belong to no model and are left out where one is asked for.

    Long spans are whole UTC days, corrected at both ends by the quarter hours between the nearest UTC
    midnight and the border; where spans meet, a border is read once.
    """
    beyond: dict[float, Sum] = {}
    for start, end in spans:
        if end - start < LONG:
            yield _one(db, "quarter", "quarter_tool", (start, end), only)
            continue
        for border in (start, end):
            if border not in beyond:
                beyond[border] = _beyond(db, border, only)
        days = _one(db, "day_sum", "day_tool", (_nearest(start), _nearest(end)), only)
        yield plus(minus(days, beyond[start]), beyond[end])


def _nearest(moment: float) -> int:
    """The UTC midnight a moment is closest to."""
    return (int(moment) + DAY // 2) // DAY * DAY


def _beyond(db: sqlite3.Connection, border: float, only: Only) -> Sum:
    """What lies between the nearest UTC midnight and a border after it; negative for one before."""
    midnight = _nearest(border)
    if border == midnight:
        return ZERO
    part = (midnight, border) if border > midnight else (border, midnight)
    found = _one(db, "quarter", "quarter_tool", part, only)
    return found if border > midnight else negative(found)


def _one(db: sqlite3.Connection, table: str, tools: str, span: Span, only: Only) -> Sum:
    values = db.execute(f"SELECT {columns.SUMS} FROM {table} WHERE {only.where()}", span).fetchone()  # noqa: S608
    calls: tuple[int | None, int | None] = (0, 0)
    if only.models is None:
        calls = db.execute(
            f"SELECT sum(calls), sum(failures) FROM {tools} WHERE {only.where()}",  # noqa: S608
            span,
        ).fetchone()
    return columns.from_by_model(values, *calls)


def cells(db: sqlite3.Connection, span: Span, only: Only) -> Iterator[Cell]:
    """A span by session and model."""
    models = dict(db.execute("SELECT id, name FROM model"))
    for table, part in _parts("day_sum", "quarter", span):
        for session, model, *values in db.execute(
            f"SELECT session, model, {columns.SUMS} FROM {table} WHERE {only.where()} GROUP BY session, model",  # noqa: S608
            part,
        ):
            yield Cell(session, models[model], columns.from_by_model(values))
    if only.models is not None:
        return
    for table, part in _parts("day_tool", "quarter_tool", span):
        for session, calls, failures in db.execute(
            f"SELECT session, sum(calls), sum(failures) FROM {table} WHERE {only.where()} GROUP BY session",  # noqa: S608
            part,
        ):
            yield Cell(session, "", Sum(tool_calls=calls, tool_failures=failures))


def tools(db: sqlite3.Connection, span: Span, only: Only) -> Iterator[ToolCell]:
    """A span's calls by tool; a tool may come more than once."""
    for table, part in _parts("day_tool", "quarter_tool", span):
        for row in db.execute(
            f"SELECT name, sum(calls), sum(failures) FROM {table} WHERE {only.where()} "  # noqa: S608
            "GROUP BY name HAVING sum(calls) != 0 OR sum(failures) != 0",
            part,
        ):
            yield ToolCell(*row)


def _parts(days: str, quarters_: str, span: Span) -> list[tuple[str, Span]]:
    """A span as whole UTC days and the quarter hours before and after them."""
    start, end = span
    first, last = -(-int(start) // DAY) * DAY, int(end) // DAY * DAY
    if first >= last:
        return [(quarters_, span)]
    return [(days, (first, last)), *((quarters_, p) for p in ((start, first), (last, end)) if p[0] < p[1])]


def facts(db: sqlite3.Connection, since: float = 0.0) -> dict[int, SessionFacts]:
    """The facts of every session active since a moment, by its number."""
    rows = db.execute(
        "SELECT id, provider, name, cwd, branch, model, tag, started_at, last_at, client_cost, compactions "
        "FROM session WHERE ifnull(last_at, 0) >= ?",
        (since,),
    )
    return {row[0]: SessionFacts(*row) for row in rows}


def quarters(db: sqlite3.Connection, span: Span) -> list[tuple[int, str, int, int, int]]:
    """(at, provider, spent, input and output tokens outside the cache, requests) of each quarter hour in use."""
    found: list[tuple[int, str, int, int, int]] = []
    providers = [row[0] for row in db.execute("SELECT DISTINCT provider FROM session")]
    whose = "" if len(providers) == 1 else "AND session IN (SELECT id FROM session WHERE provider = ?)"
    for provider in providers:  # one at a time: the rows come in order and need no sorting
        values = span if len(providers) == 1 else (*span, provider)
        found += [
            (at, provider, *rest)
            for at, *rest in db.execute(
                "SELECT at, sum(cost + untracked), sum(uncached + output), sum(requests) FROM quarter "  # noqa: S608
                f"WHERE at >= ? AND at < ? {whose} GROUP BY at HAVING sum(requests) > 0",
                values,
            )
        ]
    return sorted(found) if len(providers) > 1 else found


def first_use(db: sqlite3.Connection, since: float, provider: str) -> int | None:
    """The first quarter hour from a moment on in which a provider's requests were answered."""
    found = db.execute(
        "SELECT at FROM quarter WHERE at >= ? AND requests > 0 "
        "AND (SELECT provider FROM session WHERE id = quarter.session) = ? ORDER BY at LIMIT 1",
        (since, provider),
    ).fetchone()
    return found[0] if found else None


def cost(db: sqlite3.Connection, span: Span) -> int:
    """Picodollars of one span."""
    found: int | None = db.execute(
        "SELECT sum(cost + untracked) FROM quarter WHERE at >= ? AND at < ?", span
    ).fetchone()[0]
    return found or 0


def costs(db: sqlite3.Connection, start: float, end: float) -> list[tuple[int, int, int, int]]:
    """(session, picodollars, unpriced, estimated requests) of a span; a session may come more than once."""
    return [
        row
        for table, part in _parts("day_sum", "quarter", (start, end))
        for row in db.execute(
            f"SELECT session, sum(cost + untracked), sum(unpriced), sum(estimated) FROM {table} "  # noqa: S608
            "WHERE at >= ? AND at < ? GROUP BY session",
            part,
        )
    ]


def responses(db: sqlite3.Connection, span: Span) -> Iterator[tuple[float, int, int, int]]:
    """(at, session, cost, unpriced) of each response in a span, oldest first: for what needs the second."""
    yield from db.execute(
        "SELECT at, session, cost, basis = ? FROM response WHERE at >= ? AND at < ? ORDER BY at",
        (Basis.UNPRICED, *span),
    )
