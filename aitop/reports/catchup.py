"""Bring the history up to date for a report: read what is new, or wait until the listener has.

While no listener runs this process is the history's one writer, under the same lock. It must not publish.
"""

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
from aitop.ingest.coverage import ClientCoverage
from aitop.ingest.queue import Ingest
from aitop.listener import lifecycle
from aitop.listener.lock import Held
from aitop.pricing import table
from aitop.providers import selection
from aitop.providers.load import load as load_providers

Progress = Callable[[int, int], None]  # (bytes read, bytes to read)
END = float("inf")
COMMIT_EVERY = 64 << 20  # bytes: an interrupted first read goes on from there


class NotReadyError(Exception):
    """The history cannot be brought up to date; the message says what to do."""


class Ready(NamedTuple):
    """A history that has everything, read-only; the folders read for it, client → those that exist; its coverage."""

    db: sqlite3.Connection
    folders: dict[str, list[str]]
    clients: dict[str, ClientCoverage]  # what is counted of each client on this machine, and what is not


def catch_up(progress: Progress) -> Ready:
    """Read what is new, or wait until the listener has.

    Raises NotReadyError, HistoryError, ConfigError, sqlite3.Error.
    """
    home = paths.home()
    try:
        lifecycle.prepare_home(home)
    except lifecycle.LifeError as error:
        raise NotReadyError(str(error)) from error
    lock = lifecycle.lock(home)
    try:
        lock.acquire(timeout=0.2)
        lock.sign("report")  # a listener that starts now waits instead of ending
    except Held:
        clients = _wait_for_listener(progress)
    except OSError as error:
        raise NotReadyError(lifecycle.unwritable(home, error)) from error
    else:
        try:
            clients = _read_or_restore(home, progress, time.time())
        finally:
            lock.release()
    return Ready(schema.connect_read_only(os.path.join(home, paths.HISTORY)), folders(), clients)


def folders() -> dict[str, list[str]]:
    """The folders of each enabled client that exist. Raises ConfigError."""
    config = load_config()
    providers = selection.enabled(load_providers()[0], config)
    places = selection.folders(providers, config, dict(os.environ))
    existing = {client: [p for p in paths_ if os.path.isdir(p)] for client, paths_ in places.items()}
    return {client: there for client, there in existing.items() if there}


def _read_or_restore(home: str, progress: Progress, now: float) -> dict[str, ClientCoverage]:
    try:
        return read_everything(home, progress, now)
    except sqlite3.Error as error:
        if not integrity.is_damage(error):
            raise
        restore.suspect(home, str(error))
        return read_everything(home, progress, now)


def read_everything(home: str, progress: Progress, now: float) -> dict[str, ClientCoverage]:
    """Read every file that changed into the history; what is counted of each client. The caller holds the lock."""
    config = load_config()
    prices = table.load(config.price_overrides, os.path.join(home, paths.PRICES))
    installed, _ = load_providers()
    providers = selection.enabled(installed, config)
    db = restore.connect(home, now, _say)
    try:
        history = History(db, prices, floor=END, exact=END)  # a report keeps no running sums
        ingest = Ingest(
            history,
            providers,
            selection.folders(providers, config, dict(os.environ)),
            min(2, os.cpu_count() or 1),
        )
        otherwise = history.priced_otherwise()
        ingest.rescan(now)
        ingest.recruit(now)
        committed = 0
        while ingest.waiting:
            if ingest.helpers:
                ready, _, _ = select.select(ingest.helpers, [], [])
                for helper in ready:
                    ingest.receive(helper, now)
            else:
                ingest.step(now)
            progress(ingest.done_bytes, ingest.total_bytes)
            if ingest.done_bytes - committed > COMMIT_EVERY:
                committed = ingest.done_bytes
                history.commit()
        history.settle(now)
        history.commit()
        if otherwise:
            _reprice(history, now)
        gaps.judge(history)
        history.commit()
        return ingest.coverage()
    finally:
        db.close()


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


def _wait_for_listener(progress: Progress) -> dict[str, ClientCoverage]:
    """A listener holds the history: wait until it has read everything once; the coverage it publishes."""
    from aitop import state as published

    quiet = 0
    while True:
        state = published.read()
        if state and time.time() - state["written_at"] < 10:
            quiet = 0
            scan = state["scan"]
            if scan["complete"]:
                clients: dict[str, ClientCoverage] = state.get("coverage", {}).get("clients", {})
                return clients
            progress(scan["done_bytes"], scan["total_bytes"])
        else:
            quiet += 1
            if quiet > 100:
                raise NotReadyError(
                    "a listener holds the history but publishes nothing: `aitop stop`, then try again"
                )
        time.sleep(0.1)
