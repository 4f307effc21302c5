"""Whose a path is, told from its name: nothing outside the clients' folders is ever looked at.

Anybody who reaches the socket may send a path, and looking where a link leads can already wait for a
network that is gone. So a path is ours when it is spelled like one of the folders, as they were named to
us or as they really are, and no link stands between.
"""

import os
import stat


class Folders:
    """The clients' folders: `roots` holds (provider, real path)."""

    def __init__(self, folders: dict[str, list[str]]) -> None:
        named = [(name, folder) for name in folders for folder in folders[name]]
        self.roots = [(name, os.path.realpath(folder)) for name, folder in named]
        spelled = {os.path.abspath(folder): os.path.realpath(folder) for _, folder in named}
        self._spelled = sorted(spelled.items(), key=lambda pair: -len(pair[0]))

    def real(self, path: str) -> str | None:
        """A path by its folder's real name, as it stands where it is in none; None for what is no path."""
        if "\0" in path or not is_text(path):
            return None
        path = os.path.normpath(path)
        for spelled, root in self._spelled:
            if path.startswith(spelled + os.sep):
                return root + path[len(spelled) :]
        return path


def leads_astray(root: str, path: str) -> bool:
    """Whether a folder between the two is a link; those are not searched either."""
    at = len(root)
    while (at := path.find(os.sep, at + 1)) > 0:
        try:
            if stat.S_ISLNK(os.lstat(path[:at]).st_mode):
                return True
        except OSError:
            return False
    return False


def is_text(path: str) -> bool:
    """Whether a path can be stored and published; a name may be any bytes."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
