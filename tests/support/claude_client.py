"""The real Claude Code for tests: run once or in a terminal, against a scripted API and in a home of its own."""

import contextlib
import json
import os
import shlex
import subprocess
import sys
import time

import pytest
from golden.home import FRONT, ROOT, need

from support.clients import client
from support.messages_api import FINE, call

CALLS = 30
USAGE = {
    "input_tokens": 103, "output_tokens": 57, "cache_read_input_tokens": 9001, "cache_creation_input_tokens": 311,
    "cache_creation": {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 111},
}  # fmt: skip


def script():
    """Thirty tool calls and a last word, each response with numbers of its own."""
    replies = [
        (call(number, f"echo {number}"), USAGE | {"output_tokens": 50 + 7 * number})
        for number in range(CALLS)
    ]
    return [*replies, (FINE, USAGE)]


def whole(state):
    """Whether a state has all of that script."""
    return (state["today"]["requests"], state["today"]["tool_calls"]) == (CALLS + 1, CALLS)


class Claude:
    """One user's home: their client, and aitop beside it."""

    def __init__(self, folder, home, api):
        self.program = client("claude")
        self.allowed = ["--allowedTools", "Bash"]
        self.folder, self.home = str(folder), home
        self.work = os.path.join(self.folder, "work")
        self.settings = os.path.join(self.folder, ".claude", "settings.json")
        os.makedirs(self.work, exist_ok=True)
        os.makedirs(os.path.dirname(self.settings))
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": self.folder, "AITOP_HOME": home, "LANG": "C.UTF-8",
            "TERM": "xterm-256color", "ANTHROPIC_BASE_URL": api.url, "ANTHROPIC_API_KEY": "sk-ant-none",
            "DISABLE_AUTOUPDATER": "1", "DISABLE_TELEMETRY": "1", "DISABLE_ERROR_REPORTING": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        }  # fmt: skip

    def aitop(self, *words):
        """The installed command, in this user's home."""
        environment = self.environment | {"PYTHONPATH": ROOT}
        command = os.path.join(os.path.dirname(sys.executable), "aitop")
        found = subprocess.run(
            [command if os.path.exists(command) else FRONT, *words],
            env=environment, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert found.returncode == 0, found.stdout + found.stderr
        return found.stdout

    def words(self):
        return [self.program, "--model", "claude-sonnet-4-5", *self.allowed]

    def go(self):
        """One run without a terminal; what the client itself says of it."""
        found = subprocess.run(
            [*self.words(), "-p", "go", "--output-format", "json"],
            env=self.environment, cwd=self.work, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=90,
        )  # fmt: skip
        assert found.returncode == 0, found.stdout + found.stderr
        return json.loads(found.stdout)

    def known(self):
        """The client's own state of a user who has answered its first questions."""
        key = self.environment["ANTHROPIC_API_KEY"]
        state = {
            "hasCompletedOnboarding": True, "theme": "dark",
            "customApiKeyResponses": {"approved": [key[-20:]], "rejected": []},
            "projects": {self.work: {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True,
                                     "allowedTools": []}},
        }  # fmt: skip
        with open(os.path.join(self.folder, ".claude.json"), "w") as file:
            json.dump(state, file)

    @contextlib.contextmanager
    def terminal(self):
        """The client in a terminal; yields `Screen`."""
        need("tmux")
        self.known()
        screen = Screen(os.path.join(self.folder, "s"))
        line = shlex.join(["env", "-i", *(f"{k}={v}" for k, v in self.environment.items()), *self.words()])
        screen("new-session", "-d", "-x", "140", "-y", "40", "-c", self.work, line)
        try:
            yield screen
        finally:
            screen("kill-server")


class Screen:
    """A tmux server of its own with one window."""

    def __init__(self, socket):
        self.base = ["tmux", "-f", "/dev/null", "-S", socket]

    def __call__(self, *words):
        return subprocess.run([*self.base, *words], capture_output=True, text=True, timeout=30).stdout

    def until(self, *wanted):
        """The screen as soon as it says all of these."""
        found = self._within(60, wanted)
        if found is None:
            pytest.fail(f"{wanted} not in:\n{self('capture-pane', '-p')}")
        return found

    def press(self, key, *wanted):
        """A key that leads to a screen with all of these; again where it came before the client listened."""
        for _ in range(12):
            self("send-keys", *key)
            if self._within(5, wanted) is not None:
                return
        self.until(*wanted)

    def say(self, text):
        """Type a line and send it, once the client shows it."""
        self.press(("-l", text), text)
        self("send-keys", "Enter")

    def _within(self, seconds, wanted):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self("capture-pane", "-p")
            if all(text in found for text in wanted):
                return found
            time.sleep(0.1)
        return None
