"""A process is its number and its start time: numbers are given away again."""

import os
import signal
import subprocess
import sys
import time

from conftest import ROOT
from support.lines import transcript, user

from aitop.listener import find, lock, process_identity
from aitop.listener.lock import Lock
from aitop.listener.process_identity import Identity
from aitop.reports import catchup


def sleeper():
    return subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(60)"])


def test_a_process_is_known_by_its_number_and_its_start():
    with sleeper() as process:
        one = process_identity.of(process.pid)
        assert process_identity.lives(one)
        assert process_identity.send(one, signal.SIGKILL)
        process.wait()
        assert not process_identity.lives(one)
        assert not process_identity.send(one, signal.SIGKILL)


def test_a_number_that_was_given_away_is_not_signalled():
    with sleeper() as process:
        other = Identity(process.pid, "1")  # as if another process had had this number
        assert not process_identity.send(other, signal.SIGKILL)
        assert process.poll() is None
        process.kill()


def test_the_lock_names_its_holder(tmp_path):
    path = str(tmp_path / "listener.lock")
    assert lock.holder(path) is None
    with Lock(path) as held:
        assert lock.holder(path) is None
        held.sign("report")
        assert lock.holder(path) == lock.Holder(process_identity.of(os.getpid()), "report")
        held.sign("listener")
        assert lock.holder(path).role == "listener"
    (tmp_path / "listener.lock").write_bytes(b"\xff 1 x\n" * 100)
    assert lock.holder(path) is None


def test_a_lock_whose_file_was_replaced_is_no_longer_in_place(tmp_path):
    path = str(tmp_path / "listener.lock")
    with Lock(path) as held:
        assert held.is_in_place()
        os.unlink(path)
        assert not held.is_in_place()
        open(path, "w").close()
        assert not held.is_in_place()


def test_a_report_signs_the_lock_under_which_it_reads(home, tmp_path):
    transcript(str(tmp_path / "user" / ".claude"), [user(at=1.0)])
    holders = set()
    catchup.catch_up(lambda *_: holders.add(lock.holder(os.path.join(home, "listener.lock")))).db.close()
    assert holders == {lock.Holder(process_identity.of(os.getpid()), "report")}


def test_a_report_that_holds_the_lock_is_no_listener(home):
    with Lock(os.path.join(home, "listener.lock")) as held:
        held.sign("report")
        assert find.running() is None
        assert find.listeners(home) == []
        held.sign("listener")
        assert find.running()["pid"] == os.getpid()
        assert find.listeners(home) == [process_identity.of(os.getpid())]


def test_stop_leaves_a_process_alone_that_the_state_names_by_mistake(listener):
    listener.start()
    listener.end(signal.SIGKILL)
    state = os.path.join(listener.home, "state.json")
    with sleeper() as innocent:
        with open(state) as file:
            text = file.read()
        with open(state, "w") as file:
            file.write(text.replace(f'"pid":{listener.pid}', f'"pid":{innocent.pid}'))
        listener.start(wait=False)
        while not find.is_locked(listener.home):
            time.sleep(0.01)
        done = subprocess.run(
            [sys.executable, "-m", "aitop", "stop"], env=os.environ | {"PYTHONPATH": ROOT},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, innocent.poll()) == (0, None)
        innocent.kill()
    listener.process.wait(30)
