"""Many listeners started at once for one home: exactly one lives, whatever else goes on."""

import os
import signal
import time

import pytest
from support.lines import append, assistant

from .conftest import LONG
from .ground import aitop, fill, name, numbers, recount

pytestmark = pytest.mark.timeout(900 if LONG else 90)
ROUNDS = 12 if LONG else 2
AT_ONCE = 8 if LONG else 5


def living(listener):
    return [process for process in listener.started if process.poll() is None]


def test_of_many_started_at_once_one_stays_and_counts_alone(listener, claude, tally, tmp_path):
    path = fill(claude, time.time())[0]
    for number in range(ROUNDS):
        listener.started.clear()
        for _ in range(AT_ONCE):
            listener.start(wait=False)
        with tally.fault(AT_ONCE - 1):
            append(path, assistant(f"r{number}", time.time(), request_id=f"r{number}", session=name(0)))
            deadline = time.monotonic() + 30
            while len(living(listener)) > 1 and time.monotonic() < deadline:
                time.sleep(0.02)
            (one,) = living(listener)
            assert {p.returncode for p in listener.started if p is not one} == {1}
            assert "another listener runs" in listener.output()
            listener.process = one
            listener.wait_for(lambda s, p=one: s["listener"]["pid"] == p.pid and s["scan"]["complete"], 30)
            assert listener.end(signal.SIGKILL if number % 2 else signal.SIGTERM) in (0, -signal.SIGKILL)
    listener.start().wait_for(lambda s: s["scan"]["complete"])
    listener.end()
    tally.same(numbers(listener.home), recount(tmp_path))


def test_a_second_one_takes_nothing_from_the_first(listener, tally):
    first = listener.start().process
    with tally.fault():
        listener.start(wait=False)
        assert listener.process.wait(20) == 1
        listener.process = first
        listener.send({"hook_event_name": "Stop", "session_id": name(0)})
        listener.wait_for(lambda s: s["hooks"]["unique"] == 1)
        assert os.path.exists(os.path.join(listener.home, "claudecode.sock"))


def test_a_report_beside_a_listener_waits_for_it_and_writes_nothing_itself(listener, claude, tally):
    fill(claude, time.time())
    listener.start().wait_for(lambda s: s["scan"]["complete"])
    with tally.fault():
        found = aitop("report", "sessions", "--json")
        assert found.returncode == 0
        assert listener.process.poll() is None
