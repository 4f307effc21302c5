"""What is fed: one module for each door through which bytes of others come in.

A target makes an input (`make`), gives it to the real code (`check`, which raises whatever went wrong),
and after some of them looks at what came of all together (`settle`). `fresh` forgets everything.
"""

from collections.abc import Callable
from random import Random
from typing import Protocol


class Target(Protocol):
    name: str
    now: float  # what the clock says meanwhile

    def make(self, random: Random) -> bytes: ...

    def check(self, data: bytes) -> None: ...

    def settle(self) -> None: ...

    def fresh(self) -> None: ...

    def close(self) -> None: ...


def all_targets() -> dict[str, Callable[[], Target]]:
    """Name → how it is made."""
    from . import databases, doors, feeds, published, records, settings, telemetry

    return {
        "socket": feeds.Socket,
        "status-line": feeds.StatusLine,
        "claude-code": lambda: records.Lines("claude-code"),
        "codex": lambda: records.Lines("codex"),
        "gemini": lambda: records.Lines("gemini"),
        "copilot": lambda: records.Lines("copilot"),
        "qwen": lambda: records.Lines("qwen"),
        "pi": lambda: records.Lines("pi"),
        "kimi": lambda: records.Lines("kimi"),
        "grok": lambda: records.Lines("grok"),
        "opencode": records.Documents,
        "opencode-database": lambda: databases.Rows("opencode-database"),
        "copilot-chat": lambda: databases.Rows("copilot-chat"),
        "gateway": lambda: records.Lines("openai"),
        "litellm": telemetry.LiteLLM,
        "otlp-json": lambda: telemetry.Bodies("json"),
        "otlp-protobuf": lambda: telemetry.Bodies("protobuf"),
        "fleet-door": doors.FleetDoor,
        "configuration": settings.Configuration,
        "state": published.State,
    }
