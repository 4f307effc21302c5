"""OpenCode: its databases and its older folders of documents, behind the provider's door."""

import glob
import os
from collections.abc import Iterator
from typing import Any

from aitop.providers import Feed, Parsed, Source
from aitop.providers.opencode import database, document
from aitop.providers.opencode.message import NAME


class OpenCode:
    """The provider. It holds nothing: every answer depends on its arguments and the named files alone."""

    name = NAME
    environment = ("OPENCODE_DB",)

    def folders(self, configured: list[str], environ: dict[str, str]) -> list[str]:
        """The databases and the older message folder of each data folder: configured ones, else the client's own.

        The data folder itself is not searched: it holds copies of the user's repositories.
        """
        home = environ.get("HOME") or os.path.expanduser("~")
        base = environ.get("XDG_DATA_HOME") or os.path.join(home, ".local", "share")
        found = []
        for part in configured or [os.path.join(base, "opencode")]:
            data = os.path.abspath(os.path.expanduser(part.strip()))
            others = sorted(glob.glob(os.path.join(glob.escape(data), "opencode-*.db")))
            found += [os.path.join(data, "opencode.db"), *others, os.path.join(data, "storage", "message")]
        return found

    def wants(self, path: str) -> bool:
        name = os.path.basename(path)
        return (name.startswith("opencode") and name.endswith(".db")) or _is_message(path)

    def identify(self, path: str) -> Source:
        return Source(os.path.basename(os.path.dirname(path)) if _is_message(path) else None, None)

    def parse(self, data: bytes, start: int, source: Source) -> Parsed:  # noqa: ARG002
        """Nothing of OpenCode's is lines; see `read`."""
        return Parsed([], 0, None, source.session, source.pending)

    def read(self, path: str, source: Source) -> Iterator[Parsed] | None:
        return document.read(path, source) if _is_message(path) else database.read(path, source)

    def context_limit(self, model: str) -> int | None:  # noqa: ARG002
        return None

    def feed(self, header: dict[str, str], payload: dict[str, Any], now: float) -> Feed | None:  # noqa: ARG002
        """None: OpenCode runs no commands at its events."""
        return None


def _is_message(path: str) -> bool:
    return path.endswith(".json") and f"{os.sep}storage{os.sep}message{os.sep}" in path


provider = OpenCode()
