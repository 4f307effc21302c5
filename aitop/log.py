"""The log: `aitop.log`, 10 MB and one backup, plain lines. Never a payload, a prompt or a path's contents."""

import os
import sys
import time

LIMIT = 10 << 20
APPEND = (
    os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC | os.O_NONBLOCK
)  # a FIFO would wait for its reader


class Log:
    """Writes a line; the same line again within a minute is counted instead of written."""

    def __init__(self, path: str, *, debug: bool, echo: bool) -> None:
        self._path, self._debug, self._echo = path, debug, echo
        self._last: dict[str, float] = {}

    def info(self, text: str) -> None:
        self._write("info", text)

    def debug(self, text: str) -> None:
        if self._debug:
            self._write("debug", text)

    def error(self, text: str) -> None:
        now = time.monotonic()
        if now - self._last.get(text, -60.0) < 60:
            return
        if len(self._last) > 500:
            self._last.clear()
        self._last[text] = now
        self._write("error", text)

    def _write(self, level: str, text: str) -> None:
        line = f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {level} {_one_line(text)}\n"
        if self._echo:
            sys.stderr.write(line)
        try:
            if os.path.exists(self._path) and os.path.getsize(self._path) > LIMIT:
                os.replace(self._path, self._path + ".1")
            fd = os.open(self._path, APPEND, 0o600)
        except OSError:
            return  # state.json names a full or read-only disk, not the log
        try:
            os.write(fd, line.encode("utf-8", "replace"))
        except OSError:
            pass
        finally:
            os.close(fd)


def _one_line(text: str) -> str:
    """Names come from others: what is no sign to be seen would move a terminal's cursor, or forge a line."""
    return text if text.isprintable() else "".join(char if char.isprintable() else "\ufffd" for char in text)
