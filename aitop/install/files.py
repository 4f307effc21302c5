"""Other people's files: read whole, compared before written, replaced in one step.

A write goes through a temporary file in the real file's folder (links are followed), is flushed to
the disk, keeps the mode, and is refused when the file is no longer what was read. `all_or_none` puts
several files back when one of them cannot be written.
"""

import contextlib
import difflib
import hashlib
import os
import stat
import sys
from collections.abc import Callable, Collection, Iterator

from filelock import FileLock, Timeout

from aitop import paths
from aitop.system import atomic_file

BOM = "\ufeff"
_last_written: dict[
    str, bytes | None
] = {}  # path → what this process left there, None where it removed the file


class Refused(Exception):  # noqa: N818
    """A file that will not be changed; the message names it and says what to do."""


def read(path: str) -> bytes | None:
    """The file's bytes, None when there is none. Raises Refused."""
    try:
        return paths.read(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Refused(f"{path}: cannot be read ({error.strerror}); check its owner and mode") from error


def text_of(path: str, raw: bytes | None) -> str:
    """The file as text, line ends as they are and without a byte-order mark. Raises Refused."""
    try:
        return (raw or b"").decode().removeprefix(BOM)
    except UnicodeDecodeError as error:
        line = (raw or b"")[: error.start].count(b"\n") + 1
        raise Refused(f"{path}:{line}: is not UTF-8; save it as UTF-8 and run this again") from error


def bytes_of(text: str, like: bytes | None) -> bytes:
    """Back to bytes, with the byte-order mark that the file had."""
    return (BOM if (like or b"").startswith(BOM.encode()) else "").encode() + text.encode()


def digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def diff(path: str, before: bytes | None, after: bytes | None) -> str:
    """A unified diff for people; "" when nothing changes."""
    if before == after:
        return ""
    old, new = ((raw or b"").decode("utf-8", "replace").splitlines() for raw in (before, after))
    names = (path if before is not None else os.devnull, path if after is not None else os.devnull)
    lines = list(difflib.unified_diff(old, new, *names, lineterm=""))
    return "\n".join(lines or [f"--- {names[0]}", f"+++ {names[1]}", "(only line ends change)"])


@contextlib.contextmanager
def lock() -> Iterator[None]:
    """One aitop at a time changes other programs' files. Raises Refused."""
    ensure_home()
    try:
        with FileLock(paths.in_home("install.lock"), timeout=10, mode=0o600):
            yield
    except Timeout as error:
        raise Refused("another aitop is installing right now; try again when it is done") from error


def ensure_home() -> None:
    home = paths.home()
    try:
        os.makedirs(home, mode=0o700, exist_ok=True)
    except OSError as error:
        raise Refused(
            f"{home}: cannot be created ({error.strerror}); set AITOP_HOME to another folder"
        ) from error


def replace(path: str, expected: bytes | None, new: bytes, *, mode: int = 0o600) -> None:
    """Write the file if it still holds `expected` (None: if there is still none). Raises Refused.

    A file that is there keeps its mode, group and extended attributes; `mode` is for a new one. A file
    with several names (hard links) is written in place, since a rename would give one name another file.
    """
    real = os.path.realpath(path)
    links = 1 if expected is None else _check_writable(path, real)

    def prepare(descriptor: int) -> None:
        if expected is not None:
            _copy_attributes(real, descriptor)
        if read(real) != expected:
            raise Refused(
                f"{path}: another program changed it meanwhile; nothing was written, run this again"
            )

    try:
        os.makedirs(os.path.dirname(real), mode=0o700, exist_ok=True)
        if links > 1:
            _write_in_place(real, new, expected or b"", prepare)
        else:
            atomic_file.replace(real, new, mode=mode, keep_mode=True, fsync=True, prepare=prepare)
        _last_written[path] = new
    except OSError as error:
        raise Refused(f"{path}: cannot be written ({error.strerror}); check its owner and folder") from error


def _write_in_place(real: str, new: bytes, before: bytes, prepare: Callable[[int], None]) -> None:
    """Write over a file that has several names. Its old bytes come back when the disk refuses the new ones."""
    with open(real, "r+b", buffering=0) as file:
        prepare(file.fileno())
        try:
            _overwrite(file.fileno(), new)
        except OSError:
            _overwrite(file.fileno(), before)
            raise


def _overwrite(descriptor: int, data: bytes) -> None:
    at = 0
    while at < len(data):
        at += os.pwrite(descriptor, data[at:], at)
    os.ftruncate(descriptor, len(data))
    os.fsync(descriptor)


def _copy_attributes(real: str, descriptor: int) -> None:
    """The group and the extended attributes (access lists too) of the old file, as far as the system lets us."""
    with contextlib.suppress(OSError):
        os.fchown(descriptor, -1, os.stat(real).st_gid)
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError):
        for name in os.listxattr(real):
            with contextlib.suppress(OSError):
                os.setxattr(descriptor, name, os.getxattr(real, name))


def missing_folders(path: str) -> list[str]:
    """The folders above a path that are not there yet, the outermost first."""
    missing: list[str] = []
    folder = os.path.dirname(os.path.realpath(path))
    while folder and not os.path.isdir(folder):
        missing.insert(0, folder)
        folder = os.path.dirname(folder)
    return missing


def remove_folders(folders: list[str]) -> None:
    """Remove folders that we made, the innermost first, as far as they are empty."""
    for folder in reversed(folders):
        try:
            os.rmdir(folder)
        except OSError:
            return


def delete(path: str, expected: bytes) -> None:
    """Remove the file if it still holds `expected`. Raises Refused."""
    if read(path) != expected:
        raise Refused(f"{path}: another program changed it meanwhile; nothing was removed, run this again")
    try:
        os.unlink(path)
        _last_written[path] = None
    except OSError as error:
        raise Refused(f"{path}: cannot be removed ({error.strerror})") from error


def _check_writable(path: str, real: str) -> int:
    """The number of names (hard links) of a file that may be changed. Raises Refused."""
    try:
        status = os.stat(real)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from error
    if not status.st_mode & stat.S_IWUSR:
        raise Refused(
            f"{path}: is read-only. If that is not on purpose, run `chmod u+w {real}` first; "
            "if it is made by dotfiles or Nix, change it there"
        )
    return status.st_nlink


@contextlib.contextmanager
def all_or_none(paths_to_write: Collection[str]) -> Iterator[None]:
    """Put back what this process wrote to these files when the work inside fails half-way."""
    for path in paths_to_write:
        _last_written.pop(path, None)
    before = {path: read(path) for path in paths_to_write}
    folders = {path: missing_folders(path) for path in before}
    try:
        yield
    except BaseException:
        for path, raw in before.items():
            with contextlib.suppress(Refused):
                _put_back(path, raw)
            remove_folders(folders[path])
        raise


def _put_back(path: str, raw: bytes | None) -> None:
    now = read(path)
    if now == raw:
        return
    ours = path.startswith(os.path.join(paths.home(), ""))
    if not ours and (path not in _last_written or now != _last_written[path]):
        return  # what another program wrote meanwhile stays
    if raw is not None:
        replace(path, now, raw)
    elif now is not None:
        delete(path, now)
