"""HTTP/1.1 on loopback for programs of this user, driven by the listener's selector.

h11 does the protocol's framing; here are the sockets and the limits. A request is judged by its head, before
its body is read. A slow, greedy or broken peer costs only its own connection. Beyond the bound, a new
connection replaces the oldest one that sent no valid request. This module must not know what is sent.
"""

import selectors
import socket
from collections.abc import Callable
from typing import NamedTuple

import h11

from aitop.system.loopback import descriptors

MAX_BODY = 8 << 20
MAX_BUFFERED = 32 << 20  # bodies of all connections together
MAX_PIECES = 10_000  # chunks of one body: tiny ones cost more than their bytes
MAX_HEAD = 16 << 10
MAX_CONNECTIONS = 64
RESERVED_FILES = 26  # descriptors for everything else in the listener
FILES_PER_CONNECTION = 4  # a quarter of the rest is for this port
DROPS_PER_SECOND = (
    1000.0  # connections replaced by newer ones, beyond as many at once: three percent of a core
)
DROPS_IN_A_TURN = 50  # once those are used up: a turn each 50 ms, so that the next request soon has its own
BACKLOG = 1024  # a connection that finds the queue full tries again after a second
NEVER = float("inf")
AT_ONCE = 16
READ = 1 << 16
READS = 4  # in a row, so that other connections get their turn
REQUEST_SECONDS = 10.0  # for one request
IDLE_SECONDS = 75.0  # between two requests of one connection
LINGER_SECONDS = 2.0  # a refused sender may go on sending so long


class Head(NamedTuple):
    """A request without its body. Header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]


class Reply(NamedTuple):
    status: int
    media: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class _Connection:
    __slots__ = ("_protocol", "body", "deadline", "head", "lost", "opened", "pieces", "sock", "trusted")

    def __init__(self, sock: socket.socket, monotonic: float) -> None:
        self.sock = sock
        self._protocol: h11.Connection | None = None
        self.opened, self.deadline = monotonic, monotonic + REQUEST_SECONDS
        self.head: Head | None = None
        self.body = bytearray()
        self.pieces = 0
        self.trusted = False  # it sent a request that passed the judge
        self.lost = False  # refused: what it still sends is dropped

    @property
    def protocol(self) -> h11.Connection:
        """Made with its first byte: a silent peer costs little."""
        if self._protocol is None:
            self._protocol = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)
        return self._protocol


class Web:
    """The listening socket and its connections. `judge`: the head's refusal or None; `answer`: whole requests."""

    def __init__(
        self,
        port: int,
        selector: selectors.BaseSelector,
        judge: Callable[[Head], Reply | None],
        answer: Callable[[Head, bytes, float], Reply],
    ) -> None:
        """Raises OSError when the port cannot be had."""
        self._selector, self._judge, self._answer = selector, judge, answer
        self._connections: dict[int, _Connection] = {}
        self._most = descriptors.connections(
            MAX_CONNECTIONS, reserved=RESERVED_FILES, per_connection=FILES_PER_CONNECTION
        )
        self._drops_left, self._drops_at = DROPS_PER_SECOND, 0.0
        self._turn_at = NEVER  # while paused: when to accept again
        self._accepting = True
        self._buffered = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind(("127.0.0.1", port))
            self._socket.listen(BACKLOG)
        except OSError:
            self._socket.close()
            raise
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]
        selector.register(self._socket, selectors.EVENT_READ, self._accept)

    def close(self) -> None:
        for connection in list(self._connections.values()):
            self._drop(connection)
        self._pause()
        self._socket.close()

    def sweep(self, monotonic: float) -> None:
        """Once a second: drop connections that took too long, and accept again where that was paused."""
        for connection in list(self._connections.values()):
            if connection.deadline < monotonic:
                self._drop(connection)
        self._resume()

    def next_turn(self) -> float:
        """The monotonic time at which a flood that was made to wait is to be taken in again; infinity for none."""
        return self._turn_at

    def take_turn(self, monotonic: float) -> None:
        """Accept again where that is due."""
        if monotonic >= self._turn_at:
            self._resume()

    def _resume(self) -> None:
        if not self._accepting:
            self._selector.register(self._socket, selectors.EVENT_READ, self._accept)
            self._accepting, self._turn_at = True, NEVER

    def _pause(self) -> None:
        """Accept no more for now: a full queue of connections must not keep the loop busy."""
        if self._accepting:
            self._selector.unregister(self._socket)
            self._accepting = False

    # -- connections -----------------------------------------------------------------------------------------

    def _accept(self, monotonic: float, now: float) -> None:
        for _ in range(AT_ONCE):
            full = len(self._connections) >= self._most
            if full and not self._may_drop(monotonic):
                self._pause()
                self._turn_at = monotonic + (DROPS_IN_A_TURN - self._drops_left) / DROPS_PER_SECOND
                return
            try:
                sock, _ = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:  # out of descriptors
                self._drop_one()
                self._pause()
                return
            if full:
                self._drop_one()
            sock.setblocking(False)
            connection = _Connection(sock, monotonic)
            self._connections[sock.fileno()] = connection
            self._selector.register(
                sock, selectors.EVENT_READ, lambda m, n, c=connection: self._readable(c, m, n)
            )
            self._readable(connection, monotonic, now)

    def _may_drop(self, monotonic: float) -> bool:
        """Whether not too many were dropped of late."""
        earned = max(0.0, monotonic - self._drops_at) * DROPS_PER_SECOND
        self._drops_left = min(DROPS_PER_SECOND, self._drops_left + earned)
        self._drops_at = monotonic
        return self._drops_left >= 1

    def _drop_one(self) -> None:
        """Make room: the oldest connection without a valid request goes first."""
        if self._connections:
            self._drops_left = max(0.0, self._drops_left - 1)
            self._drop(min(self._connections.values(), key=lambda one: (one.trusted, one.opened)))

    def _drop(self, connection: _Connection) -> None:
        number = connection.sock.fileno()
        if self._connections.pop(number, None) is None:
            return
        self._selector.unregister(connection.sock)
        self._buffered -= len(connection.body)
        connection.sock.close()

    def _readable(self, connection: _Connection, monotonic: float, now: float) -> None:
        for _ in range(READS):
            try:
                data = connection.sock.recv(READ)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                data = b""
            if not data:
                self._drop(connection)
                return
            if connection.lost:
                continue
            try:
                connection.protocol.receive_data(data)
                alive = self._events(connection, monotonic, now)
            except h11.RemoteProtocolError as error:
                self._refuse(
                    connection, plain(error.error_status_hint, "this is no HTTP/1.1 request"), monotonic
                )
                return
            except h11.LocalProtocolError:
                alive = False
            if not alive:
                self._drop(connection)
                return

    # -- requests --------------------------------------------------------------------------------------------

    def _events(self, connection: _Connection, monotonic: float, now: float) -> bool:
        """Handle the requests in the bytes so far; False when the connection is to end."""
        protocol = connection.protocol
        while not connection.lost:
            event = protocol.next_event()
            if event is h11.NEED_DATA:
                if protocol.they_are_waiting_for_100_continue:
                    return self._send(connection, h11.InformationalResponse(status_code=100, headers=[]))
                return True
            if isinstance(event, h11.ConnectionClosed):
                return False
            if isinstance(event, h11.Request):
                self._begin(connection, event, monotonic)
            elif isinstance(event, h11.Data):
                self._take(connection, event.data, monotonic)
            elif isinstance(event, h11.EndOfMessage):
                if not self._finish(connection, monotonic, now):
                    return False
            else:
                return False
        return True

    def _begin(self, connection: _Connection, request: h11.Request, monotonic: float) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers}
        path = request.target.decode("latin-1").partition("?")[0]
        connection.head = Head(request.method.decode("latin-1"), path, headers)
        connection.deadline = monotonic + REQUEST_SECONDS
        refusal = self._judge(connection.head)
        if refusal is None and _length(headers) > MAX_BODY:
            refusal = plain(413, f"a body may have {MAX_BODY} bytes")
        if refusal is not None:
            self._refuse(connection, refusal, monotonic)
            return
        connection.trusted = True

    def _take(self, connection: _Connection, data: bytes, monotonic: float) -> None:
        connection.body += data
        connection.pieces += 1
        self._buffered += len(data)
        if len(connection.body) > MAX_BODY or connection.pieces > MAX_PIECES:
            self._refuse(connection, plain(413, f"a body may have {MAX_BODY} bytes"), monotonic)
        elif self._buffered > MAX_BUFFERED:
            self._refuse(connection, plain(503, "too much at once", ("retry-after", "5")), monotonic)

    def _finish(self, connection: _Connection, monotonic: float, now: float) -> bool:
        assert connection.head is not None
        reply = self._answer(connection.head, bytes(connection.body), now)
        self._empty(connection)
        if not self._reply(connection, reply):
            return False
        if connection.protocol.our_state is not h11.DONE or connection.protocol.their_state is not h11.DONE:
            return False
        connection.protocol.start_next_cycle()
        connection.head, connection.pieces = None, 0
        connection.deadline = monotonic + IDLE_SECONDS
        return True

    def _empty(self, connection: _Connection) -> None:
        self._buffered -= len(connection.body)
        connection.body = bytearray()

    def _refuse(self, connection: _Connection, reply: Reply, monotonic: float) -> None:
        """Answer at once and drop the rest; close later, so that the answer is not lost with it."""
        self._empty(connection)
        closing = reply._replace(headers=(*reply.headers, ("connection", "close")))
        try:
            sent = self._reply(connection, closing)
            connection.sock.shutdown(socket.SHUT_WR)
        except (OSError, h11.LocalProtocolError):
            sent = False
        if not sent:
            self._drop(connection)
            return
        connection.lost, connection.deadline = True, monotonic + LINGER_SECONDS

    def _reply(self, connection: _Connection, reply: Reply) -> bool:
        headers = [("content-type", reply.media), ("content-length", str(len(reply.body))), *reply.headers]
        return (
            self._send(connection, h11.Response(status_code=reply.status, headers=headers))
            and self._send(connection, h11.Data(data=reply.body))
            and self._send(connection, h11.EndOfMessage())
        )

    def _send(self, connection: _Connection, event: h11.Event) -> bool:
        """Replies are small: a peer that does not take one at once does not read at all."""
        data = connection.protocol.send(event)
        try:
            return not data or connection.sock.send(data) == len(data)
        except OSError:
            return False


def plain(status: int, text: str, *headers: tuple[str, str]) -> Reply:
    return Reply(status, "text/plain; charset=utf-8", f"{text}\n".encode(), headers)


def _length(headers: dict[str, str]) -> int:
    """h11 has checked that it is a number."""
    return int(headers.get("content-length", "0"))
