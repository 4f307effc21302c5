"""Reading the history back for its writer: rows by key, in few statements."""

import json
import sqlite3
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, Generic, TypeVar

from aitop.history import columns
from aitop.history.rows import CountedResponse, Evidence, File, Session, unpack_usage
from aitop.model.events import Limit, Place
from aitop.model.histograms import unpacked
from aitop.pricing.basis import Basis

MANY = 500  # parameters of one statement

EVIDENCE = (
    "at, model, uncached, output, cache_read, write_5m, write_1h, reasoning, searches, modifiers, "
    "stop_reason, visible, agent, paying, file, end, duration_ms, ttft_ms, billed, claimed, place, credits"
)
RESPONSE = f"id, session, {EVIDENCE}, cost, basis, incomplete, copies, message_key, request_key"
_DECIDED = 3 + EVIDENCE.count(",")  # columns before what was decided
FILE = "id, provider, path, session, agent, first_at, device, inode, size, mtime_ns, offset, tail, bad_lines, pending"
_FACTS = (
    "id, provider, name, cwd, branch, model, tag, pid, pane, info_at, started_at, last_at, status, status_at, "
    "status_live, compactions, stop_reasons, client_cost, client_api_ms, inherited, context_tokens, context_at, "
    "context_limit, timings, client_at, client_base, client_models, began_by"
)
_FACT_COUNT = _FACTS.count(",") + 1
SESSION = f"{_FACTS}, {columns.names(columns.STORED)}"
TOOL = "key, session, name, at, from_file, used, result_at, client_ms, failed"


Named = TypeVar("Named", bound=Hashable)


class Numbered(Generic[Named]):
    """Values that rows name by a number, counted from 1; `fresh` are those the database does not have yet."""

    def __init__(self, stored: dict[int, Named]) -> None:
        self._values = stored
        self._ids = {value: identity for identity, value in stored.items()}
        self._next = max(stored, default=0) + 1
        self._stored = self._next

    def id(self, value: Named) -> int:
        """Its number, given out at first sight."""
        identity = self._ids.get(value)
        if identity is None:
            identity = self._ids[value] = self._next
            self._values[identity] = value
            self._next += 1
        return identity

    def value(self, identity: int) -> Named:
        """What a number stands for."""
        return self._values[identity]

    def fresh(self) -> list[tuple[int, Named]]:
        """Values not yet in the database; from now on they count as stored."""
        unstored = [(i, self._values[i]) for i in range(self._stored, self._next)]
        self._stored = self._next
        return unstored


class Names:
    """The models and places that rows name by number."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.models: Numbered[str] = Numbered(dict(db.execute("SELECT id, name FROM model")))
        places = db.execute("SELECT id, cwd, branch FROM place")
        self.places: Numbered[Place] = Numbered({i: Place(cwd, branch or None) for i, cwd, branch in places})
        self._place_numbers: dict[tuple[str | None, str | None] | None, int] = {
            None: 0
        }  # as records spell them

    def model(self, name: str) -> int:
        """A model's number."""
        return self.models.id(name)

    def place(self, place: tuple[str | None, str | None] | None) -> int:
        """A place's number; 0 for None, which is the session's own."""
        number = self._place_numbers.get(place)
        if number is None and place is not None:
            cwd, branch = place
            number = self.places.id(Place(cwd, branch or None)) if cwd else 0
            self._place_numbers[place] = number
        return number or 0


class Tool:
    """One tool call as it counts now. `used` says that its time is that of its own record."""

    __slots__ = ("at", "client_ms", "failed", "from_file", "name", "result_at", "session", "used")

    def __init__(
        self, session: int, name: str, at: float, from_file: int, used: bool = False,
        result_at: float | None = None, client_ms: float | None = None, failed: bool = False,
    ) -> None:  # fmt: skip
        self.session, self.name, self.at, self.from_file, self.used = session, name, at, from_file, used
        self.result_at, self.client_ms, self.failed = result_at, client_ms, failed

    def copy(self) -> "Tool":
        return Tool(self.session, self.name, self.at, self.from_file, self.used, self.result_at, self.client_ms,
                    self.failed)  # fmt: skip

    def milliseconds(self) -> float | None:
        """How long it took: the client's own figure, else from use to result."""
        if self.client_ms is not None:
            return self.client_ms
        if self.used and self.result_at is not None and self.result_at >= self.at:
            return (self.result_at - self.at) * 1000
        return None


def next_id(db: sqlite3.Connection, table: str) -> int:
    free: int = db.execute(f"SELECT ifnull(max(id), 0) + 1 FROM {table}").fetchone()[0]  # noqa: S608
    return free


def files(db: sqlite3.Connection) -> dict[str, File]:
    return {row[2]: File(*row) for row in db.execute(f"SELECT {FILE} FROM file")}  # noqa: S608


def session(db: sqlite3.Connection, provider: str, name: str) -> Session | None:
    where = f"SELECT {SESSION} FROM session WHERE provider = ? AND name = ?"  # noqa: S608
    return _session(db, db.execute(where, (provider, name)).fetchone())


def session_by_id(db: sqlite3.Connection, identity: int) -> Session | None:
    return _session(db, db.execute(f"SELECT {SESSION} FROM session WHERE id = ?", (identity,)).fetchone())  # noqa: S608


def newest_sessions(db: sqlite3.Connection, most: int) -> list[tuple[str, str]]:
    """(provider, name) of the sessions with the newest activity."""
    return list(db.execute("SELECT provider, name FROM session ORDER BY last_at DESC LIMIT ?", (most,)))


def _session(db: sqlite3.Connection, row: tuple[object, ...] | None) -> Session | None:
    if row is None:
        return None
    session = Session(row[0], row[1], row[2])  # type: ignore[arg-type]
    (session.cwd, session.branch, session.model, session.tag, session.pid, session.pane, session.info_at,
     session.started_at, session.last_at, session.status, session.status_at, live, session.compactions,
     reasons, session.client_cost, session.client_api_ms, session.inherited, session.context_tokens, session.context_at,
     session.context_limit, timings, session.client_at, base, models, session.began_by) = row[3:_FACT_COUNT]  # type: ignore[assignment] # fmt: skip
    session.context_model = session.model
    session.status_live = bool(live)
    session.stop_reasons = json.loads(reasons)  # type: ignore[arg-type]
    session.client_base = base or 0.0  # type: ignore[assignment]
    session.unpack_models(models)  # type: ignore[arg-type]
    session.timings = unpacked(timings)  # type: ignore[arg-type]
    session.total = columns.from_stored(row[_FACT_COUNT:])  # type: ignore[arg-type]
    session.agents = frozenset(
        name for (name,) in db.execute("SELECT agent FROM agent WHERE session = ?", (session.id,))
    )
    session.dirty = False
    return session


def aliases(db: sqlite3.Connection, names: list[int]) -> dict[int, int]:
    responses: dict[int, int] = {}
    for part in _parts(names):
        responses.update(db.execute(f"SELECT key, response FROM alias WHERE key IN ({_marks(part)})", part))  # noqa: S608
    return responses


def rows(db: sqlite3.Connection, ids: Iterable[int], names: Names) -> dict[int, CountedResponse]:
    by_id: dict[int, CountedResponse] = {}
    for part in _parts(list(ids)):
        by_id |= _rows(db, f"id IN ({_marks(part)})", part, names)
    return by_id


def rows_after(db: sqlite3.Connection, after: int, most: int, names: Names) -> dict[int, CountedResponse]:
    return _rows(db, "id > ? ORDER BY id LIMIT ?", [after, most], names)


def _rows(db: sqlite3.Connection, where: str, values: list[int], names: Names) -> dict[int, CountedResponse]:
    by_id: dict[int, CountedResponse] = {}
    for row in db.execute(f"SELECT {RESPONSE} FROM response WHERE {where}", values):  # noqa: S608
        number, session, *evidence = row[:_DECIDED]
        one = CountedResponse(number, session, _evidence(evidence, names))
        one.cost, basis, incomplete, copies, one.message_key, one.request_key = row[_DECIDED:]
        one.basis = Basis(basis)
        one.incomplete, one.copied = bool(incomplete), bool(copies)
        one.stored = True
        by_id[one.id] = one
    return by_id


def copies(db: sqlite3.Connection, response: int, names: Names) -> dict[int, Evidence]:
    """Every file's version of one response, by file id."""
    versions = [
        _evidence(row, names)
        for row in db.execute(f"SELECT {EVIDENCE} FROM copy WHERE response = ?", (response,))  # noqa: S608
    ]
    return {evidence.file: evidence for evidence in versions}


def tools(db: sqlite3.Connection, names: list[int]) -> dict[int, Tool]:
    by_key: dict[int, Tool] = {}
    for part in _parts(names):
        for row in db.execute(f"SELECT {TOOL} FROM tool WHERE key IN ({_marks(part)})", part):  # noqa: S608
            key, owner, name, at, from_file, used, result_at, client_ms, failed = row
            by_key[key] = Tool(owner, name, at, from_file, bool(used), result_at, client_ms, bool(failed))
    return by_key


def known_tools(db: sqlite3.Connection, names: list[int]) -> set[int]:
    return {
        key
        for part in _parts(names)
        for (key,) in db.execute(f"SELECT key FROM tool WHERE key IN ({_marks(part)})", part)  # noqa: S608
    }


def incident(db: sqlite3.Connection, key: int) -> tuple[int, int, float] | None:
    """(session, from_file, at) of a known incident."""
    row: tuple[int, int, float] | None = db.execute(
        "SELECT session, from_file, at FROM incident WHERE key = ?", (key,)
    ).fetchone()
    return row


def twin(
    db: sqlite3.Connection, kind: str, session_id: int, at: float, within: float, *, from_file: bool
) -> tuple[int, float] | None:
    """(key, at) of the nearest unpaired incident of the other source: a file's, or a hook's."""
    if not within:
        return None
    source = "from_file > 0" if from_file else "from_file = 0"
    row: tuple[int, float] | None = db.execute(
        f"SELECT key, at FROM incident WHERE session = ? AND kind = ? AND at BETWEEN ? AND ? AND twin IS NULL "  # noqa: S608
        f"AND {source} ORDER BY abs(at - ?) LIMIT 1",
        (session_id, kind, at - within, at + within, at),
    ).fetchone()
    return row


def limit(db: sqlite3.Connection, provider: str, account: str, name: str) -> Limit | None:
    """What is known of one limit."""
    row = db.execute(
        "SELECT window_minutes, used_percent, resets_at, source, seen_at FROM usage_limit "
        "WHERE provider = ? AND account = ? AND name = ?",
        (provider, account, name),
    ).fetchone()
    return Limit(provider, account or None, name, *row) if row else None


def lone_requests(db: sqlite3.Connection) -> bool:
    """Whether any response is known by its request id alone."""
    where = "message_key IS NULL AND request_key IS NOT NULL"
    return db.execute(f"SELECT 1 FROM response WHERE {where} LIMIT 1").fetchone() is not None  # noqa: S608


def any_tool(db: sqlite3.Connection) -> bool:
    """Whether any tool call is known."""
    return db.execute("SELECT 1 FROM tool LIMIT 1").fetchone() is not None


def of_request(db: sqlite3.Connection, request: int, start: float, end: float) -> list[tuple[int, float]]:
    """(id, at) of the responses of a span that came with one request id."""
    return db.execute(
        "SELECT id, at FROM response WHERE at BETWEEN ? AND ? AND request_key = ?", (start, end, request)
    ).fetchall()


def open_responses(db: sqlite3.Connection, before: float) -> list[int]:
    """Responses without a stop reason that are older than that and do not count as incomplete yet."""
    return [
        row[0]
        for row in db.execute(
            "SELECT id FROM response WHERE stop_reason IS NULL AND incomplete = 0 AND at < ?", (before,)
        )
    ]


def _evidence(row: Sequence[Any], names: Names) -> Evidence:
    (at, model, uncached, output, read, write_5m, write_1h, reasoning, searches, modifiers, *rest, place,
     credits_) = row  # fmt: skip
    usage = unpack_usage((uncached, output, read, write_5m, write_1h, reasoning, searches), modifiers)
    where = names.places.value(place) if place else None
    return Evidence._make((at, names.models.value(model), usage, *rest, where, credits_))


def _parts(values: list[int]) -> Iterable[list[int]]:
    for start in range(0, len(values), MANY):
        yield values[start : start + MANY]


def _marks(values: list[int]) -> str:
    return ",".join("?" * len(values))
