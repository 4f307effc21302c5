"""From the key in tmux until the terminal shows the pane of the session that waits."""

import contextlib
import json
import os
import pty
import select
import shutil
import subprocess
import sys
import tempfile
import time
from statistics import median as median_of

from benchmarks import homes
from benchmarks.harness import Row, disturbed, missing, run

PLUGIN = os.path.join(homes.HERE, "aitop.tmux")
BUDGET = "≤ 50 ms"
KEY = b"\x02j"
CONFIG = f"""set -g status-right '#{{aitop_cost}}'
set -g @aitop_command '{homes.FRONT}'
run-shell '{PLUGIN}'
"""


class Terminal:
    """A real tmux client on a terminal of our own: what it is sent can be timed."""

    def __init__(self, home, folder):
        self.home, self.socket = home, os.path.join(folder, "s")
        self.environment = homes.environment(home) | {"TERM": "xterm-256color", "SHELL": "/bin/sh"}
        config = os.path.join(folder, "conf")
        with open(config, "w") as file:
            file.write(CONFIG)
        for number, window in enumerate(("new-session -d -s s -x 120 -y 40", "new-window", "new-window")):
            self.tmux("-f", config, *window.split(), f"while :; do printf 'pane-{number}.'; sleep 1000; done")
        self.panes = self.tmux("list-panes", "-s", "-F", "#{pane_id}").split()
        pid, self.handle = pty.fork()
        if pid == 0:
            os.execvpe("tmux", ["tmux", "-S", self.socket, "attach"], self.environment)
        self.pid = pid

    def tmux(self, *words):
        return subprocess.run(["tmux", "-S", self.socket, *words], env=self.environment, capture_output=True,
                              text=True, check=True, timeout=20).stdout  # fmt: skip

    def publish(self):
        """A state of now in which the sessions of the first two panes wait."""
        rows = [{"id": f"s{number}", "project": f"p{number}", "status": "waiting", "status_since": float(number + 1),
                 "pane": pane} for number, pane in enumerate(self.panes[:2])]  # fmt: skip
        path = os.path.join(self.home, "state.json")
        with open(path + ".new", "w") as file:
            json.dump({"version": 1, "written_at": time.time(), "sessions": rows}, file)
        os.replace(path + ".new", path)

    def shows(self, text, seconds=10.0):
        """Seconds until the terminal was sent a text."""
        began, heard = time.perf_counter(), b""
        while text not in heard:
            if not select.select([self.handle], [], [], seconds)[0]:
                raise TimeoutError(f"the terminal was never sent {text!r}")
            heard += os.read(self.handle, 65536)
        return time.perf_counter() - began

    def settle(self):
        while select.select([self.handle], [], [], 0.3)[0]:
            os.read(self.handle, 65536)

    def close(self):
        self.tmux("kill-server")
        with contextlib.suppress(OSError):
            os.waitpid(self.pid, 0)
        os.close(self.handle)


def key_to_pane(effort):
    """Prefix + j, again and again, between two sessions that wait."""
    what = "prefix + j until the terminal shows the waiting session's pane"
    if not shutil.which("tmux"):
        yield missing(what, BUDGET, "tmux is not installed")
        return
    waits, bare, floor = [], [], [sys.executable, "-I", "-S", "-c", "pass"]
    with homes.folder() as home, tempfile.TemporaryDirectory(prefix="aitop-jump-") as folder:
        terminal = Terminal(home, folder)
        try:
            for number in range(effort.times(30, 4)):
                bare.append(run(floor, terminal.environment).wall * 1000)
                terminal.settle()
                terminal.publish()
                os.write(terminal.handle, KEY)
                waits.append(terminal.shows(f"pane-{number % 2}.".encode()) * 1000)
        finally:
            terminal.close()
    middle, beside = median_of(waits), median_of(bare)
    yield Row(what, BUDGET, f"{middle:.0f} ms (min {min(waits):.0f})", f"{beside:.1f} ms bare Python",
              middle / beside, middle <= 50, disturbed(middle <= 50, min(waits) <= 50),
              {"ms": waits, "bare_ms": bare})  # fmt: skip
