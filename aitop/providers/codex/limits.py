"""Codex's rate limits → Limit events. Pure.

Each token count carries the newest word on two windows, the short and the long one. A percentage over
101 or a reset that lies in the record's past is the client's own slip.
"""

from typing import Any

from aitop.model.events import Limit
from aitop.providers.lenient import text

NAMES = {300: "five_hour", 10_080: "seven_day"}


def limits(raw: Any, at: float) -> list[Limit]:
    """What one record says of the account's limits."""
    if not isinstance(raw, dict) or not at:
        return []
    family = text(raw.get("limit_id"), 64)
    found = []
    for key in ("primary", "secondary"):
        limit = _limit(raw.get(key), family, at)
        if limit is not None:
            found.append(limit)
    return found


def _limit(raw: Any, family: str | None, at: float) -> Limit | None:
    if not isinstance(raw, dict):
        return None
    used, minutes = _number(raw.get("used_percent")), _number(raw.get("window_minutes"))
    resets = _number(raw.get("resets_at"))
    if resets is None:
        wait = _number(raw.get("resets_in_seconds"))
        resets = None if wait is None else at + wait
    if used is None or minutes is None or resets is None or used > 101 or not 0 < minutes < 1e6:
        return None
    if not at < resets <= at + minutes * 60 + 3600:
        return None
    whole = round(minutes)
    near = next((known for known in NAMES if abs(known - whole) <= 5), whole)  # older ones say 299
    name = NAMES.get(near, f"{whole}_minutes")
    if family and family != "codex":
        name = f"{family}_{name}"
    return Limit("codex", None, name, near, min(used, 100.0), resets, "client", at)


def _number(value: Any) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12:
        return float(value)
    return None
