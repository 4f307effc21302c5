"""The first minute of a new user: a fresh home, a clone, one command, their real client, the cost in tmux.

With a terminal everything is typed into a real tmux, whose screen can be filmed. Without one, the same commands
run as a script has them. Nothing of this machine's user is read; the only address is a scripted API on loopback.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from golden.home import ROOT

from support.clients import client
from support.messages_api import Api

COLUMNS, ROWS = 100, 27
USAGE = {"input_tokens": 2_000, "cache_read_input_tokens": 90_000, "cache_creation_input_tokens": 30_000,
         "output_tokens": 9_000}  # fmt: skip
ANSWER = "Hello! The cart rounds each line now."
URL = "https://github.com/OWNER/aitop"  # git is told to take it from this clone
CLONE = f"git clone -q {URL} && cd aitop"
PASSED = (
    "PIP_",
    "SSL_CERT",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
)
PATIENCE = 240.0


class Newcomer:
    """A user with Claude Code and tmux, and nothing of ours."""

    def __init__(self, source=ROOT):
        self.folder = tempfile.mkdtemp(prefix="aitop-", dir="/tmp")
        self.home = os.path.join(self.folder, "h")
        self.shop = os.path.join(self.home, "shop")
        for path in (os.path.join(self.home, ".claude"), self.shop):
            os.makedirs(path)
        self._write(".gitconfig", f'[url "{source}"]\n\tinsteadOf = {URL}\n[safe]\n\tdirectory = *\n')
        self._write(".promptrc", "PS1='$ '\n")
        self._write(".tmux.conf", "set -g status-left ''\nset -g status-interval 5\n")
        trusted = {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True, "allowedTools": []}
        self._write(".claude.json", json.dumps({
            "hasCompletedOnboarding": True, "theme": "dark", "projects": {self.shop: trusted},
            "customApiKeyResponses": {"approved": ["sk-ant-none"], "rejected": []}}))  # fmt: skip
        self.api = Api([({"type": "text", "text": ANSWER}, USAGE)])
        folders = [os.path.dirname(client("claude")), os.path.join(sys.base_prefix, "bin"), "/usr/local/bin",
                   "/usr/bin", "/bin"]  # fmt: skip
        self.environment = {name: value for name, value in os.environ.items() if name.startswith(PASSED)} | {
            "HOME": self.home, "PATH": ":".join(folders), "LANG": "C.UTF-8", "TERM": "xterm-256color",
            "SHELL": "/bin/bash", "ANTHROPIC_BASE_URL": self.api.url,
            "ANTHROPIC_API_KEY": "sk-ant-none", "DISABLE_AUTOUPDATER": "1", "DISABLE_TELEMETRY": "1",
            "DISABLE_ERROR_REPORTING": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        }  # fmt: skip
        self.times = []
        self.began = time.monotonic()

    def _write(self, name, text):
        with open(os.path.join(self.home, name), "w") as file:
            file.write(text)

    def done(self, what):
        """Note the moment at which a step is over."""
        self.times.append((what, time.monotonic() - self.began))

    def state(self):
        with open(os.path.join(self.home, ".aitop", "state.json")) as file:
            return json.load(file)

    def run(self, line, folder="."):
        """A command of a script: no terminal, no input."""
        return subprocess.run(["bash", "-c", line], cwd=os.path.join(self.home, folder), env=self.environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE,
                              check=True).stdout  # fmt: skip

    def leave(self):
        front = os.path.join(self.home, "aitop", ".venv", "bin", "aitop")
        if os.path.exists(front):
            subprocess.run([front, "stop"], env=self.environment, capture_output=True, timeout=60)
        self.api.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.leave()


class Terminal:
    """The newcomer's tmux, drawn in a window of a second one; `frames` is the film: (seconds, lines)."""

    def __init__(self, newcomer, every=0.5):
        self.newcomer = newcomer
        self.inner, self.outer = (os.path.join(newcomer.folder, name) for name in "io")
        self.frames, self._every, self._over = [], every, threading.Event()
        self.call(self.outer, "new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), "-c", newcomer.home,
                  f"exec tmux -u -S {self.inner} new-session 'exec bash --rcfile .promptrc'")  # fmt: skip
        self.call(self.outer, "set-option", "-g", "status", "off")
        self._camera = threading.Thread(target=self._film)
        self._camera.start()
        self.until(lambda lines: lines[0].startswith("$"))

    def call(self, socket, *words):
        return subprocess.run(["tmux", "-u", "-S", socket, *words], env=self.newcomer.environment,
                              capture_output=True, text=True, timeout=30, check=False).stdout  # fmt: skip

    def screen(self, *options):
        return self.call(self.outer, "capture-pane", "-p", *options).rstrip("\n").split("\n")

    def bar(self):
        return self.screen()[-1]

    def type(self, text):
        self.call(self.outer, "send-keys", "-l", text)
        time.sleep(0.5)
        self.call(self.outer, "send-keys", "Enter")

    def until(self, wanted):
        """The screen as soon as it has a text, or as soon as `wanted(screen)` is true."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            lines = self.screen()
            if wanted(lines) if callable(wanted) else wanted in "\n".join(lines):
                return lines
            time.sleep(0.05)
        raise AssertionError(f"{wanted} not in:\n" + "\n".join(self.screen()))

    def _film(self):
        while not self._over.wait(self._every):
            lines = self.screen("-e")
            if not self.frames or self.frames[-1][1] != lines:
                self.frames.append((time.monotonic() - self.newcomer.began, lines))

    def close(self):
        self._over.set()
        self._camera.join()
        for socket in (self.inner, self.outer):
            self.call(socket, "kill-server")


def shown(bar):
    """USD on a status line; None without any."""
    match = re.search(r"\$(\d+\.\d\d)", bar)
    return float(match.group(1)) if match else None


def on_a_terminal(newcomer):
    """Clone, `./bin/try setup` with each question answered, the client, a question: (the film, the bar's USD)."""
    terminal = Terminal(newcomer)
    try:
        newcomer.began = time.monotonic()
        newcomer.done("the terminal is open")
        terminal.type(CLONE)
        terminal.until(lambda lines: sum(line.startswith("$") for line in lines) == 2)
        newcomer.done("cloned")
        terminal.type("./bin/try setup")
        terminal.until("Set up Claude Code?")
        newcomer.done("installed")
        answered = 0
        while True:
            lines = terminal.until(
                lambda lines: (
                    lines[-2:]
                    and any(line.endswith("]:") for line in lines)
                    or any(line.startswith("Set up: ") for line in lines)
                )
            )
            if any(line.startswith("Set up: ") for line in lines):
                break
            open_question = [line for line in lines if line.rstrip().endswith("]:")]
            terminal.type("")
            answered += 1
            terminal.until(
                lambda lines, before=open_question: (
                    [line for line in lines if line.rstrip().endswith("]:")] != before
                    or any(line.startswith("Set up: ") for line in lines)
                )
            )
        terminal.until(lambda lines: shown(lines[-1]) is not None)
        newcomer.done("set up, the bar shows it")
        terminal.type("cd ../shop && clear && claude --model claude-sonnet-4-5")
        terminal.until(lambda lines: any(line.startswith("❯") for line in lines))
        newcomer.done("the client is ready")
        terminal.type("round each line of the cart")
        terminal.until(ANSWER)
        newcomer.done("the client has answered")
        terminal.until(lambda lines: (shown(lines[-1]) or 0) > 0)
        newcomer.done("its cost is in tmux")
        time.sleep(2.5)
        return terminal.frames, shown(terminal.bar())
    finally:
        terminal.close()


def without_a_terminal(newcomer):
    """The same for a script: (what the client says it cost, what a display prints)."""
    newcomer.run(CLONE)
    newcomer.done("cloned")
    said = newcomer.run("./bin/try setup --yes", "aitop")
    newcomer.done("installed and set up")
    out = newcomer.run("claude --model claude-sonnet-4-5 -p 'round each line' --output-format json", "shop")
    newcomer.done("the client has answered")
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        line = newcomer.run("~/aitop/.venv/bin/aitop tmux")
        if shown(line):
            break
        time.sleep(0.1)
    newcomer.done("its cost is shown")
    return json.loads(out)["total_cost_usd"], shown(line), said
