"""Forwards telemetry unchanged to the user's own collector, through a process that may wait.

The listener puts bodies into a bounded queue and writes them to that process as fast as its pipe takes them.
Name lookup, TLS and a slow collector then delay only the process. A full queue drops the newest body and
counts it.
"""

import json
import os
import selectors
import struct
import subprocess
import sys
from collections import deque

from aitop.receiver.token import HEADER
from aitop.system import own_python

MAX_QUEUED = 16 << 20
RESTART_SECONDS = 5.0  # seconds before a process that died is started again
COLLECTOR_SECONDS = 10.0  # seconds the collector has for one body
# Headers of one hop, headers made anew, and the token, which is ours.
OWN = frozenset(
    (
        "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect", "host",
        "proxy-connection", "content-length", "accept-encoding", HEADER,
    )
)  # fmt: skip
_SIZES = struct.Struct("!II")


class Forwarder:
    """The queue and the process behind it."""

    def __init__(self, url: str, selector: selectors.BaseSelector) -> None:
        self.url, self._selector = url, selector
        self._queue: deque[memoryview] = deque()
        self._queued = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._writing = False
        self._partial_line = b""
        self._next_start: float | None = None
        self.sent = self.failed = self.lost = 0
        self.problem: str | None = None
        self._start()

    def put(self, path: str, headers: dict[str, str], body: bytes) -> None:
        """Queue one request for `url` + `path`."""
        kept = {name: value for name, value in headers.items() if name not in OWN}
        head = json.dumps([path, kept]).encode()
        frame = _SIZES.pack(len(head), len(body)) + head + body
        if self._queued + len(frame) > MAX_QUEUED:
            self.lost += 1
            return
        self._queue.append(memoryview(frame))
        self._queued += len(frame)
        self._write_when_possible()

    def doctor(self) -> dict[str, object]:
        return {
            "url": shown(self.url), "sent": self.sent, "failed": self.failed, "lost": self.lost,
            "problem": self.problem,
        }  # fmt: skip

    def sweep(self, monotonic: float) -> None:
        """Start the process again some seconds after it died."""
        if self._process is not None:
            return
        if self._next_start is None:
            self._next_start = monotonic + RESTART_SECONDS
        elif monotonic >= self._next_start:
            self._start()

    def close(self) -> None:
        """Drop the queue. The process has a second to send what it has already."""
        process = self._process
        self._forget()
        if process is not None:
            try:
                process.wait(1.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            own_python.module("aitop.receiver.forwarding", self.url),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0, close_fds=True,
        )  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdin.fileno(), False)
        os.set_blocking(self._process.stdout.fileno(), False)
        self._selector.register(self._process.stdout, selectors.EVENT_READ, self._read_reports)
        self._next_start = None
        self._write_when_possible()

    def _write_when_possible(self) -> None:
        if self._process is not None and self._queue and not self._writing:
            self._selector.register(self._process.stdin, selectors.EVENT_WRITE, self._write)  # type: ignore[arg-type]
            self._writing = True

    def _stop_writing(self) -> None:
        if self._writing and self._process is not None:
            self._selector.unregister(self._process.stdin)  # type: ignore[arg-type]
        self._writing = False

    def _write(self, monotonic: float, now: float) -> None:  # noqa: ARG002
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            written = os.write(self._process.stdin.fileno(), self._queue[0][: 1 << 16])
        except BlockingIOError:
            return
        except OSError:
            self._died()
            return
        self._queued -= written
        if written == len(self._queue[0]):
            self._queue.popleft()
        else:
            self._queue[0] = self._queue[0][written:]
        if not self._queue:
            self._stop_writing()

    def _read_reports(self, monotonic: float, now: float) -> None:  # noqa: ARG002
        """Read the process's reports: a line for each body, empty when the collector took it, else the reason."""
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            data = os.read(self._process.stdout.fileno(), 1 << 16)
        except BlockingIOError:
            return
        if not data:
            self._died()
            return
        *lines, self._partial_line = (self._partial_line + data).split(b"\n")
        for line in lines:
            self.sent += not line
            self.failed += bool(line)
            self.problem = line.decode("utf-8", "replace") or None

    def _died(self) -> None:
        """Drop the queue: after a half-written body the stream has no sense."""
        process = self._process
        self._forget()
        self.problem = "the forwarding process ended; it is started again"
        if process is not None:
            process.kill()
            process.wait()

    def _forget(self) -> None:
        self._stop_writing()
        if self._process is not None:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._selector.unregister(self._process.stdout)
            self._process.stdin.close()
            self._process.stdout.close()
        self._process = None
        self.lost += len(self._queue)
        self._queue.clear()
        self._queued = 0


def shown(url: str) -> str:
    """The address without user, password and query."""
    scheme, separator, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path.partition('?')[0]}"


def main(url: str) -> int:
    """The process: send requests from stdin to the collector one by one; report each by a line on stdout."""
    import http.client
    import signal
    from urllib.parse import urlsplit

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is the listener's to answer
    base = urlsplit(url)
    make = http.client.HTTPSConnection if base.scheme == "https" else http.client.HTTPConnection
    while True:
        sizes = sys.stdin.buffer.read(_SIZES.size)
        if len(sizes) < _SIZES.size:
            return 0
        head, body = (sys.stdin.buffer.read(size) for size in _SIZES.unpack(sizes))
        path, headers = json.loads(head)
        try:
            collector = make(base.hostname or "", base.port, timeout=COLLECTOR_SECONDS)
            collector.request("POST", base.path.rstrip("/") + path, body, headers)
            answer = collector.getresponse()
            answer.read(1 << 16)
            collector.close()
            report = "" if answer.status < 300 else f"{shown(url)} answers {answer.status}"
        except (OSError, http.client.HTTPException, ValueError) as error:
            report = f"{shown(url)}: {type(error).__name__}: {error}"
        sys.stdout.write(" ".join(report.split())[:300] + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
