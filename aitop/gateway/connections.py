"""The gateway's connections: bounded in number, in the time of a head, and in idle time.

The server library bounds none of these. A peer that sends half a head, or nothing, costs only its own
connection. Beyond the bound, a new connection replaces the oldest one that has no request running; one that has
said nothing goes first, then one that never had a request that was let in. Running requests are never cut. How many
are replaced in a second is bounded, so no flood costs more than a few percent of a core.
"""

import asyncio
import contextlib
import selectors
import socket
import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

from aiohttp.web_protocol import RequestHandler

MAX_CONNECTIONS = 512
MAX_HEAD = 1 << 20  # bytes that may come before a request begins
HEAD_SECONDS = 10.0  # from opening a connection to the end of its first head
IDLE_SECONDS = 75.0  # between two requests of one connection
SWEEP_SECONDS = 1.0
ACCEPTS_IN_A_ROW = 16
DROPS_PER_SECOND = 900.0  # connections replaced by newer ones, beyond as many at once
RESET = struct.pack("ii", 1, 0)  # linger for no time
DROPS_IN_A_TURN = 45  # once those are used up: a turn each 50 ms, so that the next request soon has its own


class Silent(NamedTuple):
    """A connection that has sent no byte. It has no protocol yet, so it costs little."""

    sock: socket.socket
    since: float


class Guarded(asyncio.Protocol):
    """One connection: what the library's protocol gets passes through here."""

    def __init__(self, inner: RequestHandler, owner: "Connections", since: float) -> None:
        self.inner, self.owner = inner, owner
        self.transport: asyncio.Transport | None = None
        self.since = since  # of its opening, or of the end of its last request
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
    """Every open connection, and the listening sockets from which they come."""

    def __init__(self, make: Callable[[], RequestHandler], most: int) -> None:
        self._make, self._most = make, most
        self._silent: dict[int, Silent] = {}  # by descriptor, the oldest first
        self._first_bytes = (
            selectors.DefaultSelector()
        )  # of the silent ones; in the loop it is one descriptor
        self._coming: set[asyncio.Task[object]] = set()  # between its first byte and its protocol
        self._open: dict[RequestHandler, Guarded] = {}  # the oldest first
        self._loop = asyncio.get_running_loop()
        self._sweeping = False
        self._listening: list[socket.socket] = []
        self._drops_left, self._drops_at = DROPS_PER_SECOND, self._loop.time()

    # -- accepting -----------------------------------------------------------------------------------------------

    def listen(self, sock: socket.socket) -> None:
        """Take the connections of a socket that listens and does not block. It is closed by `close`."""
        if not self._listening:
            self._loop.add_reader(self._first_bytes, self._hear)
        self._listening.append(sock)
        self._loop.add_reader(sock.fileno(), self._accept, sock)

    def close(self) -> None:
        """Accept no more and let the silent ones go; open connections are the server's to end."""
        for sock in self._listening:
            self._loop.remove_reader(sock.fileno())
            sock.close()
        self._listening.clear()
        for number in list(self._silent):
            self._taken_out(number).sock.close()
        self._loop.remove_reader(self._first_bytes)
        self._first_bytes.close()

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(ACCEPTS_IN_A_ROW):
            full = len(self._silent) + len(self._coming) + len(self._open) >= self._most
            if full and not self._may_drop():
                self._pause(listening, (DROPS_IN_A_TURN - self._drops_left) / DROPS_PER_SECOND)
                return
            try:
                sock, _ = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:  # out of descriptors
                self._make_room()
                self._pause(listening, SWEEP_SECONDS)
                return
            if full and not self._make_room():
                sock.close()
                continue
            sock.setblocking(False)
            new = Silent(sock, self._loop.time())
            if not self._spoke(new):
                self._keep_silent(new)
                self._sweep_soon()

    def _pause(self, listening: socket.socket, seconds: float) -> None:
        self._loop.remove_reader(listening.fileno())
        self._loop.call_later(seconds, self._resume, listening)

    def _resume(self, listening: socket.socket) -> None:
        if listening in self._listening:
            self._loop.add_reader(listening.fileno(), self._accept, listening)

    def _may_drop(self) -> bool:
        """Whether not too many were dropped of late."""
        now = self._loop.time()
        earned = (now - self._drops_at) * DROPS_PER_SECOND
        self._drops_left, self._drops_at = min(DROPS_PER_SECOND, self._drops_left + earned), now
        return self._drops_left >= 1

    def _make_room(self) -> bool:
        """Drop one connection; False where each has a request running."""
        self._drops_left = max(0.0, self._drops_left - 1)
        while self._silent:
            oldest = self._taken_out(next(iter(self._silent)))
            if not self._spoke(oldest):
                # By a reset: a flood's connections that wait for their last packets would fill the kernel's table,
                # which is read to see who asks.
                oldest.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                oldest.sock.close()
                return True
        resting = [one for one in self._open.values() if not one.running]
        if not resting:
            return False
        victim = min(resting, key=lambda one: (one.trusted, one.since))
        victim.cut()
        self._open.pop(victim.inner, None)
        return True

    def _keep_silent(self, one: Silent) -> None:
        self._silent[one.sock.fileno()] = one
        self._first_bytes.register(one.sock, selectors.EVENT_READ)

    def _taken_out(self, number: int) -> Silent:
        """Take one out of the silent ones."""
        one = self._silent.pop(number)
        self._first_bytes.unregister(one.sock)
        return one

    def _hear(self) -> None:
        """Some of the silent ones speak, or have hung up."""
        for key, _ in self._first_bytes.select(0):
            one = self._taken_out(key.fd)
            if not self._spoke(one):
                self._keep_silent(one)

    def _spoke(self, one: Silent) -> bool:
        """Whether a connection has sent a byte, and so has its protocol now, or has ended."""
        try:
            ended = not one.sock.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            ended = True
        if ended:
            one.sock.close()
            return True
        opening = self._loop.connect_accepted_socket(lambda: Guarded(self._make(), self, one.since), one.sock)
        task = self._loop.create_task(opening)
        self._coming.add(task)
        task.add_done_callback(self._coming.discard)
        return True

    # -- open ones -------------------------------------------------------------------------------------------------

    def opened(self, connection: Guarded) -> None:
        """A connection that spoke has its protocol now."""
        self._open[connection.inner] = connection
        self._sweep_soon()

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

    # -- time ------------------------------------------------------------------------------------------------------

    def _sweep_soon(self) -> None:
        if not self._sweeping:
            self._sweeping = True
            self._loop.call_later(SWEEP_SECONDS, self._sweep)

    def _sweep(self) -> None:
        now = self._loop.time()
        for number, one in list(self._silent.items()):
            if now - one.since > HEAD_SECONDS:
                self._taken_out(number).sock.close()
        for connection in list(self._open.values()):
            limit = IDLE_SECONDS if connection.trusted else HEAD_SECONDS
            if not connection.running and now - connection.since > limit:
                connection.cut()
        self._sweeping = False
        if self._silent or self._open:
            self._sweep_soon()
