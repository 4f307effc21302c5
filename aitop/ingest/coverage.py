"""What is counted of each client on this machine, and what is not, with the reason.

A client that is used here and cannot be counted makes every total a lower bound, so it is named beside the totals.
Nothing is guessed for such a client. Looks at the disk only when it is asked for `uncountable`.
"""

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Protocol, TypedDict

from aitop.providers import places
from aitop.providers.uncountable import UNCOUNTABLE

UNKNOWN_FORMAT = (
    "unknown format: "  # how a provider begins the problem of a file of a version it does not know
)


class ClientCoverage(TypedDict):
    """One client, in the shape in which it is published."""

    found: bool  # a folder of its records is on this machine
    counted: bool  # its records are read
    reason: str | None  # why they are not, or not all of them
    files: int  # known ones
    unread: int  # those that could not be read, or not as a whole
    version_unknown: int  # those of a format version that is not known


class File(Protocol):
    """What is asked of a known file."""

    provider: str


def uncountable(environ: Mapping[str, str], counted_names: Iterable[str] = ()) -> dict[str, ClientCoverage]:
    """The clients on this machine that no provider reads; `counted_names` are those that one does."""
    names = set(counted_names)
    return {
        name: ClientCoverage(found=True, counted=False, reason=reason, files=0, unread=0, version_unknown=0)
        for name, (found_in, reason) in UNCOUNTABLE.items()
        if name not in names and any(os.path.exists(places.expand(place, environ)) for place in found_in)
    }


class Unread:
    """The files that could not be read, or not as a whole: path → (provider, why)."""

    def __init__(self) -> None:
        self.why: dict[str, str] = {}
        self._provider: dict[str, str] = {}
        self.changes = 0

    def add(self, path: str, provider: str, why: str) -> None:
        self.changes += self.why.get(path) != why
        self.why[path], self._provider[path] = why, provider

    def discard(self, path: str) -> None:
        self.changes += self.why.pop(path, None) is not None
        self._provider.pop(path, None)

    def of(self, provider: str) -> list[str]:
        """Why, for each of a provider's files, in the order of their paths."""
        return [self.why[path] for path in sorted(self.why) if self._provider[path] == provider]


class Coverage:
    """What is counted of each client, as of the last look at the folders. Made anew only when something changed."""

    def __init__(self) -> None:
        self.unread = Unread()
        self._present: set[str] = set()  # the providers of which a folder is there
        self._uncountable: dict[str, ClientCoverage] = {}
        self._looks = 0
        self._made: tuple[object, dict[str, ClientCoverage]] = (None, {})  # (what it was made from, made)

    def looked(self, present: set[str], environ: Mapping[str, str], providers: Iterable[str]) -> None:
        """The folders were looked through; `present` are the providers of which one is there."""
        self._present = present
        self._uncountable = uncountable(environ, providers)
        self._looks += 1

    def clients(
        self, providers: Mapping[str, str | None], files: Mapping[str, File]
    ) -> dict[str, ClientCoverage]:
        """Client → what is counted of it. `providers`: name → why it is switched off; `files`: path → known file."""
        made_from = (len(files), self.unread.changes, tuple(providers.values()), self._looks)
        if self._made[0] != made_from:
            files_read = Counter(file.provider for file in files.values())
            counted = {name: self._client(name, why, files_read[name]) for name, why in providers.items()}
            self._made = (made_from, {**self._uncountable, **counted})
        return self._made[1]

    def _client(self, name: str, problem: str | None, files: int) -> ClientCoverage:
        unread = self.unread.of(name)
        return {
            "found": name in self._present or files > 0,
            "counted": problem is None,
            "reason": problem or next(iter(unread), None),
            "files": files,
            "unread": len(unread),
            "version_unknown": sum(why.startswith(UNKNOWN_FORMAT) for why in unread),
        }
