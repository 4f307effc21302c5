"""Responses and tool calls in the order of their threads: what filled a context, and who paid for it. Reads only.

A thread is a session's main conversation, or one of its sub-agents. Every row of the time asked for is read, so this
costs what it reads. Pure questions; no clock.
"""

import sqlite3
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from aitop.history import columns
from aitop.history.query.doubts import Doubts
from aitop.history.rows import unpack_usage
from aitop.model.events import Usage
from aitop.pricing.basis import Basis


class Turn(NamedTuple):
    """One response. `place` 0: its session's own; `cost` in picodollars."""

    id: int
    at: float
    model: int
    model_name: str
    place: int
    usage: Usage
    cost: int
    doubts: Doubts


class Call(NamedTuple):
    """One tool call. `key` is the digest of its id; `file` the number of the file that reports it, 0 for a hook."""

    key: int
    at: float
    name: str
    file: int


class Thread(NamedTuple):
    """`agent` None: the main conversation."""

    session: int
    agent: str | None
    turns: list[Turn]
    calls: list[Call]


class File(NamedTuple):
    """A client's file that the history knows."""

    id: int
    path: str
    agent: str | None


def threads(db: sqlite3.Connection, start: float, end: float) -> Iterator[Thread]:
    """Every thread with a response between two moments (epoch seconds, the end excluded), by session."""
    rows = db.execute(
        "SELECT r.session, r.agent, r.id, r.at, r.model, m.name, r.place, uncached, output, cache_read, write_5m, "  # noqa: S608
        f"write_1h, reasoning, searches, modifiers, cost, basis = ?, {columns.UNDERSTATED}, basis = ? "
        "FROM response r JOIN model m ON m.id = r.model "
        "WHERE r.at >= ? AND r.at < ? ORDER BY r.session, coalesce(r.agent, ''), r.at, r.id",
        (Basis.UNPRICED, Basis.FAMILY, start, end),
    )
    calls = _calls(db, start, end)
    for (session, agent), group in groupby(rows, key=lambda row: (row[0], row[1])):
        turns = [
            Turn(
                row[2],
                row[3],
                row[4],
                row[5],
                row[6],
                unpack_usage(row[7:14], row[14]),
                row[15],
                Doubts(*row[16:]),
            )
            for row in group
        ]
        yield Thread(session, agent, turns, calls.get((session, agent or ""), []))


def _calls(db: sqlite3.Connection, start: float, end: float) -> dict[tuple[int, str], list[Call]]:
    """The tool calls of each thread, in order. A call that only a hook reported counts for the main conversation."""
    calls: dict[tuple[int, str], list[Call]] = {}
    for session, agent, *call in db.execute(
        "SELECT t.session, coalesce(f.agent, ''), t.key, t.at, t.name, t.from_file FROM tool t "
        "LEFT JOIN file f ON f.id = t.from_file WHERE t.at >= ? AND t.at < ? ORDER BY t.at, t.key",
        (start, end),
    ):
        calls.setdefault((session, agent), []).append(Call(*call))
    return calls


def files(db: sqlite3.Connection, provider: str, session: str) -> list[File]:
    """The files of one session of a client."""
    rows = db.execute(
        "SELECT id, path, agent FROM file WHERE provider = ? AND session = ? ORDER BY path",
        (provider, session),
    )
    return [File(*row) for row in rows]
