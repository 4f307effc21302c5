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
RESTING_SECONDS = 600.0


def read(provider: str | None = None) -> dict[str, Any] | None:
    """The whole of `state.json` or one provider's part; None when it is missing, unreadable or not ours."""
    import json

    try:
        state = json.loads(paths.read(paths.in_home(paths.STATE)))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(state, dict):
        return None
    return state if provider is None else only(state, provider)


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


def only(state: dict[str, Any], provider: str) -> dict[str, Any] | None:
    """One provider's part of a state, in the shape of the whole; None where it has told of nothing.

    Tools and stop reasons are counted over all providers together and are left out.
    """
    shares = state.get("by_provider")
    share = shares.get(provider) if isinstance(shares, dict) else None
    if not isinstance(share, dict):
        return None
    sessions = _of(state.get("sessions"), provider)
    return {
        **state,
        **share,
        "providers": [provider],
        "sessions": sessions,
        "active_sessions": sum(1 for session in sessions if _is_active(session, state)),
        "context": _context(state.get("context"), sessions),
        "compactions": sum(session.get("compactions") or 0 for session in sessions),
        "stop_reasons": {},
        "tools": {},
        "limits": _of(state.get("limits"), provider),
    }


def _of(rows: Any, provider: str) -> list[dict[str, Any]]:
    found = rows if isinstance(rows, list) else []
    return [row for row in found if isinstance(row, dict) and row.get("provider") == provider]


def _is_active(session: dict[str, Any], state: dict[str, Any]) -> bool:
    """As in the whole: at work, or so shortly at rest that its user is still there."""
    if session.get("status") in ("working", "waiting"):
        return True
    quiet = (state.get("written_at") or 0) - (session.get("last_activity_at") or 0)
    return session.get("status") == "idle" and quiet < RESTING_SECONDS


def _context(whole: Any, sessions: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The newest working session's gauge, else the newest one's that is not over."""
    if isinstance(whole, dict) and any(whole.get("session") == session.get("id") for session in sessions):
        return whole
    shown = [s for s in sessions if s.get("context_percent") is not None and s.get("status") != "ended"]
    best = next((s for s in shown if s.get("status") == "working"), shown[0] if shown else None)
    if best is None:
        return None
    return {
        "tokens": best.get("context_tokens"),
        "limit": best.get("context_limit"),
        "percent": best.get("context_percent"),
        "session": best.get("id"),
    }
