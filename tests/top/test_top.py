"""The plain table: what it says, once, as JSON, and redrawn on a terminal that is given back."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time

import pytest
from golden import states
from golden.home import environment, publish, python
from hypothesis import given
from hypothesis import strategies as st

from aitop.segments import fields, money, text
from aitop.top import plain


def shown(state, width=200):
    return "\n".join(plain.lines(state, width))


def test_the_screen_holds_every_metric_in_three_windows():
    screen = shown(states.api())
    lines = {line[:15].strip(): line[15:].split() for line in screen.splitlines()[2:17]}
    assert lines["requests"] == ["3", "10", "24"]
    assert lines["requests/min"] == ["3.0", "2.0", "1.6"]
    assert lines["errors"] == ["0", "0", "2"]
    assert lines["spent"] == ["$0.1200", "$0.5000", "$0.9000"]
    assert lines["spent/hour"] == ["$7.20", "$6.00", "$3.60"]
    assert lines["cache hits"] == ["87%", "87%", "87%"]
    assert lines["tool calls"] == ["3", "10", "24"]


def test_the_screen_holds_context_stop_reasons_compactions_and_alerts():
    screen = shown(states.subscription())
    for line in (
        "context: 53K / 200K (27%)",
        "compactions: 1",
        "stop: tool_use 85",
        "stop: max_tokens 1  !",
        "! burn rate $7.20/h over $5.00/h",
        "Limit 5h: 42% · resets in 1h10",
    ):
        assert line in screen.splitlines()
    assert "aitop  2 active sessions  warning" in screen
    assert "today          week         month   since start" in screen


def test_an_unknown_ratio_is_a_dash_and_null():
    rows = {row["metric"]: row for row in plain.rows(states.zero())}
    assert rows["error_rate"]["1m"] is None
    assert rows["requests"]["15m"] == 0
    line = next(line for line in plain.lines(states.zero(), 80) if line.startswith("cache hits"))
    assert line.split() == ["cache", "hits", "-", "-", "-"]


def test_a_session_carries_the_marks_of_its_own_requests():
    state = states.api()
    state["sessions"][0] |= {"unpriced_requests": 1, "estimated_requests": 2}
    state["sessions"][1] |= {"unpriced_requests": 0, "estimated_requests": 0}
    marked, plain_ = (money.of(state, 2.5, fields.session_sums(state, row)) for row in state["sessions"][:2])
    assert (marked, plain_) == ("≥~$2.50", "$2.50")


def test_unpriced_models_and_unread_history_are_named():
    state = states.api()
    state["prices"] |= {
        "unpriced_models": ["mystery-9"],
        "estimated_models": ["claude-opus-99"],
        "stale": True,
    }
    state["scan"] = {"done_bytes": 1, "total_bytes": 4, "complete": False}
    screen = shown(state)
    assert "no price for: mystery-9" in screen
    assert "priced by family (~): claude-opus-99" in screen
    assert "reading history: 25%" in screen
    assert "aitop prices update" in screen


@given(st.sampled_from(sorted(states.ALL)), st.integers(1, 200), st.text(max_size=40))
def test_no_line_is_wider_than_the_terminal(case, width, name):
    state = states.ALL[case]()
    for session in state["sessions"]:
        session["project"] = name
    for line in plain.lines(state, width):
        assert text.cells(line) <= width
        assert "\n" not in line
        assert "\x1b" not in line


def test_a_state_without_keys_still_draws():
    assert plain.lines({}, 80)[0] == "aitop  0 active sessions"
    assert len(plain.rows({})) == len(plain.METRICS + plain.TIMINGS)


@pytest.fixture
def home(tmp_path):
    return str(tmp_path)


def test_once_prints_the_table_and_json_the_state_with_its_rows(home):
    publish(home, states.api())
    found = python(home, "top", "--once")
    assert found.returncode == 0
    assert "context: 53K / 200K (27%)" in found.stdout.decode()
    printed = json.loads(python(home, "top", "--once", "--json").stdout)
    assert printed["state"]["today"]["cost_usd"] == 4.21
    assert printed["rows"] == json.loads(json.dumps(plain.rows(states.api())))


def test_once_never_shows_an_old_number(home):
    publish(home, states.api(), fresh=False)
    found = python(home, "top", "--once")
    assert (found.stdout, found.returncode) == (b"", 1)
    assert b"aitop start" in found.stderr
    found = python(home, "top", "--once", "--json")
    assert json.loads(found.stdout) == {"state": None, "rows": []}
    assert found.returncode == 1


def test_json_without_once_is_wrong_usage(home):
    assert python(home, "top", "--json").returncode == 2


class Terminal:
    """`aitop top` on a terminal of its own, which outlives it."""

    def __init__(self, home, **more):
        self.near, self.far = pty.openpty()
        termios.tcsetwinsize(self.far, (50, 120))
        self.before = termios.tcgetattr(self.far)
        self.seen = b""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "aitop", "top", "--plain"],
            stdin=self.far,
            stdout=self.far,
            stderr=self.far,
            env=environment(home, **more),
            start_new_session=True,
        )

    def until(self, wanted):
        end = time.monotonic() + 30
        while wanted not in self.seen and time.monotonic() < end:
            if select.select([self.near], [], [], 0.1)[0]:
                self.seen += os.read(self.near, 65536)
        assert wanted in self.seen, self.seen

    def over(self):
        code = self.process.wait(30)
        while select.select([self.near], [], [], 0.2)[0]:
            self.seen += os.read(self.near, 65536)
        after = termios.tcgetattr(self.far)
        os.close(self.near)
        os.close(self.far)
        assert after == self.before
        assert self.seen.endswith(b"\x1b[?7h\x1b[?25h\x1b[?1049l")
        return code


@pytest.mark.parametrize(("end", "code"), [("q", 0), ("interrupt", 0), ("term", 128 + signal.SIGTERM)])
def test_the_terminal_is_given_back_however_the_table_ends(live, home, end, code):
    live(states.api())
    terminal = Terminal(home)
    terminal.until(b"context: 53K / 200K (27%)")
    terminal.until(b"\x1b[33m! burn rate")
    if end == "q":
        os.write(terminal.near, b"q")
    else:
        terminal.process.send_signal(signal.SIGINT if end == "interrupt" else signal.SIGTERM)
    assert terminal.over() == code


@pytest.mark.slow
def test_the_table_follows_a_resize_and_new_numbers(live, home):
    live(states.zero())
    terminal = Terminal(home, NO_COLOR="1")
    terminal.until(b"0 active sessions")
    live(states.api())
    terminal.until(b"2 active sessions")
    termios.tcsetwinsize(terminal.far, (50, 20))
    os.kill(terminal.process.pid, signal.SIGWINCH)
    terminal.until("! burn rate $7.20/h…".encode())
    assert b"\x1b[33m" not in terminal.seen
    os.write(terminal.near, b"q")
    assert terminal.over() == 0


def test_without_fresh_numbers_it_says_why_and_recovers():
    from aitop.top import cli

    lines = cli.frame(None, 0.0, 80, "Started the listener.")
    assert "no numbers published yet" in lines[2]
    assert "Started the listener." in lines
    old = states.api()
    assert "60 seconds old" in cli.frame(old, old["written_at"] + 60, 80, "")[2]
    assert "from the future" in cli.frame(old, old["written_at"] - 60, 80, "")[2]
    assert "2 active sessions" in cli.frame(old, old["written_at"], 80, "")[0]


def test_a_listener_the_user_stopped_stays_stopped(home):
    with open(os.path.join(home, "stopped"), "w"):
        pass
    terminal = Terminal(home)
    terminal.until(b"start` starts it again")
    os.write(terminal.near, b"q")
    assert terminal.over() == 0
    assert not os.path.exists(os.path.join(home, "state.json"))
