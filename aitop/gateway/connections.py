"""The gateway's connections: bounded in number, in the time of a head, and in idle time.

The server library bounds none of these. A peer that sends half a head, or nothing, costs only its own
connection. Beyond the bound, a new connection replaces the oldest one that has no request running; a connection
that never had a request that was let in goes first. Running requests are never cut.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator

from aiohttp.web_protocol import RequestHandler

MAX_CONNECTIONS = 512
MAX_HEAD = 1 << 20  # bytes that may come before a request begins
HEAD_SECONDS = 10.0  # from opening a connection to the end of its first head
IDLE_SECONDS = 75.0  # between two requests of one connection
SWEEP_SECONDS = 1.0


class Guarded(asyncio.Protocol):
    """One connection: what the library's protocol gets passes through here."""

    def __init__(self, inner: RequestHandler, owner: "Connections") -> None:
        self.inner, self.owner = inner, owner
        self.transport: asyncio.Transport | None = None
        self.since = 0.0  # of its opening, or of the end of its last request
        self.unread = 0  # bytes that came while no request ran
        self.running = False
        self.trusted = False  # it had a request that was let in
        self.is_ours: bool | None = None  # the owner of the other end was asked

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self.inner.connection_made(transport)
        self.owner.opened(self)

    def data_received(self, data: bytes) -> None:
        if not self.running:
            self.unread += len(data)
            if self.unread > MAX_HEAD:
                self.cut()
                return
        self.inner.data_received(data)

    def eof_received(self) -> None:
        self.inner.eof_received()

    def connection_lost(self, exc: BaseException | None) -> None:
        self.owner.lost(self)
        self.inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self.inner.pause_writing()

    def resume_writing(self) -> None:
        self.inner.resume_writing()

    def cut(self) -> None:
        if self.transport is not None:
            self.transport.abort()


class Connections:
    """Every open connection. `factory` makes the protocol of a new one."""

    def __init__(self, make: Callable[[], RequestHandler], most: int) -> None:
        self._make, self._most = make, most
        self._open: dict[RequestHandler, Guarded] = {}  # the oldest first
        self._loop = asyncio.get_running_loop()
        self._sweeping = False

    def factory(self) -> asyncio.Protocol:
        return Guarded(self._make(), self)

    def opened(self, connection: Guarded) -> None:
        """Take in a connection, in the place of another one where there are too many."""
        connection.since = self._loop.time()
        if len(self._open) >= self._most:
            resting = [one for one in self._open.values() if not one.running]
            victim = min(resting, key=lambda one: (one.trusted, one.since), default=connection)
            victim.cut()
            self._open.pop(victim.inner, None)
            if victim is connection:
                return
        self._open[connection.inner] = connection
        if not self._sweeping:
            self._sweeping = True
            self._loop.call_later(SWEEP_SECONDS, self._sweep)

    def lost(self, connection: Guarded) -> None:
        self._open.pop(connection.inner, None)

    @contextlib.contextmanager
    def request(self, inner: object) -> Iterator[Guarded | None]:
        """While a request runs, its connection is not cut."""
        connection = self._open.get(inner)  # type: ignore[call-overload]
        if connection is not None:
            connection.running = True
        try:
            yield connection
        finally:
            if connection is not None:
                connection.running, connection.unread, connection.since = False, 0, self._loop.time()

    def _sweep(self) -> None:
        now = self._loop.time()
        for one in list(self._open.values()):
            if not one.running and now - one.since > (IDLE_SECONDS if one.trusted else HEAD_SECONDS):
                one.cut()
        self._sweeping = bool(self._open)
        if self._sweeping:
            self._loop.call_later(SWEEP_SECONDS, self._sweep)
