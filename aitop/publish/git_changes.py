"""Whether the folders of living sessions have uncommitted changes, asked of git only where a display shows it.

One git at a time, for a few folders, every few seconds; never waited for, killed when it hangs. It names the filters
that are configured; then `git diff --quiet` runs without them and without any other program of the repository's.
"""

import contextlib
import os
import signal
from typing import NamedTuple

from aitop.model.json_types import JsonObject
from aitop.system import git_program

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess

PLACEHOLDER = "{git_dirty}"
MAX_FOLDERS = 6
AGAIN_SECONDS = 5.0
KILL_SECONDS = 3.0
CLEAN, DIRTY = 0, 1  # git's exit codes; any other means that it is no repository
GIT = ("git", *git_program.OPTIONS)
NAMES_BYTES = 1 << 16
DIFF = ("diff", "--quiet", "--no-ext-diff", "--no-textconv", "--ignore-submodules", "HEAD", "--")


class _Running(NamedTuple):
    """A git that was started. `begun`: when its folder was asked for, epoch seconds."""

    process: "subprocess.Popen[bytes]"
    folder: str
    begun: float
    names_filters: bool

    def end(self) -> None:
        """End it with what it started."""
        with contextlib.suppress(OSError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.close()

    def close(self) -> None:
        """Let its output go."""
        if self.process.stdout is not None:
            self.process.stdout.close()

    def output(self) -> bytes:
        """What it wrote; never waited for."""
        if self.process.stdout is None:
            return b""
        os.set_blocking(self.process.stdout.fileno(), False)
        try:
            return os.read(self.process.stdout.fileno(), NAMES_BYTES)
        except BlockingIOError:
            return b""


class GitChanges:
    """Remembers what git said of each folder."""

    def __init__(self) -> None:
        self._known: dict[str, bool | None] = {}
        self._asked_at: dict[str, float] = {}
        self._running: _Running | None = None

    def fill(self, state: JsonObject, looks: list[str], now: float) -> None:
        """Set `git_dirty` of the living sessions; ask on where any of the templates shows it."""
        if not any(PLACEHOLDER in look for look in looks):
            return
        folders = [
            session["cwd"]
            for session in state["sessions"]
            if session.get("status") in ("working", "waiting", "idle") and session.get("cwd")
        ]
        self._tend(now)
        self._ask(list(dict.fromkeys(folders))[:MAX_FOLDERS], now)
        for session in state["sessions"]:
            session["git_dirty"] = self._known.get(session.get("cwd") or "")

    def close(self) -> None:
        """End what runs."""
        if self._running is not None:
            self._running.end()
            self._running = None

    def _tend(self, now: float) -> None:
        if self._running is None:
            return
        running = self._running
        code = running.process.poll()
        if code is None and 0 <= now - running.begun < KILL_SECONDS:
            return
        self._running = None
        if code is None:
            running.end()
            self._known[running.folder] = None
        elif running.names_filters and code in (0, 1):  # 1: there is none
            names = running.output()
            running.close()
            self._known.setdefault(running.folder, None)
            if len(names) < NAMES_BYTES:
                self._start(DIFF, running.folder, running.begun, git_program.without_filters(names))
        else:
            running.close()
            self._known[running.folder] = {CLEAN: False, DIRTY: True}.get(code)

    def _ask(self, folders: list[str], now: float) -> None:
        for table in (self._known, self._asked_at):
            for folder in [folder for folder in table if folder not in folders]:
                del table[folder]
        due = [
            folder for folder in folders if not 0 <= now - self._asked_at.get(folder, -1e9) < AGAIN_SECONDS
        ]
        if self._running is not None or not due:
            return
        folder = min(due, key=lambda one: self._asked_at.get(one, -1e9))
        self._asked_at[folder] = now
        self._start(git_program.FILTERS, folder, now)

    def _start(
        self, words: tuple[str, ...], folder: str, begun: float, added: dict[str, str] | None = None
    ) -> None:
        """The filters are asked for where `added` does not switch them off yet."""
        import subprocess

        names_filters = added is None
        try:
            process = subprocess.Popen(
                [*GIT, *words], cwd=folder, env=git_program.environment() | (added or {}), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if names_filters else subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
        except (OSError, ValueError):
            self._known[folder] = None
            return
        self._running = _Running(process, folder, begun, names_filters)
