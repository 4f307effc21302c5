"""What clients write, read leniently: half characters, odd numbers and dates are nothing, never an error.

The fast parser refuses half a character (a lone surrogate), which clients produce whenever they cut
a text in front of an emoji. One such text must not cost a response or an event. Pure.
"""

import json
import re
from datetime import datetime
from typing import Any

import orjson

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
MOST_MS = 7 * 86_400_000.0
MOST_TOKENS = 1 << 26  # a count beyond this is damage, not usage; sums of such would not fit the history


def loads(data: bytes) -> Any:
    """The value, with `?` for half a character; None for what is no JSON (and for `null`)."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        if b"\\ud" not in data and b"\\uD" not in data:
            return None
    try:
        value = json.loads(data)
        return orjson.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def size(value: Any) -> int:
    """How long a value is as JSON; 0 for one nested deeper than can be written."""
    try:
        return len(orjson.dumps(value))
    except TypeError:
        return 0


def written(value: Any) -> str:
    """A value as JSON; "" for one nested deeper than can be written."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return ""


def text(value: Any, most: int = 256) -> str | None:
    """A string of a sensible length, else None."""
    return value[:most] if isinstance(value, str) and value else None


def word(value: Any) -> str | None:
    """How something ended, in a word; "other" where it is told in a sentence, which may say anything."""
    if not isinstance(value, str) or not value:
        return None
    return value if _WORD.fullmatch(value) else "other"


def count(value: Any) -> int:
    """A token count: a whole number, 0 for anything else."""
    if type(value) is int:
        return value if 0 < value < MOST_TOKENS else 0
    if type(value) is float and value == value and abs(value) < MOST_TOKENS:  # noqa: PLR0124
        return int(value) if value >= 1 else 0
    return 0


def milliseconds(value: float | None) -> float | None:
    """How long something took, None where nothing can have taken so long."""
    return value if value is not None and 0 <= value < MOST_MS else None


def epoch(value: Any) -> float | None:
    """A record's timestamp as epoch seconds: ISO 8601 (UTC unless it says otherwise) or a number (s or ms)."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None:
                moment = datetime.fromisoformat(
                    value + "+00:00" if "T" in value else value + "T00:00:00+00:00"
                )
            found = moment.timestamp()
        except (ValueError, OverflowError, OSError):
            return None
    elif isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e18:
        found = value / 1000 if value > 1e11 else float(value)
    else:
        return None
    return found if 0 < found < 1e11 else None
