"""OpenCode's database → events: what changed since the last look, read without ever locking it out.

The tables have no index on the time of change, so the sessions that moved are found first (they are
few) and only their messages are looked at, by the index there is. Opened read-only and never as
`immutable`: the newest rows are in the write-ahead log. Must not keep any text.
"""

import sqlite3
from collections.abc import Iterator
from typing import Any

from aitop.model.events import ClientTotals, Event, SessionInfo, ToolUse
from aitop.providers import Parsed, Source
from aitop.providers.files import check_database
from aitop.providers.lenient import epoch, loads, text
from aitop.providers.opencode.message import Owner, events

MOST = 200  # messages in one batch
SESSIONS_AGO = 3_600_000  # milliseconds: a session's own time may lie behind its messages'
MESSAGES_AGO = 10_000  # and a row may be seen a moment after its time
PATIENCE = 0.5  # seconds to wait for a writer


def read(path: str, source: Source) -> Iterator[Parsed]:
    """What changed since `source.pending`, the newest time seen then. Raises OSError."""
    since = int(source.pending or 0)
    check_database(path)
    try:
        db = sqlite3.connect(f"file:{_quoted(path)}?mode=ro", uri=True, timeout=PATIENCE)
        try:
            yield from _changed(db, since)
        finally:
            db.close()
    except sqlite3.Error as error:
        raise OSError(f"the database cannot be read: {error}") from error


def _changed(db: sqlite3.Connection, since: int) -> Iterator[Parsed]:
    rows = db.execute("SELECT id, parent_id, directory, cost, time_updated FROM session").fetchall()
    parents = {row[0]: row[1] for row in rows}
    with_children = set(parents.values())
    newest = since
    found: list[Event] = []
    for identity, parent, directory, cost, updated in sorted(rows, key=lambda row: row[4]):
        newest = max(newest, updated)
        if updated <= since - SESSIONS_AGO:
            continue
        main = _root(identity, parents)
        owner = Owner(main, None if main == identity else identity)
        if parent is None and updated > since:
            at = epoch(updated) or 0.0
            found.append(SessionInfo(identity, at, cwd=text(directory, 4096)))
            if cost and cost > 0 and identity not in with_children:
                found.append(ClientTotals(identity, at, float(cost)))
        for number, (message, seen) in enumerate(_messages(db, identity, since)):
            newest = max(newest, seen)
            found += _told(db, message, owner)
            if number % MOST == MOST - 1:
                yield Parsed(found, 0, None, None, str(since))
                found = []
    yield Parsed(found, 0, None, None, str(newest))


def _messages(db: sqlite3.Connection, session: str, since: int) -> list[tuple[tuple[str, str], int]]:
    return [
        ((identity, data), updated)
        for identity, data, updated in db.execute(
            "SELECT id, data, time_updated FROM message WHERE session_id = ? AND time_updated > ? "
            "ORDER BY time_created, id",
            (session, since - MESSAGES_AGO),
        )
    ]


def _told(db: sqlite3.Connection, message: tuple[str, str], owner: Owner) -> list[Event]:
    identity, raw = message
    data = loads(raw.encode())
    if not isinstance(data, dict) or data.get("role") != "assistant":
        return []
    steps: list[tuple[str, dict[str, Any]]] = []
    tools: list[Event] = []
    for part, text_of in db.execute(
        "SELECT id, data FROM part WHERE message_id = ? ORDER BY id", (identity,)
    ):
        if '"step-finish"' not in text_of and '"tool"' not in text_of:
            continue
        value = loads(text_of.encode())
        if not isinstance(value, dict):
            continue
        if value.get("type") == "step-finish":
            steps.append((part, value))
        elif value.get("type") == "tool":
            tools += _tool(part, value, owner)
    told = events(identity, data, owner, steps)
    model, time = text(data.get("modelID")), data.get("time")
    at = epoch(time.get("created")) if isinstance(time, dict) else None
    if model and at and owner.agent is None:
        told.append(SessionInfo(owner.session, at, model=model))
    return told + tools


def _tool(part: str, value: dict[str, Any], owner: Owner) -> list[Event]:
    """A call that has begun; the part's own id names it, since a model's ids repeat."""
    state = value.get("state")
    time = state.get("time") if isinstance(state, dict) else None
    began = epoch(time.get("start")) if isinstance(time, dict) else None
    if not isinstance(state, dict) or not isinstance(time, dict) or began is None:
        return []
    name = text(value.get("tool")) or "unknown"
    failed = state.get("status") == "error"
    return [ToolUse(owner.session, began, part, name, owner.agent, epoch(time.get("end")), failed)]


def _root(session: str, parents: dict[str, str | None]) -> str:
    """The session that all its ancestors' work belongs to."""
    seen = {session}
    parent = parents.get(session)
    while parent is not None and parent not in seen:
        seen.add(parent)
        session, parent = parent, parents.get(parent)
    return session


def _quoted(path: str) -> str:
    """A path inside an address of the database library's."""
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
