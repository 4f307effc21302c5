"""The clients' folders, and which root a path is under. Nothing outside the roots is ever looked at.

Anything that reaches the socket may send a path, and looking where a link leads can already wait for a network
drive that is gone. So a path is judged by its spelling: it must be under a root, as the root was named or as it
really is. A link below a root is read as text. It is followed where its target is under a root as well, and the
target is then read as what it is; any other link is left alone and named by `doctor`.
"""

import os
import stat
from typing import NamedTuple

MAX_LINKS = 8  # on the way to one file


class Found(NamedTuple):
    """A path without links, and the provider that has the root above it."""

    provider: str
    path: str


class Roots:
    """`all` holds (provider, real path) of each root."""

    def __init__(self, folders: dict[str, list[str]]) -> None:
        named = [(name, folder) for name in folders for folder in folders[name]]
        real = {folder: os.path.realpath(folder) for folder in dict.fromkeys(folder for _, folder in named)}
        self.all = list(dict.fromkeys((name, real[folder]) for name, folder in named))
        spelled = {os.path.abspath(folder): real[folder] for _, folder in named}
        self._spelled = sorted(spelled.items(), key=lambda pair: -len(pair[0]))

    def real(self, path: str) -> str | None:
        """A path by its root's real name; unchanged where it is under none; None for what is no path."""
        if "\0" in path or not is_text(path):
            return None
        path = os.path.normpath(path)
        for spelled, root in self._spelled:
            if path == spelled or path.startswith(spelled + os.sep):
                return root + path[len(spelled) :]
        return path

    def resolve(self, path: str) -> Found | None:
        """Where a path below a root really is; None for one that is under no root or leads out of them."""
        for _ in range(MAX_LINKS):
            real = self.real(path)
            root = None if real is None else self._root_of(real)
            if real is None or root is None:
                return None
            link = _first_link(root[1], real)
            if link is None:
                return Found(root[0], real)
            target = link_target(link)
            if target is None:
                return None
            path = target + real[len(link) :]
        return None

    def _root_of(self, path: str) -> tuple[str, str] | None:
        for provider, root in self.all:
            if path == root or path.startswith(root + os.sep):
                return provider, root
        return None


def _first_link(root: str, path: str) -> str | None:
    """The first part of `path` below `root` that is a link, as a path."""
    at = len(root)
    while at < len(path):
        at = path.find(os.sep, at + 1)
        at = len(path) if at < 0 else at
        try:
            if stat.S_ISLNK(os.lstat(path[:at]).st_mode):
                return path[:at]
        except OSError:
            return None
    return None


def link_target(link: str) -> str | None:
    """What a link names, as an absolute path. The target itself is not looked at."""
    try:
        target = os.readlink(link)
    except OSError:
        return None
    return os.path.normpath(os.path.join(os.path.dirname(link), target))


def is_text(path: str) -> bool:
    """Whether a path can be stored and published; a name may be any bytes."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
