"""Looking through the clients' folders for files that may be records.

Folder by folder, so that the caller may do other things in between. Follows no link, opens no file: what
is found is handed to the queue, which knows whether it changed.
"""

import os
import stat
from collections.abc import Callable, Iterator, Mapping

from aitop.ingest import looks
from aitop.ingest.coverage import Unread
from aitop.ingest.roots import Roots, is_text, link_target
from aitop.providers.isolation import Guarded

ENTRIES_AT_ONCE = 500  # of one folder, between which the caller may do other things
MAX_DEPTH = 12  # of folders below a root

Consider = Callable[[str, str, os.stat_result, float], None]  # path, provider, status, now


class Walk:
    """The roots, and what the last look at them met."""

    def __init__(
        self, roots: Roots, providers: Mapping[str, Guarded], stored: Mapping[str, object],
        consider: Consider, unread: Unread,
    ) -> None:  # fmt: skip
        """`stored`: the files that the history has, by path. They need not be asked for by name again."""
        self._roots, self._providers, self._known = roots, providers, stored
        self._consider, self._unread = consider, unread
        self._missing: set[str] = set()  # roots that do not exist
        self._present: set[str] = set()  # roots that are single files
        self.looks: dict[str, bytes] | None = (
            None  # place → how it looked when it was walked, where that is wanted
        )
        self._left_out: set[str] = set()  # links that lead out of our folders, and folders that lie too deep

    def scan(self, now: float) -> Iterator[str]:
        """Look through every root; yields each folder after its files were considered, a large one more than once."""
        for path in self._left_out:
            self._unread.discard(path)
        self._left_out.clear()
        self._present.clear()
        seen = set()
        for name, root in self._roots.all:
            for folder in self._walk(root, name, now, 0):
                seen.add(folder)
                yield folder
        self._missing = {root for _, root in self._roots.all} - seen - self._present
        if self.looks is not None:
            self.looks |= dict.fromkeys(self._missing, looks.MISSING)

    def present_clients(self) -> set[str]:
        """The providers of which some root exists."""
        return {name for name, root in self._roots.all if root not in self._missing}

    def appeared(self) -> bool:
        """Whether a folder or single file of ours is there now that was not at the last look."""
        return any(os.path.lexists(root) for root in self._missing)

    def _walk(self, folder: str, provider: str, now: float, depth: int) -> Iterator[str]:
        try:
            entries = list(os.scandir(folder))
        except NotADirectoryError:
            if depth == 0:
                yield from self._single(folder, provider, now)
            return
        except OSError:
            if self.looks is not None:
                self.looks.setdefault(folder, looks.MISSING)
            return
        client, below = self._providers[provider], []
        if self.looks is not None:
            self.looks.setdefault(folder, looks.of_entries(entries))
        for number, entry in enumerate(entries):
            if number % ENTRIES_AT_ONCE == ENTRIES_AT_ONCE - 1:
                yield folder
            try:
                if entry.is_symlink():
                    self._link(entry.path, provider)
                elif entry.is_dir(follow_symlinks=False):
                    below.append(entry.path)
                elif (entry.path in self._known or client.wants(entry.path)) and entry.is_file(
                    follow_symlinks=False
                ):
                    self._consider(entry.path, provider, entry.stat(follow_symlinks=False), now)
            except OSError:
                continue
        yield folder
        for path in filter(client.enters, below):
            if depth < MAX_DEPTH:
                yield from self._walk(path, provider, now, depth + 1)
            else:
                self._left_out.add(path)
                self._unread.add(
                    path, provider, f"it lies more than {MAX_DEPTH} folders below the client's own"
                )

    def _link(self, path: str, provider: str) -> None:
        """Name a link that may hold records and leads out of the roots. The others' targets are read by themselves."""
        may_hold = "." not in os.path.basename(path) or self._providers[provider].wants(path)
        if may_hold and is_text(path) and self._roots.resolve(path) is None:
            self._left_out.add(path)
            target = link_target(path) or "?"
            self._unread.add(
                path, provider, f"it is a link to {target}, which is in no folder of this client"
            )

    def _single(self, path: str, provider: str, now: float) -> Iterator[str]:
        """A file that its provider names by itself."""
        if self.looks is not None:
            self.looks.setdefault(path, looks.of_file(path))
        try:
            status = os.stat(path, follow_symlinks=False)
        except OSError:
            return
        self._present.add(path)
        if stat.S_ISREG(status.st_mode):
            self._consider(path, provider, status, now)
            yield os.path.dirname(path)
