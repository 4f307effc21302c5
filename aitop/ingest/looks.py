"""What a look at a folder saw, as a few bytes: equal bytes mean that no file in it changed since.

Names, inodes, sizes and times of change, as the system lists them. It must not open a file, or know what a file
holds. Hot: a repeated report reads it before anything else, so it imports little.
"""

import marshal
import os

from aitop.system.digest import blake2b

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

SIZE = 16  # bytes of a digest
MISSING = b"-" * SIZE
FORMAT = 2  # of marshal: the later ones write equal values in different ways


def of(path: str) -> bytes:
    """What is at a path now: a folder's entries, a file's status, or nothing."""
    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except NotADirectoryError:
        return of_file(path)
    except OSError:
        return MISSING
    try:
        return of_entries(os.scandir(folder))  # by its descriptor: no name is looked up from the root on
    except OSError:
        return MISSING
    finally:
        os.close(folder)


def of_entries(entries: "Iterable[os.DirEntry[str]]") -> bytes:
    """The names of folders; of anything else its status too. Each folder inside has to be looked at by itself."""
    return digest([_entry(entry) for entry in entries])


def of_file(path: str) -> bytes:
    """A file's own status; a link's, where it is one."""
    try:
        status = os.stat(path, follow_symlinks=False)
    except OSError:
        return MISSING
    return digest((status.st_ino, status.st_size, status.st_mtime_ns))


def digest(value: "Any") -> bytes:
    """Plain values as a few bytes."""
    return blake2b(marshal.dumps(value, FORMAT), digest_size=SIZE).digest()


def _entry(entry: "os.DirEntry[str]") -> tuple[str | int, ...] | str:
    try:
        if entry.is_dir(follow_symlinks=False):
            return entry.name
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return entry.name
    return entry.name, status.st_ino, status.st_size, status.st_mtime_ns
