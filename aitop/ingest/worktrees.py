"""The repository that a folder's work belongs to: a worktree's is that of its main checkout.

Claude Code keeps worktrees below `.claude/worktrees`, and git makes them anywhere, with a text file `.git` that names
the repository. Only such small text files are read, none on a network drive, and no program is started. For a folder
that is gone its path decides.
"""

import os

from aitop.model.events import Event, Place, Response
from aitop.providers.files import read_regular

MAX_PARENTS = 40
MAX_BYTES = 4096
MAX_KNOWN = 10_000  # folders remembered
OWN = (f"{os.sep}.claude{os.sep}worktrees{os.sep}", f"{os.sep}.git{os.sep}worktrees{os.sep}")
GITDIR = "gitdir:"
MOUNTS = "/proc/self/mountinfo"
REMOTE = frozenset(("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "autofs"))


class Worktrees:
    """Remembers what was found: a first read has thousands of responses of a few folders."""

    def __init__(self) -> None:
        self._places: dict[Place, Place] = {}

    def move(self, events: list[Event]) -> None:
        """Give each response that was made in a worktree the place in its repository, within the list."""
        for number, event in enumerate(events):
            if type(event) is Response and event.place is not None:
                place = self._places.get(event.place) or self._moved(event.place)
                if place is not event.place:
                    events[number] = event._replace(place=place)

    def _moved(self, place: Place) -> Place:
        folder = repository(place.cwd) if place.cwd else place.cwd
        moved = place if folder == place.cwd else Place(folder, place.branch)
        if len(self._places) < MAX_KNOWN:
            self._places[place] = moved
        return moved


def repository(folder: str) -> str:
    """The same folder in its repository's main checkout; unchanged where it is in no worktree."""
    return _own_worktree(folder) or _git_worktree(folder) or folder


def _own_worktree(folder: str) -> str | None:
    """`REPOSITORY/.claude/worktrees/NAME/below` → `REPOSITORY/below`."""
    for mark in OWN:
        repository, mark_found, rest = folder.partition(mark)
        if mark_found and repository:
            _, _, below = rest.partition(os.sep)
            return os.path.join(repository, below) if below else repository
    return None


def _git_worktree(folder: str) -> str | None:
    """By the `.git` file of the folder, or of the nearest one above it that has one."""
    if not os.path.isabs(folder) or "\0" in folder or _is_remote(folder):
        return None
    top = folder
    for _ in range(MAX_PARENTS):
        try:
            text = read_regular(os.path.join(top, ".git"), MAX_BYTES).decode("utf-8", "replace")
        except FileNotFoundError:
            parent = os.path.dirname(top)
            if parent == top:
                return None
            top = parent
            continue
        except OSError:  # a folder: an ordinary checkout
            return None
        return _main_checkout(top, text, os.path.relpath(folder, top))
    return None


def _is_remote(folder: str) -> bool:
    """Whether a folder is on a network drive, as Linux lists them: one that is gone would be waited for."""
    try:
        with open(MOUNTS, encoding="utf-8", errors="replace") as file:
            mounts = [line.split(" - ", 1) for line in file if " - " in line]
    except OSError:
        return False
    best, kind = "", ""
    for mount, described in mounts:
        point = mount.split(" ")[4]
        if (folder + os.sep).startswith(point.rstrip(os.sep) + os.sep) and len(point) >= len(best):
            best, kind = point, described.split(" ")[0]
    return kind in REMOTE or kind.startswith("fuse.")


def _main_checkout(top: str, text: str, below: str) -> str | None:
    """`gitdir: REPOSITORY/.git/worktrees/NAME` → `REPOSITORY/below`; None for a submodule's."""
    if not text.startswith(GITDIR):
        return None
    named = os.path.normpath(os.path.join(top, text.removeprefix(GITDIR).strip()))
    repository, mark_found, _ = named.partition(OWN[1])
    if not mark_found or not repository:
        return None
    return repository if below == os.curdir else os.path.join(repository, below)
