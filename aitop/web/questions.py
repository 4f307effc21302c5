"""Questions to the history, each in a process of its own, so that the server keeps its size and never waits.

A question is asked in a child forked for it: one read-only connection, one read transaction, a deadline. The child
sends the answer's bytes and ends, and all that the answer needed ends with it. The server itself never opens the
history. It must have no thread of its own: a fork copies the thread that forks, and the locks that others hold.
"""

import asyncio
import contextlib
import math
import os
import resource
import signal
import sqlite3
import time
from collections.abc import Callable
from typing import NoReturn

from aitop.history import schema
from aitop.history.schema import HistoryError
from aitop.web.answers.session import UnknownSessionError
from aitop.web.params import BadAddressError

LOOK_EVERY = 20_000  # steps of SQLite between two looks at the clock: under a millisecond
GRACE_SECONDS = 1.0  # beyond the deadline, for what is not SQLite's
BURY_SECONDS = 0.1
DESCRIPTORS_MAX = 65_536
ANSWER, WHOLE = b"+", b"\n"  # before an answer, and behind all that a child sends

Question = Callable[[sqlite3.Connection], bytes]


class TooLongError(Exception):
    """The answer took longer than it may."""


class NoHistoryError(Exception):
    """There is no history to ask, or it cannot be read; the message says what to do."""


class BrokenError(Exception):
    """A fault of ours; the message names it."""


ERRORS = {error.__name__: error for error in (
    TooLongError, NoHistoryError, BrokenError, BadAddressError, UnknownSessionError)}  # fmt: skip


class Questions:
    """Asks one history, so many questions at a time."""

    def __init__(self, path: str, together: int = 1) -> None:
        self._path = path
        self._turn = asyncio.Semaphore(together)
        self._running: set[int] = set()

    async def ask(self, question: Question, seconds: float) -> bytes:
        """The answer. Raises what `ERRORS` lists, OSError."""
        async with self._turn:
            reader, writer = os.pipe()
            pid = os.fork()
            if pid == 0:
                _live(self._path, question, seconds, writer)
            os.close(writer)
            self._running.add(pid)
            try:
                told = await _read(reader, seconds + GRACE_SECONDS)
            finally:
                self._running.discard(pid)
                _kill(pid)  # with its answer sent it has ended already
                _bury(pid)
        if not told.endswith(WHOLE):
            raise BrokenError("a question ended without its answer")
        if told.startswith(ANSWER):
            return told[1:-1]
        name, _, message = told[:-1].decode("utf-8", "replace").partition("\n")
        raise ERRORS[name](message)

    def close(self) -> None:
        """The server ends: no question keeps it waiting."""
        for pid in self._running:
            _kill(pid)


async def _read(reader: int, seconds: float) -> bytes:
    """All that a child sends. Raises TooLongError."""
    stream = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(reader, "rb", buffering=0)
    )
    try:
        return await asyncio.wait_for(stream.read(), seconds)
    except TimeoutError as error:
        raise TooLongError from error
    finally:
        transport.close()


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def _bury(pid: int) -> None:
    """Let the system forget a child that ends; look again soon where it has not ended yet."""
    with contextlib.suppress(ChildProcessError):
        if os.waitpid(pid, os.WNOHANG)[0] != pid:
            asyncio.get_running_loop().call_later(BURY_SECONDS, _bury, pid)


def _live(path: str, question: Question, seconds: float, writer: int) -> NoReturn:
    """The child's life. It never returns: no caller's `finally`, lock or exit handler may run here."""
    try:
        signal.set_wakeup_fd(-1)  # the server's signals are none of its own
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        signal.alarm(math.ceil(seconds + GRACE_SECONDS) + 1)  # also where the server is no more
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        os.closerange(3, writer)
        os.closerange(writer + 1, min(most, DESCRIPTORS_MAX) if most > 0 else DESCRIPTORS_MAX)
        try:
            told = ANSWER + answer(path, question, seconds)
        except tuple(ERRORS.values()) as error:
            told = f"{type(error).__name__}\n{error}".encode("utf-8", "replace")
        except Exception as error:
            told = f"BrokenError\n{type(error).__name__}: {error}".encode("utf-8", "replace")
        with os.fdopen(writer, "wb") as file:
            file.write(told + WHOLE)
    finally:
        os._exit(0)


def answer(path: str, question: Question, seconds: float) -> bytes:
    """The answer, in this process. Raises TooLongError, NoHistoryError, and what the question raises."""
    deadline = time.monotonic() + seconds
    try:
        with contextlib.closing(_connected(path)) as db:
            db.set_progress_handler(lambda: time.monotonic() > deadline, LOOK_EVERY)
            db.execute("BEGIN")
            return question(db)
    except HistoryError as error:
        raise NoHistoryError(str(error)) from error
    except sqlite3.Error as error:
        if time.monotonic() > deadline:
            raise TooLongError from error
        raise NoHistoryError(f"the history cannot be read: {error}; try `aitop doctor`") from error


def _connected(path: str) -> sqlite3.Connection:
    """A connection. Raises NoHistoryError, HistoryError, sqlite3.Error."""
    try:
        os.stat(path)
    except FileNotFoundError:
        raise NoHistoryError("There is no history yet: `aitop start` begins one.") from None
    except OSError as error:
        raise NoHistoryError(f"{path}: {error.strerror}") from error
    return schema.connect_read_only(path)
