"""A listener that is stopped in its tracks, its backlog full: hooks and displays go on as if nothing were.

How long a hook takes is the benchmark's business. Here: that it ends at all, without a word, long before its
client would be bothered; and that nothing is lost once the listener goes on.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time

import pytest
from conftest import ROOT
from support.lines import append, assistant

from .ground import fill, name, numbers, recount

pytestmark = pytest.mark.timeout(90)
FRONT = os.path.join(os.path.dirname(sys.executable), "aitop")
FAR_TOO_LONG = 5.0  # seconds, on a machine as busy as can be; promised are 0.2
PAYLOAD = '{"hook_event_name": "Stop", "session_id": "' + name(0) + '"}'


@pytest.fixture
def hung(listener, claude):
    """A listener that hangs, with no place left in its backlog; its transcript's path."""
    path = fill(claude, time.time())[0]
    listener.start().wait_for(lambda s: s["scan"]["complete"])
    listener.signal(signal.SIGSTOP)
    waiting = []
    while True:
        peer = socket.socket(socket.AF_UNIX)
        waiting.append(peer)
        peer.setblocking(False)
        if peer.connect_ex(os.path.join(listener.home, "claudecode.sock")):
            break
    yield path
    for peer in waiting:
        peer.close()
    with contextlib.suppress(ProcessLookupError):
        listener.signal(signal.SIGCONT)


def run(*words):
    began = time.monotonic()
    found = subprocess.run(words, input=PAYLOAD, capture_output=True, text=True, timeout=FAR_TOO_LONG,
                           env=os.environ | {"PYTHONPATH": ROOT})  # fmt: skip
    assert time.monotonic() - began < FAR_TOO_LONG
    assert (found.returncode, found.stderr) == (0, "")
    return found.stdout


def test_hooks_end_in_silence(hung, tally):
    for words in (
        [FRONT, "hook", "Stop"],
        [sys.executable, "-I", "-S", os.path.join(ROOT, "aitop", "hook.py"), "Stop"],
    ):
        with tally.fault():
            assert run(*words) == ""


def test_displays_show_the_last_number_while_it_is_fresh_and_then_nothing(hung, listener, tally):
    for words in (("tmux",), ("prompt", "--shell", "zsh"), ("prompt", "--shell", "bash")):
        with tally.fault():
            run(FRONT, *words)
    time.sleep(11)
    for words in (("tmux",), ("prompt", "--shell", "zsh"), ("prompt", "--shell", "bash")):
        with tally.fault():
            assert run(FRONT, *words) == ""
    with tally.fault():
        assert '"class":"off"' in run(FRONT, "waybar")


def test_once_it_goes_on_everything_written_meanwhile_is_counted(hung, listener, tally, tmp_path):
    with tally.fault():
        append(
            hung, *[assistant(f"h{n}", time.time(), request_id=f"h{n}", session=name(0)) for n in range(50)]
        )
        listener.signal(signal.SIGCONT)
        listener.wait_for(lambda s: s["since_start"]["requests"] >= 50 and s["scan"]["complete"], 30)
    listener.end()
    tally.same(numbers(listener.home), recount(tmp_path))


def test_doctor_names_a_listener_that_hangs(hung, tally):
    with tally.fault():
        time.sleep(11)
        found = subprocess.run([sys.executable, "-m", "aitop", "doctor"], capture_output=True, text=True, timeout=60,
                               env=os.environ | {"PYTHONPATH": ROOT})  # fmt: skip
        assert found.returncode == 1
        assert "the listener last published its numbers" in found.stdout
