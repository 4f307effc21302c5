"""Which API request of a session is under way, told by the client's own lines for each attempt. Pure.

Newer clients write an `api-request` line for each attempt, and the error line of a retry only in print mode. So a
failed attempt shows either by the error line that answers it or by the next attempt. An attempt whose answer
arrives gives that answer its duration.
"""

from typing import Any, NamedTuple

from aitop.providers.lenient import epoch, text


class Attempt(NamedTuple):
    """The newest request: `key` names it until it is answered, then it is None."""

    key: str | None
    request: str  # the client's own id of the request
    at: float


def begun(record: dict[str, Any], session: str, agent: str | None, at: float) -> Attempt:
    """The attempt that an `api-request` line begins."""
    request = text(record.get("id")) or ""
    return Attempt(f"{session}:{agent or ''}:{request}:{at}", request, at)


def restored(carried: Any) -> Attempt | None:
    """The attempt that the run before left, from what `Attempt` was written as."""
    if not isinstance(carried, list) or len(carried) != 3 or epoch(carried[2]) is None:
        return None
    key, request, at = carried
    return Attempt(key, str(request), float(at))
