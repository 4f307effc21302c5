"""What is counted of each client on this machine, and what is not, with the reason.

A client that is used here and cannot be counted makes every total a lower bound, so it is named beside the totals.
Nothing is guessed for such a client. Looks at the disk only when it is asked for `uncountable`.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Protocol, TypedDict

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


NO_COUNTS = "it keeps no token counts on this machine"
ONLY_CREDITS = "it keeps credits and no token counts"
NO_READER = "aitop cannot read its records yet"
GATEWAY = "; calls with a key of yours: `aitop gateway`"
# client → (its folders or files below the home folder, why it is not counted). Paths in capitals are expanded.
UNCOUNTABLE = {
    "cursor": (("CONFIG/Cursor/User/globalStorage/state.vscdb", ".cursor/chats"), NO_COUNTS + GATEWAY),
    "antigravity": ((".gemini/antigravity", ".gemini/antigravity-cli"), "its counts end with the program" + GATEWAY),
    "qoder": ((".qoder/projects", ".qoderwork/projects"), ONLY_CREDITS),
    "kiro": ((".kiro/sessions", "DATA/kiro-cli/data.sqlite3"), ONLY_CREDITS),
    "amp": (("DATA/amp/threads",), "its newer threads are kept on its maker's servers"),
    "windsurf": (("CONFIG/Windsurf/User/globalStorage/state.vscdb",), NO_COUNTS),
    "kimi": ((".kimi-code/sessions",), NO_READER + GATEWAY),
    "goose": (("DATA/goose/sessions/sessions.db",), NO_READER + GATEWAY),
    "pi": ((".pi/agent/sessions",), NO_READER + GATEWAY),
    "openclaw": ((".openclaw/agents",), NO_READER + GATEWAY),
    "hermes": ((".hermes/state.db",), NO_READER + GATEWAY),
    "droid": ((".factory/sessions",), NO_READER + GATEWAY),
    "grok": ((".grok/sessions",), NO_READER + GATEWAY),
    "vibe": ((".vibe/logs/session",), NO_READER + GATEWAY),
    "zed": (("DATA/zed/threads/threads.db",), NO_READER + GATEWAY),
    "cline": (
        (".cline/data/sessions", "CONFIG/Code/User/globalStorage/saoudrizwan.claude-dev/tasks"),
        NO_READER + GATEWAY,
    ),
    "roo": (("CONFIG/Code/User/globalStorage/rooveterinaryinc.roo-cline/tasks",), NO_READER + GATEWAY),
}  # fmt: skip


def uncountable(environ: Mapping[str, str], counted_names: Iterable[str] = ()) -> dict[str, ClientCoverage]:
    """The clients on this machine that no provider reads; `counted_names` are those that one does."""
    names = set(counted_names)
    return {
        name: ClientCoverage(found=True, counted=False, reason=reason, files=0, unread=0, version_unknown=0)
        for name, (places, reason) in UNCOUNTABLE.items()
        if name not in names and any(os.path.exists(_expanded(place, environ)) for place in places)
    }


def _expanded(place: str, environ: Mapping[str, str]) -> str:
    home = environ.get("HOME") or os.path.expanduser("~")
    support = os.path.join(home, "Library", "Application Support")
    mac = sys.platform == "darwin"
    first, _, rest = place.partition("/")
    if first == "CONFIG":
        return os.path.join(support if mac else environ.get("XDG_CONFIG_HOME") or f"{home}/.config", rest)
    if first == "DATA":
        own = environ.get("XDG_DATA_HOME") or f"{home}/.local/share"
        return os.path.join(support if mac and not os.path.exists(os.path.join(own, rest)) else own, rest)
    return os.path.join(home, place)


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
