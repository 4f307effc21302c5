"""The tool calls of one run of lines: begun by a message, ended by a later line. Pure; keeps no input or output."""

from aitop.model.events import Event, ToolResult, ToolUse
from aitop.model.json_types import JsonObject
from aitop.providers.lenient import text


class ToolCalls:
    """Calls that began in this run. An end without a beginning is an event of its own."""

    def __init__(self) -> None:
        self._begun: dict[str, tuple[float, str, str | None]] = {}  # id → (at, name, agent)
        self._ended: dict[str, tuple[float, bool]] = {}  # id → (at, failed)
        self._ends_alone: list[ToolResult] = []

    def begin(self, block: JsonObject, at: float, agent: str | None) -> None:
        """A message's `tool_use` block."""
        identity = text(block.get("id"))
        if identity and identity not in self._begun:
            self._begun[identity] = (at, text(block.get("name")) or "unknown", agent)

    def end(self, identity: str, failed: bool, at: float, session: str) -> None:
        """A `tool_result` block."""
        if identity not in self._begun:
            self._ends_alone.append(ToolResult(session, at, identity, "", failed))
            return
        earlier = self._ended.get(identity)
        self._ended[identity] = (
            (at, failed) if earlier is None else (min(at, earlier[0]), failed or earlier[1])
        )

    def events(self, session: str) -> list[Event]:
        """Every call that began in this run, with its end if that came; then the ends of earlier calls."""
        begun: list[Event] = [
            ToolUse(session, at, identity, name, agent, *self._ended.get(identity, (None, False)))
            for identity, (at, name, agent) in self._begun.items()
        ]
        return begun + self._ends_alone
