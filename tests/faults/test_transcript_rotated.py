"""Transcripts that are cut, rotated, replaced, moved and written in pieces while they are read; and huge ones.

What was counted stays counted: a file that shrinks takes nothing away. Nothing counts twice, however often its
lines are read again. Memory is bounded by the longest line, not by the file.
"""

import os
import random
import shutil
import time

import pytest
from support.lines import append, assistant, encode, transcript, user

from aitop.history.recovery import integrity

from .conftest import LONG
from .ground import fill, name, numbers, recount

pytestmark = pytest.mark.timeout(3600 if LONG else 90)
SIZE = (2 << 30) if LONG else (96 << 20)
MOST_MEMORY = 200 << 20  # bytes of a listener or a helper, whatever the size of the file
STEPS = 200 if LONG else 30


def response(number, session=0):
    return assistant(f"q{number}", time.time() - 1, request_id=f"q{number}", session=name(session))


class Client:
    """Does to its transcript what clients, people and sync programs do; knows what was ever written whole."""

    def __init__(self, root, seed):
        self.chance, self.root = random.Random(seed), root
        self.path = transcript(root, [user(at=time.time())], session=name(0))
        self.count, self.half = 0, b""

    def add(self):
        if self.half:
            self.finish()
        append(self.path, response(self.count))
        self.count += 1

    def begin(self):
        """Half a line; its other half comes later."""
        if not self.half:
            line = encode([response(self.count)])
            at = self.chance.randrange(1, len(line))
            append(self.path, line[:at])
            self.half = line[at:]

    def finish(self):
        if self.half:
            append(self.path, self.half)
            self.half = b""
            self.count += 1

    def cut(self):
        """Cut off at a line's end, after what was cut has been read."""
        self.finish()
        with open(self.path, "rb+") as file:
            lines = file.read().splitlines(keepends=True)
            file.truncate(sum(map(len, lines[: self.chance.randrange(len(lines) + 1)])))

    def empty(self):
        self.finish()
        os.truncate(self.path, 0)

    def rewrite(self):
        """The same lines in a new file of the same name."""
        self.finish()
        shutil.copyfile(self.path, self.path + ".tmp")
        os.replace(self.path + ".tmp", self.path)

    def rotate(self):
        """Moved away under another name, and begun anew."""
        self.finish()
        os.replace(self.path, os.path.join(os.path.dirname(self.path), f"{name(100 + self.count)}.jsonl"))
        append(self.path, user(at=time.time()))

    def copy(self):
        """A copy beside it, as a fork or a backup makes one."""
        self.finish()
        shutil.copyfile(
            self.path, os.path.join(os.path.dirname(self.path), f"{name(500 + self.count)}.jsonl")
        )

    def rubbish(self):
        self.finish()
        append(
            self.path,
            self.chance.choice(
                [b"\xff\xfe\x00\n", b"{\n", b'{"type":"assistant"}\n', b"\n", b"[" * 999 + b"\n"]
            ),
        )

    def touch(self):
        os.utime(self.path)


DEEDS = (
    "add",
    "add",
    "add",
    "begin",
    "finish",
    "cut",
    "empty",
    "rewrite",
    "rotate",
    "copy",
    "rubbish",
    "touch",
)
SHRINK = {"cut", "empty", "rewrite", "rotate"}


@pytest.mark.parametrize("seed", range(4 if LONG else 2))
def test_whatever_is_done_to_a_transcript_each_response_counts_once(seed, listener, claude, tally):
    client = Client(claude, seed)
    listener.start()
    chance = random.Random(seed)
    done = []
    for _ in range(STEPS):
        deed = chance.choice(DEEDS)
        done.append(deed)
        with tally.fault(deed != "add"):
            if deed in SHRINK:  # what nobody has read yet cannot be known afterwards
                client.finish()
                settle(listener, client, tally, done)
            getattr(client, deed)()
            if chance.random() < 0.2:
                settle(listener, client, tally, done)
    client.finish()
    settle(listener, client, tally, done)
    assert listener.end() == 0
    assert integrity.problem_of(os.path.join(listener.home, "history.db")) is None


def settle(listener, client, tally, done):
    try:
        listener.wait_for(
            lambda s: sum(x["requests"] for x in s["sessions"]) == client.count and s["scan"]["complete"], 20
        )
    except pytest.fail.Exception:
        found = sum(x["requests"] for x in (listener.state() or {"sessions": []})["sessions"])
        tally.same({"requests": found}, {"requests": client.count}, f"after {done[-9:]}:")


def memory(pid):
    """The most memory that a process ever had, in bytes."""
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmHWM"))


def test_a_huge_file_is_read_in_bounded_memory(listener, claude, tally, tmp_path):
    path = transcript(claude, [user(at=time.time())], session=name(0))
    filler = b'{"type":"attachment","x":"' + b"y" * (1 << 20) + b'"}\n'
    count = 0
    with open(path, "ab", buffering=1 << 22) as file:
        while file.tell() < SIZE:
            file.write(filler)
            if count % 8 == 0:
                file.write(b'{"type":"user","x":"' + b"z" * (5 << 20) + b'"}\n')  # a line of 5 MB
            file.write(encode([response(count)]))
            count += 1
    with tally.fault():
        listener.start(read=False)
        most = 0
        deadline = time.monotonic() + (600 if LONG else 60)
        while time.monotonic() < deadline:
            most = max([most, memory(listener.pid), *map(helper_memory, helpers(listener.pid))])
            if listener.state()["scan"]["complete"]:
                break
            time.sleep(0.05)
        listener.wait_for(lambda s: s["today"]["requests"] == count, 30)
        assert most < MOST_MEMORY, f"{most >> 20} MB"
    with tally.fault():  # and then only what is new
        done = listener.state()["scan"]["done_bytes"]
        append(path, response(count))
        state = listener.wait_for(lambda s: s["today"]["requests"] == count + 1)
        assert state["scan"]["done_bytes"] - done < 10_000
    listener.end()
    os.unlink(path)


def helpers(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []


def helper_memory(pid):
    try:
        return memory(pid)
    except (OSError, StopIteration):
        return 0


@pytest.mark.parametrize("what", ["NUL bytes without an end", "one line without an end"])
def test_a_huge_file_of_one_line_is_given_up_in_bounded_memory_and_the_rest_is_read(
    what, listener, claude, tally, tmp_path
):
    paths = fill(claude, time.time())
    wanted = recount(tmp_path)
    path = transcript(claude, [], session=name(800))
    with open(path, "wb") as file:
        if what.startswith("NUL"):
            file.truncate(SIZE)  # sparse
        else:
            file.writelines(b"y" * (1 << 20) for _ in range(min(SIZE, 256 << 20) >> 20))
    with tally.fault():
        listener.start(read=False)
        listener.wait_for(lambda s: s["scan"]["complete"], 300)
        append(paths[0], response(1))
        listener.wait_for(lambda s: s["since_start"]["requests"] == 1, 60)
        assert memory(listener.pid) < MOST_MEMORY
        listener.end()
        found = numbers(listener.home)
        tally.same({key: found.get(key) for key in wanted if key[0] != name(0)},
                   {key: value for key, value in wanted.items() if key[0] != name(0)})  # fmt: skip
    os.unlink(path)
