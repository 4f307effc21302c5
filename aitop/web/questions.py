"""Questions to the history, off the event loop: one thread, one read-only connection, a deadline for each.

A question sees one moment of the history: it runs in one read transaction, which ends with it, so that the
listener can always tidy its files. What takes too long is broken off inside SQLite. Nothing is written.
"""

import asyncio
import ctypes
import gc
import os
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from aitop.history import schema
from aitop.history.schema import HistoryError
from aitop.model.json_types import JsonObject
from aitop.web.answers.asked import Asked

LOOK_EVERY = 20_000  # steps of SQLite between two looks at the clock: under a millisecond
T = TypeVar("T")
Question = Callable[[sqlite3.Connection, Asked], JsonObject]


class TooLongError(Exception):
    """The answer took longer than it may."""


class NoHistoryError(Exception):
    """There is no history to ask, or it cannot be read; the message says what to do."""


def _give_back() -> None:
    """Give what an answer took back to the system: rows that refer to each other, and what glibc would keep."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


class Questions:
    """Asks one history, one question at a time."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, "history")
        self._db: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None  # which file the connection is to

    async def ask(self, question: Callable[[sqlite3.Connection], T], seconds: float) -> T:
        """The answer. Raises TooLongError, NoHistoryError."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._ask, question, seconds)

    def _ask(self, question: Callable[[sqlite3.Connection], T], seconds: float) -> T:
        deadline = time.monotonic() + seconds
        try:
            db = self._connected()
            db.set_progress_handler(lambda: time.monotonic() > deadline, LOOK_EVERY)
            db.execute("BEGIN")
            try:
                return question(db)
            finally:
                db.set_progress_handler(None, 0)
                if db.in_transaction:
                    db.execute("ROLLBACK")
                db.execute("PRAGMA shrink_memory")
                _give_back()
        except HistoryError as error:
            raise NoHistoryError(str(error)) from error
        except sqlite3.Error as error:
            self._leave()
            if time.monotonic() > deadline:
                raise TooLongError from error
            raise NoHistoryError(f"the history cannot be read: {error}; try `aitop doctor`") from error

    def _connected(self) -> sqlite3.Connection:
        """The connection; a new one where the file is another one than last time."""
        try:
            found = os.stat(self._path)
        except FileNotFoundError:
            self._leave()
            raise NoHistoryError("There is no history yet: `aitop start` begins one.") from None
        except OSError as error:
            raise NoHistoryError(f"{self._path}: {error.strerror}") from error
        file = (found.st_dev, found.st_ino)
        if self._db is None or file != self._file:
            self._leave()
            self._db, self._file = schema.connect_read_only(self._path), file
        return self._db

    def _leave(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def close(self) -> None:
        """Wait for the running question and close the connection."""
        self._thread.submit(self._leave)
        self._thread.shutdown()
