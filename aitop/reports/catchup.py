"""Bring the history up to date for a report: read what is new, or wait until the listener has.

While no listener runs this process is the history's one writer, under the same lock. It must not publish.

The answer comes before the rows. When everything is read, the sums of all sessions together are written into an open
transaction, in which the report asks; a question for more is refused, and answered once `more` has written the rest of
the sums. `finish` writes the rows and commits them together with the sums and the files' offsets. A process that ends
at any moment before that leaves the history as it was, and the next one reads the same again.
"""

import gc
import os
import select
import sqlite3
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

from aitop import paths
from aitop.config import load as load_config
from aitop.history import schema
from aitop.history.recovery import gaps, integrity, restore
from aitop.history.store import History
from aitop.history.write import load
from aitop.ingest.coverage import ClientCoverage
from aitop.ingest.queue import Ingest
from aitop.listener import lifecycle, process_identity
from aitop.listener.lock import Held, Lock, holder
from aitop.pricing import table
from aitop.providers import selection
from aitop.providers.load import load as load_providers

Progress = Callable[[int, int], None]  # (bytes read, bytes to read)
Keep = Callable[[dict[str, bytes]], None]
END = float("inf")
PATIENCE = 10.0  # seconds for a listener to publish after `until`; its clock may have been set back
ROWS = frozenset(
    ("response", "alias", "tool", "copy", "file")
)  # the tables that are complete only after `finish`
TOTALS = frozenset(("quarter_all", "day_all", "model", "meta", "usage_limit", "sqlite_master"))


class NotReadyError(Exception):
    """The history cannot be brought up to date; the message says what to do."""


class Ready(NamedTuple):
    """A history that has everything; the folders read for it, client → those that exist; its coverage.

    `more` completes what may be asked; before it a question for more than TOTALS fails with SQLITE_AUTH, and after it
    one for ROWS. `finish` makes durable what was read and closes `db`. Both raise sqlite3.Error; then nothing of it is
    durable. `finish` also hands over how each place looked before it was read (`ingest.looks`), if only a change of a
    file can change an answer. It still holds the lock then, so no other process writes.
    """

    db: sqlite3.Connection
    folders: dict[str, list[str]]
    clients: dict[str, ClientCoverage]  # what is counted of each client on this machine, and what is not
    more: Callable[[], None]
    finish: Callable[[Keep], None]


class Read(NamedTuple):
    """What was read, in the writer's open transaction."""

    history: History
    clients: dict[str, ClientCoverage]
    places: dict[str, bytes] | None  # None where something read waits for more than a change of a file

    def totals(self) -> None:
        """From now on the sums of all sessions together may be asked, and nothing else."""
        whole = self.history.total_up()
        self.history.db.set_authorizer(_no_rows if whole else _only_totals)

    def more(self) -> None:
        """From now on every sum may be asked, and no row."""
        self.history.db.set_authorizer(None)
        self.history.add_up()
        self.history.db.set_authorizer(_no_rows)

    def finish(self) -> bool:
        """Write everything and commit it; whether any response still waits to be whole. Raises sqlite3.Error."""
        history = self.history
        try:
            history.db.set_authorizer(None)
            history.add_up()
            gaps.judge(history)
            history.commit()
            return bool(load.open_responses(history.db, END))
        finally:
            history.db.close()


def catch_up(progress: Progress, *, rows: bool = True, until: float = 0.0) -> Ready:
    """Read what is new, or wait until the listener has.

    With `rows` all of it is durable before the answer; without, once `finish` was called. A listener is waited for
    until it has read what the clients had written at `until` (epoch seconds).
    Raises NotReadyError, HistoryError, ConfigError, sqlite3.Error.
    """
    home = paths.home()
    try:
        lifecycle.prepare_home(home)
    except lifecycle.LifeError as error:
        raise NotReadyError(str(error)) from error
    lock = lifecycle.lock(home)
    clients = _locked_or_told(home, lock, progress, until)
    if clients is None:
        try:
            lock.sign("report")
            read = _read_or_restore(home, progress, time.time())
            if not rows:
                read.totals()
                return Ready(
                    read.history.db,
                    folders(),
                    read.clients,
                    read.more,
                    lambda keep: _finish(read, lock, keep),
                )
            read.finish()
            clients = read.clients
        except BaseException:
            lock.release()
            raise
        lock.release()
    db = schema.connect_read_only(os.path.join(home, paths.HISTORY))
    return Ready(db, folders(), clients, lambda: None, lambda _: db.close())


def _locked_or_told(
    home: str, lock: Lock, progress: Progress, until: float
) -> dict[str, ClientCoverage] | None:
    """Take the lock, then None; or wait until the listener that holds it has read everything: its coverage."""
    while True:
        try:
            lock.acquire(timeout=0.2)
        except Held:
            clients = _wait_for_listener(lock.path, progress, until)
            if clients is not None:
                return clients
        except OSError as error:
            raise NotReadyError(lifecycle.unwritable(home, error)) from error
        else:
            return None


def _finish(read: Read, lock: Lock, keep: Keep) -> None:
    try:
        waits = read.finish()
        if read.places is not None and not waits:
            keep(read.places)
    finally:
        lock.release()


def _only_totals(action: int, table: str | None, *_: object) -> int:
    """SQLite asks this before it runs a statement: whether it may read a table."""
    denied = action == sqlite3.SQLITE_READ and table not in TOTALS
    return sqlite3.SQLITE_DENY if denied else sqlite3.SQLITE_OK


def _no_rows(action: int, table: str | None, *_: object) -> int:
    """The same once every sum is there."""
    denied = action == sqlite3.SQLITE_READ and table in ROWS
    return sqlite3.SQLITE_DENY if denied else sqlite3.SQLITE_OK


def folders() -> dict[str, list[str]]:
    """The folders of each enabled client that exist. Raises ConfigError."""
    config = load_config()
    providers = selection.enabled(load_providers()[0], config)
    places = selection.folders(providers, config, dict(os.environ))
    existing = {client: [p for p in paths_ if os.path.isdir(p)] for client, paths_ in places.items()}
    return {client: there for client, there in existing.items() if there}


def _read_or_restore(home: str, progress: Progress, now: float) -> Read:
    try:
        return _read(home, progress, now)
    except sqlite3.Error as error:
        if not integrity.is_damage(error):
            raise
        restore.suspect(home, str(error))
        return _read(home, progress, now)


def read_everything(home: str, progress: Progress, now: float) -> dict[str, ClientCoverage]:
    """Read every file that changed into the history; what is counted of each client. The caller holds the lock."""
    read = _read(home, progress, now)
    read.finish()
    return read.clients


def _read(home: str, progress: Progress, now: float) -> Read:
    """Read every file that changed; what is not committed waits in memory and in the open transaction."""
    config = load_config()
    prices = table.load(config.price_overrides, os.path.join(home, paths.PRICES))
    installed, _ = load_providers()
    providers = selection.enabled(installed, config)
    db = restore.connect(home, now, _say)
    collects = gc.isenabled()
    gc.disable()  # what is read has no cycles, and looking for them took a tenth of the time
    try:
        history = History(db, prices, floor=END, exact=END)  # a report keeps no running sums
        ingest = Ingest(
            history,
            providers,
            selection.folders(providers, config, dict(os.environ)),
            min(2, os.cpu_count() or 1),
        )
        otherwise = history.priced_otherwise()
        places = _take_in(history, ingest, progress, now)
        history.settle(now)
        if otherwise:
            history.commit()
            _reprice(history, now)
        return Read(history, ingest.coverage(), places if ingest.at_rest() else None)
    except BaseException:
        db.close()
        raise
    finally:
        if collects:
            gc.freeze()  # the rows that wait are not looked through again while they are written
            gc.enable()


def _take_in(history: History, ingest: Ingest, progress: Progress, now: float) -> dict[str, bytes]:
    """Read what changed; how each place looked before."""
    places: dict[str, bytes] = {}
    ingest.rescan(now, places)
    ingest.recruit(now)
    while ingest.waiting:
        if ingest.helpers:
            ready, _, _ = select.select(ingest.helpers, [], [])
            for helper in ready:
                ingest.receive(helper, now)
        else:
            ingest.step(now)
        progress(ingest.done_bytes, ingest.total_bytes)
        if history.full:  # an interrupted first read goes on from there
            history.commit()
    return places


def _say(text: str) -> None:
    sys.stderr.write(f"aitop: {text}\n")


def _reprice(history: History, now: float) -> None:
    after: int | None = 0
    while after is not None:
        history.begin()
        after = history.reprice(after, 5000, now)
        history.commit()
    history.repriced()
    history.commit()


def _wait_for_listener(lock: str, progress: Progress, until: float) -> dict[str, ClientCoverage] | None:
    """Another process holds the history. A listener: wait until it has read everything, and take its coverage.

    None once the lock may be tried again: another report holds it, for as long as it reads.
    """
    from aitop import state as published

    quiet = 0
    after: set[float] = set()  # when it published since `until`
    ends = time.monotonic() + PATIENCE
    while True:
        state = published.read()
        if state and time.time() - state["written_at"] < 10:
            quiet = 0
            scan = state["scan"]
            if state["written_at"] >= until:
                after.add(state["written_at"])
            # What it publishes first may be of a second that had begun before: the next one has read everything.
            current = not until or len(after) > 1 or time.monotonic() > ends
            if scan["complete"] and current:
                clients: dict[str, ClientCoverage] = state.get("coverage", {}).get("clients", {})
                return clients
            progress(scan["done_bytes"], scan["total_bytes"])
        else:
            lock_holder = holder(lock)
            if (
                lock_holder is None
                or lock_holder.role == "report"
                or not process_identity.lives(lock_holder.identity)
            ):
                time.sleep(0.1)
                return None
            quiet += 1
            if quiet > 100:
                raise NotReadyError(
                    "a listener holds the history but publishes nothing: `aitop stop`, then try again"
                )
        time.sleep(0.1)
