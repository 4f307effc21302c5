"""Work of which a caller waits for a bounded time only, whatever the work does.

A signal handler of Python's waits while SQLite or the kernel is at work. So a process of its own does the work, and
the caller waits for a pipe. That process belongs to a session of its own and holds none of the caller's descriptors:
nothing that waits for the caller's end or output waits for it. It must not change anything that the caller's host
goes on with; it sends its answer, and the caller acts on it.
"""

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable

DESCRIPTORS = 65536
CHUNK = 1 << 16


def answer(work: Callable[[], bytes], seconds: float, is_worth: Callable[[int], bool]) -> bytes | None:
    """What `work` says; None where it fails, has nothing to say, or takes longer than `seconds`.

    Then its process is ended, unless `is_worth`, given its number, wants its work done: it goes on by itself. Raises
    OSError where no process can be had.
    """
    until = time.monotonic() + seconds
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        _live(work, writer)
    os.close(writer)
    reply = None
    try:
        reply = _read(reader, until)
    finally:
        os.close(reader)
        if reply is None and not is_worth(pid):
            _end(pid)
    return reply or None


def _read(reader: int, until: float) -> bytes | None:
    """Everything up to the end of the pipe, None where that does not come in time."""
    reply = b""
    while True:
        ready, _, _ = select.select([reader], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            return None
        chunk = os.read(reader, CHUNK)
        if not chunk:
            return reply
        reply += chunk


def _live(work: Callable[[], bytes], writer: int) -> None:
    """The process's life. It never returns: no caller's `finally` or exit handler may run here."""
    try:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(null, number)
        os.closerange(3, writer)
        os.closerange(writer + 1, DESCRIPTORS)
        reply = memoryview(work())
        while reply:
            reply = reply[os.write(writer, reply) :]
    finally:
        os._exit(0)


def _end(pid: int) -> None:
    """The process and those that it started."""
    for end in (os.killpg, os.kill):  # it may not have a group of its own yet
        with contextlib.suppress(ProcessLookupError, PermissionError):
            end(pid, signal.SIGKILL)
