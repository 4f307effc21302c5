"""What the listener holds is removed, renamed or replaced under it: home, lock, socket, history, its log.

It saves what it has and opens it anew, or ends; two listeners never publish in turn.
"""

import os
import shutil
import signal
import sqlite3
import time

import pytest
from support.lines import append, assistant

from .conftest import LONG
from .ground import aitop, fill, name, numbers, recount

pytestmark = pytest.mark.timeout(1800 if LONG else 180)
ROUNDS = 25 if LONG else 2
HISTORY = ("history.db", "history.db-wal", "history.db-shm")


def remove(*names):
    def do(home):
        for one in names:
            if os.path.exists(os.path.join(home, one)):
                os.unlink(os.path.join(home, one))

    return do


def rename(one):
    return lambda home: os.replace(os.path.join(home, one), os.path.join(home, f"{one}.moved"))


def replace_by_an_empty_file(one):
    def do(home):
        fresh = os.path.join(home, "fresh")
        open(fresh, "wb").close()
        os.replace(fresh, os.path.join(home, one))

    return do


def replace_history_by_an_older_one(home):
    fresh = os.path.join(home, "fresh.db")
    with sqlite3.connect(fresh) as db:
        db.execute("CREATE TABLE other (x)")
    db.close()
    remove("history.db-wal", "history.db-shm")(home)
    os.replace(fresh, os.path.join(home, "history.db"))


FAULTS = {
    "lock removed": remove("listener.lock"),
    "lock renamed": rename("listener.lock"),
    "lock replaced": replace_by_an_empty_file("listener.lock"),
    "socket removed": remove("claudecode.sock"),
    "socket renamed": rename("claudecode.sock"),
    "history removed": remove(*HISTORY),
    "history's file removed": remove("history.db"),
    "history's log removed": remove("history.db-wal"),
    "history renamed": rename("history.db"),
    "history replaced": replace_history_by_an_older_one,
    "state removed": remove("state.json"),
    "segments removed": lambda home: shutil.rmtree(os.path.join(home, "segments")),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_taken_away_under_load_costs_no_number(fault, listener, claude, tally, tmp_path):
    path = fill(claude, time.time(), sessions=3)[0]
    listener.start().wait_for(lambda s: s["scan"]["complete"])
    pid = listener.pid
    for turn in range(ROUNDS):
        with tally.fault():
            append(path, assistant(f"a{turn}", time.time(), request_id=f"ra{turn}", session=name(0)))
            before = time.time()
            FAULTS[fault](listener.home)
            append(path, assistant(f"b{turn}", time.time(), request_id=f"rb{turn}", session=name(0)))
            wanted = 2 * turn + 2
            listener.wait_for(
                lambda s, n=wanted, t=before: s["written_at"] > t
                and ("history" not in fault or s["listener"]["started_at"] > t)
                and sum(x["requests"] for x in s["sessions"] if x["id"] == name(0)) == 20 + n
                and all(os.path.exists(os.path.join(listener.home, one)) for one in
                        ("listener.lock", "claudecode.sock", "history.db", "segments"))
            )  # fmt: skip
            listener.send({"hook_event_name": "Stop", "session_id": name(0), "n": turn})
            listener.wait_for(lambda s: s["hooks"]["unique"] >= 1)
            assert listener.pid == pid
            assert listener.process.poll() is None
    assert listener.end() == 0
    tally.same(numbers(listener.home), recount(tmp_path), fault)


@pytest.mark.parametrize("fault", ["removed", "renamed"])
def test_a_home_that_is_taken_away_ends_its_listener_and_another_one_takes_its_place(
    fault, listener, claude, tally, tmp_path
):
    fill(claude, time.time(), sessions=3)
    os.makedirs(listener.home, exist_ok=True)
    for _ in range(ROUNDS):
        with tally.fault():
            first = listener.start().process
            listener.wait_for(lambda s: s["scan"]["complete"])
            if fault == "removed":
                shutil.rmtree(listener.home)
            else:
                shutil.rmtree(f"{listener.home}-moved", ignore_errors=True)
                os.replace(listener.home, f"{listener.home}-moved")
            os.mkdir(listener.home, 0o700)
            second = listener.start().process
            assert first.wait(20) == 0
            pids, until = set(), time.monotonic() + 3
            while time.monotonic() < until:
                pids.add((listener.state() or {}).get("listener", {}).get("pid", second.pid))
                time.sleep(0.02)
            assert pids == {second.pid}
            listener.wait_for(lambda s: s["scan"]["complete"])
            assert listener.end() == 0
    tally.same(numbers(listener.home), recount(tmp_path), fault)


def test_stop_ends_a_listener_that_lost_its_lock_and_spares_the_process_that_has_its_old_number(
    listener, claude, tally
):
    fill(claude, time.time(), sessions=1)
    with tally.fault():
        first = listener.start().process
        listener.wait_for(lambda s: s["scan"]["complete"])
        first.send_signal(signal.SIGSTOP)  # so that it cannot notice by itself
        os.unlink(os.path.join(listener.home, "listener.lock"))
        os.unlink(os.path.join(listener.home, "claudecode.sock"))
        second = listener.start().process
        first.send_signal(signal.SIGCONT)
        done = aitop("stop")
        assert (done.returncode, done.stdout) == (0, "the listener is stopped\n")
        assert (first.wait(20), second.wait(20)) == (0, 0)
