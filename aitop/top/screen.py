"""A terminal taken over and always given back: alternate screen, keys without Enter, resize.

The only file of this room that touches a terminal. It draws lines it was handed and reports keys; it
knows nothing of what they mean.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import termios
import tty
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l"  # alternate screen, no cursor, no wrapping
LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l"


@contextmanager
def taken() -> Iterator[int]:
    """The terminal while the block runs; yields a descriptor that turns readable on a resize."""
    stdin = sys.stdin.fileno()
    before = termios.tcgetattr(stdin)
    resized, notify = os.pipe()
    for end in (resized, notify):
        os.set_blocking(end, False)
    handlers = {
        number: signal.getsignal(number) for number in (signal.SIGWINCH, signal.SIGTERM, signal.SIGHUP)
    }
    signal.signal(signal.SIGWINCH, lambda *_: os.write(notify, b"r"))
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    try:
        tty.setcbreak(stdin)
        put(ENTER)
        yield resized
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        put(LEAVE)
        termios.tcsetattr(stdin, termios.TCSADRAIN, before)
        os.close(resized)
        os.close(notify)


def _leave(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def put(text: str) -> None:
    """All of it at once; a terminal that has gone is no error here, the next key read ends the loop."""
    data = text.encode("utf-8", "replace")
    try:
        while data:
            data = data[os.write(1, data) :]
    except OSError:
        return


def size() -> tuple[int, int]:
    """Columns and rows of the terminal."""
    terminal = shutil.get_terminal_size((80, 24))
    return max(1, terminal.columns), max(1, terminal.lines)


def draw(lines: list[str], height: int) -> None:
    """Redraw in place: each line overwritten and cleared to its end, then the rest of the screen."""
    put("\x1b[H" + "\r\n".join(f"{line}\x1b[K" for line in lines[:height]) + "\x1b[J")


def wait(resized: int, seconds: float) -> str | None:
    """A key, "" after the time or a resize, None when the terminal has gone."""
    stdin = sys.stdin.fileno()
    ready, _, _ = select.select([stdin, resized], [], [], seconds)
    if resized in ready:
        try:
            os.read(resized, 64)
        except OSError:
            return ""
    if stdin not in ready:
        return ""
    try:
        data = os.read(stdin, 64)
    except OSError:
        return None
    return data.decode("utf-8", "replace") if data else None
