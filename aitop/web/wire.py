"""JSON as it is sent to a page. Pure."""

import json

import orjson


def encoded(value: object) -> bytes:
    """The bytes of a value. A name may hold half a character, which the fast writer refuses."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value).encode()
