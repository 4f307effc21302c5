"""Writing what displays read: `state.json` each second, and one small file for each display.

Every file is written beside its target and renamed over it, so a reader never sees half of one; no
fsync, since all of it is worthless after a reboot. A segment's modification time is its expiry: ten
seconds after it was written, set before the rename. Where `$XDG_RUNTIME_DIR` exists the files live
there, in memory, and `$AITOP_HOME` holds links.
"""

import os
import stat
from typing import Any

import orjson

from aitop import paths

LIFE = 10.0  # seconds a segment may be shown after it was written
REFRESH = 4.0  # seconds after which an unchanged segment is written again


class Publisher:
    """The one writer of the published files of a home."""

    def __init__(self, home: str, runtime: str | None) -> None:
        self.home = home
        self._written: dict[str, tuple[str, float]] = {}
        self.prepare(runtime)

    def prepare(self, runtime: str | None) -> None:
        """Make the folders and links, again when somebody removed them (a logout does). Raises OSError."""
        self.folder = _make(runtime) if runtime and runtime != self.home else self.home
        self.segments = os.path.join(self.folder, paths.SEGMENTS)
        self._written.clear()
        if self.folder != self.home:
            for name in (paths.STATE, paths.SEGMENTS, paths.NOW):
                _link(os.path.join(self.folder, name), os.path.join(self.home, name))
        else:
            for name in (paths.STATE, paths.SEGMENTS, paths.NOW):
                path = os.path.join(self.home, name)
                if os.path.islink(path):
                    os.unlink(path)
        _make(self.segments)
        _touch(os.path.join(self.folder, paths.NOW))

    def state(self, state: dict[str, Any]) -> None:
        """Replace `state.json`. Raises OSError."""
        _replace(os.path.join(self.folder, paths.STATE), orjson.dumps(state), None)

    def write_segments(self, texts: dict[str, str], now: float) -> None:
        """Replace the segments whose text changed or whose life runs out; remove those no longer wanted."""
        for name, text in texts.items():
            known = self._written.get(name)
            if known and known[0] == text and 0 <= now - known[1] < REFRESH:
                continue
            line = f"{int(now)} {os.getpid()} {text}\n".encode("utf-8", "replace")
            _replace(os.path.join(self.segments, name), line, now + LIFE)
            self._written[name] = (text, now)
        for name in [name for name in self._written if name not in texts]:
            del self._written[name]
            _remove(os.path.join(self.segments, name))

    def tidy(self, wanted: set[str]) -> None:
        """Remove segments an earlier listener left that nobody renders now."""
        for name in os.listdir(self.segments):
            if name not in wanted:
                _remove(os.path.join(self.segments, name))

    def withdraw(self) -> None:
        """On a clean end: segments vanish at once instead of after ten seconds."""
        for name in self._written:
            _remove(os.path.join(self.segments, name))
        self._written.clear()


def _make(folder: str) -> str:
    """Make a folder private to this user, or make the one that is there private. Raises OSError."""
    if not os.path.isdir(folder):
        _remove(folder)  # whatever stands in its place
    os.makedirs(folder, mode=0o700, exist_ok=True)
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise OSError(f"{folder} is no folder of this user")
    if found.st_mode & 0o077:
        os.chmod(folder, 0o700)
    return folder


def _touch(path: str) -> None:
    """An empty file that any shell may write to without waiting: in its place stands no FIFO and no device."""
    if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
        (os.rmdir if os.path.isdir(path) and not os.path.islink(path) else os.unlink)(path)
    mark = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    os.fchmod(mark, 0o600)  # a shell may have made it first
    os.close(mark)


def _link(target: str, link: str) -> None:
    """Make `link` point to `target`, replacing what an earlier listener left there."""
    if os.path.islink(link) and os.readlink(link) == target:
        return
    if os.path.isdir(link) and not os.path.islink(link):
        for name in os.listdir(link):
            _remove(os.path.join(link, name))
        os.rmdir(link)
    fresh = f"{link}.{os.getpid()}"
    _remove(fresh)
    os.symlink(target, fresh)
    os.replace(fresh, link)


def _replace(path: str, data: bytes, expiry: float | None) -> None:
    folder, name = os.path.split(path)
    fresh = os.path.join(folder, f".{name}.{os.getpid()}")
    fd = os.open(fresh, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        if expiry is not None:
            os.utime(fd, (expiry, expiry))
    except BaseException:
        os.close(fd)
        _remove(fresh)
        raise
    os.close(fd)
    os.replace(fresh, path)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
