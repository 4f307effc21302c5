"""SIGKILL of the listener at every kind of step it takes, while clients write and displays read.

Which steps there are is found out by a first run, so the test follows the code: whatever the listener calls
of the system or of SQLite while it scans, commits and publishes is a place to die at, before and after.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest
from conftest import ROOT
from support.lines import append, assistant, result, transcript, usage, use, user

from aitop.history.recovery import integrity

from .conftest import LONG
from .ground import catch_up, fill, name, numbers, recount

pytestmark = pytest.mark.timeout(3600 if LONG else 90)
KILLS = 110 if LONG else 8  # of each of two listeners
CHILD = os.path.join(os.path.dirname(__file__), "child.py")


def start(home, plan):
    with open(os.path.join(home, "listener.out"), "ab") as out:
        return subprocess.Popen(
            [sys.executable, CHILD, plan, "listen", "--quiet"], env=os.environ | {"PYTHONPATH": ROOT},
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip


class Writer:
    """Clients at work: responses whose lines grow, tools, all the time."""

    def __init__(self, root):
        self.names = [name(700 + n) for n in range(3)]
        self.files = [transcript(root, [user(at=time.time(), session=n)], session=n) for n in self.names]
        self.count = 0

    def write(self):
        number, at, which = self.count, time.time() - 1, self.count % 3
        known = {"request_id": f"k{number}", "session": self.names[which]}
        append(self.files[which], assistant(f"k{number}", at, usage=usage(1), stop=None,
                                            content=[use(f"k{number}")], **known))  # fmt: skip
        append(self.files[which], assistant(f"k{number}", at, usage=usage(7), content=[], **known),
               result(f"k{number}", at, session=self.names[which]))  # fmt: skip
        self.count += 1


class Reader:
    """A display that reads all the time; `wrong` is the first thing that it should not have seen."""

    def __init__(self, home):
        self.home, self.wrong, self.reads = home, None, 0
        self._most = (0, 0, 0)

    def read(self):
        with contextlib.suppress(FileNotFoundError):
            with open(os.path.join(self.home, "state.json"), "rb") as file:
                data = file.read()
            self._state(data)
        with contextlib.suppress(FileNotFoundError):
            for segment in os.listdir(os.path.join(self.home, "segments")):
                if not segment.startswith("."):
                    with open(os.path.join(self.home, "segments", segment), encoding="utf-8") as file:
                        self._segment(segment, file.read())

    def _state(self, data):
        self.reads += 1
        try:
            today = json.loads(data)["today"]
        except (ValueError, KeyError) as error:
            self.wrong = self.wrong or f"a state that is none: {error}, {data[:200]}"
            return
        now = (today["requests"], today["output_tokens"], today["tool_calls"])
        if any(a < b for a, b in zip(now, self._most, strict=True)):
            self.wrong = self.wrong or f"totals fell from {self._most} to {now}"
        self._most = now

    def _segment(self, segment, text):
        self.reads += 1
        head = text.split(" ", 2)
        whole = len(head) == 3 and head[0].isdigit() and head[1].isdigit() and text.endswith("\n")
        if not whole:
            self.wrong = self.wrong or f"half a segment {segment}: {text[:200]!r}"


@contextlib.contextmanager
def meanwhile(*deeds):
    """Do these over and over beside the block."""
    over = threading.Event()

    def go(deed, pause):
        while not over.wait(pause):
            deed()

    threads = [threading.Thread(target=go, args=deed) for deed in deeds]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def steps_of_a_life(home, counts):
    """Step → how often a listener takes it within its first seconds."""
    process = start(home, f"record {counts}")
    deadline = time.monotonic() + 20
    while not os.path.exists(os.path.join(home, "state.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1)
    process.send_signal(signal.SIGUSR1)
    process.wait(10)
    with open(counts) as file:
        return json.load(file)


def gone(process):
    """Wait until it, and the helpers it started, are no more."""
    process.wait(20)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.parametrize("part", [0, 1])
def test_whatever_step_it_dies_at_readers_read_whole_files_and_nothing_is_lost_or_counted_twice(
    part, home, claude, noon, tally, tmp_path
):
    fill(claude, time.time(), sessions=12, responses=40)
    big = transcript(
        claude, [b'{"type":"attachment","x":"' + b"y" * 90_000 + b'"}\n'] * 120, session=name(800)
    )
    append(big, assistant("big", time.time() - 9, request_id="big", session=name(800)))  # enough for helpers
    writer, reader = Writer(claude), Reader(home)
    chance = random.Random(part)
    steps = steps_of_a_life(home, str(tmp_path / "steps"))
    assert {"replace", "execute", "open"} <= set(steps)
    names, killed = sorted(steps), {}
    for number in range(KILLS):
        step = names[(2 * number + part) % len(names)]
        at = chance.randint(1, max(1, steps[step])) * chance.choice([1, 1, -1])
        if number % 8 == 3:
            for file in (
                "state.json",
                "history.db",
                "history.db-wal",
                "history.db-shm",
            ):  # a first reading again
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(home, file))
            reader = Reader(home)
        with tally.fault():
            with meanwhile((writer.write, 0.02), (reader.read, 0.001)):
                process = start(home, f"kill {step} {at}")
                try:
                    process.wait(3)
                except subprocess.TimeoutExpired:  # it never came to that step: die now
                    process.kill()
                gone(process)
                killed[step] = killed.get(step, 0) + (process.returncode == -signal.SIGKILL)
            assert reader.wrong is None, f"killed at {step} {at}: {reader.wrong}"
            after_the_fault(home, tally, tmp_path, f"killed at {step} {at}:")
    assert reader.reads > KILLS
    assert sum(killed.values()) == KILLS, killed


def after_the_fault(home, tally, tmp_path, where):
    """A copy of what is left, brought up to date, equals a clean count of the same files; and it is sound."""
    copy = str(tmp_path / "copy")
    os.makedirs(copy)
    for file in ("history.db", "history.db-wal"):
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(os.path.join(home, file), os.path.join(copy, file))
    catch_up(copy)
    assert integrity.problem_of(os.path.join(copy, "history.db")) is None
    tally.same(numbers(copy), recount(tmp_path), where)
    assert not [left for left in os.listdir(copy) if "damaged" in left]
    shutil.rmtree(copy)
