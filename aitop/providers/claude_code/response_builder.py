"""One response, gathered from the lines of one run until it becomes an event.

A response fills several lines. What only its last line decides is kept as it stands there, and taken apart once.
"""

from typing import Any

from aitop.model.events import Response
from aitop.providers.claude_code.fields import usage
from aitop.providers.lenient import text, word

LONGEST_ANSWER = 3600.0  # seconds; a longer one means that the clock was set


class ResponseBuilder:
    """What is kept of a response's lines: no content, so that a line's memory is free for the next one."""

    __slots__ = (
        "agent",
        "also",
        "asked_at",
        "at",
        "end",
        "last_at",
        "model",
        "names",
        "offset",
        "paying",
        "place",
        "record_id",
        "stop_reason",
        "usage",
        "visible",
    )

    def __init__(
        self, names: tuple[str | None, str | None], at: float, offset: int, agent: str | None
    ) -> None:
        self.names = names  # message name and request id
        self.also: tuple[str, ...] = ()  # an earlier message name
        self.at = self.last_at = at
        self.offset = self.end = offset
        self.agent, self.visible = agent, 0
        self.asked_at: float | None = None  # when the request was sent, where the client wrote that down
        self.paying: str | None = None
        # of the newest line, as they stand there
        self.model: Any = None
        self.stop_reason: Any = None
        self.usage: Any = None
        self.record_id: Any = None
        self.place: Any = None

    def add_line(self, at: float, agent: str | None) -> None:
        """One more of its lines. A response with a line on the main thread belongs to the main thread."""
        self.at = min(self.at, at)
        self.last_at = max(self.last_at, at)
        if agent is None:
            self.agent = None

    def rename(self, names: tuple[str | None, str | None], earlier: str | None) -> None:
        """A line showed its request id; what an earlier line or run called it stays known."""
        self.names = names
        self.also = (earlier,) if earlier else ()

    def response(self, session: str | None) -> Response:
        return Response(
            session or "unknown", self.at, text(self.model) or "unknown", usage(self.usage), *self.names,
            text(self.record_id) or f"{session}:{self.end}", word(self.stop_reason), self.paying,
            self.agent, self.visible, self.offset, self.end, self.also, self._milliseconds(), None, None, self.place,
        )  # fmt: skip

    def _milliseconds(self) -> float | None:
        """From the request's own line to the last line of its answer, each written as it happened."""
        if self.asked_at is None or not 0 <= self.last_at - self.asked_at < LONGEST_ANSWER:
            return None
        return round((self.last_at - self.asked_at) * 1000, 3)


def by_last_line(builder: ResponseBuilder) -> int:
    """The sort key that puts responses in the order of their last lines."""
    return builder.end
