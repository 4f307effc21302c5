"""Silent and half-said connections without end, at every limit of open files: counting goes on.

`python -m benchmarks floods` measures what it costs at all three doors. Here is what must hold on any machine.
"""

import http.client
import os
import resource
import socket
import subprocess
import sys
import time

import pytest
from conftest import ROOT
from support.lines import append, assistant, transcript

from aitop.receiver import token

from .conftest import LONG
from .ground import name

pytestmark = pytest.mark.timeout(180)
LIMITS = (32, 48, 64, 128, 256, 512, 1024, 4096) if LONG else (32, 256, 4096)
PEERS = 600
HALF = {
    "socket": b'{"hook_event_name": "Stop", "session_id',
    "otlp": b"POST /v1/logs HTTP/1.1\r\nhost: local",
}
FLOODS = ("silent", "half said", "rubbish")
TICKS = 3  # seconds of the listener during which it is watched
WAKE_UPS = 60  # a tick, at most: a turn for a flood each 50 ms, and what else there is
CPU_SECONDS = 0.25  # a tick, at most, on a machine however busy


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def wake_ups(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt"))


def ticks_of(path, number):
    """Wait until the state was published so many times."""
    for _ in range(number):
        before, deadline = os.stat(path).st_mtime_ns, time.monotonic() + 30
        while os.stat(path).st_mtime_ns == before:
            assert time.monotonic() < deadline, "it publishes no more"
            time.sleep(0.02)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def many_files():
    """This process itself may hold all those connections."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(before[1], 8192), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture
def limited(listener, tmp_path):
    """Starts the listener with so many open files allowed and its telemetry port open: the port."""

    def start(limit):
        port = free_port()
        config = tmp_path / "config.toml"
        config.write_text(f"[otel]\nenabled = true\nport = {port}\n")
        with open(os.path.join(listener.home, "listener.out"), "ab") as out:
            listener.process = subprocess.Popen(
                ["sh", "-c", f'ulimit -n {limit}; exec "$0" -m aitop listen --quiet', sys.executable],
                env=os.environ | {"PYTHONPATH": ROOT, "AITOP_HOME": listener.home, "AITOP_CONFIG": str(config)},
                stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        listener.started.append(listener.process)
        return port

    return start


def peers_of(connect, said):
    peers = []
    for _ in range(PEERS):
        peer = connect()
        try:
            peer.send(said)
        except OSError:
            pass
        peers.append(peer)
    return peers


def silent_socket(path):
    def connect():
        peer = socket.socket(socket.AF_UNIX)
        peer.setblocking(False)
        peer.connect_ex(path)
        return peer

    return connect


def silent_tcp(port):
    def connect():
        peer = socket.socket()
        peer.setblocking(False)
        peer.connect_ex(("127.0.0.1", port))
        return peer

    return connect


def an_empty_log(port, home):
    """One real request at the telemetry port: its status."""
    peer = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    peer.request("POST", "/v1/logs", b'{"resourceLogs":[]}',
                 {"content-type": "application/json", token.HEADER: token.read(home)})  # fmt: skip
    status = peer.getresponse().status
    peer.close()
    return status


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="needs /proc")
@pytest.mark.parametrize("flood", FLOODS)
@pytest.mark.parametrize("door", HALF)
@pytest.mark.parametrize("limit", LIMITS)
def test_in_a_flood_events_and_lines_are_counted_and_a_core_is_not_busy(
    limit, door, flood, limited, listener, claude, tally, many_files
):
    path = transcript(
        claude, [assistant("a", time.time() - 60, request_id="ra", session=name(0))], session=name(0)
    )
    port = limited(limit)
    listener.wait_for(lambda s: s["today"]["requests"] == 1 and s["doctor"]["otel"])
    state = os.path.join(listener.home, "state.json")
    connect = (
        silent_tcp(port) if door == "otlp" else silent_socket(os.path.join(listener.home, "claudecode.sock"))
    )
    said = {"silent": b"", "half said": HALF[door], "rubbish": b"\xff" * 5000}[flood]
    with tally.fault():
        peers = peers_of(connect, said)
        append(path, assistant("b", time.time(), request_id="rb", session=name(0)))
        listener.send({"hook_event_name": "Stop", "session_id": name(0)})
        assert an_empty_log(port, listener.home) == 200
        listener.wait_for(
            lambda s: (
                s["today"]["requests"] == 2
                and s["hooks"]["unique"] == 1
                and s["doctor"]["otel"]["received"] == 1
            )
        )
        ticks_of(state, 1)
        woken, used = wake_ups(listener.pid), cpu_seconds(listener.pid)
        ticks_of(state, TICKS)
        assert wake_ups(listener.pid) - woken < WAKE_UPS * TICKS
        assert cpu_seconds(listener.pid) - used < CPU_SECONDS * TICKS
    for peer in peers:
        peer.close()
    assert listener.end() == 0
