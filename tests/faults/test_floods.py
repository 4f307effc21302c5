"""Silent and half-said connections without end, at every limit of open files: counting goes on."""

import os
import socket
import subprocess
import sys
import time

import pytest
from conftest import ROOT
from support.lines import append, assistant, transcript

from .conftest import LONG
from .ground import name

pytestmark = pytest.mark.timeout(180)
LIMITS = (32, 48, 64, 128, 256, 512, 1024, 4096) if LONG else (32, 256, 4096)
HALF = b'{"hook_event_name": "Stop", "session_id'
FLOODS = {"silent": b"", "half said": HALF, "rubbish": b"\xff" * 5000}


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="needs /proc")
@pytest.mark.parametrize("flood", FLOODS)
@pytest.mark.parametrize("limit", LIMITS)
def test_in_a_flood_events_and_lines_are_counted_and_a_core_is_not_busy(
    limit, flood, listener, claude, tally
):
    path = transcript(
        claude, [assistant("a", time.time() - 60, request_id="ra", session=name(0))], session=name(0)
    )
    with open(os.path.join(listener.home, "listener.out"), "ab") as out:
        listener.process = subprocess.Popen(
            ["sh", "-c", f'ulimit -n {limit}; exec "$0" -m aitop listen --quiet', sys.executable],
            env=os.environ | {"PYTHONPATH": ROOT, "AITOP_HOME": listener.home},
            stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    listener.started.append(listener.process)
    listener.wait_for(lambda s: s["today"]["requests"] == 1)
    peers = []
    with tally.fault():
        for _ in range(600):
            peer = socket.socket(socket.AF_UNIX)
            peer.setblocking(False)
            try:
                peer.connect(os.path.join(listener.home, "claudecode.sock"))
                peer.send(FLOODS[flood])
            except OSError:
                pass
            peers.append(peer)
        begun, cpu = time.monotonic(), cpu_seconds(listener.pid)
        append(path, assistant("b", time.time(), request_id="rb", session=name(0)))
        listener.send({"hook_event_name": "Stop", "session_id": name(0)})
        listener.wait_for(lambda s: s["today"]["requests"] == 2 and s["hooks"]["unique"] == 1)
        time.sleep(2)
        assert cpu_seconds(listener.pid) - cpu < 0.5 * (time.monotonic() - begun)  # it does not spin
    for peer in peers:
        peer.close()
    assert listener.end() == 0
