"""One by one: the responses, tool calls, errors and side calls that a sum was added from, newest first. Reads only.

A page of rows reads no more than it shows: the sums by quarter hour say how far back its rows lie. The conditions
are those of `spans.Only`, so a list and the sum above it are of the same rows. Pure questions; no clock.
"""

import sqlite3
from typing import NamedTuple

from aitop.history import columns
from aitop.history.query.spans import QUARTER, Only, Span
from aitop.model.sums import Sum

COUNTED_ERROR = "kind != 'compaction' AND NOT (twin IS NOT NULL AND from_file = 0)"
TOOK = "coalesce(client_ms, CASE WHEN used AND result_at >= at THEN (result_at - at) * 1000 END)"
Before = tuple[float, int]  # the moment and the number of the last row shown


class One(NamedTuple):
    """One response. `place` is the number of its own, 0 for its session's; `cost` is in picodollars."""

    id: int
    at: float
    session: int
    model: str
    place: int
    agent: str | None
    uncached: int
    output: int
    cache_read: int
    write_5m: int
    write_1h: int
    cost: int
    basis: int
    stop_reason: str | None
    duration_ms: float | None
    ttft_ms: float | None

    @property
    def input(self) -> int:
        return self.uncached + self.cache_read + self.write_5m + self.write_1h


class Call(NamedTuple):
    """One tool call; `took` is milliseconds, None while it runs or where no record says."""

    id: int
    at: float
    session: int
    name: str
    took: float | None
    failed: bool


class Error(NamedTuple):
    """One failed API request; `what` is the client's word for it."""

    id: int
    at: float
    session: int
    what: str


class SideCall(NamedTuple):
    """Picodollars that a client reported beyond its records."""

    at: float
    session: int
    model: str
    picodollars: int


def responses(
    db: sqlite3.Connection, span: Span, only: Only, before: Before | None, most: int, agent: str | None = None
) -> list[One]:
    """At most so many responses of a span, the newest first, beginning behind `before`.

    `agent`: those of one agent, "" for the main thread; the span is then one session's.
    """
    named, values = _of_agent(agent)
    if agent is None:
        span = _reach(db, "quarter", "sum(requests)", span, only.where(), before, most)
    rows = db.execute(
        "SELECT r.id, r.at, r.session, m.name, r.place, r.agent, r.uncached, r.output, r.cache_read, r.write_5m, "  # noqa: S608
        "r.write_1h, r.cost, r.basis, r.stop_reason, r.duration_ms, r.ttft_ms FROM response r "
        f"JOIN (SELECT id AS number, name FROM model) m ON m.number = r.model WHERE {only.where()}{named} "
        "AND (r.at < ? OR (r.at = ? AND r.id < ?)) ORDER BY r.at DESC, r.id DESC LIMIT ?",
        (*span, *values, *_behind(before, span), most),
    )
    return list(map(One._make, rows))


def _of_agent(agent: str | None) -> tuple[str, tuple[str, ...]]:
    return ("", ()) if agent is None else (" AND coalesce(agent, '') = ?", (agent,))


def calls(
    db: sqlite3.Connection, span: Span, only: Only, before: Before | None, most: int, name: str | None = None
) -> list[Call]:
    """At most so many tool calls of a span, the newest first; those of one tool where it is named."""
    where = only._replace(models=None).where(by_place=False)
    named, values = ("", ()) if name is None else (" AND name = ?", (name,))
    span = _reach(db, "quarter_tool", "sum(calls)", span, where + named, before, most, values)
    rows = db.execute(
        f"SELECT key, at, session, name, {TOOK}, failed FROM tool WHERE {where}{named} "  # noqa: S608
        "AND (at < ? OR (at = ? AND key < ?)) ORDER BY at DESC, key DESC LIMIT ?",
        (*span, *values, *_behind(before, span), most),
    )
    return [Call(key, at, session, tool, took, bool(failed)) for key, at, session, tool, took, failed in rows]


def errors(db: sqlite3.Connection, span: Span, only: Only, before: Before | None, most: int) -> list[Error]:
    """At most so many failed API requests of a span, the newest first."""
    rows = db.execute(
        "SELECT key, at, session, what FROM incident "  # noqa: S608
        f"WHERE {only._replace(models=None).where(by_place=False)} "
        f"AND {COUNTED_ERROR} AND (at < ? OR (at = ? AND key < ?)) ORDER BY at DESC, key DESC LIMIT ?",
        (*span, *_behind(before, span), most),
    )
    return list(map(Error._make, rows))


def side_calls(db: sqlite3.Connection, span: Span, only: Only, most: int) -> list[SideCall]:
    """At most so many bookings of untracked money, the newest first."""
    rows = db.execute(
        "SELECT s.at, s.session, m.name, s.picodollars FROM side_call s "  # noqa: S608
        "JOIN (SELECT id AS number, name FROM model) m ON m.number = s.model "
        f"WHERE {only.where(by_place=False)} ORDER BY s.at DESC LIMIT ?",
        (*span, most),
    )
    return list(map(SideCall._make, rows))


def of_agent(db: sqlite3.Connection, span: Span, only: Only, agent: str) -> Sum:
    """The sum of one agent's responses; tool calls, errors and side calls are no agent's and stay 0."""
    named, values = _of_agent(agent)
    asked = f"SELECT {columns.OF_RESPONSES} FROM response WHERE {only.where()}{named}"  # noqa: S608
    return columns.from_response(db.execute(asked, (*span, *values)).fetchone())


def exact(db: sqlite3.Connection, span: Span, only: Only) -> Sum:
    """The sum of a short span that need not fall on quarter hours, added up from the rows themselves."""
    row = db.execute(f"SELECT {columns.OF_RESPONSES} FROM response WHERE {only.where()}", span).fetchone()  # noqa: S608
    by_session = only._replace(models=None).where(by_place=False)
    untracked = db.execute(
        f"SELECT sum(picodollars) FROM side_call WHERE {only.where(by_place=False)}",  # noqa: S608
        span,
    ).fetchone()[0]
    found = columns.from_response(row)._replace(untracked=untracked or 0)
    if only.models is not None:
        return found
    used, failed = db.execute(f"SELECT count(*), sum(failed) FROM tool WHERE {by_session}", span).fetchone()  # noqa: S608
    bad = db.execute(
        f"SELECT count(*) FROM incident WHERE {by_session} AND {COUNTED_ERROR}",  # noqa: S608
        span,
    ).fetchone()[0]
    return found._replace(tool_calls=used, tool_failures=failed or 0, errors=bad)


def latencies(db: sqlite3.Connection, span: Span, session: int) -> dict[str, list[float]]:
    """Milliseconds of the finished calls of each tool of one session, in rising order."""
    found: dict[str, list[float]] = {}
    for name, took in db.execute(
        f"SELECT name, {TOOK} AS took FROM tool "  # noqa: S608
        "WHERE at >= ? AND at < ? AND session = ? AND took IS NOT NULL ORDER BY took",
        (*span, session),
    ):
        found.setdefault(name, []).append(took)
    return found


def _behind(before: Before | None, span: Span) -> tuple[float, float, int]:
    at, number = before if before is not None else (span[1], 0)
    return at, at, number


def _reach(
    db: sqlite3.Connection, table: str, count: str, span: Span, where: str, before: Before | None, most: int,
    values: tuple[str, ...] = (),
) -> Span:  # fmt: skip
    """The newest part of a span that holds that many rows, by the sums of quarter hours."""
    start = span[0] // QUARTER * QUARTER
    end = span[1] if before is None else min(span[1], before[0])
    found = 0
    for at, rows in db.execute(
        f"SELECT at, {count} FROM {table} WHERE {where} GROUP BY at ORDER BY at DESC",  # noqa: S608
        (start, end, *values),
    ):
        if at + QUARTER <= end:  # of the newest quarter hour, a part may lie behind the end
            found += rows
        if found >= most:
            return max(span[0], at), span[1]
    return span
