"""A tool result's three fields, cut out of a line's bytes.

Result lines are most of a transcript's bytes and say only which call ended, when and how. Parsing them would cost
more than the rest of a first read. Where the bytes leave any doubt the line is parsed. A key with its quotes is
never part of a text, because a text's quotes are escaped.
"""

import re

from aitop.providers.lenient import epoch

_MESSAGE = b'"message":{"role":"user","content":[{'
_USER = b'"type":"user",'
_TYPED = b'"type":"tool_result",'
_TOOL = b'"tool_use_id":"'
_ID = b'"tool_use_id"'
_TIME = b'"timestamp":"'
_END = b'}]},"'
_LATER = re.compile(rb'\}\]\},"uuid":"[^"\\]*","timestamp":"([^"\\]*)"')
_FAILED = b'"is_error"'
_OBJECT, _BEFORE_VALUE = b'{"', b"[:,"
_BRACE, _ESCAPE = 125, b"\\"
HEAD = 4096  # bytes of a line in which the message begins
LONGEST = 200  # of an id


def cut(data: bytes, start: int = 0, stop: int | None = None) -> tuple[str, bool, float] | None:
    """(tool_use_id, failed, at) of the line `data[start:stop]` without parsing, or None where in doubt."""
    stop = len(data) if stop is None else stop
    find = data.find
    message = find(_MESSAGE, start, min(stop, start + HEAD))
    if message < 0 or find(b"{", start + 1, message) >= 0 or data[stop - 1] != _BRACE:
        return None
    place = _identity(data, message + len(_MESSAGE), stop)
    if place is None or find(_USER, start, message) < 0:
        return None
    identity, begun = place
    end = find(_END, begun - 1, stop)
    if end < 0 or find(_ID, begun, end) >= 0:
        return None
    at = epoch(_time(data, start, message, end, stop))
    if at is None or _is_spliced(data, end, stop):
        return None
    failed = data.endswith(b',"is_error":true', begun - 1, end)
    is_stated = failed or data.endswith(b',"is_error":false', begun - 1, end)
    if not is_stated and find(_FAILED, begun - 1, end) >= 0:
        return None
    return identity, failed, at


def _is_spliced(data: bytes, at: int, stop: int) -> bool:
    """Whether another record begins on the rest of the line: an object behind no bracket, colon or comma."""
    while (at := data.find(_OBJECT, at, stop)) >= 0:
        if data[at - 1] not in _BEFORE_VALUE:
            return True
        at += 1
    return False


def _identity(data: bytes, at: int, stop: int) -> tuple[str, int] | None:
    """The id of a block that begins with its type and its id, in whichever order, and where it goes on."""
    typed = data.startswith(_TYPED, at, stop)
    at += len(_TYPED) if typed else 0
    if not data.startswith(_TOOL, at, stop):
        return None
    at += len(_TOOL)
    end = data.find(b'"', at, min(stop, at + LONGEST))
    identity = data[at:end]
    if end <= at or _ESCAPE in identity:
        return None
    end += 1
    if not typed:
        if not data.startswith(b"," + _TYPED[:-1], end, stop):
            return None
        end += len(_TYPED)
    return (identity.decode("utf-8", "replace"), end) if data[end] in b",}" else None


def _time(data: bytes, start: int, message: int, end: int, stop: int) -> str | None:
    """The record's own timestamp, where it stands before the message or right after it."""
    at = data.find(_TIME, start, message)
    if at >= 0:
        at += len(_TIME)
        return data[at : data.find(b'"', at, message)].decode("ascii", "replace")
    later = _LATER.match(data, end, stop)
    return later[1].decode("ascii", "replace") if later else None
