"""Claude Code: its folders, transcripts, hooks and status line, behind the provider's door."""

import os
from typing import Any

from aitop.model.events import Event
from aitop.otlp import Record
from aitop.providers import Feed, Parsed, Source
from aitop.providers.claude_code import hooks, paths, telemetry, transcript


class ClaudeCode:
    """The provider. It holds nothing: every answer depends on its arguments alone."""

    name = hooks.NAME
    environment = ("CLAUDE_CONFIG_DIR",)
    services = ("claude-code",)

    def folders(self, configured: list[str], environ: dict[str, str]) -> list[str]:
        """`projects` of each configuration folder: the configured ones, else those the client would use."""
        named = configured or [
            part for part in environ.get("CLAUDE_CONFIG_DIR", "").split(",") if part.strip()
        ]
        if not named:
            home = environ.get("HOME") or os.path.expanduser("~")
            base = environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
            named = [os.path.join(home, ".claude"), os.path.join(base, "claude")]
        folders = [
            os.path.join(os.path.abspath(os.path.expanduser(part.strip())), "projects") for part in named
        ]
        return list(dict.fromkeys(folders))

    def wants(self, path: str) -> bool:
        return path.endswith(".jsonl") and not path.endswith("/journal.jsonl")

    def identify(self, path: str) -> Source:
        return paths.identify(path)

    def parse(self, data: bytes, start: int, source: Source) -> Parsed:
        return transcript.parse(data, start, source)

    def context_limit(self, model: str) -> int | None:
        """Models with a larger window that Claude Code runs at 200K unless the user asks for `[1m]`."""
        return 200_000 if model.startswith(("claude-opus-4-6", "claude-sonnet-4-6")) else None

    def feed(self, header: dict[str, str], payload: dict[str, Any], now: float) -> Feed | None:
        return hooks.feed(header, payload, now)

    def telemetry(self, records: list[Record], now: float) -> list[Event]:  # noqa: ARG002
        return telemetry.events(records)


provider = ClaudeCode()
