"""The listener's lock: one listener for a home, one writer for a history.

The system's own lock on a file: gone with its holder, however that ends. The holder writes down who it
is, so that no command signals the wrong process. The library that guards the settings files would cost each
start of a listener more time than all of its own reading does.
"""

import errno
import fcntl
import os
import time
from typing import Literal, NamedTuple, Self

from aitop.listener import process_identity
from aitop.listener.process_identity import Identity

RETRY_SECONDS = 0.02  # between two tries
MAX_TEXT = 200
NO_ROOM = frozenset((errno.ENOSPC, errno.EDQUOT))

Role = Literal["listener", "report"]


class Held(Exception):  # noqa: N818
    """Another process holds the lock."""


class Holder(NamedTuple):
    """Who wrote down that it took the lock. It may have ended since: see `process_identity.lives`."""

    identity: Identity
    role: Role


class Lock:
    """Not taken until `acquire`, or as a context manager."""

    def __init__(self, path: str, fd: int | None = None) -> None:
        """`fd`: the lock as an earlier run of this process held it and passed it on."""
        self.path = path
        self._fd = fd
        self.signed = fd is not None and os.fstat(fd).st_size > 0  # whether the file names its holder

    @property
    def fd(self) -> int | None:
        """Its descriptor while it is held."""
        return self._fd

    def acquire(self, timeout: float = 0.0) -> None:
        """Take it, trying for so many seconds. Raises Held, OSError."""
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        until = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    os.close(fd)
                    raise Held(self.path) from None
                time.sleep(RETRY_SECONDS)
            except OSError:
                os.close(fd)
                raise
            else:
                self._fd = fd
                return

    def sign(self, role: Role) -> None:
        """Write down who holds it. Raises OSError.

        On a full disk the lock is held all the same, without a name: `signed` stays False, to be tried again.
        """
        me = process_identity.of(os.getpid())
        if self._fd is None or me is None:
            return
        try:
            os.ftruncate(self._fd, 0)  # else an earlier holder would stay named
            os.pwrite(self._fd, f"{me.pid} {role} {me.started}\n".encode(), 0)
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
        else:
            self.signed = True

    def is_in_place(self) -> bool:
        """Whether the file at its path is still the one that is locked."""
        if self._fd is None:
            return False
        try:
            there, held = os.lstat(self.path), os.fstat(self._fd)
        except OSError:
            return False
        return (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)

    def adopt(self, other: "Lock") -> None:
        """Hold what the other one holds, in the place of what was held so far."""
        self.release()
        self._fd, self.signed = other.let_go(), other.signed

    def let_go(self) -> int | None:
        """Its descriptor, which this object then no longer holds."""
        fd, self._fd = self._fd, None
        return fd

    def release(self) -> None:
        """Give it back; harmless when it is not taken."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
            self.signed = False

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def holder(path: str) -> Holder | None:
    """The process that wrote itself into the lock file; None where none did (an older aitop wrote nothing)."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        text = os.read(fd, MAX_TEXT).decode("ascii", "replace")
    except OSError:
        return None
    finally:
        os.close(fd)
    pid, _, rest = text.strip().partition(" ")
    role, _, started = rest.partition(" ")
    if not pid.isdecimal() or not started or int(pid) <= 1:
        return None
    return Holder(Identity(int(pid), started), "listener" if role == "listener" else "report")
