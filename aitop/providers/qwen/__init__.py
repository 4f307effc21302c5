"""Qwen Code: its folders and chats, as a provider."""

import os

from aitop.model.events import Event
from aitop.otlp import Record
from aitop.providers import Feed, Parsed, Source

NAME = "qwen"


class Qwen:
    """The provider. It has no state: every answer depends on the arguments alone."""

    name = NAME
    services = ("qwen-code",)
    environment = ("QWEN_RUNTIME_DIR", "QWEN_HOME")

    def folders(self, configured: list[str], environ: dict[str, str]) -> list[str]:
        """`projects` of each Qwen folder: the configured ones, else the client's own."""
        home = environ.get("HOME") or os.path.expanduser("~")
        own = environ.get("QWEN_RUNTIME_DIR") or environ.get("QWEN_HOME") or os.path.join(home, ".qwen")
        named = configured or [own]
        return [os.path.join(os.path.abspath(os.path.expanduser(part.strip())), "projects") for part in named]

    def wants(self, path: str) -> bool:
        folder, name = os.path.split(path)
        return name.endswith(".jsonl") and os.path.basename(folder) == "chats"

    def identify(self, path: str) -> Source:
        return Source(os.path.basename(path).removesuffix(".jsonl"), None)

    def parse(self, data: bytes, start: int, source: Source) -> Parsed:
        from aitop.providers.qwen import chat

        return chat.parse(data, start, source)

    def context_limit(self, model: str) -> int | None:  # noqa: ARG002
        return None

    def feed(self, header: dict[str, str], payload: dict[str, object], now: float) -> Feed | None:  # noqa: ARG002
        """None: its hooks hold nothing that its chats do not."""
        return None

    def telemetry(self, records: list[Record], now: float) -> list[Event]:  # noqa: ARG002
        from aitop.providers.qwen import telemetry

        return telemetry.events(records)


provider = Qwen()
