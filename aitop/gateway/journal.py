"""The journal: one line for each finished API request, appended to a file of the day.

It is the only copy of what passed the gateway or LiteLLM, so it is written whether a listener runs or not. The
listener reads it as it reads clients' transcripts. Many processes may append: a line is one write at the end.
The process that begins a new day deletes files older than `KEPT_DAYS`; the history has their numbers.
"""

import contextlib
import os
import re
import time

from aitop import paths
from aitop.providers.gateway import FOLDER
from aitop.providers.gateway.entry import Entry, to_line

KEPT_DAYS = 90
DAY = re.compile(r"\d{4}-\d{2}-\d{2}\.jsonl")


def append(provider: str, entries: list[Entry], now: float) -> None:
    """Append to today's file, which is the user's alone. Raises OSError."""
    folder = os.path.join(paths.in_home(FOLDER), provider)
    path = os.path.join(folder, f"{day(now)}.jsonl")
    data = b"".join(map(to_line, entries))
    try:
        fd = _open(path, 0)
    except FileNotFoundError:
        for missing in (paths.home(), os.path.dirname(folder), folder):
            os.makedirs(missing, mode=0o700, exist_ok=True)
        fd = _open(path, os.O_CREAT)
        _tidy(folder, now)
    try:
        size = os.fstat(fd).st_size
        if size and os.pread(fd, 1, size - 1) != b"\n":  # a full disk cut the last line
            data = b"\n" + data
        while data:
            data = data[os.write(fd, data) :]
    finally:
        os.close(fd)


def day(now: float) -> str:
    """The local date. It names the file and is part of a session's name."""
    return time.strftime("%Y-%m-%d", time.localtime(now))


def session(program: str, where: str, now: float) -> str:
    """A session: one program at one upstream on one day. An API names no sessions."""
    return f"{program}/{where}/{day(now)}"


def _open(path: str, create: int) -> int:
    return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | create, 0o600)


def _tidy(folder: str, now: float) -> None:
    oldest = day(now - KEPT_DAYS * 86_400)
    for name in os.listdir(folder):
        if DAY.fullmatch(name) and name < oldest:
            with contextlib.suppress(FileNotFoundError):  # another process does the same
                os.unlink(os.path.join(folder, name))
