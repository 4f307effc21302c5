"""Turns that only a hook proves: a client that runs without keeping its session writes no file of it.

When a hook ends a turn, the client's file holds that turn a moment later. Where neither a file nor telemetry nor
the client's own total holds anything of the session by then, the turn counts as one request of unknown usage. Every
sum that holds it is then a lower bound, and the session is never shown as $0. It must not guess tokens or money.
"""

import heapq
import os

from aitop.history.store import History
from aitop.model.events import NO_USAGE, Response
from aitop.providers import Feed

WAIT = 15.0  # seconds: telemetry is sent every few seconds, and a slow disk has shown the file by then
MAX_WAITING = 1_000
UNKNOWN = "unknown"  # a hook that does not name the model


class UnrecordedTurns:
    """Keeps each ended turn for `WAIT` seconds, then says which of them nothing records."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, str, Feed]] = []  # a heap by the monotonic time when it is due
        self._number = 0

    def wait(self, monotonic: float, provider: str, feed: Feed) -> None:
        """A hook's payload; only one that ends a turn is kept."""
        if feed.turn is not None and len(self._waiting) < MAX_WAITING:
            self._number += 1
            heapq.heappush(self._waiting, (monotonic + WAIT, self._number, provider, feed))

    def due(self, monotonic: float, history: History) -> list[tuple[str, Response]]:
        """(provider, response) of the turns that nothing records by now. Raises sqlite3.Error."""
        unrecorded: list[tuple[str, Response]] = []
        while self._waiting and self._waiting[0][0] <= monotonic:
            _, _, provider, feed = heapq.heappop(self._waiting)
            turn = feed.turn
            if turn is None or any(map(os.path.exists, feed.paths)):
                continue
            from aitop.history.query import session_detail

            session = history.session(provider, turn.session)
            if session.client_cost is None and not session_detail.is_counted(
                history.db, session.id, NO_USAGE
            ):
                model = turn.model if turn.model != UNKNOWN else session.model or UNKNOWN
                unrecorded.append((provider, turn._replace(model=NO_USAGE + model.removeprefix(NO_USAGE))))
        return unrecorded
