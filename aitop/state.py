"""The published state as its readers see it: read the file, judge its age, pick one client's part.

Hot: displays without click read it. It imports `os` and nothing else up front (`json` costs 12 ms, so only a
caller that really parses pays). It never writes: the listener publishes.
"""

from __future__ import annotations

import os

from aitop import paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aitop.model.json_types import JsonObject

FRESH_SECONDS = 10.0
OF_ALL_CLIENTS = ("budgets", "stop_reasons", "tools")  # a client has none but those of its own part
PLAN_OF = "claude-code"  # `plan` compares the subscriptions of this client with its use


def read(provider: str | None = None) -> JsonObject | None:
    """The whole of `state.json` or one client's part; None when it is missing, unreadable or not ours.

    An unchanged state is not written again: the listener only renews its file's time. So `written_at` of what
    is returned is the later of the two.
    """
    import json

    path = paths.in_home(paths.STATE)
    try:
        state = json.loads(paths.read(path))
        renewed_at = os.stat(path).st_mtime
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(state, dict):
        return None
    written_at = _number(state.get("written_at"))
    if written_at is not None and renewed_at > written_at:
        state["written_at"] = renewed_at
    return state if provider is None else only(state, provider)


def age(state: JsonObject, now: float) -> float | None:
    """Seconds since the state was written or renewed, or None when it does not say."""
    written_at = _number(state.get("written_at"))
    return None if written_at is None else now - written_at


def is_fresh(state: JsonObject | None, now: float) -> bool:
    """Whether the state may be shown. One from the future means that the clock was set back: not shown either."""
    if state is None:
        return False
    seconds = age(state, now)
    return seconds is not None and -FRESH_SECONDS <= seconds <= FRESH_SECONDS


def only(state: JsonObject, provider: str) -> JsonObject | None:
    """One client's part of a state, in the shape of the whole; None where nothing is known of it.

    What is judged over all clients together has no part and is unknown: `budgets` has no key, forecasts have none
    but that of the client's own block, electricity is null, and so is the plan where it is another client's.
    """
    parts = state.get("by_provider")
    part = parts.get(provider) if isinstance(parts, dict) else None
    if not isinstance(part, dict):
        return None
    block = state.get("block")
    alerts = _of(state.get("alerts"), provider)
    has_block = isinstance(block, dict) and block.get("provider") == provider
    forecast = state.get("forecast")
    return {
        **{key: value for key, value in state.items() if key not in OF_ALL_CLIENTS},
        "active_sessions": 0,
        "waiting_sessions": 0,
        "context": None,
        "compactions": 0,
        "projects_today": [],
        "folders_today": [],
        **part,
        "providers": [provider],
        "coverage": _coverage(state.get("coverage"), part.get("month"), provider),
        "prices": _prices(state.get("prices"), part.get("month")),
        "sessions": _of(state.get("sessions"), provider),
        "limits": _of(state.get("limits"), provider),
        "block": block if has_block else None,
        "forecast": {"block": forecast["block"]}
        if has_block and isinstance(forecast, dict) and "block" in forecast
        else {},
        "plan": state.get("plan") if provider == PLAN_OF else None,
        "energy": None,
        "alerts": alerts,
        "level": max((_level(alert) for alert in alerts), key=LEVELS.index, default="ok"),
    }


def _coverage(whole: object, month: object, provider: str) -> JsonObject:
    """How far one client's month can be trusted."""
    clients = whole.get("clients") if isinstance(whole, dict) else None
    mine = (
        {name: one for name, one in clients.items() if name == provider} if isinstance(clients, dict) else {}
    )
    requests, unpriced, estimated, understated = (
        _count(month, name)
        for name in ("requests", "unpriced_requests", "estimated_requests", "understated_requests")
    )
    responses = {
        "priced": requests - unpriced - estimated,
        "estimated": estimated,
        "at_least": min(requests, unpriced + understated),
    }
    return {"clients": mine, "responses": responses}


def _prices(whole: object, month: object) -> JsonObject:
    """The table in force. Models without a listed price are named only where this client may have used them."""
    named = {} if not isinstance(whole, dict) else dict(whole)
    for key, counted in (
        ("unpriced_models", "unpriced_requests"),
        ("estimated_models", "estimated_requests"),
    ):
        if not _count(month, counted):
            named[key] = []
    return named


def _count(sums: object, name: str) -> int:
    value = sums.get(name) if isinstance(sums, dict) else None
    return value if isinstance(value, int) else 0


LEVELS = ("ok", "warning", "critical")


def _level(alert: JsonObject) -> str:
    level = alert.get("level")
    return level if level in LEVELS else "ok"


def _of(rows: object, provider: str) -> list[JsonObject]:
    """The rows of one client."""
    all_rows = rows if isinstance(rows, list) else []
    return [row for row in all_rows if isinstance(row, dict) and row.get("provider") == provider]


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
