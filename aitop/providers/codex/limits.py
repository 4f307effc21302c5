"""Codex's rate limits → Limit events. Pure.

Each token count carries the newest state of two windows, the short and the long one. More than 100 % is a
limit that was passed: kept, as full. A percentage beyond 1,000 or a reset in the record's past is damage.
"""

from aitop.model.events import Limit
from aitop.providers.lenient import text

NAMES = {300: "five_hour", 1440: "one_day", 10_080: "seven_day", 43_200: "thirty_day"}  # by minutes
NEAR = 5  # minutes; older versions say 299
MAX_PERCENT = 1000


def limits(raw: object, at: float, account: str | None = None) -> list[Limit]:
    """The account's limits by one record. `at`: the record's epoch seconds."""
    if not isinstance(raw, dict) or not at:
        return []
    family = text(raw.get("limit_id"), 64)
    windows = (_limit(raw.get(key), family, at, account) for key in ("primary", "secondary"))
    return [limit for limit in windows if limit is not None]


def window_name(minutes: int) -> str:
    """`seven_day`, `14_day`, `12_hour`, `90_minute`."""
    if minutes in NAMES:
        return NAMES[minutes]
    if minutes % 1440 == 0:
        return f"{minutes // 1440}_day"
    return f"{minutes // 60}_hour" if minutes % 60 == 0 else f"{minutes}_minute"


def _limit(raw: object, family: str | None, at: float, account: str | None) -> Limit | None:
    if not isinstance(raw, dict):
        return None
    used, length = _number(raw.get("used_percent")), _number(raw.get("window_minutes"))
    resets = _number(raw.get("resets_at"))
    if resets is None:
        wait = _number(raw.get("resets_in_seconds"))
        resets = None if wait is None else at + wait
    if used is None or length is None or resets is None or used > MAX_PERCENT or not 0 < length < 1e6:
        return None
    if not at < resets <= at + length * 60 + 3600:
        return None
    minutes = next(
        (minutes_named for minutes_named in NAMES if abs(minutes_named - length) <= NEAR), round(length)
    )
    name = window_name(minutes)
    if family and family != "codex":
        name = f"{family}_{name}"
    return Limit("codex", account, name, minutes, min(used, 100.0), resets, "client", at)


def _number(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12:
        return float(value)
    return None
