"""What a display costs its real host: processes a minute in tmux, milliseconds a prompt in starship, and
beside them a script that calls ccusage at each refresh, where `refreshes` installed it.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from statistics import median as median_of
from typing import NamedTuple

from benchmarks import homes
from benchmarks.client import Sessions, stopped
from benchmarks.displays import publish
from benchmarks.harness import Row, failures, median, missing, rounds, run
from benchmarks.peers import Peers

PLUGIN = os.path.join(homes.HERE, "aitop.tmux")
SECONDS = 8
# name → status-right, lines before the plugin; {front} and {peer} are commands
WAYS = {
    "sent by the listener (the plugin)": ("#{aitop_cost} #{aitop_burn}", ""),
    "segments read by sh (`@aitop_push off`)": ("#{aitop_cost} #{aitop_burn}", "set -g @aitop_push off"),
    "`aitop tmux --follow`": ("#(exec {front} tmux --follow)", ""),
}
PEER = ("a script calling `ccusage`", "#({peer} daily --json --offline | head -c 20)")


class Server(NamedTuple):
    """A running tmux: `server("list-windows")` asks it, `screen` is what its first client shows."""

    call: Callable[..., str]
    inner: str
    outer: str

    def __call__(self, *words):
        return self.call(self.inner, *words)

    def screen(self):
        return self.call(self.outer, "capture-pane", "-p", "-t", "0")


@contextlib.contextmanager
def tmux(home, config, clients):
    """A tmux server with real clients, each drawn in a window of a second server; its socket."""
    with tempfile.TemporaryDirectory(prefix="aitop-tmux-") as folder:
        inner, outer, path = (os.path.join(folder, name) for name in ("s", "o", "conf"))
        with open(path, "w") as file:
            file.write(config)
        env = homes.environment(home) | {"TERM": "xterm-256color", "SHELL": "/bin/sh"}

        def call(socket, *words):
            return subprocess.run(["tmux", "-S", socket, "-f", os.devnull, *words], env=env, capture_output=True,
                                  text=True, check=False).stdout  # fmt: skip

        try:
            for number in range(clients):
                what = "attach -t s" if number else "new -s s cat"  # it ends when the server does
                call(
                    outer,
                    "new",
                    "-d",
                    "-x",
                    "200",
                    "-y",
                    "50",
                    f"env -u TMUX tmux -S {inner} -f {path} {what}",
                )
                time.sleep(0.5)
            yield Server(call, inner, outer)
        finally:
            call(inner, "kill-server")
            call(outer, "kill-server")


def started(pids, seconds, meanwhile):
    """Processes that these programs and their children started in some seconds."""
    with tempfile.NamedTemporaryFile("r") as trace:
        call = [
            "strace",
            "-f",
            "-qq",
            "-e",
            "trace=fork,vfork,clone,clone3",
            "-e",
            "signal=none",
            "-o",
            trace.name,
        ]
        with subprocess.Popen([*call, *(word for pid in pids for word in ("-p", str(pid)))],
                              stderr=subprocess.DEVNULL) as strace:  # fmt: skip
            time.sleep(0.3)
            ends = time.monotonic() + seconds
            while time.monotonic() < ends:
                meanwhile()
                time.sleep(1)
            strace.send_signal(signal.SIGINT)
        return sum("(" in line and "CLONE_THREAD" not in line for line in trace.read().splitlines())


def in_tmux(_effort, seconds=SECONDS):
    """Processes a minute of each way to show numbers in tmux, at work and at rest, with one and three clients."""
    for program in ("tmux", "strace"):
        if not shutil.which(program):
            yield missing("tmux: processes a minute", "", f"{program} is not installed")
            return
    ways = dict(WAYS)
    peer = Peers(install=False).programs.get("ccusage")
    if peer:
        ways[PEER[0]] = (PEER[1], "")
    for name, (right, before) in ways.items():
        counts = {}
        for clients in (1, 3):
            for busy in (True, False):
                counts[clients, busy] = _count(right, before, peer or "", clients, busy, seconds)
        shown = ", ".join(
            f"{count:.0f} {'at work' if busy else 'at rest'} with {clients} client{'s' * (clients > 1)}"
            for (clients, busy), count in counts.items()
        )
        values = {
            f"{clients}_{'work' if busy else 'rest'}": count for (clients, busy), count in counts.items()
        }
        yield Row(f"tmux, status-interval 2: processes a minute, {name}", "fewest", shown, values=values)


def _count(right, before, peer, clients, busy, seconds):
    right = right.replace("{front}", homes.FRONT).replace("{peer}", peer)
    config = f"{before}\nset -g status-interval 2\nset -g status-right '{right}'\nrun-shell '{PLUGIN}'\n"
    with homes.folder() as home:
        claude = os.path.join(home, "claude")
        sessions = Sessions(claude)
        sessions.respond()
        with homes.listening(home, claude) as listener, tmux(home, config, clients) as call:
            listener.until(lambda state: state["windows"]["15m"]["requests"])
            time.sleep(4)
            server = int(call("display-message", "-p", "#{pid}") or 0)
            found = started(
                [server, listener.process.pid], seconds, sessions.respond if busy else lambda: None
            )
    return found * 60 / seconds


def to_tmux(effort):
    """From an answer in the transcript, and its hook, until the line of a real tmux client shows the new number."""
    what, budget = "event to the number on tmux's line, status-interval 15", "≤ 1.5 s"
    if not shutil.which("tmux"):
        yield missing(what, budget, "tmux is not installed")
        return
    config = f"set -g status-interval 15\nset -g status-right '#{{aitop_cost}}'\nrun-shell '{PLUGIN}'\n"
    waits = []
    with homes.folder() as home:
        claude = os.path.join(home, "claude")
        sessions = Sessions(claude)
        sessions.respond()
        with homes.listening(home, claude) as listener, tmux(home, config, 1) as server:
            listener.until(lambda state: state["windows"]["15m"]["requests"])
            _until(lambda: "$" in server.screen())
            for number in range(effort.times(12, 2)):
                time.sleep(1.3 + 0.137 * (number % 7))  # anywhere between two ticks
                before, began = server.screen(), time.perf_counter()
                sessions.respond()
                stopped(listener.home, sessions)
                _until(lambda before=before: server.screen() != before)
                waits.append(time.perf_counter() - began)
    yield Row(what, budget, f"median {median_of(waits):.2f} s, worst {max(waits):.2f} s", within=max(waits) <= 1.5,
              values={"seconds": waits})  # fmt: skip


def _until(wanted, seconds=20.0):
    ends = time.monotonic() + seconds
    while not wanted():
        if time.monotonic() > ends:
            raise TimeoutError("tmux never showed what was waited for")
        time.sleep(0.01)


def in_starship(effort):
    """A whole `starship prompt` with our modules, and without."""
    beside = os.path.join(os.path.dirname(sys.executable), "starship")
    if os.path.exists(beside):
        os.chmod(beside, 0o755)  # its wheel installs it without
    program = beside if os.path.exists(beside) else shutil.which("starship")
    if program is None:
        yield missing("starship", "", "it is not installed")
        return
    with homes.folder() as home:
        publish(home, "fish", "$4.21 \x1b[33m$7.20/h\x1b[0m ctx 27%")
        env = homes.environment(home) | {"AITOP_WARNING": "$4.21 $7.20/h ctx 27%", "STARSHIP_SHELL": "bash"}
        texts = {
            "none": "",
            "three env_var modules": "".join(
                f'[env_var.AITOP_{level}]\nvariable = "AITOP_{level}"\nformat = "[$env_value]($style) "\n'
                for level in ("OK", "WARNING", "CRITICAL")
            ),
            "the custom module": f"[custom.aitop]\ncommand = \"exec '{homes.FRONT}' prompt --shell fish\"\n"
            'when = true\nshell = ["sh"]\nuse_stdin = false\n',
        }
        envs = {}
        for name, text in texts.items():
            path = os.path.join(home, f"{len(envs)}.toml")
            with open(path, "w") as file:
                file.write('format = "${env_var}${custom}"\n' + text)
            envs[name] = env | {"STARSHIP_CONFIG": path}
        call = [program, "prompt"]
        for name in list(texts)[1:]:
            calls = {"with": lambda e=envs[name]: run(call, e), "without": lambda: run(call, envs["none"])}
            found = rounds(calls, effort.times(150, 20))
            bare = median(found["without"])
            added = (median(found["with"]) - bare) * 1000
            yield Row(f"starship: {name}", "", f"{added:+.2f} ms a prompt", f"{bare * 1000:.2f} ms without",
                      values={"added_ms": added})  # fmt: skip


FOLLOWERS = {"Waybar": "waybar", "SwiftBar, streaming": "swiftbar"}


def followers(_effort, seconds=SECONDS):
    """A bar that follows, at work: processor time, memory, and processes a minute; and one that polls."""
    with homes.folder() as home:
        claude = os.path.join(home, "claude")
        sessions = Sessions(claude)
        sessions.respond()
        with homes.listening(home, claude) as listener:
            listener.until(lambda state: state["windows"]["15m"]["requests"])
            for bar, word in FOLLOWERS.items():
                yield from _follower(bar, word, home, sessions, seconds)
            polled = [run([homes.FRONT, "swiftbar"], homes.environment(home)) for _ in range(30)]
    yield Row("SwiftBar, polling every 2 s", "", f"{median(polled) * 1000:.2f} ms each time, 30 processes a minute",
              note=failures(polled), values={"ms": median(polled) * 1000, "processes": 30})  # fmt: skip


def _follower(bar, word, home, sessions, seconds):
    process = subprocess.Popen([homes.FRONT, word, "--follow"], env=homes.environment(home),
                               stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)  # fmt: skip
    try:
        process.stdout.readline()
        threading.Thread(target=_drain, args=(process.stdout,), daemon=True).start()
        count = started([process.pid], seconds, sessions.respond) if shutil.which("strace") else None
        began = _processor(process.pid)
        if began is None:
            return
        for _ in range(seconds):  # once more: strace costs processor time itself
            sessions.respond()
            time.sleep(1)
        used = (_processor(process.pid) - began) / seconds
        with open(f"/proc/{process.pid}/statm") as file:
            resident = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    finally:
        process.kill()
        process.wait()
    a_minute = None if count is None else count * 60 / seconds
    shown = "processes not counted: no strace" if a_minute is None else f"{a_minute:.0f} processes a minute"
    yield Row(f"{bar}, `aitop {word} --follow` at work", "", f"{used * 100:.2f} % of a core, "
              f"{resident / 1e6:.0f} MB, {shown}",
              values={"cpu_percent": used * 100, "processes": a_minute, "resident_mb": resident / 1e6})  # fmt: skip


def _drain(stream):
    while stream.read(1 << 16):
        pass


def _processor(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
