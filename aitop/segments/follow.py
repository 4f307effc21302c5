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

from aitop.segments import click, oneshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aitop.segments.oneshot import Options

POLL_MS = 250
# tmux keeps a job that prints alive after its status line was edited, so a follower there gives up in
# time; tmux starts a wanted one again.
TMUX_SECONDS = 3600.0
SEPARATOR = "~~~"  # SwiftBar commits what it has read when this line arrives


def run(options: Options) -> int:
    """Print until the reader, the parent or a signal ends it."""
    for number in (SIGINT, SIGPIPE, SIGTERM):
        signal(number, SIG_DFL)
    parent = os.getppid()
    started = time.monotonic()
    reader = select.poll()
    reader.register(1, 0)  # reports only that the other end has gone
    free = options.word == "waybar" and not (options.preset or options.format or options.segment)
    shown: str | None = None
    seen: object = None
    checked = 0.0
    while os.getppid() == parent:
        now = time.time()
        if free:  # a click on the bar may choose another preset
            options.preset = click.chosen()
        times = _times(oneshot.source(options)), options.preset
        if times != seen or now - checked >= 1.0 or now < checked:
            seen, checked = times, now
            text = oneshot.current(options, now)
            line = oneshot.off(options.word) if text is None else text
            if line != shown:
                _write(options, line)
                shown = line
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
        oneshot.leave()


def _times(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino
