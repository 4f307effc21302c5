"""Claude Code: its folders, transcripts, hooks, status line and telemetry. Read `transcript.py` first."""

from aitop.model.events import Event
from aitop.model.json_types import JsonObject
from aitop.otlp import Record
from aitop.providers import Feed, Parsed, Source
from aitop.providers.claude_code import folders, hooks, paths


class ClaudeCode:
    """The provider. It keeps no state: every answer depends on its arguments alone."""

    name = hooks.NAME
    environment = ("CLAUDE_CONFIG_DIR",)
    services = ("claude-code",)

    def folders(self, configured: list[str], environ: dict[str, str]) -> list[str]:
        return folders.roots(configured, environ)

    def wants(self, path: str) -> bool:
        return folders.wants(path)

    def enters(self, folder: str) -> bool:
        return folders.enters(folder)

    def identify(self, path: str) -> Source:
        return paths.identify(path)

    def parse(self, data: bytes, start: int, source: Source) -> Parsed:
        from aitop.providers.claude_code import transcript

        return transcript.parse(data, start, source)

    def context_limit(self, model: str) -> int | None:
        """Models with a larger window that Claude Code runs at 200K unless the user asks for `[1m]`."""
        return 200_000 if model.startswith(("claude-opus-4-6", "claude-sonnet-4-6")) else None

    def feed(self, header: dict[str, str], payload: JsonObject, now: float) -> Feed | None:
        return hooks.feed(header, payload, now)

    def telemetry(self, records: list[Record], now: float) -> list[Event]:  # noqa: ARG002
        from aitop.providers.claude_code import telemetry

        return telemetry.events(records)


provider = ClaudeCode()
