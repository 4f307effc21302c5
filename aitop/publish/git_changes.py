"""Whether the folders of living sessions have uncommitted changes, asked of git only where a display shows it.

One `git diff --quiet` at a time, for a few folders, every few seconds; never waited for, killed when it hangs.
Programs that a repository's own configuration names are switched off.
"""

import os

from aitop.model.json_types import JsonObject

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess

PLACEHOLDER = "{git_dirty}"
MAX_FOLDERS = 6
AGAIN_SECONDS = 5.0
KILL_SECONDS = 3.0
CLEAN, DIRTY = 0, 1  # git's exit codes; any other means that it is no repository
GIT = ("git", "--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.pager=cat")
DIFF = ("diff", "--quiet", "--no-ext-diff", "--no-textconv", "--ignore-submodules", "HEAD", "--")


class GitChanges:
    """Remembers what git said of each folder."""

    def __init__(self) -> None:
        self._known: dict[str, bool | None] = {}
        self._asked_at: dict[str, float] = {}
        self._running: tuple[subprocess.Popen[bytes], str, float] | None = None

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
            self._running[0].kill()
            self._running[0].wait()
            self._running = None

    def _tend(self, now: float) -> None:
        if self._running is None:
            return
        process, folder, begun = self._running
        code = process.poll()
        if code is None and 0 <= now - begun < KILL_SECONDS:
            return
        if code is None:
            process.kill()
            process.wait()
        self._known[folder] = {CLEAN: False, DIRTY: True}.get(-1 if code is None else code)
        self._running = None

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
        environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        import subprocess

        try:
            process = subprocess.Popen(
                [*GIT, *DIFF], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        except OSError:
            self._known[folder] = None
            return
        self._running = (process, folder, now)
