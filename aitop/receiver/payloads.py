"""What a payload of the socket is: its header line, its provider, and whether it came before.

Pure bytes to events: no socket and no clock here. Prompts and tool contents are dropped by the
providers and never logged.
"""

import re
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple
from zlib import crc32

from aitop.model.json_types import JsonObject
from aitop.providers import Feed, Provider
from aitop.providers.claude_code.hooks import STATUS_LINE
from aitop.providers.lenient import loads
from aitop.providers.load import BUILTIN

MAGIC = b"aitop/1"
UNNAMED = "claude-code"
HEADER_KEYS = frozenset(("provider", "event", "tag", "pid", "pane", "config_dir", "answer"))
MAX_HEADER = 4096
MAX_REMEMBERED = 12_000  # hook events by which a duplicate is known
TWIN_SECONDS = 0.05  # within which equal bytes without an id are one event
MAX_NAMES = 200  # different event names that are counted apart

_CODE = re.compile(rb"%([0-9A-Fa-f]{2})")


class Arrival(NamedTuple):
    """One accepted payload."""

    provider: str
    feed: Feed
    config_dir: str | None = None  # where its client keeps its files, as its header says


class Question(NamedTuple):
    """What a peer wants answered on its connection."""

    arrival: Arrival
    payload: JsonObject
    format: str  # the header's `answer`


class Counts:
    """The hook events since the start. A status line's payload is none."""

    def __init__(self) -> None:
        self.received = 0
        self.unique = 0
        self.rejected = 0
        self.by_event: dict[str, int] = {}

    def total(self) -> int:
        return self.received + self.rejected

    def published(self) -> JsonObject:
        return {
            "received": self.received,
            "unique": self.unique,
            "rejected": self.rejected,
            "by_event": dict(sorted(self.by_event.items())),
        }

    def count(self, event: str, *, duplicate: bool) -> None:
        self.received += 1
        self.unique += not duplicate
        name = event if event in self.by_event or len(self.by_event) < MAX_NAMES else "other"
        self.by_event[name] = self.by_event.get(name, 0) + 1


class Payloads:
    """Understands payloads for the providers in force, and counts them."""

    def __init__(self, providers: Sequence[Provider]) -> None:
        self.counts = Counts()
        self._seen: OrderedDict[int, float] = OrderedDict()
        self.use(providers)

    def use(self, providers: Sequence[Provider]) -> None:
        """Set the active providers. A payload without `provider=` goes to the built-in ones."""
        self._providers = {provider.name: provider for provider in providers}
        self._builtin = [p for name, p in self._providers.items() if name in BUILTIN]

    def take(self, data: bytes, now: float) -> tuple[Arrival | None, Question | None]:
        """(what to apply, what to answer); both None for what is rejected, the first for a duplicate."""
        understood = self._understand(data, now)
        if understood is None:
            self.counts.rejected += 1
            return None, None
        arrival, payload, header = understood
        question = Question(arrival, payload, header["answer"]) if header.get("answer") else None
        if arrival.feed.event != STATUS_LINE:
            duplicate = self._is_duplicate(arrival.feed, data, now)
            self.counts.count(arrival.feed.event, duplicate=duplicate)
            if duplicate:
                return None, question
        return arrival, question

    def _understand(self, data: bytes, now: float) -> tuple[Arrival, JsonObject, dict[str, str]] | None:
        header: dict[str, str] | None = {}
        if data.startswith(MAGIC):
            line, _, data = data.partition(b"\n")
            header = parse_header(line)
        if header is None:
            return None
        payload = loads(data)
        if not isinstance(payload, dict):
            return None
        name = header.get("provider", UNNAMED)  # the forwarder says claude-code, whichever client runs it
        candidates = [self._providers[name]] if name in self._providers else []
        for provider in self._builtin if name == UNNAMED else candidates:
            feed = provider.feed(header, payload, now)
            if feed is not None:
                return Arrival(provider.name, feed, header.get("config_dir")), payload, header
        return None

    def _is_duplicate(self, feed: Feed, data: bytes, now: float) -> bool:
        """Equal session, event and tool call; without an id, equal bytes within a twentieth of a second."""
        if feed.tool_use_id:
            key, lasts = hash((feed.session, feed.event, feed.tool_use_id)), float("inf")
        else:
            body = data.partition(b"\n")[2] if data.startswith(MAGIC) else data
            key, lasts = hash((len(body), crc32(body))), TWIN_SECONDS
        last = self._seen.pop(key, None)
        self._seen[key] = now
        if len(self._seen) > MAX_REMEMBERED:
            self._seen.popitem(last=False)
        return last is not None and now - last <= lasts


def parse_header(line: bytes) -> dict[str, str] | None:
    """The header's pairs; None when it is not exactly what the contract allows."""
    if len(line) > MAX_HEADER:
        return None
    try:
        parts = line.rstrip(b"\r").decode("ascii").split("\t")
    except UnicodeDecodeError:
        return None
    if parts[0] != MAGIC.decode():
        return None
    header: dict[str, str] = {}
    for part in parts[1:]:
        key, equals, value = part.partition("=")
        if not equals or key not in HEADER_KEYS or key in header:
            return None
        header[key] = _unquote(value)
    return header


def _unquote(value: str) -> str:
    """Percent-decoded; a % that starts no code stays as it is."""
    plain = _CODE.sub(lambda code: bytes((int(code[1], 16),)), value.encode("ascii"))
    return plain.decode("utf-8", "replace")
