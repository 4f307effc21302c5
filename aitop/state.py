"""The published state as its readers see it: read the file, judge its age.

Hot: displays without click read it. It imports `os` through `paths` and nothing else up front (`json`
costs 12 ms, so only a caller that really parses pays). It never writes: the listener publishes.
"""

from __future__ import annotations

from aitop import paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FRESH_SECONDS = 10.0


def read() -> dict[str, Any] | None:
    """The whole of `state.json`, or None when it is missing, unreadable or not ours."""
    import json

    try:
        with open(paths.in_home(paths.STATE), "rb") as file:
            state = json.loads(file.read())
    except (OSError, ValueError, RecursionError):
        return None
    return state if isinstance(state, dict) else None


def age(state: dict[str, Any], now: float) -> float | None:
    """Seconds since the state was written, or None when it does not say."""
    written = state.get("written_at")
    if isinstance(written, bool) or not isinstance(written, int | float):
        return None
    return now - written


def is_fresh(state: dict[str, Any] | None, now: float) -> bool:
    """Whether the state may be shown. One from the future is a clock set back: not shown either."""
    if state is None:
        return False
    seconds = age(state, now)
    return seconds is not None and -FRESH_SECONDS <= seconds <= FRESH_SECONDS
