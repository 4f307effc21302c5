"""Read single values of a client's record leniently: an odd number, date or text counts as missing, never as an error.

The fast JSON parser refuses half a character (a lone surrogate). Clients write one whenever they cut a text
inside an emoji, and one such text must not cost a response. Pure. `lines.py` splits a run of lines into records.
"""

import json
import re
from datetime import datetime
from typing import Any

import orjson

from aitop.model.json_types import JsonObject

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
MAX_MILLISECONDS = 7 * 86_400_000.0
MAX_TOKENS = 1 << 26  # of one response; a larger count is damage, and sums of such would not fit the history


def loads(data: bytes) -> Any:
    """The value, with `?` in place of half a character. None for invalid JSON (and for `null`)."""
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


def json_length(value: object) -> int:
    """The length of a value as JSON, in bytes; 0 for a value that is nested too deeply to be written."""
    try:
        return len(orjson.dumps(value))
    except TypeError:
        return 0


def as_json(value: object) -> str:
    """A value as JSON; "" for a value that is nested too deeply to be written."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return ""


def text(value: object, longest: int = 256) -> str | None:
    """A string, cut to `longest` characters; None for an empty string and for any other type."""
    return value[:longest] if isinstance(value, str) and value else None


def word(value: object) -> str | None:
    """A single word that says how something ended. A sentence may hold private text, so it becomes "other"."""
    if not isinstance(value, str) or not value:
        return None
    return value if _WORD.fullmatch(value) else "other"


def count(value: object) -> int:
    """A token count: a whole number from 1 to MAX_TOKENS; 0 for anything else."""
    if type(value) is int:
        return value if 0 < value < MAX_TOKENS else 0
    if type(value) is float and value == value and abs(value) < MAX_TOKENS:  # noqa: PLR0124
        return int(value) if value >= 1 else 0
    return 0


def milliseconds(value: float | None) -> float | None:
    """A duration in milliseconds; None for one that is negative or longer than a week."""
    return value if value is not None and 0 <= value < MAX_MILLISECONDS else None


def epoch(value: object) -> float | None:
    """A timestamp as epoch seconds, from ISO 8601 (UTC where it names no zone) or a number (s or ms)."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None:
                moment = datetime.fromisoformat(
                    value + "+00:00" if "T" in value else value + "T00:00:00+00:00"
                )
            seconds = moment.timestamp()
        except (ValueError, OverflowError, OSError):
            return None
    elif isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e18:
        seconds = value / 1000 if value > 1e11 else float(value)
    else:
        return None
    return seconds if 0 < seconds < 1e11 else None


def table(value: object) -> JsonObject:
    """A JSON object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def rows(value: object) -> list[Any]:
    """A JSON list; an empty one for anything else."""
    return value if isinstance(value, list) else []
