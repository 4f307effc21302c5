"""Codex CLI: its folders, rollouts, hooks and `notify`, as a provider."""

import os
from collections.abc import Iterator

from aitop.model.events import Event, Response
from aitop.otlp import Record
from aitop.providers import Feed, Parsed, Source
from aitop.providers.codex import hooks, packed, rollout, telemetry

MAX_THREADS = 1000


class Codex:
    """The provider. It remembers only which threads send telemetry."""

    name = rollout.NAME
    environment = ("CODEX_HOME",)
    services = ("codex",)

    def __init__(self) -> None:
        self._with_telemetry: set[str] = set()

    def folders(self, configured: list[str], environ: dict[str, str]) -> list[str]:
        """`sessions` and `archived_sessions` of each Codex home: the configured ones, else the client's own."""
        home = environ.get("HOME") or os.path.expanduser("~")
        named = configured or [environ.get("CODEX_HOME") or os.path.join(home, ".codex")]
        bases = [os.path.abspath(os.path.expanduser(part.strip())) for part in named]
        return [os.path.join(base, part) for base in bases for part in ("sessions", "archived_sessions")]

    def wants(self, path: str) -> bool:
        return path.endswith((".jsonl", packed.ENDING)) and os.path.basename(path).startswith("rollout-")

    def identify(self, path: str) -> Source:
        return rollout.identify(path)

    def parse(self, data: bytes, start: int, source: Source) -> Parsed:
        return rollout.parse(data, start, source)

    def read(self, path: str, source: Source) -> Iterator[Parsed] | None:
        """A packed rollout as a whole; None for a plain one, which is tailed."""
        return packed.read(path, source) if path.endswith(packed.ENDING) else None

    def context_limit(self, model: str) -> int | None:  # noqa: ARG002
        """None: a rollout holds the window of each turn."""
        return None

    def feed(self, header: dict[str, str], payload: dict[str, object], now: float) -> Feed | None:
        return hooks.feed(header, payload, now, self._with_telemetry)

    def telemetry(self, records: list[Record], now: float) -> list[Event]:  # noqa: ARG002
        events = telemetry.events(records)
        if len(self._with_telemetry) < MAX_THREADS:
            self._with_telemetry.update(one.session for one in events if isinstance(one, Response))
        return events


provider = Codex()
