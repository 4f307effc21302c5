"""Other people's files: read whole, compared before written, replaced in one step.

A write goes through a temporary file in the real file's folder (links are followed), is flushed to
the disk, keeps the mode, and is refused when the file is no longer what was read.
"""

import contextlib
import difflib
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator

from filelock import FileLock, Timeout

from aitop import paths

BOM = "\ufeff"


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


def replace(path: str, expected: bytes | None, new: bytes) -> None:
    """Write the file if it still holds `expected` (None: if there is still none). Raises Refused."""
    real = os.path.realpath(path)
    mode = _writable_mode(path, real) if expected is not None else 0o600
    folder = os.path.dirname(real)
    temporary = None
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{os.path.basename(real)}.", dir=folder)
        with open(handle, "wb") as file:
            file.write(new)
            file.flush()
            os.fchmod(file.fileno(), mode)
            with contextlib.suppress(OSError):  # only the superuser edits files of others
                owner = os.stat(real) if expected is not None else os.stat(folder)
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            os.fsync(file.fileno())
        if read(real) != expected:
            raise Refused(f"{path}: changed while we were at it; nothing was written, run this again")
        os.replace(temporary, real)
        temporary = None
        _sync_folder(folder)
    except OSError as error:
        raise Refused(f"{path}: cannot be written ({error.strerror}); check its owner and folder") from error
    finally:
        if temporary:
            os.unlink(temporary)


def delete(path: str, expected: bytes) -> None:
    """Remove the file if it still holds `expected`. Raises Refused."""
    if read(path) != expected:
        raise Refused(f"{path}: changed while we were at it; nothing was removed, run this again")
    try:
        os.unlink(path)
    except OSError as error:
        raise Refused(f"{path}: cannot be removed ({error.strerror})") from error


def _writable_mode(path: str, real: str) -> int:
    try:
        mode = stat.S_IMODE(os.stat(real).st_mode)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from error
    if not mode & stat.S_IWUSR:
        raise Refused(
            f"{path}: is read-only, so somebody wants it that way; "
            f"`chmod u+w {real}` first, or change it where it is made (dotfiles, Nix)"
        )
    return mode


def _sync_folder(folder: str) -> None:
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
