"""OpenCode's older records: one document for each message, in a folder for each session."""

import os
from collections.abc import Iterator

from aitop.model.events import ApiError, Event, Response, SessionInfo
from aitop.model.json_types import JsonObject
from aitop.providers import Parsed, Source
from aitop.providers.files import read_regular
from aitop.providers.lenient import epoch, loads, text
from aitop.providers.opencode.message import Owner, events

MAX_BYTES = 16 << 20
ID_TIME = slice(4, 16)  # hexadecimal digits of `msg_…`: milliseconds since 1970 × 4096, the lowest 48 bits
ID_PERIOD = 1 << 36  # milliseconds after which they repeat


def read(path: str, source: Source, *, copies_keep_cost: bool = True) -> Iterator[Parsed]:
    """One message. Raises OSError."""
    data = loads(read_regular(path, MAX_BYTES))
    session = source.session or "unknown"
    if not isinstance(data, dict):
        yield Parsed([], 1, None, session, None)
        return
    session = text(data.get("sessionID"), 128) or session
    identity = text(data.get("id"), 128) or os.path.basename(path).removesuffix(".json")
    made: list[Event] = events(identity, data, Owner(session, copies_keep_cost=copies_keep_cost), [])
    place = data.get("path")
    at = max((event.at for event in made if isinstance(event, Response | ApiError)), default=0.0)
    if made and isinstance(place, dict):
        model = text(data.get("modelID"))
        made.append(SessionInfo(session, at, cwd=text(place.get("cwd"), 4096), model=model))
    yield Parsed(made, 0, at + _copied_after(identity, data) if at else None, session, None)


def _copied_after(identity: str, data: JsonObject) -> float:
    """How many seconds after the message itself its id was made: more than 0 in a fork's copy.

    The file that began first owns what several files report, so a copy has to begin later than its original.
    """
    time = data.get("time")
    created = epoch(time.get("created")) if isinstance(time, dict) else None
    try:
        made = int(identity[ID_TIME], 16) >> 12
    except ValueError:
        return 0.0
    if created is None:
        return 0.0
    after = (made - round(created * 1000)) % ID_PERIOD
    return after / 1000 if after < ID_PERIOD // 2 else 0.0
