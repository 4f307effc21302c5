"""A commit waits a bounded time for its trailer, and what was begun in it is finished after it."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest
from golden.home import environment
from support.agent_work import GIT, AgentWork
from support.lines import usage
from support.worlds import SESSIONS

from aitop import paths
from aitop.history import schema
from aitop.listener import lifecycle
from aitop.worth import trailer_cli, within

PATIENT = "from aitop.worth import trailer_cli as t; t.SECONDS = 60.0; t.commit_trailer()"
# A commit that leaves while its process holds the history and cannot go on before somebody writes to a pipe.
LEAVES = """
import os, time
from aitop.reports import catchup
from aitop.worth import trailer_cli as t
read, reads = catchup._read, t._reads
def slow(*words):
    open(os.environ["GATE"]).close()
    return read(*words)
catchup._read = slow
t._reads = lambda pid: any(reads(pid) or time.sleep(0.05) for _ in range(600))
t.SECONDS = 0.0
t.commit_trailer()
"""


def never():
    """Work that no handler of Python's interrupts."""
    signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
    time.sleep(600)
    return b"late"


def test_an_answer_in_time_is_the_work_s():
    assert within.answer(lambda: b"x" * 1_000_000, 60, lambda _: False) == b"x" * 1_000_000


def test_work_that_fails_or_says_nothing_has_no_answer():
    def fails():
        raise ValueError

    assert [within.answer(work, 60, lambda _: False) for work in (fails, bytes)] == [None, None]


def test_work_that_takes_too_long_is_ended_even_where_no_signal_handler_would_run():
    pids = []
    assert within.answer(never, 0.01, lambda pid: bool(pids.append(pid))) is None
    _, status = os.waitpid(pids[0], 0)
    assert os.WTERMSIG(status) == signal.SIGKILL


def test_work_of_worth_goes_on_alone_in_a_session_of_its_own(tmp_path):
    gate, result = tmp_path / "gate", tmp_path / "result"
    os.mkfifo(gate)
    pids, held = [], os.open(tmp_path / "held", os.O_CREAT | os.O_RDWR)

    def work():
        gate.read_bytes()
        names = [os.readlink(f"/dev/fd/{number}") for number in (0, 1, 2)] if sys.platform == "linux" else []
        result.write_text(json.dumps([os.getsid(0) == os.getpid(), _is_open(held), names]))
        return b"late"

    assert within.answer(work, 0.01, lambda pid: not pids.append(pid)) is None
    gate.write_bytes(b"")
    os.waitpid(pids[0], 0)
    os.close(held)
    names = ["/dev/null"] * 3 if sys.platform == "linux" else []
    assert json.loads(result.read_text()) == [True, False, names]


def _is_open(descriptor):
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def test_only_a_process_that_holds_the_history_is_left_to_read_it(home):
    os.makedirs(paths.home(), exist_ok=True)
    with lifecycle.lock(paths.home()) as lock:
        lock.sign("report")
        assert (trailer_cli._reads(os.getpid()), trailer_cli._reads(1)) == (True, False)
    assert not trailer_cli._reads(os.getpid())  # its name stays in the file


# -- the command -------------------------------------------------------------------------------------------------


@pytest.fixture
def shop(tmp_path):
    """A repository with a history, and work that the history does not have."""
    made = Shop(tmp_path)
    made.run("-m", "aitop", "report")
    made.work.prompt()
    made.work.answer(usage(1000, uncached=7))
    return made


class Shop:
    def __init__(self, folder):
        self.environment = environment(str(folder), CLAUDE_CONFIG_DIR=f"{folder}/claude") | {
            "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GATE": f"{folder}/gate"}  # fmt: skip
        self.home = self.environment["AITOP_HOME"]
        self.history = os.path.join(self.home, paths.HISTORY)
        (folder / "claude" / "projects" / "-w").mkdir(parents=True)
        path = folder / "claude" / "projects" / "-w" / f"{SESSIONS[0]}.jsonl"
        self.work = AgentWork(folder / "shop", path, SESSIONS[0], time.time() - 500)
        self.work.git("init", "-q", "-b", "main")
        date = f"@{int(time.time()) - 4000} +0000"
        subprocess.run(["git", *GIT, "commit", "-q", "--allow-empty", "-m", "begin"], cwd=self.work.root, check=True,
                       env=self.environment | {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date})  # fmt: skip
        self.message = folder / "message"
        self.message.write_text("a title\n")

    def run(self, *words):
        """Its output ends when it does, as git waits for that of a hook."""
        done = subprocess.run([sys.executable, *words], cwd=self.work.root, env=self.environment, check=True,
                              capture_output=True, timeout=120)  # fmt: skip
        return done.stdout + done.stderr

    def trailer(self, code=PATIENT):
        assert self.run("-c", code, str(self.message)) == b""
        return self.message.read_text()

    def ask(self, question):
        db = sqlite3.connect(self.history, isolation_level=None)
        try:
            return db.execute(question).fetchone()
        finally:
            db.close()


@pytest.mark.slow
def test_what_a_commit_began_to_read_is_there_for_the_next_one(shop):
    os.mkfifo(shop.environment["GATE"])
    assert shop.trailer(LEAVES) == "a title\n"
    assert shop.ask("SELECT count(*) FROM response") == (0,)
    with open(shop.environment["GATE"], "w"):
        pass
    lifecycle.lock(shop.home).acquire(timeout=60)  # until that process has given it back
    assert shop.ask("SELECT count(*) FROM response") == (1,)
    assert shop.message.read_text() == "a title\n"
    assert not os.path.exists(os.path.join(shop.home, trailer_cli.RECORD))


@pytest.mark.slow
def test_a_history_of_an_older_version_is_not_migrated_in_a_commit(shop):
    shop.ask(f"PRAGMA user_version = {schema.VERSION - 1}")
    before = sorted(os.listdir(shop.home))
    assert shop.trailer() == "a title\n"
    assert shop.ask("PRAGMA user_version") == (schema.VERSION - 1,)
    assert sorted(os.listdir(shop.home)) == before
    shop.ask(f"PRAGMA user_version = {schema.VERSION}")
    assert "AI-Tokens: 7 in, 1000 out" in shop.trailer()


@pytest.mark.slow
@pytest.mark.parametrize("harm", ["pipe", "deep", "endless number"])
def test_a_damaged_record_does_not_cost_the_next_trailer(shop, harm):
    path = os.path.join(shop.home, trailer_cli.RECORD)
    if harm == "pipe":
        os.mkfifo(path)
    else:
        with open(path, "w") as file:
            file.write("[" * 100_000 if harm == "deep" else '{"/w/.git": [1.0, 1e400, 0, "x"]}')
    assert "AI-Tokens: 7 in, 1000 out" in shop.trailer()
    with open(path) as file:
        assert len(json.load(file)) == 1
