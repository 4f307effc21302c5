"""A client's SQLite store, read without ever holding its client up.

A store that is in use through a write-ahead log is opened read-only: its readers block no writer. One without a log is
complete by itself, and a reader's lock could block the client's next commit. So it is opened as immutable, without
any lock, and what was read counts only if the file did not change meanwhile. A store that is just being written the
older way (a journal stands beside it) is left for a later look.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from aitop.providers.files import BusyError, check_database

PATIENCE = 0.5  # seconds to wait for a writer
LOCKED = frozenset((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED))
CHANGED = "it changed while it was read"
Stamp = tuple[int, int, int]


class Store:
    """An open store. `check` raises BusyError where what was read since the opening may be torn."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._at_rest = not os.path.lexists(f"{path}-wal")
        self._stamp = _stamp(path)
        mode = "mode=ro&immutable=1" if self._at_rest else "mode=ro"
        self.db = sqlite3.connect(f"file:{quoted(path)}?{mode}", uri=True, timeout=PATIENCE)
        self.db.text_factory = lambda raw: raw.decode("utf-8", "replace")

    def check(self) -> None:
        if self._at_rest and (os.path.lexists(f"{self._path}-wal") or _stamp(self._path) != self._stamp):
            raise BusyError(CHANGED)

    def columns(self, table: str) -> set[str]:
        """The columns of a table; empty where there is no such table."""
        return {row[0] for row in self.db.execute("SELECT name FROM pragma_table_info(?)", (table,))}


@contextmanager
def opened(path: str) -> Iterator[Store]:
    """The store at a path, closed at the end. Raises OSError, also for what SQLite says against it, and BusyError where
    the client is just writing it.
    """
    check_database(path)
    if os.path.lexists(f"{path}-journal") and os.path.getsize(f"{path}-journal"):
        raise BusyError("it is just being written")
    try:
        store = Store(path)
        try:
            yield store
            store.check()
        finally:
            store.db.close()
    except (sqlite3.Error, UnicodeDecodeError) as error:  # a message that quotes damaged bytes is no text
        passing = getattr(error, "sqlite_errorcode", 0) & 0xFF in LOCKED
        raise (BusyError if passing else OSError)(f"the database cannot be read: {error}") from error


def _stamp(path: str) -> Stamp:
    status = os.stat(path)
    return status.st_ino, status.st_size, status.st_mtime_ns


def quoted(path: str) -> str:
    """A path as a part of SQLite's URI; urllib would cost each listener 10 ms."""
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
