"""Questions a full-screen table asks about one session, about its agents, and about models. Reads only.

Every question goes by time first, where there is an index, so it stays quick in a history of years.
Nothing here writes, and nothing here knows a clock.
"""

import sqlite3
from typing import NamedTuple

from aitop.history import columns
from aitop.model.sums import PICO, Sum

POINTS = 2000  # of a session's context, the newest
LAST_TOOLS = 40
WINDOW_SECONDS = (60, 300, 900)  # seconds


class Agent(NamedTuple):
    """One sub-agent of a session, or "" for the main thread."""

    name: str
    models: str
    started_at: float
    last_at: float
    sum: Sum


class ToolCall(NamedTuple):
    """One call of a tool; `took` is milliseconds, None while it runs or where no record says."""

    name: str
    at: float
    took: float | None
    failed: bool


class ToolSum(NamedTuple):
    name: str
    calls: int
    failures: int


class Point(NamedTuple):
    """The context's size after one response of the main thread."""

    at: float
    tokens: int


class Detail(NamedTuple):
    """Everything about one session that the published state does not hold."""

    windows: tuple[Sum, ...]  # by WINDOW_SECONDS
    context: list[Point]
    compactions: list[tuple[float, str]]  # (at, trigger)
    calls: list[ToolCall]  # newest first
    tools: list[ToolSum]
    agents: list[Agent]  # the main thread is among them
    models: list[tuple[str, Sum]]
    quarters: list[tuple[int, int]]  # (begin of the quarter hour, picodollars spent)
    transcript: str | None


class Mix(NamedTuple):
    """Tokens of one model's requests, for prompts of one class of length."""

    model: str
    longer_than: int  # the prompt's class: over this many tokens
    requests: int
    uncached: int
    output: int
    cache_read: int
    write_5m: int
    write_1h: int
    searches: int
    cost: int  # picodollars, as counted
    unpriced: int
    estimated: int


def session(
    db: sqlite3.Connection, provider: str, name: str, now: float, windows: tuple[int, ...] = WINDOW_SECONDS
) -> Detail | None:
    """One session in detail; None when the history does not know it (yet). `windows` end at `now`, the present."""
    row = db.execute(
        "SELECT id, started_at, last_at FROM session WHERE provider = ? AND name = ?", (provider, name)
    ).fetchone()
    if row is None:
        return None
    identity, started, last = row
    mine = (identity, started or 0.0, max(last or 0.0, now) + 1)
    return Detail(
        tuple(_window(db, identity, now - span) for span in windows),
        _context(db, mine),
        _compactions(db, identity),
        _calls(db, mine),
        _tools(db, identity, mine[1]),
        _agents(db, mine),
        _models(db, identity),
        _quarters(db, identity, mine[1]),
        _transcript(db, provider, name),
    )


def is_counted(db: sqlite3.Connection, session: int, but: str) -> bool:
    """Whether a session has any response of a model with another beginning than `but`."""
    return (
        db.execute(
            "SELECT 1 FROM session_sum s JOIN model m ON m.id = s.model "
            "WHERE s.session = ? AND s.requests > 0 AND substr(m.name, 1, ?) != ? LIMIT 1",
            (session, len(but), but),
        ).fetchone()
        is not None
    )


def agents(db: sqlite3.Connection, sessions: list[tuple[str, str]]) -> dict[tuple[str, str], list[Agent]]:
    """The sub-agents of several sessions, named by (provider, name); dearest first."""
    by_session: dict[tuple[str, str], list[Agent]] = {}
    for key in sessions:
        row = db.execute(
            "SELECT id, started_at, last_at FROM session WHERE provider = ? AND name = ?", key
        ).fetchone()
        if row is not None:
            everyone = _agents(db, (row[0], row[1] or 0.0, (row[2] or 0.0) + 1))
            by_session[key] = [agent for agent in everyone if agent.name]
    return by_session


def hourly(db: sqlite3.Connection, now: float, span: int = 300) -> dict[tuple[str, str], float]:
    """USD an hour of each session that spent something in the last `span` seconds."""
    since = int(now) - span + 1
    rows = db.execute(
        "SELECT s.provider, s.name, sum(t.spent) FROM (SELECT session, cost AS spent FROM response WHERE at >= ? "
        "UNION ALL SELECT session, picodollars FROM side_call WHERE at >= ?) t "
        "JOIN session s ON s.id = t.session GROUP BY t.session",
        (since, since),
    )
    return {(provider, name): spent * (3600 / span) / PICO for provider, name, spent in rows}


def mixes(db: sqlite3.Connection, start: float, steps: list[int]) -> list[Mix]:
    """What each model was sent since a moment, by classes of prompt length (`steps`: where prices change)."""
    prompt = "(uncached + cache_read + write_5m + write_1h)"
    cases = " ".join(f"WHEN {prompt} > {int(step)} THEN {int(step)}" for step in sorted(steps, reverse=True))
    longer = f"CASE {cases} ELSE 0 END" if cases else "0"
    rows = db.execute(
        f"SELECT m.name, {longer} AS longer, count(*), sum(uncached), sum(output), sum(cache_read), "  # noqa: S608
        "sum(write_5m), sum(write_1h), sum(searches), sum(cost), sum(basis = 2), sum(basis = 1) "
        "FROM response r JOIN model m ON m.id = r.model WHERE r.at >= ? GROUP BY r.model, longer",
        (start,),
    )
    return [Mix(*row) for row in rows]


def transcript(db: sqlite3.Connection, provider: str, name: str) -> str | None:
    """The path of a session's own transcript."""
    return _transcript(db, provider, name)


def _window(db: sqlite3.Connection, identity: int, start: float) -> Sum:
    row = db.execute(
        f"SELECT {columns.OF_RESPONSES} FROM response WHERE at >= ? AND session = ?",  # noqa: S608
        (int(start) + 1, identity),
    ).fetchone()
    calls, failures = db.execute(
        "SELECT count(*), ifnull(sum(failed), 0) FROM tool WHERE at >= ? AND session = ?",
        (int(start) + 1, identity),
    ).fetchone()
    errors = db.execute(
        "SELECT count(*) FROM incident WHERE session = ? AND kind != 'compaction' AND at >= ? "
        "AND NOT (twin IS NOT NULL AND from_file = 0)",
        (identity, int(start) + 1),
    ).fetchone()[0]
    untracked = db.execute(
        "SELECT ifnull(sum(picodollars), 0) FROM side_call WHERE at >= ? AND session = ?",
        (int(start) + 1, identity),
    ).fetchone()[0]
    counted = columns.from_response(row)
    return counted._replace(tool_calls=calls, tool_failures=failures, errors=errors, untracked=untracked)


def _context(db: sqlite3.Connection, mine: tuple[int, float, float]) -> list[Point]:
    rows = db.execute(
        "SELECT at, uncached + cache_read + write_5m + write_1h FROM response "
        "WHERE session = ? AND at BETWEEN ? AND ? AND agent IS NULL ORDER BY at DESC LIMIT ?",
        (*mine, POINTS),
    )
    return [Point(*row) for row in rows][::-1]


def _compactions(db: sqlite3.Connection, identity: int) -> list[tuple[float, str]]:
    return list(
        db.execute(
            "SELECT at, what FROM incident WHERE session = ? AND kind = 'compaction' "
            "AND NOT (twin IS NOT NULL AND from_file = 0) ORDER BY at",
            (identity,),
        )
    )


def _calls(db: sqlite3.Connection, mine: tuple[int, float, float]) -> list[ToolCall]:
    rows = db.execute(
        "SELECT name, at, coalesce(client_ms, CASE WHEN used AND result_at >= at THEN (result_at - at) * 1000 END), "
        "failed FROM tool WHERE session = ? AND at BETWEEN ? AND ? ORDER BY at DESC LIMIT ?",
        (*mine, LAST_TOOLS),
    )
    return [ToolCall(name, at, took, bool(failed)) for name, at, took, failed in rows]


def _tools(db: sqlite3.Connection, identity: int, start: float) -> list[ToolSum]:
    rows = db.execute(
        "SELECT name, sum(calls), sum(failures) FROM quarter_tool WHERE session = ? AND at >= ? "
        "GROUP BY name HAVING sum(calls) > 0 ORDER BY sum(calls) DESC, name",
        (identity, start - 900),
    )
    return [ToolSum(*row) for row in rows]


def _agents(db: sqlite3.Connection, mine: tuple[int, float, float]) -> list[Agent]:
    rows = db.execute(
        f"SELECT ifnull(agent, '') AS who, group_concat(DISTINCT m.name), min(at), max(at), {columns.OF_RESPONSES} "  # noqa: S608
        "FROM response r JOIN model m ON m.id = r.model WHERE session = ? AND at BETWEEN ? AND ? "
        "GROUP BY who ORDER BY sum(cost) DESC, who",
        mine,
    )
    return [Agent(row[0], row[1], row[2], row[3], columns.from_response(row[4:])) for row in rows]


def _models(db: sqlite3.Connection, identity: int) -> list[tuple[str, Sum]]:
    """The session's models, "" for untracked money that the client attributes to none; the dearest first."""
    rows = db.execute(
        f"SELECT m.name, {columns.SUMS} FROM session_sum t JOIN model m ON m.id = t.model "  # noqa: S608
        "WHERE session = ? GROUP BY t.model HAVING sum(requests) != 0 OR sum(untracked) != 0",
        (identity,),
    )
    models = [(name, columns.from_by_model(values)) for name, *values in rows]
    return sorted(models, key=lambda one: (-one[1].spent, one[0]))


def _quarters(db: sqlite3.Connection, identity: int, start: float) -> list[tuple[int, int]]:
    return list(
        db.execute(
            "SELECT at, sum(cost + untracked) FROM quarter WHERE session = ? AND at >= ? GROUP BY at ORDER BY at",
            (identity, start - 900),
        )
    )


def _transcript(db: sqlite3.Connection, provider: str, name: str) -> str | None:
    row = db.execute(
        "SELECT path FROM file WHERE provider = ? AND session = ? AND agent IS NULL ORDER BY mtime_ns DESC LIMIT 1",
        (provider, name),
    ).fetchone()
    return row[0] if row else None
