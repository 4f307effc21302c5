"""OpenCode's older records: one document for each message, in a folder for each session."""

import os
from collections.abc import Iterator

from aitop.model.events import ApiError, Event, Response, SessionInfo
from aitop.providers import Parsed, Source
from aitop.providers.files import read_regular
from aitop.providers.lenient import loads, text
from aitop.providers.opencode.message import Owner, events

LARGEST = 16 << 20


def read(path: str, source: Source) -> Iterator[Parsed]:
    """One message. Raises OSError."""
    data = loads(read_regular(path, LARGEST))
    session = source.session or "unknown"
    if not isinstance(data, dict):
        yield Parsed([], 1, None, session, None)
        return
    session = text(data.get("sessionID"), 128) or session
    identity = text(data.get("id"), 128) or os.path.basename(path).removesuffix(".json")
    found: list[Event] = events(identity, data, Owner(session), [])
    place = data.get("path")
    at = max((event.at for event in found if isinstance(event, Response | ApiError)), default=0.0)
    if found and isinstance(place, dict):
        model = text(data.get("modelID"))
        found.append(SessionInfo(session, at, cwd=text(place.get("cwd"), 4096), model=model))
    yield Parsed(found, 0, at or None, session, None)
