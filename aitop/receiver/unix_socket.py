"""The socket: one JSON payload per connection, from this user only, bounded in size, time and number.

A slow, silent or garbage peer costs nothing but its own connection. What arrives is cut down to
events at once; prompts and tool contents go with the buffer they came in and are never logged.
"""

import os
import re
import selectors
import socket
import stat
import struct
import sys
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from zlib import crc32

from aitop.providers import Feed, Provider
from aitop.providers.claude_code.hooks import STATUS_LINE
from aitop.providers.lenient import loads
from aitop.providers.load import BUILTIN

MAGIC = b"aitop/1"
UNNAMED = "claude-code"
HEADER_KEYS = frozenset(("provider", "event", "tag", "pid", "pane", "config_dir"))
HEADER_MOST = 4096
PAYLOAD_MOST = 16 << 20
BUFFERED_MOST = 64 << 20  # of all connections together
CONNECTIONS_MOST = 512
AT_ONCE = 64  # connections taken in one go: a burst must not keep the tick waiting
PATIENCE = 2.0  # seconds a connection may take
BACKLOG = 4096
READ = 1 << 18
REMEMBER = 12_000  # hook events by which a duplicate is known
TWIN = 0.05  # seconds within which equal bytes without an id are one event
NAMES_MOST = 200  # different event names that are counted apart


_CODE = re.compile(rb"%([0-9A-Fa-f]{2})")


class SocketError(Exception):
    """The socket cannot be opened; the message says what to do."""


class Arrival(NamedTuple):
    """One accepted payload."""

    provider: str
    feed: Feed


class Counts:
    """What the hooks did since the start."""

    def __init__(self) -> None:
        self.received = 0
        self.unique = 0
        self.rejected = 0
        self.by_event: dict[str, int] = {}

    def total(self) -> int:
        return self.received + self.rejected

    def published(self) -> dict[str, Any]:
        return {
            "received": self.received,
            "unique": self.unique,
            "rejected": self.rejected,
            "by_event": dict(sorted(self.by_event.items())),
        }


class _Connection:
    __slots__ = ("buffer", "deadline", "sock")

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self.sock, self.deadline, self.buffer = sock, deadline, bytearray()


class Receiver:
    """The listening socket and its connections, driven by the caller's selector."""

    def __init__(
        self,
        path: str,
        selector: selectors.BaseSelector,
        providers: Sequence[Provider],
        deliver: Callable[[Arrival], None],
        listening: socket.socket | None = None,
    ) -> None:
        """Raises SocketError. `listening`: this path's socket, passed on by an earlier run of this process."""
        self.path = path
        self.counts = Counts()
        self._selector = selector
        self.offer(providers)
        self._deliver = deliver
        self._connections: dict[int, _Connection] = {}
        self._buffered = 0
        self._seen: OrderedDict[int, float] = OrderedDict()
        self._listening = False
        self._socket = listening or listen(path)
        self._resume()

    def offer(self, providers: Sequence[Provider]) -> None:
        """From now on, whose payloads are taken. Others' see only what names them."""
        self._providers = {provider.name: provider for provider in providers}
        self._asked = [p for name, p in self._providers.items() if name in BUILTIN]

    # -- connections -----------------------------------------------------------------------------------------

    def _resume(self) -> None:
        if not self._listening:
            self._selector.register(self._socket, selectors.EVENT_READ, self.accept)
            self._listening = True

    def accept(self, monotonic: float, now: float) -> None:
        """Take in some of the connections that wait; while too many are open, the rest wait in the backlog."""
        for _ in range(AT_ONCE):
            if len(self._connections) >= CONNECTIONS_MOST:
                self._selector.unregister(self._socket)
                self._listening = False
                return
            try:
                sock, _ = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:
                return  # out of descriptors: go on when some connection has ended
            if not _same_user(sock):
                self.counts.rejected += 1
                sock.close()
                continue
            sock.setblocking(False)
            connection = _Connection(sock, monotonic + PATIENCE)
            self._connections[sock.fileno()] = connection
            self._selector.register(
                sock, selectors.EVENT_READ, lambda m, n, c=connection: self._read(c, m, n)
            )
            self._read(connection, monotonic, now)

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
                payload = bytes(connection.buffer)
                self._close(connection, rejected=False)
                self._complete(payload, now)
                return
            self._buffered += len(data)
            connection.buffer += data
            if len(connection.buffer) > PAYLOAD_MOST + HEADER_MOST or self._buffered > BUFFERED_MOST:
                self._close(connection, rejected=True)
                return

    def _close(self, connection: _Connection, *, rejected: bool) -> None:
        self._selector.unregister(connection.sock)
        del self._connections[connection.sock.fileno()]
        self._buffered -= len(connection.buffer)
        connection.sock.close()
        self.counts.rejected += rejected
        self._resume()

    def sweep(self, monotonic: float, now: float) -> None:
        """Drop the connections that took too long; what they have sent by now is heard first.

        For it may be the listener that was late: a machine that slept, a disk that kept it waiting.
        """
        for number, connection in list(self._connections.items()):
            if connection.deadline < monotonic:
                self._read(connection, monotonic, now)
                if self._connections.get(number) is connection:
                    self._close(connection, rejected=True)

    def close(self, *, remove: bool) -> None:
        """Stop receiving; `remove` takes the socket's name away too."""
        for connection in list(self._connections.values()):
            self._close(connection, rejected=False)
        if self._listening:
            self._selector.unregister(self._socket)
        self._socket.close()
        if remove:
            try:
                os.unlink(self.path)
            except OSError:
                pass

    # -- payloads --------------------------------------------------------------------------------------------

    def _complete(self, data: bytes, now: float) -> None:
        found = self._understand(data, now)
        if found is None:
            self.counts.rejected += 1
            return
        provider, feed = found
        if feed.event != STATUS_LINE:
            self.counts.received += 1
            name = (
                feed.event
                if feed.event in self.counts.by_event or len(self.counts.by_event) < NAMES_MOST
                else "other"
            )
            self.counts.by_event[name] = self.counts.by_event.get(name, 0) + 1
            if self._duplicate(feed, data, now):
                return
            self.counts.unique += 1
        self._deliver(Arrival(provider, feed))

    def _understand(self, data: bytes, now: float) -> tuple[str, Feed] | None:
        header: dict[str, str] | None = {}
        if data.startswith(MAGIC):
            line, _, data = data.partition(b"\n")
            header = parse_header(line)
        if header is None:
            return None
        payload = loads(data)
        if not isinstance(payload, dict):
            return None
        named = header.get("provider", UNNAMED)  # the forwarder, whoever runs it, says that it is Claude Code
        candidates = [self._providers[named]] if named in self._providers else []
        for provider in self._asked if named == UNNAMED else candidates:
            feed = provider.feed(header, payload, now)
            if feed is not None:
                return provider.name, feed
        return None

    def _duplicate(self, feed: Feed, data: bytes, now: float) -> bool:
        """Equal session, event and tool call; without an id, equal bytes within a twentieth of a second."""
        if feed.tool_use_id:
            key, lasts = hash((feed.session, feed.event, feed.tool_use_id)), float("inf")
        else:
            body = data.partition(b"\n")[2] if data.startswith(MAGIC) else data
            key, lasts = hash((len(body), crc32(body))), TWIN
        last = self._seen.pop(key, None)
        self._seen[key] = now
        if len(self._seen) > REMEMBER:
            self._seen.popitem(last=False)
        return last is not None and now - last <= lasts


def parse_header(line: bytes) -> dict[str, str] | None:
    """The header's pairs; None when it is not exactly what the contract allows."""
    if len(line) > HEADER_MOST:
        return None
    try:
        parts = line.rstrip(b"\r").decode("ascii").split("\t")
    except UnicodeDecodeError:
        return None
    if parts[0] != MAGIC.decode():
        return None
    header: dict[str, str] = {}
    for part in parts[1:]:
        key, found, value = part.partition("=")
        if not found or key not in HEADER_KEYS or key in header:
            return None
        header[key] = _unquote(value)
    return header


def _unquote(value: str) -> str:
    """Percent-decoded; what is no such code stays as it is."""
    plain = _CODE.sub(lambda code: bytes((int(code[1], 16),)), value.encode("ascii"))
    return plain.decode("utf-8", "replace")


def listen(path: str) -> socket.socket:
    """A listening socket, 0600 from birth, where no living listener answers. Raises SocketError."""
    room = 107 if sys.platform.startswith("linux") else 103
    if len(os.fsencode(path)) > room:
        raise SocketError(
            f"{path} is too long for a Unix socket ({room} bytes): set AITOP_HOME to a shorter path"
        )
    if os.path.lexists(path):
        _take_over(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        sock.bind(path)
    except OSError as error:
        sock.close()
        raise SocketError(
            f"{path}: {error.strerror}. If this file system has no sockets, set AITOP_HOME to a local folder"
        ) from error
    finally:
        os.umask(before)
    sock.listen(BACKLOG)
    sock.setblocking(False)
    return sock


def _take_over(path: str) -> None:
    """Remove a socket nobody answers; never a living one, nor a file that is no socket."""
    if not stat.S_ISSOCK(os.lstat(path).st_mode):
        raise SocketError(f"{path} exists and is no socket: move it away")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
        except FileNotFoundError:
            return
        except OSError as error:
            raise SocketError(f"{path} belongs to a listener that does not answer: {error}") from error
    raise SocketError(f"another program listens on {path}: stop it, or set AITOP_HOME to a folder of our own")


def _same_user(sock: socket.socket) -> bool:
    """Whether the peer runs as this user; where the system cannot tell, the socket's mode has decided."""
    try:
        if hasattr(socket, "SO_PEERCRED"):
            _, uid, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        elif sys.platform == "darwin":  # struct xucred behind LOCAL_PEERCRED
            _, uid = struct.unpack("2I", sock.getsockopt(0, 1, 76)[:8])
        else:
            return True
    except OSError:
        return False
    return bool(uid == os.getuid())
