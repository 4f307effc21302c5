"""OpenCode and its descendants: their databases and older folders of documents, behind the provider's door.

A descendant keeps OpenCode's tables under other names, so it is a `Member` and no parser of its own.
"""

import glob
import os
from collections.abc import Iterator
from typing import NamedTuple

from aitop.model.json_types import JsonObject
from aitop.providers import Feed, Parsed, Source


class Member(NamedTuple):
    """One client of the family. `folder` is the name of its data folder, `database` that of its database."""

    name: str
    folder: str
    database: str
    variable: str  # that names another database, absolute or relative to the data folder; "" for none
    copies_keep_cost: bool = True  # whether a fork's copy of a message keeps its cost


class Family:
    """The provider of one member. Every answer depends on its arguments and the named files alone."""

    def __init__(self, member: Member) -> None:
        self.name = member.name
        self.environment = (member.variable,) if member.variable else ()
        self._member = member

    def folders(self, configured: list[str], environ: dict[str, str]) -> list[str]:
        """The databases and the older message folder of each data folder: configured ones, else the client's own.

        The data folder itself is not searched: it holds copies of the user's repositories.
        """
        member = self._member
        home = environ.get("HOME") or os.path.expanduser("~")
        base = environ.get("XDG_DATA_HOME") or os.path.join(home, ".local", "share")
        own = os.path.join(base, member.folder)
        candidates = []
        for part in configured or [own]:
            data = os.path.abspath(os.path.expanduser(part.strip()))
            pattern = os.path.join(glob.escape(data), f"{member.database}-*.db")
            candidates += [os.path.join(data, f"{member.database}.db"), *sorted(glob.glob(pattern))]
            candidates.append(os.path.join(data, "storage", "message"))
        named = environ.get(member.variable, "")
        if named and named != ":memory:" and not configured:
            candidates.append(os.path.abspath(os.path.join(own, os.path.expanduser(named))))
        return list(dict.fromkeys(candidates))

    def wants(self, path: str) -> bool:
        name = os.path.basename(path)
        return (name.startswith(self._member.database) and name.endswith(".db")) or _is_message(path)

    def identify(self, path: str) -> Source:
        return Source(os.path.basename(os.path.dirname(path)) if _is_message(path) else None, None)

    def parse(self, data: bytes, start: int, source: Source) -> Parsed:  # noqa: ARG002
        """Nothing of OpenCode's is lines; see `read`."""
        return Parsed([], 0, None, source.session, source.pending)

    def read(self, path: str, source: Source) -> Iterator[Parsed] | None:
        if _is_message(path):
            from aitop.providers.opencode.document import read
        else:
            from aitop.providers.opencode.database import read
        return read(path, source, copies_keep_cost=self._member.copies_keep_cost)

    def context_limit(self, model: str) -> int | None:  # noqa: ARG002
        return None

    def feed(self, header: dict[str, str], payload: JsonObject, now: float) -> Feed | None:  # noqa: ARG002
        """None: OpenCode runs no commands at its events."""
        return None


def _is_message(path: str) -> bool:
    return path.endswith(".json") and f"{os.sep}storage{os.sep}message{os.sep}" in path


provider = Family(Member("opencode", "opencode", "opencode", "OPENCODE_DB"))
kilo = Family(Member("kilo", "kilo", "kilo", "KILO_DB", copies_keep_cost=False))
mimo = Family(Member("mimo", "mimocode", "mimocode", ""))
