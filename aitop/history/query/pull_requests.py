"""The pull requests that clients named, and what is booked beside the responses. Reads only."""

import sqlite3
from typing import NamedTuple


class Link(NamedTuple):
    """A session's client named a pull request; `at` is when it first did (epoch seconds)."""

    session: int
    repository: str
    number: int
    at: float


class SideCall(NamedTuple):
    """Picodollars that a session's client reports beyond its responses, booked at a second."""

    at: float
    session: int
    picodollars: int


def links(db: sqlite3.Connection) -> list[Link]:
    """All of them, oldest first."""
    rows = db.execute(
        "SELECT session, repository, number, at FROM pull_request ORDER BY at, repository, number"
    )
    return [Link._make(row) for row in rows]


def side_calls(db: sqlite3.Connection, start: float, end: float) -> list[SideCall]:
    """Of a span, oldest first."""
    rows = db.execute(
        "SELECT at, session, sum(picodollars) FROM side_call WHERE at >= ? AND at < ? GROUP BY at, session ORDER BY at",
        (start, end),
    )
    return [SideCall._make(row) for row in rows]
