"""What happened when, within a day or so: activity of sessions and agents, tool calls, compactions. Reads only."""

import sqlite3
from typing import NamedTuple

from aitop.history.query.spans import Span

MINUTE = 60


class Moment(NamedTuple):
    """One response of a session or of one of its agents ("": the main thread); `cost` is in picodollars."""

    session: int
    agent: str
    at: float
    cost: int
    model: str


class Minute(NamedTuple):
    """Tool calls of one session in the minute that begins at `at`."""

    session: int
    at: float
    calls: int
    failures: int


class Compaction(NamedTuple):
    session: int
    at: float
    trigger: str


def moments(db: sqlite3.Connection, span: Span) -> list[Moment]:
    """Every response of a span, by session and agent, oldest first."""
    rows = db.execute(
        "SELECT r.session, ifnull(r.agent, ''), r.at, r.cost, m.name FROM response r JOIN model m ON m.id = r.model "
        "WHERE r.at >= ? AND r.at < ? ORDER BY r.session, 2, r.at",
        span,
    )
    return list(map(Moment._make, rows))


def tools_by_minute(db: sqlite3.Connection, span: Span) -> list[Minute]:
    """Tool calls of a span, counted by session and minute, oldest first."""
    rows = db.execute(
        "SELECT session, CAST(at AS INTEGER) / ? * ? AS minute, count(*), sum(failed) FROM tool "
        "WHERE at >= ? AND at < ? GROUP BY session, minute ORDER BY session, minute",
        (MINUTE, MINUTE, *span),
    )
    return list(map(Minute._make, rows))


def compactions(db: sqlite3.Connection, span: Span) -> list[Compaction]:
    """Context compactions of a span."""
    rows = db.execute(
        "SELECT session, at, what FROM incident WHERE kind = 'compaction' AND at >= ? AND at < ? "
        "AND NOT (twin IS NOT NULL AND from_file = 0) ORDER BY at",
        span,
    )
    return list(map(Compaction._make, rows))
