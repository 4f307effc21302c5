"""A JSON document that passes in pieces: kept whole while it is small, else only its two ends.

An answer may have tens of megabytes (embeddings, a long response repeated in the last event of its stream).
The facts stand near its beginning and its end. Contents are dropped with the buffer.
"""

import json
import re

from aitop.providers.lenient import loads

WHOLE = 1 << 20  # bytes of a document that is kept whole
END = 1 << 16  # bytes of each end of a larger one
NAMES = re.compile(rb'(?<!\\)"(id|model|status|service_tier|finish_reason|done_reason)":\s*"([^"\\]{1,128})"')
COUNTS = re.compile(
    rb'(?<!\\)"(prompt_eval_count|eval_count|load_duration|prompt_eval_duration)":\s*(\d{1,18})'
)
USAGE = re.compile(rb'(?<!\\)"usage":\s*(?=\{)')


class Document:
    """Takes bytes as they come; `value` reads them at the end."""

    def __init__(self) -> None:
        self.kept = bytearray()
        self.end = bytearray()
        self.size = 0

    def add(self, data: bytes) -> None:
        self.size += len(data)
        if self.size <= WHOLE:
            self.kept += data
            return
        if not self.end:
            self.end += self.kept[-END:]
            del self.kept[END:]
        self.end += data
        if len(self.end) > 2 * END:
            del self.end[:-END]

    @property
    def large(self) -> bool:
        return self.size > WHOLE

    def take_off(self, prefix: bytes) -> bool:
        """Take this off the beginning; False where it does not begin so."""
        if not self.kept.startswith(prefix):
            return False
        del self.kept[: len(prefix)]
        return True

    def value(self) -> dict[str, object] | None:
        """The object; of a large one only the counted fields, flat; None where there is no object."""
        if self.large:
            return _ends(bytes(self.kept), bytes(self.end[-END:]))
        document = loads(bytes(self.kept))
        return document if isinstance(document, dict) else None

    def clear(self) -> None:
        self.kept.clear()
        self.end.clear()
        self.size = 0


def _ends(head: bytes, tail: bytes) -> dict[str, object]:
    """The outermost fields come first in the head or last in the tail. Quotes inside contents are escaped."""
    fields: dict[str, object] = {}
    for name, value in NAMES.findall(head) + NAMES.findall(tail)[::-1]:
        fields.setdefault(name.decode(), value.decode("utf-8", "replace"))
    fields |= {name.decode(): int(value) for name, value in COUNTS.findall(tail)}
    for place in USAGE.finditer(tail):
        try:
            fields["usage"] = json.JSONDecoder().raw_decode(tail[place.end() :].decode("utf-8", "replace"))[0]
        except (ValueError, RecursionError):
            continue
    return fields
