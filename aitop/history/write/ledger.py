"""What every part of the history's writer shares: files, sessions, and the sums that move.

In memory between two commits; dropped and read back when a commit fails. A difference is booked
here once and reaches the session's total, the quarter hour's sum and the list handed to the
aggregator together, so the three can never disagree.
"""

import sqlite3
from collections.abc import Collection
from typing import NamedTuple

from aitop.history.rows import Contribution, File, Session
from aitop.history.write import commit, load
from aitop.model.events import Limit, Timing
from aitop.model.histograms import steps
from aitop.model.limits import supersedes
from aitop.model.sums import Sum, negative, plus

QUARTER = 900
STOPS = 50  # different stop reasons of a session; "other" takes the rest
KEEP_SESSIONS = 256  # sessions held in memory between commits


class Changes(NamedTuple):
    """What a commit changed, for the aggregator. Times are the records' own."""

    sums: list[tuple[float, int, Sum]]  # (at, session id, difference)
    stops: list[tuple[float, str, int, int]]  # (at, stop reason, +1 or -1, session id)
    timings: list[tuple[float, int, Timing, int]]  # (at, session id, how long it took, +1 or -1)
    tools: list[tuple[float, str, int, int, int]]  # (at, name, calls, failures, session id)
    latencies: list[tuple[float, str, float, float | None]]  # (at, name, milliseconds, what it was before)
    compactions: list[tuple[float, int]]
    limits: list[Limit]
    models: set[tuple[str, int]]  # (model, basis) of responses that are not at list price

    def anything(self) -> bool:
        return any(self)


def within(names: Collection[str], name: str, most: int) -> str:
    """The name under which something is counted apart, "other" once there are too many."""
    return name if name in names or len(names) < most else "other"


def nothing() -> Changes:
    return Changes([], [], [], [], [], [], [], set())


class Ledger:
    """Files, sessions and booked differences.

    Changes before `floor` are not handed out; those before `exact` may be summed up by quarter hours.
    """

    def __init__(self, db: sqlite3.Connection, floor: float, exact: float) -> None:
        self.db = db
        self.floor, self.exact = floor, exact
        self.names = load.Names(db)
        self.files: dict[str, File] = load.files(db)
        self._file_by_id = {file.id: file for file in self.files.values()}
        self._next_file = load.next_id(db, "file")
        self.dirty_files: set[File] = set()
        self.bad_lines: int = sum(file.bad_lines for file in self.files.values())
        self.sessions: dict[tuple[str, str], Session] = {}
        self._session_by_id: dict[int, Session] = {}
        self._next_session = load.next_id(db, "session")
        self._all_sessions = self._next_session == 1  # every session is in memory
        self.out = commit.Pending()
        self.changes = nothing()

    # -- files and sessions ----------------------------------------------------------------------------------

    def file(self, provider: str, path: str) -> File:
        """The tail state of a file, made at first sight."""
        file = self.files.get(path)
        if file is None:
            file = File(self._next_file, provider, path)
            self._next_file += 1
            self.files[path] = self._file_by_id[file.id] = file
        return file

    def file_by_id(self, number: int) -> File:
        """A file by its number; 0 stands for what came from no file, which is last in every order."""
        return self._file_by_id.get(number) or File(0, "", "")

    def session(self, provider: str, name: str) -> Session:
        """A session by its client's id, made at first sight."""
        key = (provider, name)
        session = self.sessions.get(key)
        if session is None:
            session = None if self._all_sessions else load.session(self.db, provider, name)
            if session is None:
                session = Session(self._next_session, provider, name)
                self._next_session += 1
            self.sessions[key] = self._session_by_id[session.id] = session
        return session

    def session_by_id(self, identity: int) -> Session:
        session = self._session_by_id.get(identity)
        if session is None:
            session = load.session_by_id(self.db, identity)
            assert session is not None
            self.sessions[(session.provider, session.name)] = self._session_by_id[identity] = session
        return session

    def providers(self) -> dict[int, str]:
        """Of the sessions in memory, by number."""
        return {number: session.provider for number, session in self._session_by_id.items()}

    def trim(self) -> None:
        """Forget the sessions that were quiet longest; they can be loaded again."""
        if len(self.sessions) > 2 * KEEP_SESSIONS:
            kept = sorted(self.sessions.values(), key=lambda s: s.last_at, reverse=True)[:KEEP_SESSIONS]
            self._all_sessions = False
            self.sessions = {(s.provider, s.name): s for s in kept}
            self._session_by_id = {s.id: s for s in kept}

    def seen(self, session: Session, at: float) -> None:
        """A session was active."""
        if at > session.last_at:
            session.last_at = at
            session.dirty = True
        if session.started_at is None or at < session.started_at:
            session.started_at = at
            session.dirty = True

    # -- sums ------------------------------------------------------------------------------------------------

    def book(self, what: Contribution, sign: int) -> None:
        """Add a response's or an error's value, or take it away, in the second and quarter hour of its time."""
        at, session_id, model, value, stop, timing, place = what
        if sign < 0:
            value = negative(value)
        if at >= self.floor:
            self.changes.sums.append((at, session_id, value))
        quarter = int(at) // QUARTER * QUARTER
        self.out.add((quarter, session_id, self.names.model(model), self.names.place(place)), value)
        session = self.session_by_id(session_id)
        session.dirty = session.totals_moved = True
        session.total = plus(session.total, value)
        if stop:
            if at >= self.floor:
                self.changes.stops.append((at, stop, sign, session_id))
            name = within(session.stop_reasons, stop, STOPS)
            session.stop_reasons[name] = session.stop_reasons.get(name, 0) + sign
            if not session.stop_reasons[name]:
                del session.stop_reasons[name]

        if timing is not None:
            session.timings.add(steps(timing), sign)
            if at >= self.floor:
                self.changes.timings.append((at, session_id, timing, sign))

    def book_untracked(self, at: int, session_id: int, model: int, picodollars: int) -> None:
        """Add to what a client reports beyond its records, at a second, or take from it."""
        value = Sum(untracked=picodollars)
        if at >= self.floor:
            self.changes.sums.append((at, session_id, value))
        key = (session_id, model, at)
        self.out.side_calls[key] = self.out.side_calls.get(key, 0) + picodollars
        self.out.add((at // QUARTER * QUARTER, session_id, model, 0), value)
        session = self.session_by_id(session_id)
        session.dirty = True
        session.total = plus(session.total, value)

    def write_sums(self) -> None:
        """Write the differences booked so far; they are no longer pending."""
        out = self.out
        commit.side_calls(self.db, out.side_calls)
        commit.sums(self.db, out, lambda number: self.session_by_id(number).provider)
        out.side_calls, out.quarters, out.tool_quarters = {}, {}, {}

    def limit(self, new: Limit) -> None:
        """Take in a word on a limit: a later reset wins, within one reset the higher."""
        key = (new.provider, new.account or "", new.name)
        in_force = self.out.limits.get(key) or load.limit(self.db, *key)
        if in_force is None or supersedes(new, in_force):
            self.out.limits[key] = new
            self.changes.limits.append(new)

    def book_tool(self, at: float, session_id: int, name: str, failed: bool, sign: int) -> None:
        """Add one tool call, or take it away."""
        failures = sign * failed
        value = Sum(tool_calls=sign, tool_failures=failures)
        if at >= self.floor:
            self.changes.sums.append((at, session_id, value))
            self.changes.tools.append((at, name, sign, failures, session_id))
        self.out.add_tool(int(at) // QUARTER * QUARTER, session_id, name, sign, failures)
        session = self.session_by_id(session_id)
        session.dirty = True
        session.total = plus(session.total, value)

    def book_compaction(self, at: float, session_id: int, sign: int) -> None:
        """Count one compaction, or take it away."""
        session = self.session_by_id(session_id)
        session.dirty = True
        session.compactions += sign
        self.changes.compactions.append((at, sign))
