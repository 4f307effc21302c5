"""Open a client's file: only a regular file, never through a link, without waiting.

A FIFO would block its reader, a device would never end, and a link could lead out of the client's folders. A
program that can write there must not make us read something else.
"""

import os
import stat

READ_ONLY = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NOCTTY
BESIDE = ("-wal", "-journal", "-shm")


class BusyError(OSError):
    """A client is just writing it: the next look, a moment later, will see it whole."""


def open_regular(path: str) -> tuple[int, os.stat_result] | None:
    """A read-only descriptor of a regular file, or None for anything else. Raises OSError."""
    fd = os.open(path, READ_ONLY)
    status = os.fstat(fd)
    if stat.S_ISREG(status.st_mode):
        return fd, status
    os.close(fd)
    return None


def read_regular(path: str, most: int) -> bytes:
    """A whole small file. Raises OSError, also for anything but a regular file and above `most` bytes."""
    opened = open_regular(path)
    if opened is None:
        raise OSError("it is not a regular file")
    fd, status = opened
    with open(fd, "rb") as file:
        if status.st_size > most:
            raise OSError(f"it is larger than {most >> 20} MB")
        return file.read(most)


def check_database(path: str) -> None:
    """Raise OSError where SQLite, which opens by name, would meet anything but regular files."""
    for name in (path, *(path + ending for ending in BESIDE)):
        try:
            status = os.lstat(name)
        except FileNotFoundError:
            continue
        if not stat.S_ISREG(status.st_mode):
            raise OSError(f"{name} is not a regular file")
