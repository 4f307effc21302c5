"""Idle connections in quantity at each door, at each limit of open files: what they cost, and whether events get in.

The peers connect and say nothing. Those that are dropped connect again at once, for the whole measurement: that is
what a broken program of the user does. Beside them one real event a second asks for its answer.
"""

import contextlib
import json
import os
import resource
import select
import signal
import socket
import statistics
import subprocess
import threading
import time

from aitop.receiver import token
from benchmarks import homes
from benchmarks.harness import PYTHON, Row, missing

LIMITS = (32, 64, 256, 1024, 4096)
PEERS = 600
BUDGET = "≤ 5 % of a core, state ≤ 2 s old, next event answered ≤ 1 s"
STATUS = {"session_id": "be7c0000-0000-4000-8000-000000000001", "model": {"id": "claude-opus-5-5"},
          "cost": {"total_cost_usd": 1.25}}  # fmt: skip


class Flood(threading.Thread):
    """Keeps so many silent connections open, or trying."""

    def __init__(self, connect, count):
        super().__init__(daemon=True)
        self._connect, self._count, self.over = connect, count, threading.Event()
        self.lost = 0

    def run(self):
        poll, peers = select.poll(), {}
        while not self.over.is_set():
            while len(peers) < self._count and not self.over.is_set():
                peer = self._connect()
                if peer is None:
                    break  # the queue is full: in a moment again
                peers[peer.fileno()] = peer
                poll.register(peer, select.POLLIN | select.POLLHUP | select.POLLERR)
            for number, _ in poll.poll(20):
                poll.unregister(number)
                peers.pop(number).close()
                self.lost += 1
        for peer in peers.values():
            peer.close()


def unix(path):
    def connect():
        peer = socket.socket(socket.AF_UNIX)
        peer.setblocking(False)
        try:
            peer.connect(path)
        except OSError:
            peer.close()
            return None
        return peer

    return connect


def tcp(port):
    def connect():
        peer = socket.socket()
        peer.settimeout(0.2)
        try:
            peer.connect(("127.0.0.1", port))
        except OSError:
            peer.close()
            return None
        return peer

    return connect


# -- one real event, from the first byte to its answer ----------------------------------------------------------


def asked(make, data):
    """Seconds until the whole answer is there; infinite where none comes in ten."""
    began = time.perf_counter()
    while time.perf_counter() - began < 10:
        with make() as peer:
            peer.settimeout(10)
            with contextlib.suppress(OSError):
                peer.sendall(data)
                if peer.family == socket.AF_UNIX:
                    peer.shutdown(socket.SHUT_WR)
                if peer.recv(65_536):
                    return time.perf_counter() - began
        time.sleep(0.01)  # dropped unheard: a program tries again
    return float("inf")


def at_the_socket(path):
    def make():
        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(10)
        peer.connect(path)
        return peer

    head = b"aitop/1\tprovider=claude-code\tevent=StatusLine\tanswer=json\n"
    return lambda: asked(make, head + json.dumps(STATUS).encode())


def over_http(port, target, *headers):
    body = b'{"resourceLogs":[]}'
    head = "\r\n".join((f"POST {target} HTTP/1.1", "host: localhost", f"content-length: {len(body)}",
                        "content-type: application/json", "connection: close", *headers))  # fmt: skip
    return lambda: asked(lambda: socket.create_connection(("127.0.0.1", port), 10),
                         head.encode() + b"\r\n\r\n" + body)  # fmt: skip


# -- the doors --------------------------------------------------------------------------------------------------


def limited(limit, *words):
    return ["sh", "-c", f'ulimit -n {limit}; exec "$0" "$@"', PYTHON, "-m", "aitop", *words]


@contextlib.contextmanager
def process(argv, env):
    made = subprocess.Popen(argv, env=env, cwd=homes.HERE, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, start_new_session=True, text=True)  # fmt: skip
    try:
        yield made
    finally:
        made.send_signal(signal.SIGTERM)
        try:
            made.wait(10)
        except subprocess.TimeoutExpired:
            made.kill()
            made.wait()
        made.stdout.close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def listener(limit, door):
    """(its pid, how a silent peer connects, one real event, its home)."""
    with homes.folder() as home:
        port = free_port()
        with open(os.path.join(home, "config.toml"), "w") as file:
            file.write(f"[otel]\nenabled = {str(door == 'OTLP').lower()}\nport = {port}\n")
        path, key = os.path.join(home, "claudecode.sock"), token.read_or_make(home)
        with process(limited(limit, "listen", "--quiet"), homes.environment(home)) as made:
            _until(lambda: homes.state(home))
            if door == "socket":
                yield made.pid, unix(path), at_the_socket(path), home
            else:
                event = over_http(port, "/v1/logs", f"{token.HEADER}: {key}")
                _until(lambda: event() < 10)
                yield made.pid, tcp(port), event, home


@contextlib.contextmanager
def relay(limit, _):
    with homes.folder() as home:
        env = homes.environment(home) | {"PYTHONPATH": homes.HERE}
        with process([PYTHON, "-m", "benchmarks.gateway"], env) as api:
            behind = int(api.stdout.readline())
            words = limited(limit, "gateway", "--port", "0", "--upstream", f"http://127.0.0.1:{behind}")
            with process(words, env) as made:
                port = int(made.stdout.readline().split(" → ")[0].rpartition(":")[2])
                yield made.pid, tcp(port), over_http(port, "/v1/chat/completions"), None


def _until(true, seconds=30):
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError("it never came up")
        time.sleep(0.05)


DOORS = {"socket": listener, "OTLP": listener, "gateway": relay}


def floods(effort):
    """Each door at each limit."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    for door, opened in DOORS.items():
        if door == "gateway":
            try:
                import aiohttp  # noqa: F401 - the extra `gateway`
            except ImportError:
                yield missing(
                    f"{PEERS} idle connections at the gateway", BUDGET, "its extra is not installed"
                )
                continue
        for limit in (64,) if effort.quick else LIMITS:
            with opened(limit, door) as (pid, connect, event, home):
                yield _row(door, limit, pid, connect, event, home, effort.times(12, 4))


def _row(door, limit, pid, connect, event, home, seconds):
    what = f"{PEERS} idle connections at the {door}, {limit:,} open files allowed"
    flood = Flood(connect, PEERS)
    flood.start()
    try:
        time.sleep(3)
        before, gone = homes.account(pid), flood.lost
        if before is None:
            return missing(what, BUDGET, "no /proc here")
        began, took, oldest = time.monotonic(), [], 0.0
        while time.monotonic() - began < seconds:
            took.append(event())
            until = time.monotonic() + 1
            while home and time.monotonic() < until:
                oldest = max(oldest, time.time() - homes.written_at(home))
                time.sleep(0.02)
            time.sleep(max(0.0, until - time.monotonic()))
        used = (homes.account(pid)[0] - before[0]) / (time.monotonic() - began) * 100
        dropped = (flood.lost - gone) / (time.monotonic() - began)
    finally:
        flood.over.set()
        flood.join()
    age = f", state {oldest:.1f} s old at most" if home else ""
    return Row(what, BUDGET, f"{used:.1f} %{age}, answered in {statistics.median(took) * 1000:.0f} ms, "
               f"{max(took) * 1000:.0f} ms at worst", f"{dropped:,.0f} dropped a second and back",
               within=used <= 5 and oldest <= 2 and max(took) <= 1,
               values={"percent": used, "oldest_s": oldest, "answered_s": took, "dropped": dropped,
                       "limit": limit})  # fmt: skip
