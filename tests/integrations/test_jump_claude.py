"""Two real Claude Code sessions wait in one tmux: the alert comes, a key and a click go to each, and back."""

import contextlib
import json
import os
import pty
import re
import shlex
import subprocess
import sys
import threading
import time

import pytest
from golden.home import need
from support.clients import client
from support.desktop import Desktop
from support.hosts import seconds
from support.messages_api import USAGE, Api, call

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]
BIN = os.path.dirname(sys.executable)
# One question a session: a session that has its answer ends its turn, and does not ask again.
ASKS = [(call(number, "touch made"), USAGE | {"output_tokens": 40}) for number in range(2)]
CONFIG = '[alerts]\nwaiting_seconds = 2\n[notify]\ndesktop = true\nlevel = "warning"\n'
PROJECTS = ("shop", "docs")


class User:
    """A user at a desktop with notifications, in front of one tmux, with a client in each of two panes."""

    def __init__(self, folder, home, desktop, api):
        self.folder, self.home, self.desktop = str(folder), home, desktop
        self.socket = os.path.join(home, "t")
        self.environment = {
            "PATH": f"{BIN}:{os.environ['PATH']}", "HOME": self.folder, "AITOP_HOME": home, "LANG": "C.UTF-8",
            "TERM": "xterm-256color", "SHELL": "/bin/sh", "AITOP_CONFIG": self.file("config.toml"),
            "ANTHROPIC_BASE_URL": api.url, "ANTHROPIC_API_KEY": "sk-ant-none", "DISABLE_AUTOUPDATER": "1",
            "DISABLE_TELEMETRY": "1", "DISABLE_ERROR_REPORTING": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DBUS_SESSION_BUS_ADDRESS": desktop.environment["DBUS_SESSION_BUS_ADDRESS"],
            "DISPLAY": desktop.environment["DISPLAY"],
        }  # fmt: skip
        os.mkdir(self.file(".claude"))
        for name, text in (("config.toml", CONFIG), (".tmux.conf", "set -g status-interval 1\n")):
            with open(self.file(name), "w") as file:
                file.write(text)
        works = [self.file(name) for name in PROJECTS]
        for work in works:
            os.mkdir(work)
        known = {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True, "allowedTools": []}
        with open(self.file(".claude.json"), "w") as file:
            json.dump({"hasCompletedOnboarding": True, "theme": "dark", "projects": dict.fromkeys(works, known),
                       "customApiKeyResponses": {"approved": ["sk-ant-none"], "rejected": []}}, file)  # fmt: skip

    def file(self, name):
        return os.path.join(self.folder, name)

    def aitop(self, *words, stdin=""):
        found = subprocess.run([os.path.join(BIN, "aitop"), *words], env=self.environment | {"NO_COLOR": "1"},
                               input=stdin, capture_output=True, text=True, timeout=60, check=False)  # fmt: skip
        assert found.returncode == 0, found.stdout + found.stderr
        return found.stdout

    def tmux(self, *words):
        return subprocess.run(["tmux", "-S", self.socket, *words], env=self.environment, capture_output=True,
                              text=True, timeout=30, check=False).stdout  # fmt: skip

    def sit_down(self):
        """A tmux whose first window is a shell, with both clients started; the user looks at the shell."""
        ours = shlex.join([client("claude"), "--model", "claude-sonnet-4-5"])
        self.tmux("new-session", "-d", "-s", "one", "-x", "140", "-y", "40", "-c", self.folder)
        self.tmux("new-window", "-d", "-t", "one", "-c", self.file("shop"), ours)
        self.tmux("new-session", "-d", "-s", "two", "-x", "140", "-y", "40", "-c", self.folder)
        self.tmux("split-window", "-t", "two", "-c", self.file("docs"), ours)
        self.tmux("select-pane", "-t", "two.0")
        pid, self.terminal = pty.fork()
        if pid == 0:
            os.execvpe("tmux", ["tmux", "-S", self.socket, "attach", "-t", "one"], self.environment)
        self.attached = pid
        threading.Thread(target=self._drain, daemon=True).start()
        self.shell, self.shop = (self.pane("one:0"), self.pane("one:1"))
        self.docs = self.pane("two:0.1")
        self.until(self.shell)

    def _drain(self):
        with contextlib.suppress(OSError):
            while os.read(self.terminal, 65536):
                pass

    def pane(self, where):
        return self.tmux("display-message", "-p", "-t", where, "#{pane_id}").strip()

    def shown(self):
        """The pane that the user's terminal shows."""
        names = self.tmux("list-clients", "-F", "#{client_name}").split()
        return self.tmux("display-message", "-p", "-c", names[0], "#{pane_id}").strip() if names else ""

    def until(self, pane):
        seconds(lambda: self.shown() == pane)

    def press(self, keys):
        os.write(self.terminal, keys)

    def screen(self, pane):
        return self.tmux("capture-pane", "-p", "-t", pane)

    def ask(self, pane):
        """Send a line to the client of a pane, which then asks for a permission."""
        seconds(lambda: "shortcuts" in self.screen(pane) or "❯" in self.screen(pane), 60)
        time.sleep(1)
        self.tmux("send-keys", "-t", pane, "-l", "go")
        seconds(lambda: "❯ go" in self.screen(pane).replace("\u00a0", " ") or "> go" in self.screen(pane))
        self.tmux("send-keys", "-t", pane, "Enter")
        seconds(lambda: "touch made" in self.screen(pane), 60)

    def state(self):
        with open(os.path.join(self.home, "state.json")) as file:
            return json.load(file)

    def waiting(self):
        return {row["project"]: row for row in self.state()["sessions"] if row["status"] == "waiting"}

    def leave(self):
        self.tmux("kill-server")
        with contextlib.suppress(OSError):
            os.waitpid(self.attached, 0)
            os.close(self.terminal)
        subprocess.run(
            [os.path.join(BIN, "aitop"), "stop"], env=self.environment, capture_output=True, timeout=60
        )


@pytest.fixture
def user(tmp_path, home):
    for program, package in (("tmux", None), ("notify-send", "libnotify-bin"), ("dunst", None),
                             ("dbus-daemon", "dbus"), ("xdotool", None)):  # fmt: skip
        need(program, package)
    client("claude")
    api = Api(ASKS)
    with Desktop(home, sway=False) as desktop:
        desktop.start("bus", "dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=1")
        address = seconds(lambda: re.search(r"^unix:\S+", desktop.log("bus"), re.MULTILINE)).group()
        desktop.environment["DBUS_SESSION_BUS_ADDRESS"] = address
        desktop.start("dunst", "dunst")
        found = User(tmp_path, home, desktop, api)
        try:
            yield found
        finally:
            found.leave()
            api.close()


def dunst(user, *words):
    return subprocess.run(["dunstctl", *words], env=user.desktop.environment, capture_output=True, text=True,
                          timeout=20, check=False).stdout.strip()  # fmt: skip


def test_two_waiting_sessions_are_told_and_a_key_and_a_click_go_to_each_and_back(user):
    user.aitop("setup", "--yes", "--only", "claude-code", "--only", "tmux")
    user.sit_down()
    for pane in (user.shop, user.docs):
        user.ask(pane)
    seconds(lambda: set(user.waiting()) == set(PROJECTS))
    assert {name: row["pane"] for name, row in user.waiting().items()} == {
        "shop": user.shop,
        "docs": user.docs,
    }

    # Each is told once, by name, and every display counts both.
    seconds(lambda: {row["id"].partition(":")[0] for row in user.state()["alerts"]} == {"waiting"})
    seconds(lambda: dunst(user, "count", "displayed") == "2")
    seconds(lambda: "2 waiting" in user.aitop("prompt"))
    status = '{"session_id":"another","model":{"display_name":"M"}}'
    assert "2 waiting" in user.aitop("statusline", stdin=status)
    assert user.tmux("show-environment", "-gh", "AITOP_PANES_WAITING").count("%") == 2

    # The key: to the one that has waited longest, to the next, and back twice.
    for keys, pane in (
        (b"\x02j", user.shop),
        (b"\x02j", user.docs),
        (b"\x02J", user.shop),
        (b"\x02J", user.shell),
    ):
        user.press(keys)
        user.until(pane)

    # The click, with a real mouse, on the notification that came last.
    window = seconds(lambda: user_window(user))
    user.desktop.x("mousemove", "--window", window, "40", "20", "click", "2")
    seconds(lambda: user.shown() in (user.shop, user.docs))
    user.press(b"\x02J")
    user.until(user.shell)

    # A session that has its answer waits no longer.
    user.tmux("send-keys", "-t", user.shop, "Enter")
    seconds(lambda: set(user.waiting()) == {"docs"})
    seconds(lambda: "1 waiting" in user.aitop("prompt"))


def user_window(user):
    found = subprocess.run(["xdotool", "search", "--onlyvisible", "--class", "Dunst"], env=user.desktop.environment,
                           capture_output=True, text=True, timeout=20, check=False)  # fmt: skip
    return found.stdout.split()[-1] if found.stdout.split() else None
