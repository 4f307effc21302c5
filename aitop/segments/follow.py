"""`--follow`: one line for each change, for hosts that stream (Waybar, SwiftBar, tmux).

Polls one file's times, prints only what changed, in one write. Ends when its reader or its parent
has gone: a bar that restarts leaves no process behind.
"""

from __future__ import annotations

import os
import select
import time
from _signal import (  # type: ignore[import-not-found]  # `signal` itself costs 5 ms
    SIG_DFL,
    SIGINT,
    SIGPIPE,
    SIGTERM,
    signal,
)

from aitop.segments import click

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from aitop.segments.options import Options

POLL_MS = 250
# tmux keeps a job that prints alive after its status line was edited, so a follower there gives up in
# time; tmux starts a wanted one again.
TMUX_SECONDS = 3600.0
SEPARATOR = "~~~"  # SwiftBar commits what it has read when this line arrives


def run(options: Options, shown: Callable[[Options, float], str], source: Callable[[Options], str]) -> int:
    """Print what is `shown` of the published file `source` until the reader, the parent or a signal ends it."""
    for number in (SIGINT, SIGPIPE, SIGTERM):
        signal(number, SIG_DFL)
    parent = os.getppid()
    started = time.monotonic()
    reader = select.poll()
    reader.register(1, 0)  # reports only that the other end has gone
    free = options.word == "waybar" and not (options.preset or options.format or options.segment)
    printed: str | None = None
    seen: object = None
    checked = 0.0
    while os.getppid() == parent:
        now = time.time()
        if free:  # a click on the bar may choose another preset
            options.preset = click.chosen()
        times = _times(source(options)), options.preset
        if times != seen or now - checked >= 1.0 or now < checked:
            seen, checked = times, now
            line = shown(options, now)
            if line != printed:
                _write(options, line)
                printed = line
        if reader.poll(POLL_MS):
            break
        if options.word == "tmux" and time.monotonic() - started > TMUX_SECONDS:
            break
    return 0


def _write(options: Options, line: str) -> None:
    framed = f"{line}\n{SEPARATOR}\n" if options.word == "swiftbar" else f"{line}\n"
    data = framed.encode("utf-8", "replace")
    try:
        while data:
            data = data[os.write(1, data) :]
    except OSError:
        os._exit(0)  # without Python's own flush of a broken stdout


def _times(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino
