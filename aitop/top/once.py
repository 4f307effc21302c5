"""The table as text, printed once: for scripts, pipes and terminals that cannot redraw.

It waits for nothing, except where `aitop` alone runs without a terminal: then it starts the listener and
waits for its first complete numbers, since a page of help would be no answer.
"""

from __future__ import annotations

import json
import os
import sys
import time

from aitop import state as published
from aitop.model.json_types import JsonObject
from aitop.segments import fields
from aitop.system import installation
from aitop.top import plain
from aitop.top.start import start_listener

WIDTH = 160  # cells where no terminal says otherwise
WAIT_SECONDS = 25.0
LOOK_SECONDS = 0.1


def put(text: str) -> None:
    """Print to stdout in UTF-8, whatever the terminal's encoding is; a reader that has left is no error."""
    data = f"{text}\n".encode("utf-8", "replace")
    try:
        while data:
            data = data[os.write(1, data) :]
    except OSError:
        os._exit(0)  # without Python's own flush of a broken stdout


def once(*, as_json: bool = False, provider: str | None = None, width: int = WIDTH) -> int:
    """Print what is published now; 1 when there are no fresh numbers."""
    state, now = published.read(provider), time.time()
    fresh = state if state is not None and published.is_fresh(state, now) else None
    if as_json:
        put(json.dumps({"state": fresh, "rows": plain.rows(fresh) if fresh else []}))
    elif fresh is not None:
        put("\n".join(plain.lines(fresh, width)))
    if fresh is None:
        hint = installation.command("start")
        print(f"aitop: {trouble(state, now, provider)}. Start the listener: {hint}", file=sys.stderr)
    return 0 if fresh else 1


def without_terminal() -> int:
    """`aitop` alone in a pipe: start the listener if need be, print its first complete numbers."""
    notice = ""
    if _complete() is None:
        notice = start_listener(unless_stopped=True)
        deadline = time.monotonic() + WAIT_SECONDS
        while _complete() is None and time.monotonic() < deadline and published_or_starting(notice):
            time.sleep(LOOK_SECONDS)
    code = once()
    if notice:
        print(notice, file=sys.stderr)
    return code


def published_or_starting(notice: str) -> bool:
    """Whether waiting makes sense: a listener runs or was just started."""
    return notice.startswith(("Started", "The listener runs"))


def _complete() -> JsonObject | None:
    """The fresh state once its first reading is done."""
    state = published.read()
    if state is None or not published.is_fresh(state, time.time()):
        return None
    return None if fields.table(state.get("scan")).get("complete") is False else state


def trouble(state: JsonObject | None, now: float, provider: str | None = None) -> str:
    """Why there is nothing to show."""
    if state is None:
        return f"no numbers of {provider}" if provider else "no numbers published yet"
    seconds = published.age(state, now)
    if seconds is None:
        return "the published numbers have no date"
    if seconds < 0:
        return "the published numbers are from the future; was the clock set back?"
    return f"the published numbers are {int(seconds)} seconds old; the listener has stopped"
