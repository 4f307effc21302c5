"""A scripted API at the level of bytes, and a real gateway process in front of it.

The API answers with exactly the bytes it is told to write, and keeps the bytes it was sent. A script is
an async function of the request and a `write`; a fault in it ends the connection as it stands.
"""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SSE = "text/event-stream"


@dataclass
class Asked:
    """One request as it came."""

    head: bytes
    body: bytes = b""
    began: float = 0.0
    ended: float | None = None  # when the answer was written
    left: threading.Event = field(default_factory=threading.Event)  # the peer closed before the answer's end

    @property
    def target(self):
        return self.head.split(b" ", 2)[1].decode()

    @property
    def headers(self):
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return [tuple(line.split(": ", 1)) for line in lines if line]

    def header(self, name):
        return next((value for key, value in self.headers if key.lower() == name), None)


def answer(body, kind="application/json", status="200 OK", more=""):
    """A whole answer of known length."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return (
        f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(data)}\r\n{more}\r\n".encode()
        + data
    )


def chunked_head(kind=SSE, more=""):
    return f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n{more}\r\n".encode()


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def event(record):
    return b"data: " + (record if isinstance(record, bytes) else json.dumps(record).encode()) + b"\n\n"


def always(*pieces):
    """A script that writes the same for every request."""

    async def script(asked, write):
        for piece in pieces:
            await write(piece)

    return script


class Upstream:
    """The running server; `asked` is what it was asked, in order."""

    def __init__(self, script=None, tls=None):
        self.script, self.asked = script or always(answer({})), []
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024, ssl=tls))
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    def close(self):
        async def end():
            self._server.close()
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        self._run(end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    async def _serve(self, reader, writer):
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                while True:
                    asked = Asked(await reader.readuntil(b"\r\n\r\n"), began=time.monotonic())
                    self.asked.append(asked)
                    await self._read_body(reader, asked)
                    if not await self._answer(asked, reader, writer):
                        break
                writer.close()
                await writer.wait_closed()
        finally:
            writer.transport.abort()

    async def _read_body(self, reader, asked):
        if asked.header("transfer-encoding"):
            while size := int(await reader.readline(), 16):
                asked.body += await reader.readexactly(size)
                await reader.readexactly(2)
            await reader.readexactly(2)
        elif length := asked.header("content-length"):
            asked.body = await reader.readexactly(int(length))

    async def _answer(self, asked, reader, writer):
        async def write(data):
            writer.write(data)
            await writer.drain()

        answering = asyncio.ensure_future(self.script(asked, write))
        leaving = asyncio.ensure_future(reader.read(1))
        await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            asked.left.set()
        asked.ended = time.monotonic()
        for task in (answering, leaving):
            task.cancel()
        found = await asyncio.gather(answering, leaving, return_exceptions=True)
        return found[0] is None and isinstance(found[1], asyncio.CancelledError)


class Gateway:
    """`aitop gateway` as a process with a home of its own."""

    def __init__(self, home, *arguments, limit=None, **more):
        self.home = str(home)
        os.makedirs(self.home, exist_ok=True)
        environ = {"PATH": os.environ["PATH"], "HOME": self.home, "AITOP_HOME": self.home, "PYTHONPATH": ROOT,
                   "LANG": "C.UTF-8", "TZ": "UTC", **more}  # fmt: skip
        low = ["prlimit", f"--nofile={limit}:{limit}"] if limit else []  # of open files
        self.process = subprocess.Popen(
            [*low, sys.executable, "-m", "aitop", "gateway", "--port", "0", *arguments],
            env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.said = self.process.stderr.readline()
        assert " → " in self.said, self.said + self.process.stderr.read()
        self.port = int(self.said.split(" → ")[0].split("://")[1].split("/")[0].rpartition(":")[2])
        self.url = f"http://127.0.0.1:{self.port}"

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(10)
        finally:
            self.process.kill()
            self.rest = self.process.stderr.read()
            self.process.stderr.close()

    def lines(self, number=0, seconds=10.0):
        """Every line of the journal, once there are so many."""
        deadline = time.monotonic() + seconds
        while len(found := self._lines()) < number and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(found) >= number, found
        return found

    def _lines(self):
        found = []
        top = os.path.join(self.home, "gateway")
        for folder, _, names in os.walk(top):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    lines = [json.loads(line) for line in file.read().split(b"\n")[:-1]]
                found += [{"provider": os.path.basename(folder), **line} for line in lines]
        return sorted(found, key=lambda line: line["at"])  # stable: of one file in its own order

    def ask(self, data, close=True):
        """Raw bytes of a request; the raw bytes that come back until the connection ends."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as peer:
            peer.sendall(data)
            got = b""
            while piece := peer.recv(65536):
                got += piece
            return got


def post(body=b"{}", path="/v1/chat/completions", more="", close=True):
    """The bytes of a request."""
    end = "connection: close\r\n" if close else ""
    return (
        f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(body)}\r\n{more}{end}\r\n".encode()
        + body
    )


def parts(raw):
    """(status line, headers as pairs, body without its chunks) of one raw answer."""
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = [tuple(line.split(": ", 1)) for line in lines[1:]]
    if any(name.lower() == "transfer-encoding" for name, _ in headers):
        plain = b""
        while True:
            size, _, body = body.partition(b"\r\n")
            if not size or not int(size, 16):
                break
            plain, body = plain + body[: int(size, 16)], body[int(size, 16) + 2 :]
        body = plain
    return lines[0], headers, body
