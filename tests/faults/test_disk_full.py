"""No room, a file system that turned read-only, folders that may not be written: the listener lives and says so.

What could not be written is read again when there is room, so nothing is missing and nothing counts twice;
the displays show nothing meanwhile, and never disturb their host.
"""

import contextlib
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

import pytest
from conftest import ROOT
from support.lines import append, assistant

from aitop.listener import lock, process_identity

from .ground import aitop, catch_up, fill, name, numbers, recount

pytestmark = pytest.mark.timeout(90)
FRONT = os.path.join(os.path.dirname(sys.executable), "aitop")


@pytest.fixture
def small(home, monkeypatch):
    """`$AITOP_HOME` on a file system of its own, of 4 MB."""
    if os.getuid() != 0 or not shutil.which("mount"):
        pytest.skip("mounting a small disk needs root; a limit on the size of files stands in for it")
    disk = tempfile.mkdtemp(prefix="aitop-disk-", dir="/tmp")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "none", disk], capture_output=True
    )
    if done.returncode:
        os.rmdir(disk)
        pytest.skip(f"this machine forbids mounting: {done.stderr!r}")
    home = os.path.join(disk, "h")
    os.mkdir(home, 0o700)
    monkeypatch.setenv("AITOP_HOME", home)
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)
    os.rmdir(disk)


@pytest.fixture
def runtime(tmp_path, monkeypatch):
    """Where state and segments live when the system has a folder for them."""
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))


def stuff(disk):
    """Fill a disk to the last byte."""
    path = os.path.join(disk, "ballast")
    with open(path, "ab", buffering=0) as file:
        for size in (65_536, 4096, 512, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(size))
    return path


def silent(*words, given="{}"):
    """A one-shot or a hook under this fault: no word, no error, exit 0."""
    found = subprocess.run(["sh", FRONT, *words], input=given, capture_output=True, text=True, timeout=20)
    assert (found.returncode, found.stderr) == (0, ""), words
    return found.stdout


def many(path, number, count=400):
    """Enough for one transaction to need room."""
    append(path, *[assistant(f"f{number}-{n}", time.time(), request_id=f"f{number}-{n}", session=name(0))
                   for n in range(count)])  # fmt: skip


def test_a_full_disk_is_told_and_survived_and_what_was_written_meanwhile_is_counted_once(
    small, runtime, listener, claude, tally, tmp_path
):
    listener.home = os.environ["AITOP_HOME"]
    path = fill(claude, time.time())[0]
    before = listener.start().wait_for(lambda s: s["scan"]["complete"])["today"]["requests"]
    for number in (1, 2):
        with tally.fault():
            ballast = stuff(small)
            many(path, number, 4000)
            listener.wait_for(lambda s: s["doctor"]["history_error"], 20)
            assert "the history cannot be written" in aitop("doctor").stdout
            for words in (("tmux",), ("prompt", "--shell", "zsh"), ("waybar",), ("hook", "Stop")):
                silent(*words)
            os.unlink(ballast)
            listener.wait_for(
                lambda s, n=number: (
                    s["today"]["requests"] == before + 4000 * n and not s["doctor"]["history_error"]
                ),
                30,
            )
    assert listener.process.poll() is None
    assert listener.end() == 0
    tally.same(numbers(listener.home), recount(tmp_path))


def test_where_the_state_itself_finds_no_room_displays_go_blank_and_come_back(
    small, listener, claude, tally, tmp_path
):
    listener.home = os.environ["AITOP_HOME"]
    path = fill(claude, time.time())[0]
    before = listener.start().wait_for(lambda s: s["scan"]["complete"])["today"]["requests"]
    with tally.fault():
        ballast = stuff(small)
        many(path, 1, 4000)
        time.sleep(11)  # longer than a state lives
        assert silent("tmux") == ""
        assert silent("prompt", "--shell", "bash") == ""
        assert listener.process.poll() is None
        os.unlink(ballast)
        listener.wait_for(lambda s: s["today"]["requests"] == before + 4000, 30)
        assert (
            "cannot publish" in listener.log() or "full" in listener.log() or listener.process.poll() is None
        )
    listener.end()
    tally.same(numbers(listener.home), recount(tmp_path))


def test_started_on_a_full_disk_it_waits_for_room(small, runtime, listener, claude, tally, tmp_path):
    listener.home = os.environ["AITOP_HOME"]
    path = fill(claude, time.time())[0]
    listener.start().wait_for(lambda s: s["scan"]["complete"])
    listener.end()
    with tally.fault():
        ballast = stuff(small)
        many(path, 1)
        listener.start(wait=False)
        time.sleep(3)
        assert listener.process.poll() is None, listener.output()
        os.unlink(ballast)
        listener.wait_for(lambda s: s["scan"]["complete"] and s["listener"]["pid"] == listener.pid, 20)
    listener.end()
    tally.same(numbers(listener.home), recount(tmp_path))


def test_a_restore_that_finds_no_room_waits_for_it(small, runtime, listener, claude, tally, tmp_path):
    listener.home = os.environ["AITOP_HOME"]
    fill(claude, time.time())
    catch_up(listener.home)
    wanted = recount(tmp_path)
    with tally.fault():
        with open(os.path.join(listener.home, "history.db"), "wb") as file:
            file.write(b"nothing" * 9000)
        ballast = stuff(small)
        listener.start(wait=False)
        time.sleep(3)
        assert listener.process.poll() is None, listener.output()
        os.unlink(ballast)
        listener.wait_for(lambda s: s["doctor"]["history_restored"] and s["scan"]["complete"])
    listener.end()
    tally.same(numbers(listener.home), wanted)


def test_the_name_that_a_full_disk_kept_out_of_the_lock_is_written_when_there_is_room(
    small, runtime, listener, claude, tally
):
    listener.home = os.environ["AITOP_HOME"]
    path = os.path.join(listener.home, "listener.lock")
    fill(claude, time.time())
    catch_up(listener.home)
    with tally.fault():
        ballast = stuff(small)
        listener.start(wait=False)
        time.sleep(3)
        assert listener.process.poll() is None
        assert aitop("start").returncode == 0  # the lock is held all the same
        assert os.path.getsize(path) == 0
        os.unlink(ballast)
        listener.wait_for(lambda s: s["scan"]["complete"])
        deadline = time.monotonic() + 20
        while lock.holder(path) != (process_identity.of(listener.pid), "listener"):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert aitop("stop").returncode == 0
        assert listener.process.wait(10) == 0


def test_a_disk_that_can_hold_no_further_file_is_waited_for(
    small, runtime, listener, claude, tally, tmp_path
):
    listener.home = os.environ["AITOP_HOME"]
    fill(claude, time.time())
    catch_up(listener.home)
    wanted = recount(tmp_path)
    assert not os.path.exists(os.path.join(listener.home, "listener.lock"))
    with open(os.path.join(listener.home, "listener.out"), "w"):
        pass
    with tally.fault():
        subprocess.run(["mount", "-o", "remount,nr_inodes=40", small], check=True)
        taken = []
        with contextlib.suppress(OSError):
            while True:
                path = os.path.join(small, f"one-of-many-{len(taken)}")
                open(path, "w").close()
                taken.append(path)
        listener.start(wait=False)
        time.sleep(3)
        assert listener.process.poll() is None, listener.output()
        for path in taken:
            os.unlink(path)
        listener.wait_for(lambda s: s["scan"]["complete"])
    listener.end()
    tally.same(numbers(listener.home), wanted)


def test_a_limit_on_the_size_of_files_is_a_full_disk_too(runtime, listener, claude, tally, tmp_path):
    path = fill(claude, time.time())[0]
    before = listener.start().wait_for(lambda s: s["scan"]["complete"])["today"]["requests"]
    with tally.fault():
        limit = os.path.getsize(os.path.join(listener.home, "history.db-wal")) + 8192
        resource.prlimit(listener.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        many(path, 1, 4000)
        listener.wait_for(lambda s: s["doctor"]["history_error"], 20)
        resource.prlimit(
            listener.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        )
        listener.wait_for(
            lambda s: s["today"]["requests"] == before + 4000 and not s["doctor"]["history_error"], 30
        )
    listener.end()
    tally.same(numbers(listener.home), recount(tmp_path))


def test_a_read_only_home_is_told_in_one_sentence_and_the_displays_keep_silent(small, tally):
    home = os.environ["AITOP_HOME"]
    for existing in (False, True):
        if existing:
            subprocess.run(["mount", "-o", "remount,rw", small], check=True)
            aitop("report", "sessions")
        with tally.fault():
            subprocess.run(["mount", "-o", "remount,ro", small], check=True)
            found = aitop("listen")
            assert found.returncode == 1
            assert "Traceback" not in found.stderr
            assert "Set AITOP_HOME to a folder you can write" in found.stderr
            for words in (("tmux",), ("prompt", "--shell", "zsh"), ("hook", "Stop"), ("statusline",)):
                silent(*words)
            for words in (("start",), ("status",), ("doctor",), ("report", "sessions"), ("stop",)):
                found = aitop(*words)
                assert "Traceback" not in found.stderr, (words, found.stderr)
    assert os.path.isdir(home)


def test_a_home_that_may_not_be_written_is_told_in_one_sentence(home, tally):
    plain = [] if os.getuid() else ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    if plain and not shutil.which("setpriv"):
        pytest.skip("taking root's privileges away needs setpriv")
    with tally.fault():
        os.chmod(home, 0o500)
        found = subprocess.run(
            [*plain, sys.executable, "-m", "aitop", "listen"], env=os.environ | {"PYTHONPATH": ROOT},
            capture_output=True, text=True, timeout=20,
        )  # fmt: skip
        assert found.returncode == 1, found.stderr
        assert "Traceback" not in found.stderr
        assert "Set AITOP_HOME to a folder you can write" in found.stderr
