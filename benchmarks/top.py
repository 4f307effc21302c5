"""The full-screen table on a terminal of its own: its first frame, and what it costs while it is open."""

import contextlib
import fcntl
import importlib.util
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import termios
import threading
import time

from benchmarks import homes
from benchmarks.client import Sessions, at_pace
from benchmarks.harness import Row, missing, rounds, run

SIZE = (50, 160)  # rows, columns
SHOWN = b"Quit"  # the end of a first frame: the last word of its last line
SETTLE = 3.0  # seconds until what the start costs is over
SESSIONS, RATE = 50, 200
LIBRARY = "import textual.app, textual.widgets"


def table(effort):
    """The three budgets of `aitop top`."""
    if importlib.util.find_spec("textual") is None:
        yield missing("`aitop top`", "first frame ≤ 0.6 s", "pip install 'aitop-status[top]'")
        return
    with homes.folder() as home:
        claude = os.path.join(home, "claude")
        sessions = Sessions(claude, SESSIONS)
        sessions.respond(SESSIONS, at=time.time() - 1800)
        with homes.listening(home, claude) as listener:
            listener.until(lambda state: state["scan"]["complete"] and state["month"]["requests"] == SESSIONS)
            yield _first_frame(home, effort.times(15, 3))
            yield _open(
                "no session working", "≤ 1.5 % of a core, ≤ 60 MB", 1.5, 60, home, effort.times(60, 4)
            )
            seconds = effort.times(30, 4)
            with at_pace(sessions.respond, RATE, seconds + 2 * SETTLE + 10):
                time.sleep(SETTLE)
                what = f"{SESSIONS} sessions, {RATE} events a second"
                yield _open(what, "≤ 8 % of a core", 8, None, home, seconds)


class Terminal:
    """`aitop top` on a terminal that reads all it draws. `seen` is set at the first frame."""

    def __init__(self, home):
        self.near, far = pty.openpty()
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
        environ = homes.environment(home) | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.began = time.perf_counter()
        self.process = subprocess.Popen([homes.FRONT, "top"], env=environ, stdin=far, stdout=far, stderr=far,
                                        start_new_session=True)  # fmt: skip
        os.close(far)
        self.seen, self.first = threading.Event(), 0.0
        self.drawn = 0
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        tail = b""
        while True:
            select.select([self.near], [], [])
            try:
                data = os.read(self.near, 1 << 16)
            except OSError:
                return
            if not data:
                return
            self.drawn += len(data)
            if not self.seen.is_set() and SHOWN in (tail := (tail + data)[-(1 << 17) :]):
                self.first = time.perf_counter() - self.began
                self.seen.set()

    def pid(self):
        """The table's own process: the front hands over to it without starting another."""
        return self.process.pid

    def close(self):
        os.write(self.near, b"q")
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.near)
        self.thread.join(5)


@contextlib.contextmanager
def shown(home):
    """The table with its first frame on the screen."""
    terminal = Terminal(home)
    try:
        if not terminal.seen.wait(60):
            raise TimeoutError("aitop top never drew its first frame")
        yield terminal
    finally:
        terminal.close()


def _first_frame(home, times):
    environ = homes.environment(home)
    library = [sys.executable, "-I", "-c", LIBRARY]
    took = []

    def once():
        with shown(home) as terminal:
            took.append(terminal.first)
        return run(library, environ)

    beside = statistics.median(one.wall for one in rounds({"library": once}, times, 120.0, warm=1)["library"])
    took = took[1:]
    middle = statistics.median(took)
    return Row(
        "`aitop top`, first frame", "≤ 0.6 s", f"{middle:.3f} s (min {min(took):.3f})",
        f"{beside:.3f} s importing Textual alone", middle / beside, middle <= 0.6,
        values={"median_s": middle, "min_s": min(took), "library_s": beside, "runs": len(took)},
    )  # fmt: skip


def _open(what, budget, most, megabytes, home, seconds):
    """Processor time and memory of the open table over some seconds."""
    name = f"`aitop top` open, {what}"
    with shown(home) as terminal:
        time.sleep(SETTLE)
        before, drawn, began = homes.account(terminal.pid()), terminal.drawn, time.perf_counter()
        if before is None:
            return missing(name, budget, "no /proc here")
        time.sleep(seconds)
        after, took = homes.account(terminal.pid()), time.perf_counter() - began
        drawn = (terminal.drawn - drawn) / took
    percent, resident = (after[0] - before[0]) / took * 100, after[1] / 1e6
    within = percent <= most and (megabytes is None or resident <= megabytes)
    return Row(
        name, budget, f"{percent:.2f} %, {resident:.1f} MB resident", f"{drawn / 1000:.1f} kB drawn a second",
        within=within, values={"percent": percent, "rss_mb": resident, "drawn_bytes_s": drawn, "seconds": took},
    )  # fmt: skip
