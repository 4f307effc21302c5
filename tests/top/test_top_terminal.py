"""The full table on real terminals: given back however it ends, drawn in tmux at any size, without colours."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time

import pytest
from golden import states
from golden.home import ROOT, environment, need
from support.top_app import busy, stopped
from support.top_tmux import Tmux

FAIL = """
import sys
from aitop.top import cli, picture
def broken(*_): raise RuntimeError("made to fail")
from aitop.top.app import Top
Top.on_mount = lambda self: self.set_timer(0.5, broken)
sys.exit(cli._full(None, None))
"""


@pytest.fixture
def home(tmp_path):
    path = str(tmp_path / "h")
    stopped(path)
    return path


class Terminal:
    """`aitop top` on a terminal of its own, which outlives it."""

    def __init__(self, home, words=("-m", "aitop", "top"), **more):
        self.near, self.far = pty.openpty()
        termios.tcsetwinsize(self.far, (40, 120))
        self.before = termios.tcgetattr(self.far)
        self.seen = b""
        env = environment(home, COLORTERM="truecolor", **more)
        self.process = subprocess.Popen([sys.executable, *words], stdin=self.far, stdout=self.far, stderr=self.far,
                                        env={name: value for name, value in env.items() if value is not None},
                                        start_new_session=True)  # fmt: skip

    def read(self):
        if select.select([self.near], [], [], 0.1)[0]:
            self.seen += os.read(self.near, 1 << 16)

    def until(self, wanted):
        end = time.monotonic() + 30
        while wanted not in self.seen and time.monotonic() < end:
            self.read()
        assert wanted in self.seen, self.seen[-2000:]

    def leave(self):
        """Press q until it is heard: keys typed before the table has taken the terminal are thrown away."""
        end = time.monotonic() + 30
        while self.process.poll() is None and time.monotonic() < end:
            os.write(self.near, b"q")
            for _ in range(5):
                self.read()
        self.process.wait(1)

    def over(self):
        end = time.monotonic() + 30
        while self.process.poll() is None and time.monotonic() < end:
            self.read()
        code = self.process.wait(30)
        while select.select([self.near], [], [], 0.2)[0]:
            self.seen += os.read(self.near, 1 << 16)
        after = termios.tcgetattr(self.far)
        os.close(self.near)
        os.close(self.far)
        assert after == self.before
        for switched_on, off in (
            (b"\x1b[?1049h", b"\x1b[?1049l"),
            (b"\x1b[?25l", b"\x1b[?25h"),
            (b"\x1b[?1000h", b"\x1b[?1000l"),
        ):
            assert self.seen.rfind(off) > self.seen.rfind(switched_on), off
        return code


@pytest.mark.parametrize(
    ("end", "code"), [("q", 0), ("\x03", 0), (signal.SIGINT, 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_the_terminal_is_given_back_however_the_table_ends(live, home, end, code):
    live(busy())
    terminal = Terminal(home)
    terminal.until(b"spent")
    time.sleep(0.3)
    if isinstance(end, str):
        os.write(terminal.near, end.encode())
    else:
        terminal.process.send_signal(end)
    assert terminal.over() == code


def test_it_ends_when_its_terminal_has_gone(live, home):
    live(busy())
    terminal = Terminal(home)
    terminal.until(b"spent")
    os.close(terminal.near)
    os.close(terminal.far)
    terminal.process.send_signal(signal.SIGHUP)
    assert terminal.process.wait(40) in (129, 1, -signal.SIGALRM)


def test_the_terminal_is_given_back_after_an_exception(live, home):
    live(busy())
    terminal = Terminal(home, ("-c", FAIL), PYTHONPATH=ROOT)
    code = terminal.over()
    assert code == 1
    assert b"made to fail" in terminal.seen


def test_no_color_means_none(live, home):
    live(busy())
    terminal = Terminal(home, NO_COLOR="1")
    terminal.until(b"spent")
    os.write(terminal.near, b"2")
    terminal.until(b"STATUS")
    os.write(terminal.near, b"q")
    terminal.over()
    codes = {code for found in re.findall(rb"\x1b\[([0-9;]*)m", terminal.seen) for code in found.split(b";")}
    assert not codes & {
        b"38",
        b"48",
        *(str(n).encode() for n in (*range(30, 38), *range(40, 48), *range(90, 108))),
    }


def test_a_terminal_that_cannot_move_its_cursor_gets_the_plain_text_once(live, home):
    live(states.api())
    terminal = Terminal(home, TERM="dumb")
    terminal.until(b"2 active sessions")
    while terminal.process.poll() is None:
        terminal.read()
    assert b"\x1b" not in terminal.seen
    os.close(terminal.near)
    os.close(terminal.far)


def test_without_the_extra_the_plain_table_says_how_to_get_the_full_one(live, home):
    live(states.api())
    call = "from aitop.top import cli; cli.full_installed = lambda: False; cli.top([])"
    terminal = Terminal(home, ("-c", call), PYTHONPATH=ROOT)
    terminal.until(b"The full table: ")
    terminal.leave()
    os.close(terminal.near)
    os.close(terminal.far)


@pytest.fixture
def tmux(home):
    need("tmux")
    opened = []

    def open_(width, height, **more):
        opened.append(Tmux(home, width, height, **more))
        return opened[-1]

    yield open_
    for one in opened:
        one.close()


@pytest.mark.real
@pytest.mark.parametrize("size", [(80, 24), (200, 50), (40, 12), (250, 80)])
def test_in_tmux_every_line_stands_where_it_belongs(live, tmux, size):
    live(busy())

    def wrong(lines):
        if len(lines) != size[1] or not lines[0].startswith(" aitop") or not lines[-1].endswith("q Quit"):
            return ["first or last line"]
        framed = [line for line in lines if line.startswith("│")]
        return [line for line in framed if not line.rstrip(" ▁▂▃▄▅▆▇█").endswith(("│", "╮", "╯"))]

    tmux(*size).settled(wrong)


@pytest.mark.real
def test_in_tmux_a_resize_leaves_nothing_torn(live, tmux):
    live(busy())
    window = tmux(200, 50)
    window.until("rolling windows")

    def torn_when_small(lines):
        text = "\n".join(lines)
        torn = [line for line in lines if len(line) > 60]
        return torn or "today" not in text or not lines[-1].endswith("q Quit")

    window("resize-window", "-x", "60", "-y", "15")
    window.settled(torn_when_small)

    def torn_when_large(lines):
        text = "\n".join(lines)
        missing = [
            word for word in ("rolling windows", "spent by minute", "now │", "q Quit") if word not in text
        ]
        return (
            missing
            or not any(line.startswith(" ▲") for line in lines)
            or not any(line.count("╭") == 3 for line in lines)
        )

    window("resize-window", "-x", "200", "-y", "50")
    window.settled(torn_when_large)


@pytest.mark.real
def test_in_tmux_wide_and_hostile_names_stay_in_their_columns(live, tmux):
    state = busy()
    state["sessions"][0]["project"] = "漢字プロジェクト名"
    state["sessions"][1]["project"] = states.HOSTILE + "\x1b[31m\r\n" + "\u202e"
    live(state)
    window = tmux(140, 30)
    window.until("Quit")
    window("send-keys", "2")

    def wrong(lines):
        rows = [line for line in lines if "working" in line or "waiting" in line]
        if len(rows) != 2:
            return rows or ["no rows"]
        wide, hostile = rows
        return [row for row, name in ((wide, "漢字"), (hostile, "#(reboot)")) if name not in row]

    window.settled(wrong)


@pytest.mark.real
def test_the_linux_console_gets_characters_its_font_has(live, tmux):
    live(busy())
    window = tmux(80, 24, TERM="linux")
    found = window.until("Quit")
    assert not set(found) & set("▁▂▃▅▆▇▏▎▍▋▊▉╭╮╯╰●◐")
