"""A tool result's three fields, cut out of a line's bytes.

Result lines are most of a transcript's bytes and tell only which call ended, when and how. Parsing them
whole would cost more than all else of a first read. Where the bytes leave any doubt the line is parsed.
"""

import re

from aitop.providers.lenient import epoch

# A result's line as clients write it: plain fields, then the message whose first block is the result.
_RESULT = re.compile(
    rb'\{(?:"\w+":(?:"[^"\\]*"|true|false|null),)*("message"):\{"role":"user","content":\[\{'
    rb'(?:"type":"tool_result",)?"tool_use_id":"([^"\\]{1,200})"(?:,"type":"tool_result")?[,}]'
)
_USER = b'"type":"user",'
_TIME = b'"timestamp":"'
_AFTER = b'}]},"'  # within a text its quote would be escaped
_LATER = re.compile(rb'\}\]\},"uuid":"[^"\\]*","timestamp":"([^"\\]*)"')
_ID = b'"tool_use_id"'
_FAILED = b'"is_error"'
_BRACE = 125


def cut(data: bytes, start: int = 0, stop: int | None = None) -> tuple[str, bool, float] | None:
    """(tool_use_id, failed, at) of the line `data[start:stop]` without parsing, or None where in doubt."""
    stop = len(data) if stop is None else stop
    found = _RESULT.match(data, start, stop)
    if found is None or data[stop - 1] != _BRACE:
        return None
    message, begun = found.start(1), found.end()
    if data.find(_USER, start, message) < 0 or b"tool_result" not in found[0]:
        return None
    end = data.find(_AFTER, begun - 1, stop)
    if end < 0 or data.find(_ID, begun, end) >= 0:
        return None
    at = epoch(_time(data, start, message, end, stop))
    if at is None:
        return None
    failed = data.endswith(b',"is_error":true', begun - 1, end)
    said = failed or data.endswith(b',"is_error":false', begun - 1, end)
    if not said and data.find(_FAILED, begun - 1, end) >= 0:
        return None
    return found[2].decode("utf-8", "replace"), failed, at


def _time(data: bytes, start: int, message: int, end: int, stop: int) -> str | None:
    """The record's own timestamp, where it stands before the message or right after it."""
    at = data.find(_TIME, start, message)
    if at >= 0:
        at += len(_TIME)
        return data[at : data.find(b'"', at, message)].decode("ascii", "replace")
    later = _LATER.match(data, end, stop)
    return later[1].decode("ascii", "replace") if later else None
