"""What the listener holds is removed, renamed or replaced under it: home, lock, socket, history, its log.

It saves what it has and opens it anew, or ends; two listeners never publish in turn.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import threading
import time

import pytest
from support.lines import append, assistant

from aitop.listener import find

from .conftest import LONG
from .ground import aitop, fill, name, numbers, recount, take_away

pytestmark = pytest.mark.timeout(3600 if LONG else 180)
ROUNDS = 60 if LONG else 2  # for each fault
STORM = 160 if LONG else 5
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
    "segments removed": lambda home: take_away(os.path.join(home, "segments")),
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
                take_away(listener.home)
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


def test_the_runtime_folder_may_go_at_a_logout_and_come_back_at_a_login(
    listener, claude, tally, tmp_path, monkeypatch
):
    runtime, published = tmp_path / "run", os.path.join(listener.home, "state.json")
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    path = fill(claude, time.time(), sessions=1)[0]
    listener.start().wait_for(lambda s: s["scan"]["complete"])
    for turn in range(ROUNDS // 4 or 1):
        assert os.path.realpath(published).startswith(str(runtime))
        with tally.fault():
            take_away(runtime)
            append(path, assistant(f"out{turn}", time.time(), request_id=f"out{turn}", session=name(0)))
            in_session(listener, 21 + 2 * turn)
            assert not os.path.islink(published)  # the home itself serves until then
            assert os.listdir(os.path.join(listener.home, "segments"))
        with tally.fault():
            runtime.mkdir(mode=0o700)
            append(path, assistant(f"in{turn}", time.time(), request_id=f"in{turn}", session=name(0)))
            deadline = time.monotonic() + 40
            while not os.path.islink(published):
                assert time.monotonic() < deadline, "it never moved back into memory"
                in_session(listener, 22 + 2 * turn)
            in_session(listener, 22 + 2 * turn)
            assert os.listdir(os.path.join(listener.home, "segments"))
    assert listener.end() == 0
    tally.same(numbers(listener.home), recount(tmp_path))


def in_session(listener, requests):
    """Wait for a state, written from now on, in which the first session has so many requests."""
    now = time.time()
    listener.wait_for(
        lambda s: (
            s["written_at"] > now
            and sum(one["requests"] for one in s["sessions"] if one["id"] == name(0)) == requests
        )
    )


class Watched(threading.Thread):
    """Reads the state a hundred times a second: which processes published, in order, each once a turn."""

    def __init__(self, home):
        super().__init__()
        self.path, self.publishers, self.enough = os.path.join(home, "state.json"), [], threading.Event()

    def run(self):
        while not self.enough.wait(0.01):
            with contextlib.suppress(OSError), open(self.path, "rb") as file:
                pid = json.load(file)["listener"]["pid"]
                if self.publishers[-1:] != [pid]:
                    self.publishers.append(pid)


class Starts(threading.Thread):
    """Starts a listener again and again, as hooks and users do."""

    def __init__(self):
        super().__init__()
        self.enough, self.complaints = threading.Event(), []

    def run(self):
        while not self.enough.wait(0.2):
            done = aitop("start")
            if "Traceback" in done.stderr:
                self.complaints.append(done.stderr)


def rename_the_home(home):
    shutil.rmtree(f"{home}-moved", ignore_errors=True)
    os.replace(home, f"{home}-moved")


def test_whatever_is_taken_away_while_listeners_are_started_two_never_publish_in_turn(
    home, claude, noon, tally, tmp_path
):
    path = fill(claude, time.time(), sessions=3)[0]
    chance = random.Random(7)
    faults = {**FAULTS, "home removed": take_away, "home renamed": rename_the_home}
    watched, starts = Watched(home), Starts()
    watched.start()
    starts.start()
    try:
        counted(home, 20)
        for turn in range(STORM):
            fault = chance.choice(sorted(faults))
            with tally.fault():
                with contextlib.suppress(FileNotFoundError):  # a fault of before may not be mended yet
                    faults[fault](home)
                append(path, assistant(f"b{turn}", time.time(), request_id=f"rb{turn}", session=name(0)))
                counted(home, 21 + turn, fault)
                turns = watched.publishers
                assert len(turns) == len(set(turns)), f"{fault}: two listeners published in turn: {turns}"
        assert starts.complaints == []
    finally:
        for thread in (starts, watched):
            thread.enough.set()
            thread.join()
        done = aitop("stop")
    assert done.returncode == 0
    assert find.listeners(home) == []
    assert [pid for pid in watched.publishers if is_alive(pid)] == []
    tally.same(numbers(home), recount(tmp_path))


def counted(home, requests, fault=""):
    """Wait until the first session has exactly so many requests."""
    deadline = time.monotonic() + 60
    found = None
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), open(os.path.join(home, "state.json"), "rb") as file:
            state = json.load(file)
            found = sum(one["requests"] for one in state["sessions"] if one["id"] == name(0))
            if found == requests and state["scan"]["complete"]:
                return
        time.sleep(0.02)
    pytest.fail(f"{fault}: {found} requests, not {requests}")


def is_alive(pid):
    """Whether it still runs; a zombie, whose parent here does not wait for it, does not."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return file.read().rpartition(")")[2].split()[0] != "Z"
    return False
