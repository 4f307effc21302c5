"""Tool calls on their way into the history: one per id, whether a hook, a transcript or both report it."""

from collections.abc import Iterable, KeysView

from aitop.history.write import load
from aitop.history.write.ledger import Ledger
from aitop.history.write.load import Tool
from aitop.model.events import ToolResult, ToolUse


class Tools:
    """The tool calls touched since the last flush."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._tools: dict[int, Tool] = {}

    def preload(self, names: list[int]) -> None:
        wanted = [name for name in names if name not in self._tools]
        if wanted:
            self._tools.update(load.tools(self.ledger.db, wanted))

    def adopt(self, calls: Iterable[tuple[int, Tool]]) -> None:
        """(key, call) of calls that are counted and not written yet: from now on they are written from here."""
        for key, call in calls:
            self._tools[key] = self.ledger.out.tools[key] = call

    def among(self, names: list[int]) -> set[int]:
        """Which of these calls are known."""
        return {name for name in names if name in self._tools} | load.known_tools(self.ledger.db, names)

    def touched(self) -> KeysView[int]:
        """The calls in memory, some of which the database does not know."""
        return self._tools.keys()

    def forget(self) -> None:
        self._tools.clear()

    def take(self, provider: str, event: ToolUse | ToolResult, key: int, file: int, now: float) -> None:
        """Count one record of a tool call."""
        at = min(event.at, now) if event.at > 0 else now
        tool = self._tools.get(key)
        before = None
        if tool is None:
            owner = self.ledger.session(provider, event.session)
            tool = self._tools[key] = Tool(owner.id, event.name or "unknown", at, file)
        else:
            before = tool.copy()
        if event.name and tool.name == "unknown":
            tool.name = event.name
        if isinstance(event, ToolUse):
            self._use(tool, event, at, file, provider)
            if event.ended_at is not None:
                _ended(tool, min(event.ended_at, now))
        else:
            if file:
                _ended(tool, at)
            tool.client_ms = event.duration_ms if event.duration_ms is not None else tool.client_ms
        tool.failed = tool.failed or event.failed
        self.ledger.out.tools[key] = tool
        self._book(before, tool)
        self.ledger.seen(self.ledger.session(provider, event.session), at)

    def _use(self, tool: Tool, event: ToolUse, at: float, file: int, provider: str) -> None:
        """A file decides time and session before a hook does, and the first file in order before the others."""
        if not file:
            tool.at = tool.at if tool.from_file else min(tool.at, at)
            return
        if tool.from_file == file and tool.used:
            return
        order = self.ledger.file_by_id
        if not tool.from_file or not tool.used or order(file).order() < order(tool.from_file).order():
            tool.session = self.ledger.session(provider, event.session).id
            tool.at, tool.from_file, tool.used = at, file, True

    def _book(self, before: Tool | None, tool: Tool) -> None:
        """Move the sums by what changed of one tool call."""
        where = (tool.at, tool.session, tool.name, tool.failed)
        was = before and (before.at, before.session, before.name, before.failed)
        if was != where:
            if was:
                self.ledger.book_tool(*was, -1)
            self.ledger.book_tool(*where, 1)
        took, was_taking = tool.milliseconds(), before.milliseconds() if before else None
        if took is not None and took != was_taking and tool.at >= self.ledger.floor:
            self.ledger.changes.latencies.append((tool.at, tool.name, took, was_taking))


def _ended(tool: Tool, at: float) -> None:
    tool.result_at = at if tool.result_at is None else min(tool.result_at, at)
