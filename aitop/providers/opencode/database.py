"""OpenCode's database → events: what changed since the last look, read without ever locking it out.

OpenCode 1 keeps `session`, `message` and `part`. OpenCode 2 keeps `session_v2` and `session_message`; the older
tables may stay beside them, and a message in both is one response. A database of a client's that holds neither is
reported as a problem, never read as nothing.

The tables have no index on the time of change. So the sessions that moved are found first (they are few), and only
their messages are looked at, by the index there is. Opened read-only and never as `immutable`: the newest rows are
in the write-ahead log. Must not keep any text.
"""

import re
import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from aitop.model.events import Event, SessionInfo, ToolUse
from aitop.model.json_types import JsonObject
from aitop.providers import Parsed, Source, sqlite_store
from aitop.providers.lenient import epoch, loads, text
from aitop.providers.opencode.message import Owner, Step, events, first_generation

MESSAGES_A_BATCH = 200
SESSIONS_AGO = 3_600_000  # milliseconds: a session's own time may lie behind its messages'
MESSAGES_AGO = 10_000  # milliseconds: a row may be seen a moment after its time
LONGEST_ID = 256
FIRST = 0.0  # a database comes before every document, which knows only the sum of a message's steps
SESSION_COLUMNS = {"id", "parent_id", "directory", "time_updated"}
PART_COLUMNS = {"id", "message_id", "data"}
RECORDS = re.compile(r"(?:session|message|session_message)(?:_?v?[0-9]+)?", re.IGNORECASE)
MESSAGE_COLUMNS = {"id", "session_id", "data", "time_created", "time_updated"}


class Generation(NamedTuple):
    """The tables of one version of the client."""

    sessions: str
    messages: str
    parts: str | None  # the table of a message's steps and tools, where they have one


ONE = Generation("session", "message", "part")
TWO = Generation("session_v2", "session_message", None)
TWO_IN_ONE = Generation("session", "session_message", None)  # versions in between


class Session(NamedTuple):
    identity: str
    parent: str | None
    directory: str | None
    updated: int
    created: int


def read(path: str, source: Source, *, copies_keep_cost: bool = True) -> Iterator[Parsed]:
    """What changed since `source.pending`, the newest time seen then. Raises OSError."""
    since = int(source.pending or 0)
    with sqlite_store.opened(path) as store:
        for parsed in _changed(store.db, since, copies_keep_cost):
            store.check()
            yield parsed


def _changed(db: sqlite3.Connection, since: int, copies_keep_cost: bool) -> Iterator[Parsed]:
    columns = _columns(db)
    generations = [one for one in (ONE, TWO, TWO_IN_ONE) if _is_there(one, columns)]
    if TWO in generations and TWO_IN_ONE in generations:
        generations.remove(TWO_IN_ONE)
    unknown = _unknown_tables(db, generations, columns)
    newest = since
    for generation in generations:
        for parsed, seen in _generation(db, generation, columns, since, copies_keep_cost):
            newest = max(newest, seen)
            yield parsed
    problem = None
    if unknown or not (generations or not columns):
        names = f" ({', '.join(unknown)})" if unknown else ""
        problem = f"unknown format: its tables{names} are not those of OpenCode 1 or 2{_version(db, columns)}"
    yield Parsed([], 0, FIRST, None, str(newest), problem)


def _columns(db: sqlite3.Connection) -> dict[str, set[str]]:
    """Table → its columns."""
    tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {
        table: {row[0] for row in db.execute("SELECT name FROM pragma_table_info(?)", (table,))}
        for table in tables
    }


def _unknown_tables(
    db: sqlite3.Connection, generations: list[Generation], columns: dict[str, set[str]]
) -> list[str]:
    """Tables that hold sessions or messages, by their names, and that no known generation reads."""
    read = {table for one in generations for table in one}
    return [
        table
        for table in sorted(columns)
        if RECORDS.fullmatch(table)
        and table not in read
        and db.execute(f'SELECT EXISTS (SELECT 1 FROM "{table}")').fetchone()[0]  # noqa: S608
    ]


def _is_there(generation: Generation, columns: dict[str, set[str]]) -> bool:
    sessions, messages, parts = generation
    return (
        columns.get(sessions, set()) >= SESSION_COLUMNS
        and columns.get(messages, set()) >= MESSAGE_COLUMNS | (set() if parts else {"type"})
        and (parts is None or columns.get(parts, set()) >= PART_COLUMNS)
    )


def _version(db: sqlite3.Connection, columns: dict[str, set[str]]) -> str:
    """The version of the client that wrote the newest session, where a table says it."""
    for table, its_columns in columns.items():
        if table.startswith("session") and {"version", "time_updated"} <= its_columns:
            row = db.execute(f'SELECT version FROM "{table}" ORDER BY time_updated DESC LIMIT 1').fetchone()  # noqa: S608
            version = text(row[0], 32) if row else None
            if version:
                return f" (written by version {version})"
    return ""


def _generation(
    db: sqlite3.Connection,
    generation: Generation,
    columns: dict[str, set[str]],
    since: int,
    copies_keep_cost: bool,
) -> Iterator[tuple[Parsed, int]]:
    """Batches of events, each with the newest time of change seen in it."""
    created = "time_created" if "time_created" in columns[generation.sessions] else "0"
    sessions = [
        Session(identity, parent if _is_id(parent) else None, directory, _ms(updated), _ms(begun))
        for identity, parent, directory, updated, begun in db.execute(
            f"SELECT id, parent_id, directory, time_updated, {created} FROM {generation.sessions}"  # noqa: S608
        )
        if _is_id(identity)
    ]
    parents = {one.identity: one.parent for one in sessions}
    made: list[Event] = []
    newest = number = 0
    # A fork's copy is found by the name of its content, and counts to the session that is read first: the original.
    for session in sorted(sessions, key=lambda one: (one.created, one.updated, one.identity)):
        newest = max(newest, session.updated)
        if session.updated <= since - SESSIONS_AGO:
            continue
        main = _root(session.identity, parents)
        directory = text(session.directory, 4096)
        agent = None if main == session.identity else session.identity
        owner = Owner(main, agent, directory, copies_keep_cost)
        if session.parent is None and session.updated > since:
            made.append(SessionInfo(session.identity, epoch(session.updated) or 0.0, cwd=directory))
        for message, seen in _messages(db, generation, session.identity, since):
            newest = max(newest, seen)
            made += _told(db, generation, message, owner)
            number += 1
            if number % MESSAGES_A_BATCH == 0:
                yield Parsed(made, 0, FIRST, None, str(since)), newest
                made = []
    yield Parsed(made, 0, FIRST, None, str(since)), newest


def _messages(
    db: sqlite3.Connection, generation: Generation, session: str, since: int
) -> list[tuple[tuple[str, str, str], int]]:
    """((id, kind, data), time of change) of a session's messages that moved; the kind is "" in OpenCode 1."""
    kind = "''" if generation.parts else "type"
    return [
        ((identity, kind, data), _ms(updated))
        for identity, kind, data, updated in db.execute(
            f"SELECT id, {kind}, data, time_updated FROM {generation.messages} "  # noqa: S608
            "WHERE session_id = ? AND time_updated > ? ORDER BY time_created, id",
            (session, since - MESSAGES_AGO),
        )
        if _is_id(identity) and isinstance(kind, str) and isinstance(data, str)
    ]


def _told(
    db: sqlite3.Connection, generation: Generation, message: tuple[str, str, str], owner: Owner
) -> list[Event]:
    identity, kind, raw = message
    data = loads(raw.encode())
    if not isinstance(data, dict):
        return []
    if generation.parts is None:
        data = first_generation(data, kind)
    if data.get("role") != "assistant":
        return []
    steps, tools = list[Step](), _contents(data, identity, owner)
    if generation.parts is not None:
        steps, tools = _parts(db, generation.parts, identity, owner)
    made = events(identity, data, owner, steps)
    model, time = text(data.get("modelID")), data.get("time")
    at = epoch(time.get("created")) if isinstance(time, dict) else None
    if model and at and owner.agent is None:
        made.append(SessionInfo(owner.session, at, model=model))
    return made + tools


def _parts(db: sqlite3.Connection, table: str, identity: str, owner: Owner) -> tuple[list[Step], list[Event]]:
    """A message's finished steps and its tool calls."""
    steps: list[Step] = []
    tools: list[Event] = []
    rows = db.execute(f"SELECT id, data FROM {table} WHERE message_id = ? ORDER BY id", (identity,))  # noqa: S608
    for part, raw in rows:
        if not _is_id(part) or not isinstance(raw, str):
            continue
        if '"step-finish"' not in raw and '"tool"' not in raw:
            continue
        value = loads(raw.encode())
        if not isinstance(value, dict):
            continue
        if value.get("type") == "step-finish":
            steps.append(Step(part, value))
        elif value.get("type") == "tool":
            state = value.get("state")
            time = state.get("time") if isinstance(state, dict) else None
            tools += _tool(part, value.get("callID"), value.get("tool"), state, time, owner)
    return steps, tools


def _contents(data: JsonObject, identity: str, owner: Owner) -> list[Event]:
    """The tool calls among the contents of a message of OpenCode 2."""
    contents, tools = data.get("content"), list[Event]()
    for number, one in enumerate(contents if isinstance(contents, list) else ()):
        if isinstance(one, dict) and one.get("type") == "tool":
            time = one.get("time")
            if isinstance(time, dict):
                time = {"start": time.get("ran") or time.get("created"), "end": time.get("completed")}
            tools += _tool(
                f"{identity}:{number}", one.get("id"), one.get("name"), one.get("state"), time, owner
            )
    return tools


def _tool(part: str, call: object, name: object, state: object, time: object, owner: Owner) -> list[Event]:
    """A call that has begun. A model's ids repeat, and a fork's parts have new ids: the id and the time name it."""
    began = epoch(time.get("start")) if isinstance(time, dict) else None
    if not isinstance(state, dict) or not isinstance(time, dict) or began is None:
        return []
    key = f"{call}:{began:.3f}" if text(call) else part
    failed = state.get("status") == "error"
    return [
        ToolUse(
            owner.session,
            began,
            key[:256],
            text(name) or "unknown",
            owner.agent,
            epoch(time.get("end")),
            failed,
        )
    ]


def _root(session: str, parents: dict[str, str | None]) -> str:
    """The session that all its ancestors' work belongs to."""
    seen = {session}
    parent = parents.get(session)
    while parent is not None and parent not in seen:
        seen.add(parent)
        session, parent = parent, parents.get(parent)
    return session


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_ID


def _ms(value: object) -> int:
    """A column's milliseconds. SQLite stores any value in any column."""
    return value if isinstance(value, int) else 0
