"""Goose's `sessions.db` → events: a row of `usage_ledger` is one call.

The sums in its `sessions` are those of the last turn, so they are not read. The input of a row includes the cache.
A cost counts as the client's where its source is named. Sub-agents are sessions with a parent, and count to it. An
older database has no ledger; then it is reported, never read as nothing. Fields of schema version 15. Must not keep
any text.
"""

from collections.abc import Iterator, Mapping

from aitop.model.events import Compaction, Event, Place, Response, SessionInfo, Status, Usage
from aitop.providers import Parsed, Source, sqlite_store
from aitop.providers.lenient import count, epoch, text
from aitop.providers.sqlite_store import Store

ROWS_A_BATCH = 500
DONE = "completed"
MAX_USD = 1e6
NEEDED = {"id", "session_id", "created_timestamp", "input_tokens", "output_tokens"}
COLUMNS = (
    "id", "session_id", "created_timestamp", "model", "input_tokens", "output_tokens", "cache_read_tokens",
    "cache_write_tokens", "cost", "cost_source", "is_compaction",
)  # fmt: skip
SESSION = ("id", "working_dir", "parent_session_id", "provider_name")
Row = Mapping[str, object]


def read(path: str, source: Source) -> Iterator[Parsed]:
    """The rows after the note: the number and the moment of the newest row read. Raises OSError."""
    with sqlite_store.opened(path) as store:
        there = store.columns("usage_ledger")
        if not there >= NEEDED:
            problem = "unknown format: it has no usage_ledger" if store.columns("sessions") else None
            yield Parsed([], 0, None, None, source.pending, problem)
            return
        sessions = {str(row["id"]): row for row in _rows(store, "sessions", SESSION, "", ())}
        last, moment = _place(source.pending)
        newest = store.db.execute(
            "SELECT created_timestamp FROM usage_ledger WHERE id = ?", (last,)
        ).fetchone()
        if newest is None or str(newest[0]) != moment:
            last = 0  # another database, or one that began again
        while True:
            rows = list(
                _rows(
                    store, "usage_ledger", COLUMNS, "WHERE id > ? ORDER BY id LIMIT ?", (last, ROWS_A_BATCH)
                )
            )
            store.check()
            events = [event for row in rows for event in _events(row, sessions)]
            if rows:
                last, moment = int(str(rows[-1]["id"])), str(rows[-1]["created_timestamp"])
            ends = len(rows) < ROWS_A_BATCH
            yield Parsed(events, 0, None, None, f"{last}:{moment}" if ends else source.pending)
            if ends:
                return


def _place(pending: str | None) -> tuple[int, str]:
    number, _, moment = (pending or "0:").partition(":")
    return int(number), moment


def _rows(
    store: Store, table: str, wanted: tuple[str, ...], rest: str, values: tuple[int, ...]
) -> Iterator[Row]:
    """Rows of a table, without columns that this version does not have."""
    there = store.columns(table)
    names = [name for name in wanted if name in there]
    for row in store.db.execute(f"SELECT {', '.join(names)} FROM {table} {rest}", values):  # noqa: S608
        yield dict(zip(names, row, strict=True))


def _events(row: Row, sessions: Mapping[str, Row]) -> Iterator[Event]:
    session, at = text(row.get("session_id"), 128), epoch(row.get("created_timestamp"))
    if session is None or at is None:
        return
    own = sessions.get(session, {})
    main = _root(session, sessions)
    agent = None if main == session else session
    cwd, model = text(own.get("working_dir"), 4096), text(row.get("model")) or "unknown"
    whole, output = count(row.get("input_tokens")), count(row.get("output_tokens"))
    read, written = count(row.get("cache_read_tokens")), count(row.get("cache_write_tokens"))
    if row.get("is_compaction"):
        yield Compaction(main, at, f"{session}:{row['id']}", "", agent)
    if whole or output or read or written:
        fresh = whole - read - written if whole >= read + written else whole
        usd = row.get("cost") if text(row.get("cost_source"), 32) else None
        has_cost = type(usd) in (int, float) and isinstance(usd, int | float) and 0 < usd < MAX_USD
        yield Response(
            main, at, model, Usage(fresh, output, read, written), f"{session}:{row['id']}:{at:.0f}",
            stop_reason=DONE, agent=agent, place=Place(cwd) if cwd else None,
            client_usd=float(usd) if has_cost and isinstance(usd, int | float) else None,
        )  # fmt: skip
    if agent is None:
        yield SessionInfo(session, at, cwd=cwd, model=model)
        yield Status(session, at, "idle", "usage", live=False)


def _root(session: str, sessions: Mapping[str, Row]) -> str:
    """The session that all its ancestors' work belongs to."""
    seen: set[str] = set()
    while session not in seen:
        seen.add(session)
        parent = text(sessions.get(session, {}).get("parent_session_id"), 128)
        if parent is None or parent not in sessions:
            break
        session = parent
    return session
