"""GitHub Copilot CLI: its folders and session events, as a provider."""

import os

from aitop.model.events import Event
from aitop.otlp import Record
from aitop.providers import Feed, Parsed, Source

NAME = "copilot"


class Copilot:
    """The provider. It has no state: every answer depends on the arguments alone."""

    name = NAME
    environment = ("COPILOT_HOME",)
    services = ("github-copilot",)

    def folders(self, configured: list[str], environ: dict[str, str]) -> list[str]:
        """`session-state` of each Copilot folder: the configured ones, else the client's own."""
        home = environ.get("HOME") or os.path.expanduser("~")
        named = configured or [environ.get("COPILOT_HOME") or os.path.join(home, ".copilot")]
        return [
            os.path.join(os.path.abspath(os.path.expanduser(part.strip())), "session-state") for part in named
        ]

    def wants(self, path: str) -> bool:
        return os.path.basename(path) == "events.jsonl"

    def identify(self, path: str) -> Source:
        return Source(os.path.basename(os.path.dirname(path)), None)

    def parse(self, data: bytes, start: int, source: Source) -> Parsed:
        from aitop.providers.copilot import events

        return events.parse(data, start, source)

    def context_limit(self, model: str) -> int | None:  # noqa: ARG002
        return None

    def feed(self, header: dict[str, str], payload: dict[str, object], now: float) -> Feed | None:  # noqa: ARG002
        """None: its hooks hold nothing that its events do not."""
        return None

    def telemetry(self, records: list[Record], now: float) -> list[Event]:  # noqa: ARG002
        from aitop.providers.copilot import telemetry

        return telemetry.events(records)


provider = Copilot()
