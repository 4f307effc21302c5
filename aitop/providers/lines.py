"""Split a run of lines into JSON records, also where a line holds more than one or a damaged one.

A client that loses power, or two processes that write at once, leave lines such as a cut-off record with a whole
one behind it, two records without a newline between, zeros, or a byte order mark. Every whole record that starts
in such a line counts. The rest of the line is reported once, as None, so that `doctor` can count it. Pure.

Every line-based provider reads through `records`, or, where it does not parse each line, asks `is_single` first.
"""

import json
from collections.abc import Callable, Iterator
from typing import NamedTuple

from aitop.model.json_types import JsonObject
from aitop.providers.lenient import loads

OPENING = b'{"'
BEFORE_VALUE = b"[:,"  # an object right behind one of these stands inside another one
BLANK = b" \t\r\n"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_decode = json.JSONDecoder().raw_decode


class Piece(NamedTuple):
    """A part of a line: `whole` for one JSON object, False for what is left between them."""

    start: int
    stop: int
    whole: bool


def never(line: bytes) -> bool:  # noqa: ARG001
    """Skip no line."""
    return False


def records(
    data: bytes, start: int = 0, skip: Callable[[bytes], bool] = never
) -> Iterator[tuple[int, JsonObject | None]]:
    """(offset in the file, record) of each record in `data`; None once for each line with a damaged part.

    `data` is a run of lines, each with its newline; `start` is its offset in the file. A line for which `skip`
    holds is passed over without being parsed, provided that it holds a single record.
    """
    at = 0
    while (stop := data.find(b"\n", at)) >= 0:
        line = data[at:stop]
        if line.strip() and not (skip(line) and is_single(line)):
            record = loads(line)
            if isinstance(record, dict):
                if not skip(line):
                    yield start + at, record
            else:
                yield from _salvaged(line, start + at)
        at = stop + 1


def _salvaged(line: bytes, offset: int) -> Iterator[tuple[int, JsonObject | None]]:
    reported = False
    for piece in pieces(line):
        record = loads(line[piece.start : piece.stop]) if piece.whole else None
        if isinstance(record, dict):
            yield offset + piece.start, record
        elif not reported:
            reported = True
            yield offset + piece.start, None


def is_single(line: bytes) -> bool:
    """Whether a line looks like one JSON object and nothing else, judged by its bytes alone; False where in doubt.

    A quote inside a JSON text is escaped, so an object that begins anywhere but behind a bracket, colon or comma
    is a second record, and so may be one that begins with the same key as the line.
    """
    if line[:2] != OPENING or line.rstrip()[-1:] != b"}" or b"\0" in line:
        return False
    if line.find(line[: line.find(b":") + 1], 1) >= 0:
        return False
    at = 1
    while (at := line.find(OPENING, at)) >= 0:
        if line[_before(line, at)] not in BEFORE_VALUE and line[at + 2 : at + 3].isalpha():
            return False
        at += 1
    return True


def _before(line: bytes, at: int) -> int:
    """Where the byte in front of `at` is that is not blank."""
    at -= 1
    while at > 0 and line[at] in BLANK:
        at -= 1
    return at


def pieces(line: bytes) -> list[Piece]:
    """The whole JSON objects in a line that is not valid JSON, and what is left between them.

    Takes time proportional to the line's length, whatever it holds.
    """
    # In Latin-1 a character is a byte, so the decoder's positions are offsets.
    text = line.decode("latin-1")
    parts: list[Piece] = []
    rest = at = 0
    budget = 4 * len(line) + 1_000_000  # characters to look at
    while budget > 0 and (at := line.find(OPENING, at)) >= 0:
        stop, looked_at = _object_at(text, at)
        budget -= looked_at
        if stop is None:
            at += 1
        elif _inside(line, at, stop):
            at = stop
        else:
            _add_rest(parts, line, rest, at)
            parts.append(Piece(at, stop, whole=True))
            rest = at = stop
    _add_rest(parts, line, rest, len(line))
    return parts


def _object_at(text: str, at: int) -> tuple[int | None, int]:
    """(where the JSON object at `at` ends, None where there is no whole one; how many characters were read)."""
    try:
        _, stop = _decode(text, at)
    except json.JSONDecodeError as error:
        return None, error.pos - at + 1
    except RecursionError:
        return None, len(text) - at
    return stop, stop - at


def _inside(line: bytes, at: int, stop: int) -> bool:
    """Whether an object is a part of a cut-off record: it stands where a value stands, and the record goes on."""
    if at == 0 or line[_before(line, at)] not in BEFORE_VALUE:
        return False
    behind = line[stop : stop + 1]
    return behind not in (b"", b"\0", b"\r", b"{")


def _add_rest(parts: list[Piece], line: bytes, start: int, stop: int) -> None:
    if line[start:stop].removeprefix(BYTE_ORDER_MARK).strip():
        parts.append(Piece(start, stop, whole=False))
