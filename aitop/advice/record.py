"""Reads the history for the rules: one session at a time, its requests and tool calls in order. Never writes."""

import sqlite3
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from aitop.history.rows import unpack_usage
from aitop.model.events import Usage

# Agents that the client starts itself, such as compaction. The user does not choose their model.
INTERNAL = ("acompact", "aprompt_suggestion", "aside_question", "asession_memory")


class Call(NamedTuple):
    """One request as it was counted and priced."""

    at: float
    model: str
    usage: Usage
    cost: int  # picodollars
    priced: bool = True  # False: its price is not known
    agent: str | None = None
    stop_reason: str | None = "end_turn"

    @property
    def cached(self) -> int:
        """Tokens of the prefix that the cache holds after this request."""
        return self.usage.cache_read_tokens + self.usage.cache_write_tokens


class ToolCall(NamedTuple):
    at: float
    name: str
    failed: bool


class Record(NamedTuple):
    """One session."""

    name: str
    project: str
    calls: list[Call]
    tools: list[ToolCall]
    compactions: list[float]
    provider: str = ""

    def main(self) -> list[Call]:
        """The requests of the main thread."""
        return [call for call in self.calls if call.agent is None]

    def agents(self) -> list[Call]:
        """The requests of sub-agents the user's work started."""
        return [call for call in self.calls if call.agent is not None and not call.agent.startswith(INTERNAL)]


def sessions(db: sqlite3.Connection, start: float | None, end: float | None) -> Iterator[Record]:
    """Yield each session with a request between two moments (epoch seconds). Only one is in memory at a time."""
    where, values = _between(start, end)
    rows = db.execute(
        "SELECT r.session, r.at, m.name, uncached, output, cache_read, write_5m, write_1h, reasoning, searches, "  # noqa: S608
        f"modifiers, cost, basis, agent, stop_reason FROM response r JOIN model m ON m.id = r.model WHERE {where} "
        "ORDER BY r.session, r.at, r.id",
        values,
    )
    tools = _Tools(db, start)
    for session, group in groupby(rows, key=lambda row: row[0]):
        calls = [
            Call(row[1], row[2], unpack_usage(row[3:10], row[10]), row[11], row[12] != 2, row[13], row[14])
            for row in group
        ]
        name, cwd, provider = db.execute(
            "SELECT name, cwd, provider FROM session WHERE id = ?", (session,)
        ).fetchone()
        project = (cwd or "").replace("\\", "/").rstrip("/").rpartition("/")[2] or name[:8]
        used = [tool for tool in tools.of(session) if calls[0].at <= tool.at <= calls[-1].at + 3600]
        yield Record(name, project, calls, used, _compactions(db, session), provider)


def names(db: sqlite3.Connection, provider: str) -> set[str]:
    """The names of a client's sessions."""
    return {name for (name,) in db.execute("SELECT name FROM session WHERE provider = ?", (provider,))}


class _Tools:
    """Tool calls, read in one pass in the order of sessions, because the table `tool` has no index by session."""

    def __init__(self, db: sqlite3.Connection, start: float | None) -> None:
        rows = db.execute(
            "SELECT session, at, name, failed FROM tool WHERE at >= ? ORDER BY session, at, key",
            (start or 0.0,),
        )
        self._groups = groupby(rows, key=lambda row: row[0])
        self._next: tuple[int, list[ToolCall]] | None = None

    def of(self, session: int) -> list[ToolCall]:
        """The calls of a session. Ask for sessions in ascending order."""
        while self._next is None or self._next[0] < session:
            group = next(self._groups, None)
            if group is None:
                return []
            self._next = (group[0], [ToolCall(row[1], row[2], bool(row[3])) for row in group[1]])
        return self._next[1] if self._next[0] == session else []


def _compactions(db: sqlite3.Connection, session: int) -> list[float]:
    rows = db.execute(
        "SELECT at FROM incident WHERE session = ? AND kind = 'compaction' ORDER BY at", (session,)
    )
    return [at for (at,) in rows]


def _between(start: float | None, end: float | None) -> tuple[str, list[float]]:
    parts, values = ["1"], []
    if start is not None:
        parts.append("r.at >= ?")
        values.append(start)
    if end is not None:
        parts.append("r.at < ?")
        values.append(end)
    return " AND ".join(parts), values
