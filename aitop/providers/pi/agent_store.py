"""OpenClaw's sessions → events: pi's lines, since 2026 in a database of each agent, before that in files.

A row of `transcript_events` is a line of pi's, as JSON or packed with zstd once it is old. A session that is reset or
deleted, forked or rewound keeps or copies its rows, and they count once, since a response is named by its own moment
and counts. Fields of schema version 23 (2026.9.6). Must not keep any text.
"""

from collections.abc import Iterator

from aitop.model.json_types import JsonObject
from aitop.providers import Parsed, Source, sqlite_store
from aitop.providers.lenient import loads, table
from aitop.providers.pi import session as pi_session
from aitop.providers.sqlite_store import Store
from aitop.providers.zstd_stream import MISSING, unpacked_frames

ROWS_A_BATCH = 300
MAX_EVENT = 4 << 20  # bytes of one event, as its own schema has it
NEEDED = {"session_id", "seq", "event_json", "created_at"}
PACKED = {"event_zstd", "event_utf8_bytes"}
DAMAGED = "some of its packed events cannot be read"

identify = pi_session.identify
parse = pi_session.parse
Row = tuple[int, str, int, int, object, object, object]


def read(path: str, source: Source) -> Iterator[Parsed] | None:
    """A database's rows; None for a file of lines, which is tailed. Raises OSError."""
    return _rows(path, source) if path.endswith(".sqlite") else None


def _rows(path: str, source: Source) -> Iterator[Parsed]:
    """The rows after the note, which is the newest row read: its number, and what tells it from another one."""
    with sqlite_store.opened(path) as store:
        columns = store.columns("transcript_events")
        if not columns >= NEEDED:
            problem = "unknown format: it has no transcript_events" if columns or _is_other(store) else None
            yield Parsed([], 0, None, None, source.pending, problem)
            return
        blobs = "event_zstd, event_utf8_bytes" if columns >= PACKED else "NULL, NULL"
        query = f"SELECT rowid, session_id, seq, created_at, event_json, {blobs} FROM transcript_events"  # noqa: S608
        last, known = _place(source.pending)
        here = store.db.execute(f"{query} WHERE rowid = ?", (last,)).fetchone()
        if here is None or _of(here) != known:
            last = 0  # another database, or one in which this row was deleted
        problem, heads = None, dict[str, JsonObject]()
        while True:
            rows = store.db.execute(f"{query} WHERE rowid > ? ORDER BY rowid LIMIT ?", (last, ROWS_A_BATCH))
            batch: list[Row] = rows.fetchall()
            events, why = _opened(batch)
            problem = why or problem
            for name in {str(row[1]) for row in batch} - set(heads):
                first = store.db.execute(f"{query} WHERE session_id = ? AND seq = 0", (name,)).fetchone()
                heads[name] = table(_opened([first])[0][0]) if first else {}
            store.check()
            parsed = _parsed(batch, events, heads)
            if batch:
                last, known = batch[-1][0], _of(batch[-1])
            ends = len(batch) < ROWS_A_BATCH
            again = not ends or problem == MISSING  # what cannot be unpacked yet is read again
            note = source.pending if again else f"{last}:{known}"
            yield parsed._replace(pending=note, problem=problem if ends else None)
            if ends:
                return


def _is_other(store: Store) -> bool:
    """Whether it holds sessions in tables that this version does not know."""
    return bool(store.columns("session_nodes") or store.columns("session_windows"))


def _place(note: str | None) -> tuple[int, str]:
    number, _, known = (note or "0:").partition(":")
    return int(number) if number.isdecimal() else 0, known


def _of(row: Row) -> str:
    """What tells a row from another one that got its number later."""
    return f"{str(row[1])[:64]}:{row[2]}:{row[3]}"


def _opened(batch: list[Row]) -> tuple[list[object], str | None]:
    """The rows' events (None for one that cannot be read), and why some could not be unpacked."""
    packed = {
        row[0]: (row[5], row[6])
        for row in batch
        if isinstance(row[5], bytes) and isinstance(row[6], int) and 0 < row[6] <= MAX_EVENT
    }
    why, whole = None, dict[int, bytes]()
    try:
        whole = dict(zip(packed, unpacked_frames(list(packed.values())), strict=True))
    except OSError as error:
        why = MISSING if str(error) == MISSING else DAMAGED
    texts = {row[0]: row[4].encode("utf-8", "replace") for row in batch if isinstance(row[4], str)}
    pieces = [whole.get(row[0]) or texts.get(row[0]) for row in batch]
    return [loads(piece) if piece else None for piece in pieces], why


def _parsed(batch: list[Row], events: list[object], heads: dict[str, JsonObject]) -> Parsed:
    runs: dict[str, pi_session.Run] = {}
    bad = 0
    for row, event in zip(batch, events, strict=True):
        name = str(row[1])
        if not isinstance(event, dict):
            bad += 1
            continue
        run = runs.get(name)
        if run is None:
            run = runs[name] = pi_session.Run(name[:128], None)
            run.record(heads.get(name, {}))
        run.record(event)
    return Parsed([event for run in runs.values() for event in run.events], bad, None, None, None)
