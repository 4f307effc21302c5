"""The loop's side of the history: when it may be written, what a commit changed, and what went wrong.

SQLite waits while another program holds a lock. The loop must not: it waits at most `WAIT_MS` at a
time, leaves what arrived where it is, publishes the last known numbers and tries again a second later.
This module never reads a client's file and never publishes.
"""

import os
import sqlite3
import time
from collections.abc import Callable

from aitop import paths
from aitop.history.query.by_provider import with_data
from aitop.history.recovery import gaps, integrity, restore
from aitop.history.store import History
from aitop.history.write import load
from aitop.listener.feed import LiveFeed
from aitop.listener.maintenance import restoring
from aitop.live.snapshot import MAX_LISTED_SESSIONS
from aitop.log import Log
from aitop.model import periods
from aitop.pricing.table import PriceTable
from aitop.system.local_zone import ZoneWatch

WAIT_MS = 40  # for another program's lock, each time
RETRY_SECONDS = 1.0
LOG_CHECK_SECONDS = 10.0
LOG_TRUNCATE_BYTES = 64 << 20  # a write-ahead log of this size is written back into the history and emptied
LOG_LIMIT_BYTES = 256 << 20  # beyond this nothing is written until that was possible
SAVE_PAGES = 2000  # of a removed history written at once, between two signs of life
REPRICE = 500  # responses priced again in one slice
HELD = "another program holds history.db: the numbers are the last known ones, nothing is lost"
LOG_HELD = "another program has been reading history.db for long: the numbers wait until it ends"


class HistoryGuard:
    """The history, the sums that follow its commits, and whether it can be used just now."""

    def __init__(
        self, home: str, prices: PriceTable, log: Log, now: float, on_lost: Callable[[], None]
    ) -> None:
        """Raises HistoryError, sqlite3.Error. `on_lost` is called when uncommitted work was taken back."""
        self._log, self._on_lost = log, on_lost
        self.started_at = now
        self.path = os.path.join(home, paths.HISTORY)
        self.db = restore.connect(home, now, log.error, restoring)
        self.db.execute(f"PRAGMA busy_timeout = {WAIT_MS}")
        self.history = History(self.db, prices)
        self.feed = LiveFeed(now)
        self._zone = ZoneWatch()
        self.error: str | None = None
        self.damaged = False
        self.last_restore = gaps.last(self.db)
        self.providers_with_data: set[str] = set()
        self._blocked_until = 0.0
        self._next_log_check = 0.0
        self._reprice_from: int | None = None
        self._next_midnight = 0.0

    # -- whether it can be used --------------------------------------------------------------------------------

    @property
    def blocked(self) -> bool:
        """Whether another program's lock was met within the last second."""
        return time.monotonic() < self._blocked_until

    def open(self) -> bool:
        """Open the transaction that the next commit closes; False while another program holds the file."""
        if self.blocked:
            return False
        try:
            self.history.begin()
        except sqlite3.Error as error:
            if not is_held(error):
                raise
            self._block(HELD)
            return False
        return True

    def failed(self, error: sqlite3.Error) -> None:
        """The history refused. Take back what is not committed; it is read again from the clients' files."""
        if is_held(error) and not self.db.in_transaction:
            self._block(HELD)
            return
        self.error = str(error)
        self.report(error)
        try:
            self.history.abandon()
            self._remember_sessions()
        except sqlite3.Error as again:
            self.report(again)
        self._on_lost()

    def report(self, error: sqlite3.Error) -> None:
        """Log that the history did not answer. Where it is damaged, the next start restores it."""
        if is_held(error):
            self._block(HELD)
            return
        self._log.error(f"history: {error}")
        if integrity.is_damage(error):
            self.damaged = True

    def _block(self, reason: str) -> None:
        self._blocked_until = time.monotonic() + RETRY_SECONDS
        if self.error != reason:
            self._log.error(f"history: {reason}")
        self.error = reason

    # -- commits -----------------------------------------------------------------------------------------------

    def write_slice(self, now: float, *, complete: bool) -> None:
        """During a first read: write now a part of what the next tick would write at once."""
        if self.blocked:
            return
        try:
            much = self.history.write_slice()
        except sqlite3.Error as error:
            self.failed(error)
            return
        if much:
            self.commit(now, complete=complete)

    def commit(self, now: float, *, complete: bool) -> None:
        """Make durable what was taken in, and hand what changed to the sums."""
        if self.history.waiting() and not self.open():
            return
        try:
            changes = self.history.commit()
        except sqlite3.Error as error:
            self.failed(error)
            return
        if not self.blocked and (complete or changes.anything()):
            self.error = None  # else what failed has not been tried again yet
        self.feed.fold(changes, self.history, now)
        self._bound_log()

    def _bound_log(self) -> None:
        """Keep the write-ahead log small, also where a long reader keeps SQLite from emptying it."""
        monotonic = time.monotonic()
        if monotonic < self._next_log_check:
            return
        self._next_log_check = monotonic + LOG_CHECK_SECONDS
        try:
            size = os.stat(self.path + "-wal").st_size
        except OSError:
            return
        if size <= LOG_TRUNCATE_BYTES:
            return
        try:
            (busy, _, _) = self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.Error as error:
            self.report(error)
            return
        if busy and size > LOG_LIMIT_BYTES:
            self._block(LOG_HELD)
            self._blocked_until = self._next_log_check + RETRY_SECONDS
            self._next_log_check = monotonic + RETRY_SECONDS

    def settle(self, now: float) -> None:
        """Price a slice again after new prices, and count responses that never ended."""
        if self.blocked:
            return
        try:
            self._reprice(now)
            self.history.settle(now)
        except sqlite3.Error as error:
            self.failed(error)

    def use_prices(self, prices: PriceTable) -> None:
        """From now on price by this table; what is stored is priced again in slices."""
        if prices.fingerprint != self.history.prices.fingerprint:
            self.feed.aggregator.unpriced.clear()
            self.feed.aggregator.estimated.clear()
            self._reprice_from = 0
        self.history.prices = prices

    def _reprice(self, now: float) -> None:
        if self._reprice_from is None or not self.open():
            return
        self._reprice_from = self.history.reprice(self._reprice_from, REPRICE, now)
        if self._reprice_from is None:
            self.history.repriced()

    # -- starting and days ---------------------------------------------------------------------------------------

    def recall(self, now: float) -> None:
        """Load what was known before this start: the last hour, the periods, the newest sessions."""
        self._remember_sessions()
        self.providers_with_data = set(with_data(self.db))
        self.feed.recall(self.history, now)
        if self.history.priced_otherwise():
            self._reprice_from = 0
        self.begin_day(now)

    def _remember_sessions(self) -> None:
        for provider, name in load.newest_sessions(self.db, MAX_LISTED_SESSIONS):
            self.history.session(provider, name)

    def begin_day_if_due(self, now: float) -> None:
        """Start the periods anew: at midnight, after a clock set back over one, in another zone."""
        moved = self._zone.changed()
        if moved or now >= self._next_midnight or now < self.feed.aggregator.day_start:
            self.begin_day(now)

    def begin_day(self, now: float) -> None:
        """Start today, this week and this month from the history's own sums."""
        try:
            self.feed.begin_day(self.db, now)
        except sqlite3.Error as error:
            self.report(error)
            if is_held(error):
                return  # the next tick tries again
        self._next_midnight = periods.next_midnight(now)
        starts = periods.starts(now)
        exact = min(now - 3600, starts["today"], self.started_at)
        self.history.hand_out(floor=min(exact, *starts.values()), exact=exact)

    def learn(self) -> None:
        """Judge what can be known only once everything was read: gaps of a restore, usual days."""
        if self.blocked:
            return
        try:
            if self.last_restore and self.last_restore.incomplete is None:
                self.last_restore = gaps.judge(self.history)
            self.feed.money.learn()
        except sqlite3.Error as error:
            self.report(error)

    def save(self, alive: Callable[[], None]) -> str | None:
        """Write all of the history, which was removed or replaced, to its path again.

        Returns the name under which a file that lay there is kept. `alive` is called now and then.
        Raises sqlite3.Error, OSError.
        """
        fresh = f"{self.path}.saved"
        for side in ("", "-wal", "-shm", "-journal"):
            _remove(fresh + side)
        target = sqlite3.connect(fresh)
        try:
            self.db.backup(target, pages=SAVE_PAGES, progress=lambda *_: alive(), sleep=0)
            target.execute("PRAGMA journal_mode = DELETE")
        finally:
            target.close()
        aside = None
        if os.path.lexists(self.path):
            aside = f"{self.path.removesuffix('.db')}.replaced-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.db"
            if os.path.lexists(self.path + "-wal"):
                os.replace(self.path + "-wal", aside + "-wal")
            os.replace(self.path, aside)
        for side in ("-wal", "-shm", "-journal"):
            _remove(self.path + side)
        os.replace(fresh, self.path)
        return aside and os.path.basename(aside)

    def close(self) -> None:
        self.db.close()


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def is_held(error: sqlite3.Error) -> bool:
    """Whether it says that another connection holds a lock: SQLITE_BUSY or SQLITE_LOCKED."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
