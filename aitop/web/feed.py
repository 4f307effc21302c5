"""The live numbers: one watcher of `state.json`, however many tabs look on. None looks while no tab does.

A tab is sent a message when the numbers changed, when they became too old to believe, and when they came back.
While the listener only renews the file's time, nothing is sent. A slow tab skips what it missed.
A tab that hears nothing for some seconds asks for `present()`: a stream that is silent may also be dead.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from typing import NamedTuple

from aitop import paths
from aitop import state as published
from aitop.model.json_types import JsonObject
from aitop.web.wire import encoded

LOOK_SECONDS = 0.2
VERSION = 1  # of the state, as far as these pages know it

STATE, STALE, FRESH = "state", "stale", "fresh"


class Message(NamedTuple):
    """One server-sent event: its name, its JSON, and the number of the last change that it shows."""

    name: str
    data: bytes
    number: int

    def encoded(self) -> bytes:
        return b"id: %d\nevent: %s\ndata: %s\n\n" % (self.number, self.name.encode(), self.data)


class Feed:
    """`messages()` yields what one tab has to be sent, beginning with the present."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._tabs = 0
        self._watcher: asyncio.Task[None] | None = None
        self._moved = asyncio.Condition()
        self._number = 0  # counts the messages
        self._stamp: tuple[int, ...] | None = None
        self._content: bytes = b""
        self._state: bytes = b""  # the last whole state as it is sent, however old
        self._written_at: float | None = None
        self._version: float | None = None
        self._why = ""  # the state must not be taken for the present; "" when it may
        self.looks = 0  # how often the file was looked at

    async def messages(self) -> AsyncGenerator[Message, None]:
        """Messages for one tab, until it is left."""
        self._tabs += 1
        if self._watcher is None:
            self.look()
            self._watcher = asyncio.create_task(self._watch())
        try:
            content: bytes | None = None
            why = ""
            number = -1
            while True:
                async with self._moved:
                    await self._moved.wait_for(lambda: self._number != number)  # noqa: B023 - waited for at once
                    number = self._number
                if content != self._content and self._state:
                    content = self._content
                    yield Message(STATE, self._state, number)
                if why != self._why:
                    why = self._why
                    yield Message(STALE if why else FRESH, self._trouble(), number)
        finally:
            self._tabs -= 1
            if not self._tabs and self._watcher is not None:
                self._watcher.cancel()
                self._watcher = None

    async def present(self) -> bytes:
        """JSON: why the numbers are not the present ("" when they are), when they were written, the last change."""
        await self._look_and_tell()
        present: JsonObject = {"why": self._why, "written_at": self._written_at, "number": self._number}
        return encoded(present)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self._look_and_tell()

    async def _look_and_tell(self) -> None:
        if self.look():
            async with self._moved:
                self._moved.notify_all()

    def look(self) -> bool:
        """Look at the file; whether there is something to send."""
        self.looks += 1
        before = self._number
        self._read()
        why = self._judge(self._clock())
        if why != self._why:
            self._why = why
            self._number += 1
        return self._number != before

    def _read(self) -> None:
        """Read the state when it is another one than last time."""
        try:
            status = os.stat(paths.in_home(paths.STATE))
        except OSError:
            self._stamp = None
            return
        stamp = (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size)
        if stamp == self._stamp:
            return
        state = published.read()
        if state is None:
            return
        self._stamp = stamp
        self._written_at = _number(state.get("written_at"))
        self._version = _number(state.get("version"))
        content = encoded({name: value for name, value in state.items() if name != "written_at"})
        if content != self._content:
            self._content, self._state = content, encoded(state)
            self._number += 1

    def _judge(self, now: float) -> str:
        """Why the numbers are not the present: none, undated, future, stopped, version; "" when they are."""
        if not self._state:
            return "none"
        if self._written_at is None:
            return "undated"
        if self._version is None or not VERSION <= self._version < VERSION + 1:
            return "version"
        age = now - self._written_at
        if age < -published.FRESH_SECONDS:
            return "future"
        return "stopped" if age > published.FRESH_SECONDS else ""

    def _trouble(self) -> bytes:
        trouble: JsonObject = {"why": self._why, "written_at": self._written_at}
        return encoded(trouble)


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
