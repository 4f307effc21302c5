"""The throw-away home the demo plays in: a folder, a real listener, and the means to be its client.

Everything it makes is inside one temporary folder, and `close` leaves neither folder nor process.
Hooks and status lines go through the same files that Claude Code would call; nothing is faked but
the numbers. It never touches the user's own `$AITOP_HOME` or Claude folder.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime

import aitop
from aitop import paths
from aitop.demo.script import Beat, FeedPayload, Hook, Line

PACKAGE = os.path.dirname(os.path.abspath(aitop.__file__))
MAX_PATH_BYTES = 70  # bytes of the folder's path: a socket's address ends at 104
START_SECONDS = 15.0
# Runs the listener until it ends or stdin closes, then removes the folder: even a demo that is killed
# outright closes its end of that pipe, so nothing is left behind.
GUARD = """
exec 3<&0 </dev/null
"$@" 3<&- &
listener=$!
(read -r _ <&3; kill "$listener") 2>/dev/null &
wait "$listener"
rm -rf -- "$0"
"""
KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "TERM", "NO_COLOR", "PYTHONPATH", "TMPDIR")


class StageError(Exception):
    """The listener did not come up; the message is what it said."""


class Stage:
    """Holds the folder and the listener from `open` to `close`."""

    def __init__(self) -> None:
        base = tempfile.gettempdir()
        base = "/tmp" if len(base) > MAX_PATH_BYTES else base  # noqa: S108
        self.folder = tempfile.mkdtemp(prefix="aitop-demo-", dir=base)
        self.home = os.path.join(self.folder, "aitop")
        self.claude = os.path.join(self.folder, "claude")
        self.listener: subprocess.Popen[bytes] | None = None
        self.status_line = ""
        self.started = time.time()
        self.environment = {name: os.environ[name] for name in KEPT if name in os.environ} | {
            "HOME": self.folder, "AITOP_HOME": self.home, "CLAUDE_CONFIG_DIR": self.claude,
            "AITOP_CONFIG": os.path.join(self.folder, "config.toml"), "CLAUDE_PID": str(os.getpid()),
            "CODEX_HOME": os.path.join(self.folder, "codex"),
        }  # fmt: skip

    def open(self, beats: list[Beat]) -> None:
        """Write what lies before the start, then start the listener and wait for its first numbers."""
        self.started = time.time()
        for beat in beats:
            self.play(beat, self.started + beat.at)
        self.listener = subprocess.Popen(
            ["sh", "-c", GUARD, self.folder, sys.executable, "-P", "-m", "aitop", "listen", "--quiet"],
            env=self.environment,
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        deadline = time.monotonic() + START_SECONDS
        while not os.path.exists(os.path.join(self.home, paths.STATE)):
            if self.listener.poll() is not None or time.monotonic() > deadline:
                raise StageError(f"the demo's listener did not start: {self._said()}")
            time.sleep(0.02)

    def _said(self) -> str:
        if self.listener is None or self.listener.poll() is None or self.listener.stderr is None:
            return f"nothing published within {START_SECONDS:.0f} seconds"
        return self.listener.stderr.read().decode("utf-8", "replace").strip()

    def close(self) -> None:
        """End the listener and remove the folder, whatever state they are in."""
        if self.listener is not None:
            assert self.listener.stdin is not None
            assert self.listener.stderr is not None
            self.listener.stdin.close()
            try:
                self.listener.wait(timeout=5)
            except subprocess.TimeoutExpired:
                os.killpg(self.listener.pid, signal.SIGKILL)
                self.listener.wait()
            self.listener.stderr.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def play(self, beat: Beat, at: float) -> None:
        """Do what the client would do now; `at` is the time its record carries."""
        action = beat.action
        if isinstance(action, Line):
            stamp = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            self._append(self._transcript(action.session, action.agent), action.record | {"timestamp": stamp})
        elif isinstance(action, Hook):
            payload = action.payload | {
                "hook_event_name": action.event, "session_id": action.session,
                "transcript_path": self._transcript(action.session, None),
            }  # fmt: skip
            self._run("hook.py", payload, action.event)
        else:
            self._feed(action)

    def _feed(self, action: FeedPayload) -> None:
        limits = {
            "five_hour": round(self.started) + 7_920,
            "seven_day": round(self.started) + 277_200,
        }
        payload = action.payload | {
            "session_id": action.session,
            "transcript_path": self._transcript(action.session, None),
            "rate_limits": {
                name: {"used_percentage": round(used, 1), "resets_at": limits[name]}
                for name, used in action.payload["rate_limits"].items()
            },
        }
        self.status_line = self._run("statusline.py", payload)

    def _transcript(self, session: str, agent: str | None) -> str:
        folder = os.path.join(self.claude, "projects", "-home-you-demo")
        if agent is None:
            return os.path.join(folder, f"{session}.jsonl")
        return os.path.join(folder, session, "subagents", f"agent-{agent}.jsonl")

    def _append(self, path: str, record: dict[str, object]) -> None:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(record, separators=(",", ":")) + "\n")

    def _run(self, file: str, payload: dict[str, object], *arguments: str) -> str:
        """Call one of the package's own files as Claude Code's settings would; its output."""
        process = subprocess.run(
            [sys.executable, "-I", "-S", os.path.join(PACKAGE, file), "--home", self.home, *arguments],
            input=json.dumps(payload).encode(), env=self.environment, cwd=self.folder,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        return process.stdout.decode("utf-8", "replace").strip()
