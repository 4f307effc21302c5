"""JSON as clients write it: half characters where a string was cut, numbers of any size, any depth.

The fast parser refuses half a character (a lone surrogate), which clients produce whenever they cut
a text in front of an emoji. One such text must not cost a response or an event. Pure.
"""

import json
from typing import Any

import orjson


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
