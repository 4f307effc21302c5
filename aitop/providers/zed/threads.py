"""Zed's `threads.db` → events: a row for each thread, its JSON packed with zstd.

`cumulative_token_usage` is a running sum. `request_token_usage` has the last usage for each message of the user's:
about a third of it, but older threads have nothing else. What the larger of the two grew by is counted. The input
excludes the cache. A packed thread that cannot be unpacked is reported. Must not keep any text.
"""

from collections.abc import Iterator

from aitop.model.events import Event, Place, SessionInfo, Status
from aitop.model.json_types import JsonObject
from aitop.providers import Parsed, Source, sqlite_store
from aitop.providers.lenient import epoch, loads, rows, table, text
from aitop.providers.running_sums import (
    NOTHING,
    UNKNOWN,
    Bearer,
    Sums,
    known,
    packed,
    responses,
    running,
    unpacked,
)
from aitop.providers.zstd_stream import DAMAGED, MISSING, unpacked_bytes

NEEDED = {"id", "updated_at", "data_type", "data"}
MAX_THREAD = 64 << 20
NEWEST = ""  # the key of the newest thread's time in the note


def read(path: str, source: Source) -> Iterator[Parsed]:
    """What came since the sums of the note, of the threads that changed. Raises OSError."""
    seen = unpacked(source.pending)
    since = seen.pop(NEWEST, NOTHING).calls
    newest, problem, events = since, None, list[Event]()
    with sqlite_store.opened(path) as store:
        columns = store.columns("threads")
        if not columns >= NEEDED:
            problem = "unknown format: its threads are not those of Zed" if columns else None
            yield Parsed([], 0, None, None, source.pending, problem)
            return
        parent = "parent_id" if "parent_id" in columns else "NULL"
        query = f"SELECT id, updated_at, {parent} FROM threads"  # noqa: S608
        for name, updated, above in store.db.execute(query).fetchall():
            at = epoch(updated)
            if at is None or round(at * 1000) <= since - 1000:
                continue
            row = store.db.execute("SELECT data_type, data FROM threads WHERE id = ?", (name,)).fetchone()
            thread, why = _thread(*row) if row else (None, None)
            problem = why or problem
            if thread is None:
                continue
            newest = max(newest, round(at * 1000))
            session = str(name)[:128]
            events += _told(thread, session, text(above, 128), at, seen)
    seen[NEWEST] = Sums(newest)
    yield Parsed(events, 0, None, None, packed(seen), problem)


def _thread(kind: object, data: object) -> tuple[JsonObject | None, str | None]:
    """(the thread, why it cannot be read)."""
    raw = data.encode() if isinstance(data, str) else data if isinstance(data, bytes) else b""
    if kind == "zstd":
        try:
            raw = unpacked_bytes(raw, MAX_THREAD)
        except OSError as error:
            return None, MISSING if str(error) == MISSING else f"a thread: {DAMAGED}"
    value = loads(raw)
    return (value, None) if isinstance(value, dict) else (None, "a thread is no JSON")


def _told(
    thread: JsonObject, session: str, parent: str | None, at: float, seen: dict[str, Sums]
) -> Iterator[Event]:
    """The events of one thread; its sums in `seen` move on."""
    chosen = table(thread.get("model"))
    model, cwd = text(chosen.get("model")) or "unknown", _folder(thread)
    bearer = Bearer(parent or session, model, at, session if parent else None, Place(cwd) if cwd else None)
    requests = [known(NOTHING, _sums(one)) for one in table(thread.get("request_token_usage")).values()]
    of_requests = Sums(*map(sum, zip(*requests, strict=True))) if requests else NOTHING
    before, total = seen.get(session, NOTHING), _sums(thread.get("cumulative_token_usage"))
    larger = Sums(*map(_larger, total, of_requests, before))
    now = known(before, larger)._replace(calls=len(requests))
    yield from responses(bearer, before, now)
    seen[session] = now
    if parent is None:
        yield SessionInfo(session, at, cwd=cwd, model=model)
        yield Status(session, at, "idle", "thread", live=False)


def _larger(total: int, of_requests: int, before: int) -> int:
    """The larger of the two. Without the running sum, the requests tell only what goes beyond the sum before."""
    return UNKNOWN if total == UNKNOWN and of_requests < before else max(total, of_requests)


def _sums(raw: object) -> Sums:
    usage = table(raw)
    return Sums(
        fresh=running(usage.get("input_tokens")),
        output=running(usage.get("output_tokens")),
        cache_read=running(usage.get("cache_read_input_tokens")),
        cache_write=running(usage.get("cache_creation_input_tokens")),
    )


def _folder(thread: JsonObject) -> str | None:
    """The first folder of the project as the thread began."""
    for tree in rows(table(thread.get("initial_project_snapshot")).get("worktree_snapshots")):
        if path := text(table(tree).get("worktree_path"), 4096):
            return path
    return None
