"""The socket: one JSON payload per connection, from this user only, bounded in size, time and number.

A slow, silent or garbage peer costs nothing but its own connection. When all places are taken, the process
with the most connections loses its oldest, so the next real event is heard at once. How many are dropped
in a second is bounded, so no flood costs more than a few percent of a core.
"""

import os
import resource
import selectors
import socket
from collections.abc import Callable, Sequence
from typing import Final

from aitop.providers import Provider
from aitop.receiver.listening import BACKLOG, SocketError, listen, peer_of
from aitop.receiver.payloads import (
    HEADER_KEYS,
    MAX_HEADER,
    Arrival,
    Counts,
    Payloads,
    Question,
    parse_header,
)

__all__ = [
    "HEADER_KEYS",
    "Arrival",
    "Counts",
    "Question",
    "Receiver",
    "SocketError",
    "listen",
    "parse_header",
]

MAX_PAYLOAD = 16 << 20
MAX_BUFFERED = 64 << 20  # of all connections together
MAX_CONNECTIONS: Final = 512
RESERVED_FILES = 26  # descriptors for the history, the selector, temporary files, helpers and programs
ACCEPTS_IN_A_ROW = 64  # a burst must not keep the tick waiting
MAX_SECONDS = 2.0  # a connection may take
DROPS_PER_SECOND = 1100.0  # of silent connections, beyond a burst of a full queue: four percent of a core
DROPS_IN_A_TURN = 55  # once the burst is used up: a turn each 50 ms, so that the next event soon has its own
READ = 1 << 18
NEVER = float("inf")

Answer = Callable[[Question], bytes | None]


class _Connection:
    __slots__ = ("buffer", "deadline", "pid", "sock")

    def __init__(self, sock: socket.socket, deadline: float, pid: int) -> None:
        self.sock, self.deadline, self.pid, self.buffer = sock, deadline, pid, bytearray()


class Receiver:
    """The listening socket and its connections, driven by the caller's selector."""

    def __init__(
        self,
        path: str,
        selector: selectors.BaseSelector,
        providers: Sequence[Provider],
        deliver: Callable[[Arrival], None],
        *,
        listening: socket.socket | None = None,
        answer: Answer | None = None,
    ) -> None:
        """Raises SocketError. `listening`: this path's socket, handed over; `answer` makes a peer's answer."""
        self.path = path
        self._selector = selector
        self._payloads = Payloads(providers)
        self._deliver, self._answer = deliver, answer
        self._connections: dict[int, _Connection] = {}
        self._by_process: dict[int, dict[int, _Connection]] = {}  # pid → its connections, oldest first
        self._max_connections = most_connections()
        self._buffered = 0
        self._drops_left, self._drops_at = float(BACKLOG), 0.0
        self._turn_at = NEVER  # while paused: when to accept again
        self._accepting = False
        self._socket = listening or listen(path)
        self._place = _place(path)
        self._resume()

    @property
    def counts(self) -> Counts:
        return self._payloads.counts

    def use(self, providers: Sequence[Provider]) -> None:
        """Set the active providers. A payload without `provider=` goes to the built-in ones."""
        self._payloads.use(providers)

    # -- connections -----------------------------------------------------------------------------------------

    def _resume(self) -> None:
        if not self._accepting:
            self._selector.register(self._socket, selectors.EVENT_READ, self.accept)
            self._accepting, self._turn_at = True, NEVER

    def _pause(self) -> None:
        if self._accepting:
            self._selector.unregister(self._socket)
            self._accepting = False

    def next_turn(self) -> float:
        """The monotonic time at which a flood that was made to wait is to be taken in again; infinity for none."""
        return self._turn_at

    def take_turn(self, monotonic: float) -> None:
        """Accept again where that is due."""
        if monotonic >= self._turn_at:
            self._resume()

    def accept(self, monotonic: float, now: float) -> None:
        """Take in some of the connections that wait; the rest wait in the socket's queue."""
        for _ in range(ACCEPTS_IN_A_ROW):
            full = len(self._connections) >= self._max_connections
            if full and not self._may_drop(monotonic):
                self._wait_for_a_turn(monotonic)
                return
            try:
                sock, _ = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:  # out of descriptors
                if not self._may_drop(monotonic):
                    self._wait_for_a_turn(monotonic)
                    return
                self._drop_one(monotonic, now)
                continue
            if full:
                self._drop_one(monotonic, now)
            ours, pid = peer_of(sock)
            if not ours:
                self.counts.rejected += 1
                sock.close()
                continue
            sock.setblocking(False)
            connection = _Connection(sock, monotonic + MAX_SECONDS, pid)
            self._connections[sock.fileno()] = connection
            self._by_process.setdefault(pid, {})[sock.fileno()] = connection
            self._selector.register(
                sock, selectors.EVENT_READ, lambda m, n, c=connection: self._read(c, m, n)
            )
            self._read(connection, monotonic, now)

    def _may_drop(self, monotonic: float) -> bool:
        """Whether there is a connection to drop, and not too many were dropped of late."""
        earned = max(0.0, monotonic - self._drops_at) * DROPS_PER_SECOND
        self._drops_left = min(float(BACKLOG), self._drops_left + earned)
        self._drops_at = monotonic
        return bool(self._connections) and self._drops_left >= 1

    def _wait_for_a_turn(self, monotonic: float) -> None:
        """Until so many may be dropped at once; where there is none to drop, until the next sweep."""
        self._pause()
        if self._connections:
            self._turn_at = monotonic + (DROPS_IN_A_TURN - self._drops_left) / DROPS_PER_SECOND

    def _drop_one(self, monotonic: float, now: float) -> None:
        """Make room: the process with the most connections loses its oldest."""
        self._drops_left -= 1
        most = max(self._by_process.values(), key=len)
        self._hear_out(next(iter(most.values())), monotonic, now)

    def _hear_out(self, connection: _Connection, monotonic: float, now: float) -> None:
        """Read what a connection sent by now, and close it if it has not ended with that."""
        number = connection.sock.fileno()
        self._read(connection, monotonic, now)
        if self._connections.get(number) is connection:
            self._close(connection, rejected=True)

    def _read(self, connection: _Connection, monotonic: float, now: float) -> None:  # noqa: ARG002
        for _ in range(8):
            try:
                data = connection.sock.recv(READ)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                self._close(connection, rejected=True)
                return
            if not data:
                self._complete(connection, now)
                return
            self._buffered += len(data)
            connection.buffer += data
            if len(connection.buffer) > MAX_PAYLOAD + MAX_HEADER or self._buffered > MAX_BUFFERED:
                self._close(connection, rejected=True)
                return

    def _complete(self, connection: _Connection, now: float) -> None:
        """The peer said all: apply it, and answer where it asks for an answer."""
        arrival, question = self._payloads.take(bytes(connection.buffer), now)
        if arrival is not None:
            self._deliver(arrival)
        if question is not None and self._answer is not None:
            answer = self._answer(question)
            if answer:
                try:
                    connection.sock.send(answer)  # far smaller than the socket's buffer
                except OSError:
                    pass
        self._close(connection, rejected=False)

    def _close(self, connection: _Connection, *, rejected: bool) -> None:
        self._selector.unregister(connection.sock)
        number = connection.sock.fileno()
        del self._connections[number]
        of_process = self._by_process[connection.pid]
        del of_process[number]
        if not of_process:
            del self._by_process[connection.pid]
        self._buffered -= len(connection.buffer)
        connection.sock.close()
        self.counts.rejected += rejected
        if self._drops_left >= 1:
            self._resume()

    def sweep(self, monotonic: float, now: float) -> None:
        """Drop the connections that took too long; what they have sent by now is heard first.

        For it may be the listener that was late: a machine that slept, a disk that kept it waiting.
        """
        for connection in list(self._connections.values()):
            if connection.deadline < monotonic:
                self._hear_out(connection, monotonic, now)
        self._resume()

    # -- opening again, ending, handing over -----------------------------------------------------------------

    def reopen(self) -> None:
        """Listen under the same name again, which was removed or replaced. Raises SocketError."""
        fresh = listen(self.path)
        self._pause()
        self._socket.close()
        self._socket, self._place = fresh, _place(self.path)
        self._resume()

    def drain(self, monotonic: float, now: float, wait: Callable[[float], None], seconds: float) -> None:
        """Take no new connection; hear out those that are open, for so many seconds at most."""
        self._pause()
        self._turn_at = NEVER
        steps = 20
        for _ in range(steps):
            if not self._connections:
                return
            wait(seconds / steps)
            for connection in list(self._connections.values()):
                self._read(connection, monotonic, now)

    def close(self, *, keep_socket: bool) -> None:
        """Stop receiving. With `keep_socket` the listening socket stays open, to be handed over."""
        for connection in list(self._connections.values()):
            self._close(connection, rejected=False)
        self._pause()
        if keep_socket:
            return
        self._socket.close()
        if _place(self.path) == self._place:  # not a socket that another listener put in its place
            try:
                os.unlink(self.path)
            except OSError:
                pass

    def hand_over(self) -> socket.socket:
        """The listening socket, after `close(keep_socket=True)`."""
        return self._socket


def most_connections() -> int:
    """As many as the limit of open files allows, beside what everything else needs."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return max(4, min(MAX_CONNECTIONS, (soft - RESERVED_FILES) // 2))


def _place(path: str) -> tuple[int, int] | None:
    try:
        there = os.lstat(path)
    except OSError:
        return None
    return there.st_dev, there.st_ino
