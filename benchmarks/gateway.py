"""What the gateway adds to a request, what 200 streams at once do to it, and its memory.

The API behind it is a few lines of asyncio in a process of its own; the client is a plain socket. Direct and
relayed requests take turns, over connections that stay open.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time

from benchmarks import homes
from benchmarks.harness import PYTHON, Row, missing

STREAMS, PIECES, GAP = 200, 50, 0.02
BUDGET_MS = 3.0
PIECE = {
    "id": "chatcmpl-0123456789abcdefghijklmnop",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "gpt-5",
    "choices": [{"index": 0, "delta": {"content": "some words "}, "finish_reason": None}],
}
LAST = {**PIECE, "choices": [], "usage": {"prompt_tokens": 900, "completion_tokens": 50}}  # fmt: skip
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def event(record):
    data = b"data: " + json.dumps(record).encode() + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(data), data)


# -- the API ------------------------------------------------------------------------------------------------


async def answer(reader, writer):
    """One connection: each request is answered with a stream; `x-pieces` and `x-gap` say which."""
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            said = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
            await reader.readexactly(int(said.get("content-length", 0)))
            writer.write(HEAD)
            for _ in range(int(said.get("x-pieces", 1))):
                writer.write(event(PIECE))
                await writer.drain()
                if gap := float(said.get("x-gap", 0)):
                    await asyncio.sleep(gap)
            writer.write(event(LAST) + b"0\r\n\r\n")
            await writer.drain()
    writer.close()


async def api():
    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextlib.contextmanager
def running(argv, env, ready):
    """Start a process and wait until it prints its port: (port, pid)."""
    process = subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield ready(process.stdout.readline()), process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        process.stdout.close()


@contextlib.contextmanager
def both(home):
    """(port of the API, port of a gateway before it, the gateway's pid)."""
    env = homes.environment(home) | {
        "PYTHONPATH": os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    }
    with running([PYTHON, "-m", "benchmarks.gateway"], env, int) as (behind, _):
        argv = [PYTHON, "-m", "aitop", "gateway", "--port", "0", "--upstream", f"http://127.0.0.1:{behind}"]
        with running(argv, env, lambda line: int(line.split(" → ")[0].rpartition(":")[2])) as (port, pid):
            yield behind, port, pid


# -- the client ---------------------------------------------------------------------------------------------


def first_byte(peer, request):
    """Seconds from the request to the first byte of its answer; the rest is read too."""
    began = time.perf_counter()
    peer.sendall(request)
    got = peer.recv(65536)
    took = time.perf_counter() - began
    while not got.endswith(b"0\r\n\r\n"):
        got += peer.recv(65536)
    return took


def added(times):
    with homes.folder() as home, both(home) as (behind, port, _):
        body = json.dumps({"model": "gpt-5", "messages": [{"role": "user", "content": "x" * 4000}]}).encode()
        request = (
            f"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        request = request.encode() + body
        with socket.create_connection(("127.0.0.1", behind)) as direct, \
                socket.create_connection(("127.0.0.1", port)) as relayed:  # fmt: skip
            pairs = [(first_byte(direct, request), first_byte(relayed, request)) for _ in range(times + 20)][
                20:
            ]
        more = sorted((through - straight) * 1000 for straight, through in pairs)
        straight = statistics.median(pair[0] for pair in pairs) * 1000
        p50, p95 = statistics.median(more), more[int(len(more) * 0.95)]
        yield Row("gateway: added time to the first byte", f"≤ {BUDGET_MS:.0f} ms, p50",
                  f"{p50:.2f} ms (p95 {p95:.2f})", f"{straight:.2f} ms direct", within=p50 <= BUDGET_MS,
                  values={"p50_ms": p50, "p95_ms": p95, "direct_p50_ms": straight, "pairs": times})  # fmt: skip


async def _stream(port, request, began):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    size = 0
    while not (piece := await reader.read(65536)).endswith(b"0\r\n\r\n"):
        if not piece:
            raise ConnectionError("cut short")
        size += len(piece)
    writer.close()
    return size + len(piece), time.perf_counter() - began


async def _all(port, request):
    began = time.perf_counter()
    found = await asyncio.gather(
        *(_stream(port, request, began) for _ in range(STREAMS)), return_exceptions=True
    )
    return [one for one in found if not isinstance(one, BaseException)], time.perf_counter() - began


def crowd():
    """Run all streams at once, direct and relayed: the time of the last one, and the gateway's memory."""
    with homes.folder() as home, both(home) as (behind, port, pid):
        request = (f"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n"
                   f"x-pieces: {PIECES}\r\nx-gap: {GAP}\r\n\r\n{{}}").encode()  # fmt: skip
        straight, direct = asyncio.run(_all(behind, request))
        whole, relayed = asyncio.run(_all(port, request))
        pieces = STREAMS * PIECES / relayed
        rss = _peak(pid)
        yield Row(f"gateway: {STREAMS} streams at once, {PIECES} pieces each, {GAP * 1000:.0f} ms apart",
                  "all whole",
                  f"{len(whole)} whole in {relayed:.2f} s, {pieces:,.0f} pieces/s; {rss / 1e6:.0f} MB at most",
                  f"{direct:.2f} s direct", within=len(whole) == len(straight) == STREAMS,
                  values={"seconds": relayed, "direct_seconds": direct, "peak_rss": rss})  # fmt: skip


def _peak(pid):
    try:
        with open(f"/proc/{pid}/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return 0


def relayed(effort):
    try:
        import aiohttp  # noqa: F401 - the extra `gateway`
    except ImportError:
        yield missing("gateway", f"≤ {BUDGET_MS:.0f} ms, p50", "its extra is not installed")
        return
    yield from added(effort.times(500, 60))
    yield from crowd()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(api())
    sys.exit()
