"""A tool result's three fields, cut out of a line's bytes.

Result lines are most of a transcript's bytes and tell only which call ended, when and how. Parsing them
whole would cost more than all else of a first read. Where the bytes leave any doubt the line is parsed.
"""

import re

from aitop.providers.lenient import epoch

# A result's line as clients write it: plain fields, then the message whose first block is the result.
_RESULT = re.compile(
    rb'\{(?:"\w+":(?:"[^"\\]*"|true|false|null),)*"type":"user","message":\{"role":"user","content":'
    rb'\[\{"tool_use_id":"([^"\\]{1,200})","type":"tool_result"[,}]'
)
_AFTER = b'}]},"uuid":"'
_TIME = re.compile(rb'\}\]\},"uuid":"[^"\\]*","timestamp":"([^"\\]*)"')


def cut(line: bytes) -> tuple[str, bool, float] | None:
    """(tool_use_id, failed, at) without parsing, or None where the bytes leave any doubt."""
    found = _RESULT.match(line)
    if found is None or line[-1:] != b"}":
        return None
    end = line.find(_AFTER, found.end() - 1)
    time = _TIME.match(line, end) if end > 0 else None
    at = epoch(time[1].decode("ascii", "replace")) if time else None
    if at is None or line.find(b'"tool_use_id"', found.end(), end) >= 0:
        return None
    failed = line.endswith(b',"is_error":true', 0, end)
    said = failed or line.endswith(b',"is_error":false', 0, end)
    if not said and line.find(b'"is_error"', found.end(), end) >= 0:
        return None
    return found[1].decode("utf-8", "replace"), failed, at
