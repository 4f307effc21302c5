"""Real programs for the tests of integrations: a terminal of our own, a tmux inside it, sessions to show."""

import os
import shutil
import subprocess
import sys
import time

import pytest
from golden.home import FRONT, ROOT, need

from support import lines

TMUX_PLUGIN = os.path.join(ROOT, "aitop.tmux")
HOSTILE = "#(touch RAN)$(touch RAN)`touch RAN` #S #{pane_id}#[fg=red]%H ;&|<b>;"


def seconds(wanted, limit=30.0, pause=0.05):
    """Wait until `wanted()` is true and return it; the test fails after `limit` seconds."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        found = wanted()
        if found:
            return found
        time.sleep(pause)
    pytest.fail(f"not within {limit} s")


class Tmux:
    """A tmux server on a socket of its own, shown inside a second one so that its bars are drawn."""

    def __init__(self, folder, home, config, *, clients=1, width=200, **more):
        need("tmux")
        self.folder, self.home = str(folder), home
        self.socket = os.path.join(self.folder, "s")
        self.outer = os.path.join(self.folder, "o")
        self.config = os.path.join(self.folder, "tmux.conf")
        with open(self.config, "w") as file:
            file.write(config)
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": self.folder, "AITOP_HOME": home, "LC_ALL": "C.UTF-8",
            "TERM": "xterm-256color", "PYTHONPATH": ROOT, "SHELL": "/bin/sh", **more,
        }  # fmt: skip
        self.width, self.clients = width, clients
        self.start()

    def start(self):
        inner = f"env -u TMUX tmux -u -S {self.socket} -f {self.config}"
        for number in range(self.clients):
            what = "new -s s 'sleep 600'" if number == 0 else "attach -t s"
            verb = ["new", "-d", "-s", f"c{number}"]
            self.out(*verb, "-x", str(self.width), "-y", "12", f"{inner} {what}")
            seconds(lambda: self.inside("list-clients").count("\n") > number)  # noqa: B023 - called at once

    def out(self, *words):
        return self.call(self.outer, "/dev/null", *words)

    def inside(self, *words):
        return self.call(self.socket, "/dev/null", *words)

    def call(self, socket, config, *words):
        found = subprocess.run(
            ["tmux", "-u", "-S", socket, "-f", config, *words],
            env=self.environment, cwd=self.folder, capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip
        return found.stdout

    def bar(self, *options, client=0):
        """The last line of a client's screen: the status line as drawn."""
        rows = self.out("capture-pane", "-p", "-t", f"c{client}", *options).rstrip("\n").split("\n")
        return rows[-1] if len(rows) > 1 else ""

    def until(self, wanted, *options, limit=30.0, client=0):
        shown = ""

        def there():
            nonlocal shown
            shown = self.bar(*options, client=client)
            return wanted(shown) if callable(wanted) else wanted in shown

        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            if there():
                return shown
            time.sleep(0.1)
        pytest.fail(f"never showed {wanted!r} but {shown!r}")

    def end(self):
        for socket in (self.socket, self.outer):
            self.call(socket, "/dev/null", "kill-server")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


class Claude:
    """A client's folder with one session whose project has a name of the test's choice."""

    def __init__(self, folder, project="shop"):
        self.root = os.path.join(str(folder), "claude")
        self.cwd = f"/work/{project}"
        self.path = os.path.join(self.root, "projects", "-work", f"{lines.SESSION}.jsonl")
        os.makedirs(os.path.dirname(self.path))
        self.count = 0

    def respond(self, output=40_000):
        """One more response; $25 the million tokens put out, so $1.00 for each 40,000."""
        import json

        self.count += 1
        record = lines.assistant(f"msg_{self.count}", time.time(), request_id=f"req_{self.count}", cwd=self.cwd,
                                 usage=lines.usage(output, 100, 50_000), content=[lines.text("x" * 400)])  # fmt: skip
        with open(self.path, "a") as file:
            file.write(json.dumps(record) + "\n")

    def hook(self, listener, event, pane=None, **more):
        payload = {
            "session_id": lines.SESSION,
            "hook_event_name": event,
            "cwd": self.cwd,
            "transcript_path": self.path,
        }
        header = f"aitop/1\tprovider=claude-code\tevent={event}" + (
            f"\tpane=%25{pane.removeprefix('%')}" if pane else ""
        )
        listener.send(payload | more, header.encode() + b"\n")


__all__ = ["FRONT", "HOSTILE", "ROOT", "TMUX_PLUGIN", "Claude", "Tmux", "need", "seconds"]


def command_in(folder):
    """The command as it is installed, in a folder of its own below `folder`: the sh front with its Python beside it."""
    place = folder / "bin"
    place.mkdir()
    shutil.copy(FRONT, place / "aitop")
    (place / "aitop-py").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m aitop "$@"\n')
    (place / "aitop-py").chmod(0o755)
    return str(place / "aitop")
