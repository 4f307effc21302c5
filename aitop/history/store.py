"""The history's writer: idempotent, priced, exact whatever the order things arrive in.

`apply` takes events, `commit` writes them with the file offsets and sums they moved, all in one
transaction, and only then hands out what changed. When a commit fails everything in memory is
dropped and read back, so the offsets fall back with it and the files are read again: nothing is
lost, nothing counts twice. Knows no clock (`now` is an argument) and reads no file but its own.
"""

import sqlite3
from collections.abc import Iterable

from aitop.history import keys
from aitop.history.query import sums_since
from aitop.history.rows import File, Session, inform
from aitop.history.write import commit, load, prepare, pull_requests, side_calls, wire
from aitop.history.write.bulk_insert import Bulk
from aitop.history.write.incidents import Incidents
from aitop.history.write.ledger import Changes, Ledger, nothing
from aitop.history.write.naming import names_of
from aitop.history.write.pairing import unnamed
from aitop.history.write.prepare import Batch
from aitop.history.write.responses import Responses
from aitop.history.write.tools import Tools
from aitop.model.events import (
    ApiError,
    CacheState,
    ClientTotals,
    Compaction,
    ContextSize,
    Event,
    Limit,
    PullRequest,
    Response,
    SessionInfo,
    Status,
    ToolResult,
    ToolUse,
)
from aitop.pricing.table import PriceTable

FLUSH_AT = 2000  # rows gathered in memory before they are written into the open transaction
SLICE_FILES, SLICE_ROWS, SLICE_SUMS = 60, 600, 500  # each some milliseconds of writing
RUNS_AT_ONCE = 200  # of files, when what they kept back is decided

Fact = CacheState | ClientTotals | ContextSize | PullRequest | SessionInfo | Status


class History:
    """The one writer of `history.db`. Call `apply` any number of times, then `commit`."""

    def __init__(
        self, db: sqlite3.Connection, prices: PriceTable, floor: float = 0.0, exact: float = 0.0
    ) -> None:
        self.db = db
        self._prices = prices
        self._providers: dict[int, str] = {}  # of the sessions in memory at the last commit, by number
        self._lost = False  # taken back, and not yet read again
        self._reset(floor, exact)

    def _reset(self, floor: float, exact: float) -> None:
        self._ledger = Ledger(self.db, floor, exact)
        self._responses = Responses(self._ledger, self._prices)
        self._tools = Tools(self._ledger)
        self._incidents = Incidents(self._ledger)
        self._bulk = Bulk(self._ledger, self._responses, self._tools)

    # -- what it knows ---------------------------------------------------------------------------------------

    @property
    def prices(self) -> PriceTable:
        return self._prices

    @prices.setter
    def prices(self, prices: PriceTable) -> None:
        self._prices = self._responses.prices = prices

    @property
    def floor(self) -> float:
        """Changes before this moment are not handed out."""
        return self._ledger.floor

    def hand_out(self, *, floor: float, exact: float) -> None:
        """Changes from `exact` on one by one, before it by quarter hours, none before `floor`.

        `floor` falls on a quarter hour or is `exact`; `exact` is no later than the local day's beginning.
        """
        self._ledger.floor, self._ledger.exact = floor, exact

    @property
    def files(self) -> dict[str, File]:
        return self._ledger.files

    @property
    def sessions(self) -> dict[tuple[str, str], Session]:
        """The sessions held in memory: the newest, and those that changed."""
        return self._ledger.sessions

    @property
    def bad_lines(self) -> int:
        return self._ledger.bad_lines

    def file(self, provider: str, path: str) -> File:
        """The tail state of a file, made at first sight."""
        return self._ledger.file(provider, path)

    def touch(self, file: File, bad_lines: int = 0) -> None:
        """A file's tail state moved; it is written with the next commit."""
        self._ledger.dirty_files.add(file)
        self._ledger.bad_lines += bad_lines

    def provider_of(self, session: int) -> str:
        """The provider of a session, by its number."""
        return self._providers.get(session) or self._ledger.session_by_id(session).provider

    def session(self, provider: str, name: str) -> Session:
        """A session by its client's id, made at first sight."""
        return self._ledger.session(provider, name)

    # -- events ----------------------------------------------------------------------------------------------

    def prepare(self, events: Iterable[Event], now: float) -> Batch:
        """What needs no look into the database; the process that read the events does it."""
        return prepare.prepare(events, self._prices, now)

    def packed(self, events: Iterable[Event], now: float) -> Batch:
        """The same as a helper sends it: with what it adds up to, its rows packed."""
        return wire.packed(self.prepare(events, now))

    def take(self, provider: str, batch: Batch, now: float, file: File) -> None:
        """Take in a run of a file that was prepared."""
        if batch.prices != self._prices.fingerprint:  # they changed meanwhile
            self.apply(provider, prepare.events(wire.unpacked(batch)), now, file)
            return
        self.begin()
        self._bulk.take(provider, batch, file, now)

    def apply(self, provider: str, events: Iterable[Event], now: float, file: File | None = None) -> None:
        """Take events in; those of a file come with its tail state. Nothing is durable before `commit`."""
        self.begin()
        self._settle_bulk()
        events = list(events)
        feeds_unnamed = file is None and any(type(event) is Response and unnamed(event) for event in events)
        if feeds_unnamed:
            self._bulk.write()
        if self._ledger.out.size() > FLUSH_AT or feeds_unnamed:
            self._flush()
        self._preload(events)
        self._decide(provider, events, now, file)

    def _settle_bulk(self, *, facts: bool = True) -> None:
        """Decide what runs of files kept back. Their new rows stay gathered, but for those that these speak of."""
        waiting = self._bulk.settled() + (self._bulk.settled_facts() if facts else [])
        for start in range(0, len(waiting), RUNS_AT_ONCE):
            some = waiting[start : start + RUNS_AT_ONCE]
            self._preload([event for run in some for event in run.events])
            for run in some:
                self._decide(run.provider, run.events, run.now, run.file)
            if self._ledger.out.size() > FLUSH_AT:
                self._flush()

    def _preload(self, events: list[Event]) -> None:
        """Fetch in a few statements every row that these events may touch."""
        names = [names_of(event) for event in events if isinstance(event, Response)]
        if any(one.message is None and one.request is not None for one in names):
            self._bulk.write()  # such a record is looked for in the table, by its request id and time
        spellings = {key for one in names for key in one.spellings()}
        self._responses.adopt(self._bulk.take_responses(spellings))
        self._responses.preload(list({key for one in names for key in one.all()}))
        calls = list({keys.key("t", e.tool_use_id) for e in events if isinstance(e, ToolUse | ToolResult)})
        self._tools.adopt(self._bulk.take_calls(calls))
        self._tools.preload(calls)

    def _decide(self, provider: str, events: list[Event], now: float, file: File | None) -> None:
        """Take in events one by one."""
        number = file.id if file else 0
        for event in events:
            if isinstance(event, Response):
                self._responses.take(provider, event, names_of(event), number, now)
            elif isinstance(event, ToolUse | ToolResult):
                self._tools.take(provider, event, keys.key("t", event.tool_use_id), number, now)
            elif isinstance(event, ApiError | Compaction):
                self._incidents.take(provider, event, number, now)
            elif isinstance(event, Limit):
                self._ledger.limit(event)
            else:
                self._fact(provider, event, now)

    def _fact(self, provider: str, event: Fact, now: float) -> None:
        session = self._ledger.session(provider, event.session)
        session.dirty = True
        at = min(event.at, now) if event.at else None
        if isinstance(event, ClientTotals):
            side_calls.told(self._ledger, session, event, at)
            if event.lines_changed is not None:
                same = session.lines is not None and session.lines[0] == event.lines_changed
                since = session.lines[1] if session.lines and same else at or now
                session.lines = (event.lines_changed, since, at or now)
        elif isinstance(event, CacheState):
            session.cache = event
        elif isinstance(event, PullRequest):
            pull_requests.told(self.db, session, event, at or now)
        elif isinstance(event, ContextSize):
            session.context_limit, session.context_model = event.limit, event.model or session.model
            if event.tokens is not None and at is not None and at >= session.context_at:
                session.context_tokens, session.context_at = event.tokens, at
        elif isinstance(event, Status):
            if at is not None and (at > session.status_at or (at == session.status_at and event.live)):
                session.status, session.status_at, session.status_live = event.status, at, event.live
        else:
            inform(session, event, at or now)
        if at is not None:
            self._ledger.seen(session, at)

    def settle(self, now: float) -> None:
        """Count as incomplete what has waited a minute for its stop reason."""
        if self._bulk.waiting():
            self.begin()
            self._settle_bulk(facts=False)
        self._responses.settle(now)

    def reprice(self, after: int, most: int, now: float) -> int | None:
        """Price up to `most` responses after id `after` again; where to go on, None when done."""
        return self._responses.reprice(after, most, now)

    def priced_otherwise(self) -> bool:
        """Whether what is stored was priced by another table than this one; never of an empty history."""
        if sums_since.meta(self.db, "prices") == self._prices.fingerprint:
            return False
        if load.next_id(self.db, "response") > 1:
            return True
        self.repriced()
        return False

    def repriced(self) -> None:
        """From the next commit on, everything stored counts as priced by this table."""
        self.begin()
        self.db.execute("INSERT OR REPLACE INTO meta VALUES ('prices', ?)", (self._prices.fingerprint,))

    # -- the transaction -------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Open the transaction that the next `commit` closes; harmless when one is open."""
        if self._lost:
            self.abandon()
        if not self.db.in_transaction:
            self.db.execute("BEGIN IMMEDIATE")

    def commit(self) -> Changes:
        """Make everything since the last commit durable, and tell what changed.

        After sqlite3.Error all of it is taken back.
        """
        try:
            if self._lost or self.waiting() or self.db.in_transaction:
                self.begin()
                self._settle_bulk()
                self._bulk.write()
                self._flush()
                self.db.execute("COMMIT")
        except BaseException:
            self.abandon()
            raise
        ledger = self._ledger
        changes, ledger.changes = ledger.changes, nothing()
        self._providers = ledger.providers() if changes.anything() else {}
        ledger.trim()
        return changes

    def total_up(self) -> bool:
        """Write the sums of all sessions together and the limits into the open transaction: they may be asked.

        True where `add_up` did more, because what a client reports beyond its records has to be reckoned.
        """
        self.begin()
        self._settle_bulk(facts=False)
        ledger = self._ledger
        if ledger.out.inherited or any(one.client_cost is not None for one in ledger.sessions.values()):
            self.add_up()
            return True
        commit.new_names(self.db, ledger.names)
        commit.limits(self.db, ledger.out.limits.values())
        commit.totals(self.db, ledger.out, self.provider_of)
        return False

    def add_up(self) -> None:
        """Write all sums, facts and offsets into the open transaction. Questions on this connection are answered.

        The rows that are only counted stay in memory until the next `commit`; nothing is durable before that.
        """
        self.begin()
        self._settle_bulk()
        self._flush()

    @property
    def full(self) -> bool:
        """Whether so many rows wait in memory that they should be committed."""
        return self._bulk.full()

    def write_slice(self) -> bool:
        """Write gathered rows once they are a slice. Whether so much else waits that it should be committed now.

        For a listener, which must be heard again within some 10 ms. Raises sqlite3.Error.
        """
        if self._bulk.rows >= SLICE_ROWS:
            self.begin()
            self._bulk.write()
        return len(self._ledger.dirty_files) >= SLICE_FILES or len(self._ledger.changes.sums) >= SLICE_SUMS

    def abandon(self) -> None:
        """Take back everything since the last commit, in memory too.

        While even that fails, nothing is taken in or written, and `begin` tries again.
        """
        self._lost = True
        if self.db.in_transaction:
            self.db.execute("ROLLBACK")
        self._reset(self._ledger.floor, self._ledger.exact)
        self._lost = False

    def waiting(self) -> bool:
        """Whether something taken in is not yet in the open transaction."""
        ledger = self._ledger
        return bool(
            ledger.dirty_files
            or ledger.out.anything()
            or self._bulk.waiting()
            or any(s.dirty for s in ledger.sessions.values())
        )

    def _flush(self) -> None:
        """Write what was gathered into the open transaction, then forget it."""
        ledger = self._ledger
        if self._bulk.waiting() and any(
            side_calls.asks_rows(one, inherits=key in ledger.out.inherited)
            for key, one in ledger.sessions.items()
        ):
            self._bulk.write()
        commit.everything(self.db, ledger.out, list(ledger.dirty_files), ledger.names)
        ledger.write_sums()
        commit.inherited(self.db, ledger.out.inherited, ledger.sessions)
        moved = [session for session in ledger.sessions.values() if session.totals_moved]
        side_calls.reckon(self.db, ledger, moved)
        ledger.write_sums()
        commit.new_names(self.db, ledger.names)
        commit.sessions(self.db, [session for session in ledger.sessions.values() if session.dirty])
        ledger.out = commit.Pending()
        ledger.dirty_files.clear()
        self._bulk.learn()
        self._responses.forget()
        self._tools.forget()
