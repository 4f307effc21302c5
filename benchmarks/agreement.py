"""Whether every display shows the same sum, and how long each shows an old one: a scripted time at work.

The script knows what was spent at each moment. A display that shows an amount was right until that amount was
last true; what lies between is how late it is.

    python -m benchmarks.agreement 3600        # an hour, in real time
"""

import contextlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import threading
import time

from benchmarks import homes, hosts
from benchmarks.client import Sessions, stopped
from benchmarks.harness import Row, missing

RESPONSE_USD = 0.1255  # what one of `Sessions` costs: 4,000 tokens out, 50,000 from the cache, 100 in
BOUND = 1.5  # seconds
WHAT, BUDGET = "{}: an amount that is no longer true, at most", "≤ 1.5 s"
CONFIG = """preset = "cost"
[statusline]
format = "{cost_today}"
"""
TMUX = "set -g status-interval 15\nset -g status-right 'now #{{aitop_cost}} '\nrun-shell '{}'\n"
AMOUNT = re.compile(r"\$(\d+\.\d\d)")
SNIPPET = os.path.join(homes.HERE, "integrations", "zsh", "aitop.zsh")


class Ledger:
    """What was spent, from when on: (moment, USD), by the script's own reckoning."""

    def __init__(self):
        self.steps = [(0.0, 0.0)]

    def add(self, usd):
        self.steps.append((time.monotonic(), self.steps[-1][1] + usd))

    def late(self, shown, began, ended):
        """Seconds since an amount that was seen between two moments stopped being true; None: it never was."""
        steps = list(self.steps)
        ends = [moment for moment, _ in steps[1:]] + [float("inf")]
        held = [
            (start, end) for (start, usd), end in zip(steps, ends, strict=True) if abs(usd - shown) < 0.0051
        ]
        if not held or held[-1][0] > ended:
            return None
        return max(0.0, began - held[-1][1])


class Watch:
    """Looks at one display again and again in a thread of its own."""

    def __init__(self, name, look, ledger, pause):
        self.name, self.look, self.ledger, self.pause = name, look, ledger, pause
        self.lates, self.wrong, self.amounts = [], [], set()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self.over.wait(self.pause):
            began = time.monotonic()
            text = self.look()
            ended = time.monotonic()
            match = AMOUNT.search(text or "")
            if match is None:
                continue
            shown = float(match.group(1))
            late = self.ledger.late(shown, began, ended)
            self.amounts.add(shown)
            if late is None:
                self.wrong.append(f"{text!r} at {self.ledger.steps[-1]}")
            else:
                self.lates.append(late)


class Follower:
    """The newest line of a bar that follows."""

    def __init__(self, home):
        self.process = subprocess.Popen([homes.FRONT, "waybar", "--follow"], env=homes.environment(home),
                                        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)  # fmt: skip
        self.line = ""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.line = line

    def close(self):
        self.process.kill()
        self.process.wait()


class Zsh:
    """A zsh that draws its prompt each time it is asked."""

    LOOP = 'source "$1"; while read -r _; do __aitop_prompt; print -P -- "${(e)AITOP_SEGMENT}"; done'

    def __init__(self, home):
        call = ["zsh", "-f", "-c", self.LOOP, "-", SNIPPET]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen(call, env=homes.environment(home), text=True, bufsize=1, **pipes)

    def look(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def _asked(home, *words, said=None):
    def look():
        done = subprocess.run([homes.FRONT, *words], env=homes.environment(home) | {"NO_COLOR": "1"}, text=True,
                              input=said, stdin=None if said else subprocess.DEVNULL, capture_output=True,
                              check=False)  # fmt: skip
        return done.stdout

    return look


def _spent(look, of):
    """A display's JSON as the amount it says."""

    def amount():
        try:
            return f"${of(json.loads(look())):.2f}"
        except (ValueError, LookupError):
            return ""

    return amount


@contextlib.contextmanager
def watched(home, ledger, sessions):
    """Every display, looked at until the block ends."""
    said = json.dumps({"session_id": sessions.ids[0], "model": {"display_name": "M"}})
    bar, zsh = Follower(home), Zsh(home)
    config = TMUX.format(hosts.PLUGIN)
    with hosts.tmux(home, config, 1) as server:
        looks = {
            "status line": (_asked(home, "statusline", said=said), 0.3),
            "tmux": (server.screen, 0.1),
            "zsh": (zsh.look, 0.1),
            "Waybar": (lambda: bar.line, 0.05),
            "top": (_spent(_asked(home, "top", "--once", "--json"), lambda d: d["state"]["today"]["spent_usd"]), 1),
            "report": (_spent(_asked(home, "report", "daily", "--json"), lambda d: d[-1]["spent_usd"]), 2),
        }  # fmt: skip
        watches = [Watch(name, look, ledger, pause) for name, (look, pause) in looks.items()]
        for watch in watches:
            watch.thread.start()
        try:
            yield watches
        finally:
            for watch in watches:
                watch.over.set()
            for watch in watches:
                watch.thread.join(20)
            bar.close()
            zsh.close()


def observe(seconds):
    """So many seconds of work, in bursts and pauses, by three sessions; the watches afterwards."""
    chance = random.Random(7)
    with homes.folder() as home:
        with open(os.path.join(home, "config.toml"), "w") as file:
            file.write(CONFIG)
        claude = os.path.join(home, "claude")
        sessions, ledger = Sessions(claude, count=3), Ledger()
        sessions.respond()
        ledger.add(RESPONSE_USD)
        with homes.listening(home, claude) as listener:
            listener.until(lambda state: state["windows"]["15m"]["requests"])
            with watched(home, ledger, sessions) as watches:
                time.sleep(2)
                ends = time.monotonic() + seconds
                while time.monotonic() < ends:
                    many = chance.choice((1, 1, 1, 2, 3))
                    for _ in range(
                        many
                    ):  # one by one: what lies between two of them is true for a moment too
                        sessions.respond()
                        ledger.add(RESPONSE_USD)
                    stopped(home, sessions)
                    time.sleep(chance.choice((0.4, 1.1, 2.3, 4.0, 6.5, 11.0)))
                time.sleep(4)
    return watches, ledger


def agreement(effort):
    """A row a display: the longest it showed an amount that was no longer true."""
    for program in ("tmux", "zsh"):
        if not shutil.which(program):
            yield missing(WHAT.format("displays"), BUDGET, f"{program} is not installed")
            return
    yield from _rows(*observe(effort.times(120, 12)))


def _rows(watches, ledger):
    for watch in watches:
        last = ledger.steps[-1][1]
        if watch.wrong or not any(abs(amount - last) < 0.0051 for amount in watch.amounts):
            said = (
                f"an amount that never was true: {watch.wrong[0]}"
                if watch.wrong
                else "the last amount was not seen"
            )
            yield Row(WHAT.format(watch.name), BUDGET, said, within=False)
            continue
        worst = max(watch.lates)
        yield Row(WHAT.format(watch.name), BUDGET,
                  f"{worst:.2f} s in {len(watch.lates)} looks at {len(ledger.steps) - 1} amounts",
                  within=worst <= BOUND, values={"worst_s": worst, "looks": len(watch.lates)})  # fmt: skip


if __name__ == "__main__":
    for row in _rows(*observe(float(sys.argv[1]))):
        print(
            "  ".join(
                str(cell) for cell in (row.what, row.measured, "within" if row.within else "NOT WITHIN")
            )
        )
