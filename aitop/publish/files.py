"""Writing what displays read: `state.json`, and one small file for each display.

Every file is written beside its target and renamed over it, so a reader never sees half of one; no
fsync, since all of it is worthless after a reboot. A segment's modification time is its expiry: ten
seconds after it was written or renewed. Where the system has a folder in memory for this user, the files
live there, and `$AITOP_HOME` holds links.
"""

import os
import stat

from aitop import paths
from aitop.model.json_types import JsonObject
from aitop.publish.state_file import StateFile
from aitop.system import atomic_file

LIFE = 10.0  # seconds a segment may be shown after it was written
REFRESH = 4.0  # seconds after which an unchanged segment is renewed
HOME_MARK = ".home"  # in a folder of shared memory: the home it belongs to


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
        self._state = StateFile(os.path.join(self.folder, paths.STATE), in_memory=self.folder != self.home)
        if os.path.dirname(self.folder) == paths.SHARED_MEMORY:
            _tidy_shared_memory(self.folder, self.home)
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

    def state(self, state: JsonObject, now: float) -> None:
        """Publish a state: replace `state.json`, or renew its time where it says the same. Raises OSError."""
        self._state.publish(state, now)

    def write_segments(self, texts: dict[str, str], now: float) -> None:
        """Replace changed segments, renew those that are about to expire, remove those that are not wanted."""
        for name, text in texts.items():
            written = self._written.get(name)
            same = written is not None and written[0] == text
            if written is not None and same and 0 <= now - written[1] < REFRESH:
                continue
            path = os.path.join(self.segments, name)
            if not (same and _renewed(path, now + LIFE)):
                line = f"{int(now)} {os.getpid()} {text}\n".encode("utf-8", "replace")
                atomic_file.replace(path, line, mtime=now + LIFE)
            self._written[name] = (text, now)
        for name in [name for name in self._written if name not in texts]:
            del self._written[name]
            _remove(os.path.join(self.segments, name))

    def tidy(self, wanted: set[str]) -> None:
        """Remove segments of an earlier listener that this one does not render."""
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
    status = os.lstat(folder)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise OSError(f"{folder} is no folder of this user")
    if status.st_mode & 0o077:
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


def _renewed(path: str, expiry: float) -> bool:
    """Give a file another expiry; False where it is gone."""
    try:
        os.utime(path, (expiry, expiry), follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _tidy_shared_memory(folder: str, home: str) -> None:
    """Mark the folder as this home's, and remove this user's folders of homes that are gone."""
    atomic_file.replace(os.path.join(folder, HOME_MARK), os.fsencode(home))
    beginning = f"aitop-{os.getuid()}-"
    for name in os.listdir(paths.SHARED_MEMORY):
        other = os.path.join(paths.SHARED_MEMORY, name)
        if not name.startswith(beginning) or other == folder or os.lstat(other).st_uid != os.getuid():
            continue
        try:
            its_home = os.fsdecode(paths.read(os.path.join(other, HOME_MARK)))
        except OSError:
            continue
        if not os.path.isdir(its_home):
            _remove_tree(other)


def _remove_tree(folder: str) -> None:
    for inside, folders, files in os.walk(folder, topdown=False):
        for name in files:
            _remove(os.path.join(inside, name))
        for name in folders:
            try:
                os.rmdir(os.path.join(inside, name))
            except OSError:
                pass
    try:
        os.rmdir(folder)
    except OSError:
        pass


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
