"""Publishing at the pace of events: all of it when something happened, a sign of life when nothing did.

Building and rendering the whole state costs some milliseconds; at rest, where nothing changes but the
clock, that would be most of what the listener costs. So an uneventful second repeats the last state
with a new date, and everything is made anew every few seconds, for what depends on time alone.
"""

import time
from typing import Any

from aitop import segments
from aitop.config import Config
from aitop.listener.log import Log
from aitop.publish import REFRESH, Publisher


class Announcer:
    """Remembers the last state, and what it was made of."""

    def __init__(self, publisher: Publisher, log: Log) -> None:
        self.publisher = publisher
        self._log = log
        self._state: dict[str, Any] | None = None
        self._sign: tuple[object, ...] | None = None
        self._made_at = 0.0

    def repeat(self, sign: tuple[object, ...], now: float) -> bool:
        """Publish the last state again, if it still holds; whether it did."""
        if self._state is None or sign != self._sign or time.monotonic() - self._made_at >= REFRESH - 0.5:
            return False
        if self._state["windows"]["15m"]["requests"] or self._state["windows"]["15m"]["tool_calls"]:
            return False  # windows move with time alone
        self._state["written_at"] = now
        try:
            self.publisher.state(self._state)
        except OSError as error:
            self._log.error(f"cannot publish: {error}")
        return True

    def publish(self, state: dict[str, Any], sign: tuple[object, ...], config: Config, now: float) -> None:
        """Publish a new state and every segment."""
        self._state, self._sign, self._made_at = state, sign, time.monotonic()
        own = [(s.name, s.display, s.preset, s.format) for s in config.segments]
        try:
            self.publisher.state(state)
            self.publisher.write_segments(segments.render_all(state, own, now), now)
        except OSError as error:
            self._log.error(f"cannot publish: {error}")
