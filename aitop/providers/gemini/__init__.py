"""Gemini CLI: its folders, chats and hooks, as a provider."""

import json
import os
from collections.abc import Iterator

from aitop.model.events import Event
from aitop.otlp import Record
from aitop.providers import Feed, Parsed, Source
from aitop.providers.files import read_regular

NAME = "gemini"


class Gemini:
    """The provider. It has no state: every answer depends on the arguments and the named files alone."""

    name = NAME
    environment = ("GEMINI_CLI_HOME",)
    services = ("gemini-cli",)

    def folders(self, configured: list[str], environ: dict[str, str]) -> list[str]:
        """`tmp` of each Gemini folder: the configured ones, else the client's own."""
        home = environ.get("GEMINI_CLI_HOME") or environ.get("HOME") or os.path.expanduser("~")
        named = configured or [os.path.join(home, ".gemini")]
        return [os.path.join(os.path.abspath(os.path.expanduser(part.strip())), "tmp") for part in named]

    def wants(self, path: str) -> bool:
        """Chats; older versions wrote each as one document."""
        if f"{os.sep}chats{os.sep}" not in path:
            return False
        name = os.path.basename(path)
        return name.endswith(".jsonl") or (name.startswith("session-") and name.endswith(".json"))

    def identify(self, path: str) -> Source:
        """`chats/session-….jsonl` is a session, `chats/SESSION/AGENT.jsonl` a sub-agent of one.

        Beside the chats the client keeps the project's folder in a file of one line.
        """
        folder, name = os.path.split(path)
        kept = {}
        at = path.rindex(f"{os.sep}chats{os.sep}")
        try:
            kept["cwd"] = read_regular(os.path.join(path[:at], ".project_root"), 4096).decode().strip()
        except (OSError, ValueError):
            pass
        parent = os.path.basename(folder)
        agent = None if parent == "chats" else name.rpartition(".")[0]
        return Source(parent if agent else None, agent, json.dumps(kept))

    def parse(self, data: bytes, start: int, source: Source) -> Parsed:
        from aitop.providers.gemini import chat

        return chat.parse(data, start, source)

    def read(self, path: str, source: Source) -> Iterator[Parsed] | None:
        if not path.endswith(".json"):
            return None
        from aitop.providers.gemini import chat

        return chat.document(path, source)

    def context_limit(self, model: str) -> int | None:  # noqa: ARG002
        return None

    def feed(self, header: dict[str, str], payload: dict[str, object], now: float) -> Feed | None:
        from aitop.providers.gemini import hooks

        return hooks.feed(header, payload, now)

    def telemetry(self, records: list[Record], now: float) -> list[Event]:  # noqa: ARG002
        from aitop.providers.gemini import telemetry

        return telemetry.events(records)


provider = Gemini()
