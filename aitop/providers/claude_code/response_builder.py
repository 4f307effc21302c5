"""One response as the lines of one run tell it, until it is told as an event.

A response fills several lines. What only the last of them decides is taken from it once, at the end.
"""

from typing import Any

from aitop.model.events import Response
from aitop.providers.claude_code.fields import usage
from aitop.providers.lenient import text, word

NAMELESS = (None, None)
LONGEST_ANSWER = 3600.0  # seconds; a longer one is a clock that was set


class Told:
    """What is kept of its lines: no content, so that a line's memory is free for the next one."""

    __slots__ = (
        "agent",
        "asked",
        "at",
        "end",
        "last",
        "model",
        "names",
        "offset",
        "paying",
        "record_id",
        "stop_reason",
        "usage",
        "visible",
    )

    def __init__(
        self, names: tuple[str | None, str | None], at: float, offset: int, agent: str | None
    ) -> None:
        self.names = names  # message id and request id
        self.at = self.last = at
        self.offset = self.end = offset
        self.agent, self.visible = agent, 0
        self.asked: float | None = None  # when the request was sent, where the client wrote that down
        self.paying: str | None = None
        # of the newest line, as it stands there
        self.model: Any = None
        self.stop_reason: Any = None
        self.usage: Any = None
        self.record_id: Any = None

    def tell(self, at: float, agent: str | None) -> None:
        """One more of its lines."""
        self.at = min(self.at, at)
        self.last = max(self.last, at)
        if agent is None:
            self.agent = None

    def response(self, session: str | None) -> Response:
        return Response(
            session or "unknown", self.at, text(self.model) or "unknown", usage(self.usage), *self.names,
            text(self.record_id) or f"{session}:{self.end}", word(self.stop_reason), self.paying,
            self.agent, self.visible, self.offset, self.end, (), self._milliseconds(),
        )  # fmt: skip

    def _milliseconds(self) -> float | None:
        """From the request's own line to the last line of its answer, each written as it happened."""
        if self.asked is None or not 0 <= self.last - self.asked < LONGEST_ANSWER:
            return None
        return round((self.last - self.asked) * 1000, 3)


def last(told: Told) -> int:
    return told.end
