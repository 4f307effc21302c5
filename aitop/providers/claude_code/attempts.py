"""Which API request of a session is under way, by the client's own line for each attempt. Pure.

Newer clients write an `api-request` line for each attempt, and the error line of a retry only in print mode. So a
failed attempt shows either by the error line that answers it or by the next attempt. When an attempt's answer
arrives, the attempt gives it its duration.
"""

from typing import NamedTuple

from aitop.model.events import ApiError
from aitop.model.json_types import JsonObject
from aitop.providers.lenient import epoch, text


class Attempt(NamedTuple):
    """The newest request: `key` names it until it is answered, then it is None."""

    key: str | None
    request: str  # the client's own id of the request
    at: float


class Attempts:
    """The newest attempt of one file. `carried` is what the run before left: an `Attempt` as a list."""

    def __init__(self, carried: object) -> None:
        self.newest = _restored(carried)

    @property
    def under_way(self) -> bool:
        return self.newest is not None and self.newest.key is not None

    def begin(self, record: JsonObject, session: str, agent: str | None, at: float) -> ApiError | None:
        """An `api-request` line. Returns the error of the attempt before it, where that was not answered."""
        before, request = self.newest, text(record.get("id")) or ""
        self.newest = Attempt(f"{session}:{agent or ''}:{request}:{at}", request, at)
        if before is None or before.key is None:
            return None
        return ApiError(session, at, before.key, "unanswered", final=False)

    def answered(self) -> None:
        """No request is under way any more; the newest one's answer may go on."""
        if self.newest is not None and self.newest.key is not None:
            self.newest = self.newest._replace(key=None)

    def asked_at(self, request: object) -> float | None:
        """When the newest request was sent, where a line says that it answers it (`requestRef`)."""
        return self.newest.at if self.newest is not None and request == self.newest.request else None


def _restored(carried: object) -> Attempt | None:
    if not isinstance(carried, list) or len(carried) != 3 or epoch(carried[2]) is None:
        return None
    key, request, at = carried
    return Attempt(key, str(request), float(at))
