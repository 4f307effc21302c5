"""Replace a file in one step: a reader sees the old bytes or the new ones, never a part of either.

The one writer for every file that aitop replaces. Hot: `segments/` uses it, so it imports `os` alone.
It must not decide what a file holds, follow a link in the place of its temporary file, or leave that
file behind when writing fails.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def replace(
    path: str,
    data: bytes,
    *,
    mode: int = 0o600,
    keep_mode: bool = False,
    fsync: bool = False,
    mtime: float | None = None,
    prepare: "Callable[[int], None] | None" = None,
) -> None:
    """Write `data` beside `path` and rename it over `path`. Raises OSError; the old file then stands.

    `path` itself is replaced, also where it is a link: resolve a link first to keep it. `mode` holds
    exactly, whatever the umask; with `keep_mode` a file that is already there keeps its own. `fsync`
    makes the bytes and the new name survive a power loss. `mtime` (epoch seconds) is set before the rename.
    `prepare` gets the descriptor of the finished new file just before the rename; what it raises stops that.
    """
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name}.{os.getpid()}")
    if keep_mode:
        mode = _mode_of(path, mode)
    fd = _create(temporary)
    try:
        try:
            os.fchmod(fd, mode)
            remaining = memoryview(data)
            while remaining:
                remaining = remaining[os.write(fd, remaining) :]
            if mtime is not None:
                os.utime(fd, (mtime, mtime))
            if fsync:
                os.fsync(fd)
            if prepare is not None:
                prepare(fd)
        finally:
            os.close(fd)
        os.replace(temporary, path)
    except BaseException:
        _remove(temporary)
        raise
    if fsync:
        _sync_folder(folder or ".")


def _create(path: str) -> int:
    """A new file of our own, also where an earlier process with our number left one."""
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, flags, 0o600)
    except FileExistsError:
        os.unlink(path)
        return os.open(path, flags, 0o600)


def _mode_of(path: str, otherwise: int) -> int:
    try:
        return os.stat(path).st_mode & 0o7777
    except OSError:
        return otherwise


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass


def _sync_folder(folder: str) -> None:
    """Make the rename itself durable, where the file system can."""
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        os.fsync(fd)
    except OSError:
        pass
    finally:
        os.close(fd)
