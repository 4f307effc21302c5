"""The kind of record that a line holds, read from its bytes.

Most of a transcript says nothing about cost, and parsing all of it would cost more than the rest of a first read.
Braces tell a record's own `type` from one deeper inside: no brace opens before it, or none closes after it. Where
the bytes leave any doubt the answer is None, and the line is parsed. Pure.
"""

from aitop.providers.lenient import loads
from aitop.providers.lines import is_single

OPENING = b'{"parentUuid":'  # how the records of a conversation begin
_TYPE = b'"type":"'
_LENGTH = len(_TYPE)
_BEFORE = b",{"
_AFTER = b",}"
_BRACE = 125
LONGEST = 40
_CLEAR = b'"content":"<command-name>/clear</command-name>'
LONGEST_COMMAND = 4096  # bytes of a line that holds a command


def of(data: bytes, start: int, stop: int) -> bytes | None:
    """The `type` of the record in `data[start:stop]`; None where that is in doubt."""
    find = data.find
    at = find(_TYPE, start, stop)
    if at < 0:
        return None
    if find(b"{", start + 1, at) >= 0:
        at = data.rfind(_TYPE, at, stop)
        if find(b"}", at, stop - 1) >= 0:
            return None
    begin = at + _LENGTH
    end = find(b'"', begin, begin + LONGEST)
    # a quote escaped before it is text; so is what does not end as a value
    if end < 0 or end + 1 >= stop or data[at - 1] not in _BEFORE or data[end + 1] not in _AFTER:
        return None
    return data[begin:end]


def in_doubt(data: bytes, start: int, stop: int) -> bool:
    """Whether the line `data[start:stop]` may be something else than one whole record."""
    if not data.startswith(OPENING, start):
        return stop - start > 1 and not is_single(data[start:stop])
    ends = data[stop - 1] == _BRACE or data[start:stop].rstrip()[-1:] == b"}"
    return not ends or data.find(OPENING, start + 1, stop) >= 0


def is_clear(data: bytes, start: int, stop: int) -> bool:
    """Whether a user's line says that `/clear` began this session: its first prompt is that command."""
    return stop - start < LONGEST_COMMAND and data.find(_CLEAR, start, stop) >= 0


def is_user(line: bytes) -> bool:
    """Whether a line is a user's record, by parsing it."""
    record = loads(line)
    return isinstance(record, dict) and record.get("type") == "user"
