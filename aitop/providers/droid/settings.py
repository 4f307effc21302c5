"""Droid's `SESSION.settings.json` → events: what the session's running sum grew by.

`tokenUsage` is the session's own sum; `inclusiveTokenUsage` holds its sub-agents' too, and those have files of their
own. `factoryCredits` are kept as credits, beside dollars. The input excludes the cache, the output includes thinking.
A sum names no model but the one in use now, so a growth belongs to it. The first line of the session's `.jsonl` says
where it works. Must not keep any text.
"""

import os
import re
from collections.abc import Iterator

from aitop.model.events import Event, Place, SessionInfo, Status
from aitop.model.json_types import JsonObject
from aitop.providers import Parsed, Source, documents
from aitop.providers.files import open_regular
from aitop.providers.lenient import loads, table, text
from aitop.providers.running_sums import (
    NOTHING,
    Bearer,
    Sums,
    known,
    micro,
    packed,
    responses,
    running,
    unpacked,
)

ENDING = ".settings.json"
FIRST_LINE = 64 << 10
WRAPPED = re.compile(r"^custom:(?P<name>.*?)(?:-\[[^\]]*\])?(?:-\d+)?$")


def identify(path: str) -> Source:
    return Source(os.path.basename(path).removesuffix(ENDING), None)


def read(path: str, source: Source) -> Iterator[Parsed]:
    """What came since the sum of the note. Raises OSError."""
    document = documents.load(path)
    if not isinstance(document.value, dict):
        yield Parsed([], 0, None, source.session, source.pending, documents.NOT_WHOLE)
        return
    session = source.session or "unknown"
    start = _start(path.removesuffix(ENDING) + ".jsonl")
    parent = text(start.get("callingSessionId"), 128) or text(start.get("parentSessionId"), 128)
    before = unpacked(source.pending).get(session, NOTHING)
    now = known(before, _sums(document.value))
    cwd, at = text(start.get("cwd"), 4096), document.changed_at
    model = _model(text(document.value.get("model")) or "unknown")
    bearer = Bearer(parent or session, model, at, session if parent else None, Place(cwd) if cwd else None)
    events: list[Event] = list(responses(bearer, before, now))
    if events and parent is None:
        events += [
            SessionInfo(session, at, cwd=cwd, model=model),
            Status(session, at, "idle", "usage", live=False),
        ]
    yield Parsed(events, 0, at, session, packed({session: now}))


def _sums(settings: JsonObject) -> Sums:
    usage = table(settings.get("tokenUsage"))
    output = running(usage.get("outputTokens"))
    return Sums(
        fresh=running(usage.get("inputTokens")),
        output=output,
        cache_read=running(usage.get("cacheReadTokens")),
        cache_write=running(usage.get("cacheCreationTokens")),
        reasoning=min(output, running(usage.get("thinkingTokens"))),
        micro_credits=micro(usage.get("factoryCredits")),
    )


def _model(name: str) -> str:
    """The model's own id: a user's model is wrapped as `custom:NAME-[PROVIDER]-0`."""
    wrapped = WRAPPED.match(name)
    return wrapped["name"] if wrapped and wrapped["name"] else name


def _start(path: str) -> JsonObject:
    """The first line of the session's own file; nothing where it cannot be read."""
    try:
        opened = open_regular(path)
    except OSError:
        return {}
    if opened is None:
        return {}
    with open(opened[0], "rb") as file:
        return table(loads(file.readline(FIRST_LINE)))
