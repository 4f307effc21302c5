"""The status line of each session that lately asked for one, prepared each second: what its script prints unanswered.

Bounded and expiring. A prepared line holds the newest numbers, but of the client only what it said last. This module
decides nothing about what a line says.
"""

import re
from typing import NamedTuple

from aitop.model.json_types import JsonObject
from aitop.segments import statusline_segment

MOST = 50  # lines
KEPT_SECONDS = 600.0  # after the last question; a session at work asks after each message
LONGEST_LINE = 60_000  # bytes that the script reads
_SESSION = re.compile(r"[-A-Za-z0-9_]{1,64}")
_PRESET = re.compile(r"[a-z]{1,16}")


class _Asked(NamedTuple):
    """The last question under one name."""

    payload: JsonObject
    options: JsonObject
    at: float


class StatusLines:
    """What was asked lately, by the name of its segment."""

    def __init__(self) -> None:
        self._asked: dict[str, _Asked] = {}

    def remember(self, payload: JsonObject, options: JsonObject, now: float) -> None:
        """A session asked for its line, with these options of the renderer."""
        name = segment_of(payload, options)
        if name is None:
            return
        self._asked.pop(name, None)
        self._asked[name] = _Asked(payload, options, now)
        if len(self._asked) > MOST:
            del self._asked[next(iter(self._asked))]

    def texts(self, state: JsonObject, now: float) -> dict[str, str]:
        """Segment → its text. Forgets who has not asked for long."""
        for name in [name for name, asked in self._asked.items() if not 0 <= now - asked.at < KEPT_SECONDS]:
            del self._asked[name]
        rendered = {}
        for name, asked in self._asked.items():
            lines = statusline_segment.render(asked.payload, state, None, now, asked.options)
            text = "\n".join(lines)
            if text and len(text) < LONGEST_LINE // 4:
                rendered[name] = text
        return rendered


def segment_of(payload: JsonObject, options: JsonObject) -> str | None:
    """The segment of a session's line, as the installed script spells it too; None where it has no plain name."""
    session, preset = payload.get("session_id"), options.get("preset")
    if not isinstance(session, str) or not _SESSION.fullmatch(session):
        return None
    if preset is not None and not (isinstance(preset, str) and _PRESET.fullmatch(preset)):
        return None
    return (
        f"status-{session}"
        + (f"-{preset}" if preset else "")
        + ("" if options.get("colour", True) else "-plain")
    )
