"""Codex CLI and its relatives: folders, rollouts, hooks and `notify`, as providers.

A relative writes Codex's rollouts into a folder of its own. It is a line here: its name and its folder. The parsers
are loaded when the first file or payload of theirs comes.
"""

import os
from collections.abc import Iterator

from aitop.model.events import Event, Limit
from aitop.otlp import Record
from aitop.providers import Feed, Parsed, Source

NAME = "codex"
PACKED = ".jsonl.zst"  # the ending of a rollout that the client packed


class Codex:
    """A provider of the family. It remembers only which threads send telemetry."""

    def __init__(self, name: str = NAME, home: str = ".codex", variable: str | None = "CODEX_HOME") -> None:
        """`home`: the folder below the user's; `variable`: the client's own that moves it."""
        self.name, self._home, self._variable = name, home, variable
        self.environment = (variable,) if variable else ()
        self.services = (name,) if variable else ()

    def folders(self, configured: list[str], environ: dict[str, str]) -> list[str]:
        """`sessions` and `archived_sessions` of each Codex home: the configured ones, else the client's own."""
        home = environ.get("HOME") or os.path.expanduser("~")
        moved = environ.get(self._variable) if self._variable else None
        named = configured or [moved or os.path.join(home, self._home)]
        bases = [os.path.abspath(os.path.expanduser(part.strip())) for part in named]
        return [os.path.join(base, part) for base in bases for part in ("sessions", "archived_sessions")]

    def wants(self, path: str) -> bool:
        return path.endswith((".jsonl", PACKED)) and os.path.basename(path).startswith("rollout-")

    def identify(self, path: str) -> Source:
        from aitop.providers.codex import rollout

        return rollout.identify(path, self._home)

    def parse(self, data: bytes, start: int, source: Source) -> Parsed:
        from aitop.providers.codex import rollout

        return self._own(rollout.parse(data, start, source))

    def read(self, path: str, source: Source) -> Iterator[Parsed] | None:
        """A packed rollout as a whole; None for a plain one, which is tailed."""
        if not path.endswith(PACKED):
            return None
        from aitop.providers.codex import packed

        return (self._own(parsed) for parsed in packed.read(path, source, self._home))

    def _own(self, parsed: Parsed) -> Parsed:
        """Limits name their provider. A relative's account is not Codex's."""
        if self.name == NAME:
            return parsed
        events = [
            one._replace(provider=self.name) if isinstance(one, Limit) else one for one in parsed.events
        ]
        return parsed._replace(events=events)

    def context_limit(self, model: str) -> int | None:  # noqa: ARG002
        """None: a rollout holds the window of each turn."""
        return None

    def feed(self, header: dict[str, str], payload: dict[str, object], now: float) -> Feed | None:
        if self.name != NAME:
            return None  # relatives have no hook of ours
        path = payload.get("transcript_path")
        if header.get("provider") != NAME and not (isinstance(path, str) and "rollout-" in path):
            return None  # another client's hook, which must not load Codex's parsers
        from aitop.providers.codex import hooks

        return hooks.feed(header, payload, now)

    def telemetry(self, records: list[Record], now: float) -> list[Event]:  # noqa: ARG002
        from aitop.providers.codex import telemetry

        return telemetry.events(records)


provider = Codex()
trae = Codex("trae", ".trae/cli", None)  # TraeX, the TRAE CLI from version 2 on
