"""The history's writer: idempotent, priced, exact whatever the order things arrive in.

`apply` takes events, `commit` writes them with the file offsets and sums they moved, all in one
transaction, and only then hands out what changed. When a commit fails everything in memory is
dropped and read back, so the offsets fall back with it and the files are read again: nothing is
lost, nothing counts twice. Knows no clock (`now` is an argument) and reads no file but its own.
"""

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from aitop.history import keys, load, rows, write
from aitop.history.rows import BASES, Evidence, File, Row, Session
from aitop.model import (
    ApiError,
    CacheState,
    ClientTotals,
    Compaction,
    ContextSize,
    Event,
    Limit,
    Response,
    SessionInfo,
)
from aitop.model import Status, Sum, ToolResult, ToolUse
from aitop.pricing import cost, table

QUARTER = 900
FLUSH_AT = 2000  # rows gathered in memory before they are written into the open transaction
KEEP_SESSIONS = 256  # sessions held in memory between commits
TWINS = {"error": 10.0, "compaction": 120.0}  # seconds within which a hook and a file tell of one incident


class Changes(NamedTuple):
    """What a commit changed, for the aggregator. Times are the records' own."""

    sums: list[tuple[float, int, Sum]]  # (at, session id, difference)
    stops: list[tuple[float, str, int]]  # (at, stop reason, +1 or -1)
    tools: list[tuple[float, str, int, int]]  # (at, name, calls, failures)
    latencies: list[tuple[float, str, float]]  # (at, name, milliseconds)
    compactions: list[tuple[float, int]]
    limits: list[Limit]
    models: set[tuple[str, int]]  # (model, basis) of responses that are not at list price

    def anything(self) -> bool:
        return any(self)


def nothing() -> Changes:
    return Changes([], [], [], [], [], [], set())


class History:
    """The one writer of `history.db`. Call `apply` any number of times, then `commit`."""

    def __init__(self, db: sqlite3.Connection, prices: table.PriceTable) -> None:
        self.db = db
        self.prices = prices
        self.floor = 0.0  # changes before this moment are nobody's business and are not handed out
        self._reset()

    def _reset(self) -> None:
        self.files: dict[str, File] = load.files(self.db)
        self._file_by_id = {file.id: file for file in self.files.values()}
        self._next_file = load.next_id(self.db, "file")
        self._dirty_files: set[File] = set()
        self.bad_lines = sum(file.bad_lines for file in self.files.values())
        self._next_response = load.next_id(self.db, "response")
        self._next_session = load.next_id(self.db, "session")
        self.models = load.Models(self.db)
        self.sessions: dict[tuple[str, str], Session] = {}
        self._session_by_id: dict[int, Session] = {}
        self._rows: dict[int, Row] = {}
        self._aliases: dict[int, int] = {}
        self._tools: dict[int, load.Tool] = {}
        self._out = write.Pending()
        self._changes = nothing()

    # -- files ---------------------------------------------------------------------------------------------

    def file(self, provider: str, path: str) -> File:
        """The tail state of a file, made at first sight."""
        found = self.files.get(path)
        if found is None:
            found = File(self._next_file, provider, path)
            self._next_file += 1
            self.files[path] = self._file_by_id[found.id] = found
        return found

    def touch(self, file: File, bad_lines: int = 0) -> None:
        """A file's tail state moved; it is written with the next commit."""
        self._dirty_files.add(file)
        self.bad_lines += bad_lines

    # -- sessions ------------------------------------------------------------------------------------------

    def session(self, provider: str, name: str) -> Session:
        """A session by its client's id, made at first sight."""
        key = (provider, name)
        found = self.sessions.get(key)
        if found is None:
            found = load.session(self.db, provider, name)
            if found is None:
                found = Session(self._next_session, provider, name)
                self._next_session += 1
            self.sessions[key] = self._session_by_id[found.id] = found
        return found

    def session_by_id(self, identity: int) -> Session:
        found = self._session_by_id.get(identity)
        if found is None:
            found = load.session_by_id(self.db, identity)
            assert found is not None
            self.sessions[(found.provider, found.name)] = self._session_by_id[identity] = found
        return found

    # -- events --------------------------------------------------------------------------------------------

    def apply(self, provider: str, events: Iterable[Event], now: float, file: File | None = None) -> None:
        """Take events in; those of a file come with its tail state. Nothing is durable before `commit`."""
        named = [(event, _keys(event)) for event in events]
        self.begin()
        if self._out.size() > FLUSH_AT:
            self._flush()
        self._preload(named)
        number = file.id if file else 0
        for event, names in named:
            kind = type(event)
            if kind is Response:
                self._response(provider, event, names, number, now)  # type: ignore[arg-type]
            elif kind is ToolUse or kind is ToolResult:
                self._tool(provider, event, names[0], number, now)  # type: ignore[arg-type]
            elif kind is ApiError or kind is Compaction:
                self._incident(provider, event, number, now)  # type: ignore[arg-type]
            elif kind is Limit:
                self._limit(event)  # type: ignore[arg-type]
            else:
                self._fact(provider, event, now)  # type: ignore[arg-type]

    def _preload(self, named: list[tuple[Event, list[int]]]) -> None:
        """Fetch in a few statements every row these events may touch."""
        aliases: list[int] = []
        tools: list[int] = []
        for event, names in named:
            (aliases if type(event) is Response else tools).extend(names)
        wanted = [key for key in aliases if key not in self._aliases]
        found = load.aliases(self.db, wanted) if wanted else {}
        if found:
            self._aliases.update(found)
            missing = {i for i in found.values() if i not in self._rows}
            self._rows.update(load.rows(self.db, missing, self.models))
        wanted = [key for key in tools if key not in self._tools]
        if wanted:
            self._tools.update(load.tools(self.db, wanted))

    # -- responses -----------------------------------------------------------------------------------------

    def _response(self, provider: str, r: Response, names: list[int], file: int, now: float) -> None:
        known = sorted({self._aliases[name] for name in names if name in self._aliases})
        if not known:
            evidence = rows.first_evidence(r, file, now)
            session = self.session(provider, r.paying_session or r.session)
            row = Row(self._next_response, session.id, evidence)
            self._next_response += 1
            self._rows[row.id] = row
            before = None
        else:
            row = self._row(known[0])
            before = row.contribution()
            for other in known[1:]:
                self._merge(row, self._row(other))
            self._tell(row, r, file, provider, now)
        row.message_id = row.message_id or r.message_id
        row.request_id = row.request_id or r.request_id
        row.record_id = row.record_id or (None if r.message_id or r.request_id else r.record_id)
        for name in names:
            if self._aliases.get(name) != row.id:
                self._aliases[name] = row.id
                self._out.aliases[name] = row.id
        self._count(row, before, now)

    def _row(self, identity: int) -> Row:
        row = self._rows.get(identity)
        if row is None:
            row = self._rows[identity] = load.rows(self.db, {identity}, self.models)[identity]
        return row

    def _tell(self, row: Row, r: Response, file: int, provider: str, now: float) -> None:
        """Another record of a response that is known: by the same file, or by one more."""
        old = row.evidence
        if not row.copied and old.file == file:
            row.evidence = rows.more_evidence(old, r, now)
            if row.evidence.paying:
                row.session = self.session(provider, row.evidence.paying).id
            return
        copies = self._copies(row)
        mine = copies.get(file)
        copies[file] = rows.more_evidence(mine, r, now) if mine else rows.first_evidence(r, file, now)
        self._settle_copies(row, copies, provider)

    def _copies(self, row: Row) -> dict[int, Evidence]:
        found = self._out.copies.get(row.id)
        if found is None:
            found = (
                load.copies(self.db, row.id, self.models) if row.copied else {row.evidence.file: row.evidence}
            )
            self._out.copies[row.id] = found
        return found

    def _settle_copies(self, row: Row, copies: dict[int, Evidence], provider: str) -> None:
        row.copied = True
        row.evidence, name = rows.decide(copies.values(), self._file)
        paid = self.session(provider, name) if name else self.session_by_id(row.session)
        row.session = paid.id
        for number in copies:
            holder = self._file(number).session
            if holder and holder != paid.name:
                self._out.inherited.add((provider, holder))

    def _file(self, number: int) -> File:
        return self._file_by_id.get(number) or File(0, "", "")

    def _merge(self, row: Row, other: Row) -> None:
        """One record showed that two known responses are the same one."""
        copies = self._copies(row)
        for number, evidence in self._copies(other).items():
            mine = copies.get(number)
            copies[number] = evidence if mine is None or evidence.end > mine.end else mine
        at, session, model, value, stop = other.contribution()
        self._add(at, session, model, value, stop, -1)
        for name, identity in list(self._aliases.items()):
            if identity == other.id:
                self._aliases[name] = self._out.aliases[name] = row.id
        self._out.merged.append((row.id, other.id))
        self._out.copies.pop(other.id, None)
        del self._rows[other.id]
        self._settle_copies(row, copies, self.session_by_id(row.session).provider)

    def _count(self, row: Row, before: tuple[float, int, str, Sum, str | None] | None, now: float) -> None:
        """Price a response and move the sums by the difference it makes."""
        e = row.evidence
        priced = cost.price(self.prices, e.model, e.usage, e.at)
        row.cost, row.basis = priced.cost, BASES.index(priced.basis)
        row.incomplete = e.stop_reason is None and now - e.at > rows.INCOMPLETE_AFTER
        after = row.contribution()
        self._out.rows[row.id] = row
        if row.basis:
            self._changes.models.add((e.model, row.basis))
        if before != after:
            if before is not None:
                self._add(*before, -1)
            self._add(*after, 1)
        session = self.session_by_id(row.session)
        if e.agent is not None and e.agent not in session.agents:
            session.agents.add(e.agent)
            self._out.agents.append((session.id, e.agent))
        if e.agent is None and e.at >= session.context_at:
            session.context_at, session.context_tokens = e.at, e.usage.input_tokens
            session.model = e.model
        self._seen(session, e.at)

    def _add(self, at: float, session_id: int, model: str, value: Sum, stop: str | None, sign: int) -> None:
        if sign < 0:
            value = Sum(*[-v for v in value])
        if at >= self.floor:
            self._changes.sums.append((at, session_id, value))
        self._out.add(int(at) // QUARTER * QUARTER, session_id, self.models.id(model), value)
        session = self.session_by_id(session_id)
        session.dirty = True
        total = session.total
        for i, v in enumerate(value):
            if v:
                total[i] += v
        if stop:
            if at >= self.floor:
                self._changes.stops.append((at, stop, sign))
            session.stop_reasons[stop] = session.stop_reasons.get(stop, 0) + sign
            if not session.stop_reasons[stop]:
                del session.stop_reasons[stop]

    # -- tools ---------------------------------------------------------------------------------------------

    def _tool(self, provider: str, event: ToolUse | ToolResult, key: int, file: int, now: float) -> None:
        at = min(event.at, now) if event.at > 0 else now
        tool = self._tools.get(key)
        before = None
        if tool is None:
            tool = load.Tool(self.session(provider, event.session).id, event.name or "unknown", at, file)
            self._tools[key] = tool
        else:
            before = tool.copy()
        if isinstance(event, ToolUse):
            self._use(tool, event, at, file, provider)
            tool.failed = tool.failed or event.failed
            if event.ended_at is not None:
                ended = min(event.ended_at, now)
                tool.result_at = ended if tool.result_at is None else min(tool.result_at, ended)
        else:
            if file:
                tool.result_at = at if tool.result_at is None else min(tool.result_at, at)
            tool.client_ms = event.duration_ms if event.duration_ms is not None else tool.client_ms
            tool.failed = tool.failed or event.failed
            if event.name and tool.name == "unknown":
                tool.name = event.name
        self._out.tools[key] = tool
        self._moved(before, tool)
        self._seen(self.session_by_id(tool.session), at)

    def _use(self, tool: load.Tool, event: ToolUse, at: float, file: int, provider: str) -> None:
        """A file's word on time and session beats a hook's; the first file in order beats the others."""
        if tool.name == "unknown":
            tool.name = event.name
        if not file:
            tool.at = tool.at if tool.from_file else min(tool.at, at)
            return
        if tool.from_file == file and tool.used:
            return
        if (
            not tool.from_file
            or not tool.used
            or self._file(file).order() < self._file(tool.from_file).order()
        ):
            tool.session = self.session(provider, event.session).id
            tool.at, tool.from_file, tool.used = at, file, True

    def _moved(self, before: load.Tool | None, tool: load.Tool) -> None:
        """Move the sums by what changed of one tool call."""
        for state, sign in ((before, -1), (tool, 1)):
            if state is None:
                continue
            if state.at >= self.floor:
                value = Sum(tool_calls=sign, tool_failures=sign * state.failed)
                self._changes.sums.append((state.at, state.session, value))
                self._changes.tools.append((state.at, state.name, sign, sign * state.failed))
            self._out.add_tool(
                int(state.at) // QUARTER * QUARTER, state.session, state.name, sign, sign * state.failed
            )
            session = self.session_by_id(state.session)
            session.dirty = True
            session.total[8] += sign
            session.total[9] += sign * state.failed
        took = tool.milliseconds()
        if took is not None and tool.at >= self.floor and (before is None or before.milliseconds() != took):
            self._changes.latencies.append((tool.at, tool.name, took))

    # -- errors and compactions ----------------------------------------------------------------------------

    def _incident(self, provider: str, event: ApiError | Compaction, file: int, now: float) -> None:
        if isinstance(event, ApiError):
            kind, what = ("error" if event.final else "retry"), event.kind
        else:
            kind, what = "compaction", event.trigger
        at = min(event.at, now) if event.at > 0 else now
        session = self.session(provider, event.session)
        key = keys.key(kind, event.key)
        known = load.incident(self.db, key)
        if known is not None:
            if file and known[1] and self._file(file).order() < self._file(known[1]).order():
                self._happened(kind, known[0], known[2], -1)
                self._happened(kind, session.id, known[2], 1)
                self.db.execute(
                    "UPDATE incident SET session = ?, from_file = ? WHERE key = ?", (session.id, file, key)
                )
            return
        twin = load.twin(self.db, kind, session.id, at, TWINS.get(kind, 0.0), from_file=not file)
        self.db.execute(
            "INSERT INTO incident VALUES (?, ?, ?, ?, ?, ?, ?)",
            (key, kind, session.id, at, what, file, twin and twin[0]),
        )
        if twin:
            self.db.execute("UPDATE incident SET twin = ? WHERE key = ?", (key, twin[0]))
            if not file:
                return  # the file's word counts already
            self._happened(kind, session.id, twin[1], -1)
        self._happened(kind, session.id, at, 1)
        if kind == "compaction" and event.agent is None and at >= session.context_at:  # type: ignore[union-attr]
            session.context_at, session.context_tokens = at, None
        self._seen(session, at)

    def _happened(self, kind: str, session_id: int, at: float, sign: int) -> None:
        session = self.session_by_id(session_id)
        session.dirty = True
        if kind == "compaction":
            session.compactions += sign
            self._changes.compactions.append((at, sign))
        else:
            self._add(at, session_id, "", Sum(errors=1), None, sign)

    # -- facts ---------------------------------------------------------------------------------------------

    def _fact(
        self, provider: str, event: CacheState | ClientTotals | ContextSize | SessionInfo | Status, now: float
    ) -> None:
        session = self.session(provider, event.session)
        session.dirty = True
        at = min(event.at, now) if event.at else None
        if isinstance(event, ClientTotals):
            session.client_cost = max(session.client_cost or 0.0, event.cost_usd)
            session.client_api_ms = max(session.client_api_ms or 0.0, event.api_ms or 0.0) or None
        elif isinstance(event, CacheState):
            session.cache = event
        elif isinstance(event, ContextSize):
            session.context_limit = event.limit
            if event.tokens is not None and at is not None and at >= session.context_at:
                session.context_tokens, session.context_at = event.tokens, at
        elif isinstance(event, Status):
            if at is not None and (at > session.status_at or (at == session.status_at and event.live)):
                session.status, session.status_at, session.status_live = event.status, at, event.live
        else:
            _inform(session, event, at or now)
        if at is not None:
            self._seen(session, at)

    def _limit(self, event: Limit) -> None:
        self._out.limits[(event.provider, event.account or "", event.name)] = event
        self._changes.limits.append(event)

    def _seen(self, session: Session, at: float) -> None:
        if at > session.last_at:
            session.last_at = at
            session.dirty = True
        if session.started_at is None or at < session.started_at:
            session.started_at = at
            session.dirty = True

    # -- time passes, prices change ------------------------------------------------------------------------

    def settle(self, now: float) -> None:
        """Count as incomplete what has waited a minute for its stop reason."""
        late = load.open_responses(self.db, now - rows.INCOMPLETE_AFTER)
        pending = [
            i for i, row in self._out.rows.items() if row.evidence.stop_reason is None and not row.incomplete
        ]
        for identity in {*late, *pending}:
            row = self._row(identity)
            if not row.incomplete and now - row.evidence.at > rows.INCOMPLETE_AFTER:
                self._count(row, row.contribution(), now)

    def reprice(self, after: int, most: int, now: float) -> int | None:
        """Price up to `most` responses after id `after` again; the next id to go on from, None when done."""
        found = load.rows_after(self.db, after, most, self.models)
        for identity, row in found.items():
            row = self._rows.setdefault(identity, row)
            self._count(row, row.contribution(), now)
        return max(found) if len(found) == most else None

    def remember(self, name: str, value: str) -> None:
        """Keep one word about the history itself, in the open transaction."""
        self.db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    # -- the transaction -----------------------------------------------------------------------------------

    def begin(self) -> None:
        """Open the transaction that the next `commit` closes; harmless when one is open."""
        if not self.db.in_transaction:
            self.db.execute("BEGIN IMMEDIATE")

    def commit(self) -> Changes:
        """Make everything since the last commit durable; what changed. After sqlite3.Error all of it is taken back."""
        try:
            if self._waiting() or self.db.in_transaction:
                self.begin()
                self._flush()
                self.db.execute("COMMIT")
        except BaseException:
            self.abandon()
            raise
        changes, self._changes = self._changes, nothing()
        self._trim()
        return changes

    def _waiting(self) -> bool:
        return bool(self._dirty_files or self._out.anything() or any(s.dirty for s in self.sessions.values()))

    def _flush(self) -> None:
        """Write what was gathered into the open transaction, and let go of it."""
        sessions = [session for session in self.sessions.values() if session.dirty]
        write.everything(self.db, self._out, list(self._dirty_files), sessions, self.models)
        write.inherited(self.db, self._out.inherited, self.sessions)
        self._out = write.Pending()
        self._rows.clear()
        self._aliases.clear()
        self._tools.clear()
        self._dirty_files.clear()

    def abandon(self) -> None:
        """Take back everything since the last commit, in memory too."""
        if self.db.in_transaction:
            self.db.execute("ROLLBACK")
        self._reset()

    def _trim(self) -> None:
        if len(self.sessions) > 2 * KEEP_SESSIONS:
            kept = sorted(self.sessions.values(), key=lambda s: s.last_at, reverse=True)[:KEEP_SESSIONS]
            self.sessions = {(s.provider, s.name): s for s in kept}
            self._session_by_id = {s.id: s for s in kept}


def _keys(event: Event) -> list[int]:
    """The names a row is found by: a response's aliases, a tool call's id."""
    if isinstance(event, Response):
        names = []
        if event.message_id:
            names.append(keys.key("m", event.message_id))
        if event.request_id:
            names.append(keys.key("r", event.request_id))
        return names or [keys.key("u", event.record_id)]
    if isinstance(event, ToolUse | ToolResult):
        return [keys.key("t", event.tool_use_id)]
    return []


def _inform(session: Session, event: SessionInfo, at: float) -> None:
    newer = at >= session.info_at
    session.info_at = max(session.info_at, at)
    for name in ("cwd", "branch", "model", "tag", "pid", "pane"):
        value = getattr(event, name)
        if value is not None and (newer or getattr(session, name) is None):
            setattr(session, name, value)
