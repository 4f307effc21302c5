"""The listener's lock: one listener for a home, one writer for a history.

The system's own lock on a file: gone with its holder, however that ends. The library that guards the
settings files would cost each start of a listener more time than all of its own reading does.
"""

import fcntl
import os
import time
from typing import Self

AGAIN = 0.02  # seconds between two tries


class Held(Exception):  # noqa: N818
    """Another process holds the lock."""


class Lock:
    """Not taken until `acquire`, or as a context manager."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd: int | None = None

    def acquire(self, timeout: float = 0.0) -> None:
        """Take it, trying for so many seconds. Raises Held, OSError."""
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        until = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    os.close(fd)
                    raise Held(self._path) from None
                time.sleep(AGAIN)
            except OSError:
                os.close(fd)
                raise
            else:
                self._fd = fd
                return

    def release(self) -> None:
        """Give it back; harmless when it is not taken."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
