"""`aitop jump`: which session is meant, and a real tmux that goes there and back."""

import os
import pty
import subprocess
import sys
import time

import pytest
from golden import states
from golden.home import environment, need, publish

from aitop import jump

FRONT = os.path.join(os.path.dirname(sys.executable), "aitop")


def row(number, status="waiting", **more):
    return states.session(number, status=status, pid=None, **more)


def state(*rows):
    return states.api() | {"sessions": list(rows)}


def test_next_is_the_session_that_has_waited_longest():
    rows = [
        row(1, last_activity_at=300.0),
        row(2, last_activity_at=100.0),
        row(3, "working", last_activity_at=5.0),
    ]
    assert jump.chosen(state(*rows), "next")["id"] == rows[1]["id"]


def test_next_goes_round_those_that_wait():
    rows = [row(n, pane=f"%{n}", last_activity_at=100.0 * n) for n in (1, 2, 3)]
    order = []
    pane = ""
    for _ in range(4):
        pane = jump.chosen(state(*rows), "next", pane)["pane"]
        order.append(pane)
    assert order == ["%1", "%2", "%3", "%1"]


@pytest.mark.parametrize("target", ["00000000-0000-4000-8000-000000000002", "docs", "review", "doc"])
def test_a_session_is_named_by_id_project_or_tag(target):
    rows = [row(1), row(2, project="docs", tag="review")]
    assert jump.chosen(state(*rows), target)["project"] == "docs"


def test_of_several_sessions_of_one_name_a_living_one_is_meant():
    rows = [row(1, "ended", project="docs"), row(2, "idle", project="docs")]
    assert jump.chosen(state(*rows), "docs")["status"] == "idle"


def test_nobody_waiting_and_an_unknown_name_are_said():
    with pytest.raises(jump.JumpError, match="no session waits for you"):
        jump.chosen(state(row(1, "idle")), "next")
    with pytest.raises(jump.JumpError, match="known: shop"):
        jump.chosen(state(row(1)), "attic")


def test_a_session_without_a_pane_offers_the_command_that_resumes_it():
    ended = row(1, "ended", cwd="/home/ada/my shop", pane="%1")
    with pytest.raises(jump.JumpError) as caught:
        jump.place_of(ended)
    assert str(caught.value).endswith(f"cd '/home/ada/my shop' && claude --resume {ended['id']}")


@pytest.mark.parametrize("identity", ["$(id)", "a;b", "", "x y"])
def test_an_id_that_is_none_reaches_no_command(identity):
    assert jump.resume_command({"provider": "claude-code", "id": identity, "cwd": "/x"}) == ""


@pytest.mark.parametrize(
    ("pane", "right"), [("%1", True), ("%", False), ("%1;kill-server", False), (3, False)]
)
def test_a_pane_is_a_number_after_a_percent_sign(pane, right):
    assert jump._is_pane(pane) is right  # noqa: SLF001


class Attached:
    """A tmux server with three windows and a client on a terminal of its own."""

    def __init__(self, home):
        self.home, self.socket = home, os.path.join(home, "s")
        self.environment = environment(home)
        self("new-session", "-d", "-s", "one", "-x", "80", "-y", "24", "sleep 100")
        self("new-window", "-t", "one", "sleep 100")
        self("new-session", "-d", "-s", "two", "sleep 100")
        self("split-window", "-t", "two", "sleep 100")
        self.panes = self("list-panes", "-a", "-F", "#{pane_id}").split()
        self("select-window", "-t", "one:0")
        pid, self.terminal = pty.fork()
        if pid == 0:
            os.execvpe("tmux", ["tmux", "-S", self.socket, "attach", "-t", "one"], self.environment)
        self.client = pid
        self.until(self.panes[0])

    def __call__(self, *words):
        return subprocess.run(["tmux", "-f", "/dev/null", "-S", self.socket, *words], env=self.environment, check=True,
                              capture_output=True, text=True, timeout=20).stdout  # fmt: skip

    def shown(self):
        names = self("list-clients", "-F", "#{client_name}").split()
        return self("display-message", "-p", "-c", names[0], "#{pane_id}").strip() if names else ""

    def until(self, pane):
        end = time.monotonic() + 20
        while self.shown() != pane:
            assert time.monotonic() < end, (self.shown(), pane)
            time.sleep(0.02)

    def jump(self, *words):
        server = f"{self.socket},{self('display-message', '-p', '#{pid}').strip()},0"
        words = (*words, "--pane", self.shown())
        return subprocess.run([FRONT, "jump", *words], capture_output=True, text=True, timeout=30,
                              env=self.environment | {"TMUX": server}, check=False)  # fmt: skip

    def close(self):
        self("kill-server")
        os.waitpid(self.client, 0)
        os.close(self.terminal)


@pytest.fixture
def tmux(tmp_path_factory):
    need("tmux")
    found = Attached(str(tmp_path_factory.mktemp("j")))
    yield found
    found.close()


@pytest.mark.real
def test_in_tmux_it_goes_to_each_waiting_session_and_back(tmux):
    window, pane = tmux.panes[1], tmux.panes[3]
    publish(
        tmux.home, state(row(1, pane=window, last_activity_at=1.0), row(2, pane=pane, last_activity_at=2.0))
    )
    for target in (window, pane, window):
        done = tmux.jump()
        assert (done.returncode, done.stderr) == (0, "")
        tmux.until(target)
    for target in (pane, window, tmux.panes[0]):
        assert tmux.jump("back").returncode == 0
        tmux.until(target)
    done = tmux.jump("back")
    assert (done.returncode, done.stderr) == (1, "aitop jump: no jump to go back from\n")


@pytest.mark.real
def test_in_tmux_a_named_session_is_shown_from_outside_too(tmux):
    publish(tmux.home, state(row(1, "idle", pane=tmux.panes[2], project="attic")))
    folder = os.path.join(tmux.home, "tmux")
    os.mkdir(folder)
    pid = tmux("display-message", "-p", "#{pid}").strip()
    with open(os.path.join(folder, pid), "w") as file:
        file.write(f"tmux\ttmux\nsocket\t{tmux.socket}\npid\t{pid}\nhow\tpush\n")
    done = subprocess.run(
        [FRONT, "jump", "attic"], env=tmux.environment, capture_output=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    tmux.until(tmux.panes[2])


def test_without_a_listener_it_says_how_to_start_one(tmp_path):
    done = subprocess.run(
        [FRONT, "jump"], env=environment(str(tmp_path)), capture_output=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (1, b"aitop jump: no listener is running: aitop start\n")


def test_a_recipe_for_another_terminal_gets_the_process_of_the_session(tmp_path):
    publish(str(tmp_path), state(row(1) | {"pid": 4242}, row(2, "ended", project="old")))
    pid, ended = (
        subprocess.run([FRONT, "jump", *words, "--pid"], env=environment(str(tmp_path)), capture_output=True,
                       text=True, timeout=30, check=False)
        for words in ([], ["old"])
    )  # fmt: skip
    assert (pid.returncode, pid.stdout) == (0, "4242\n")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "no process is known; to go on: cd" in ended.stderr
