"""`aitop top` in a real tmux, for its tests."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time

import pytest
from golden.home import environment


class Tmux:
    """A tmux server of its own with one window that runs the table."""

    def __init__(self, home, width, height, **more):
        self.folder = tempfile.mkdtemp(prefix="aitop-", dir="/tmp")
        self.base = ["tmux", "-f", "/dev/null", "-S", os.path.join(self.folder, "s")]
        env = environment(home, COLORTERM="truecolor", **more)
        words = " ".join(f"{name}='{value}'" for name, value in env.items() if name != "TERM")
        term = f"TERM={more['TERM']} " if "TERM" in more else ""
        self("new-session", "-d", "-x", str(width), "-y", str(height),
             f"env -u COLUMNS -u LINES {words} {term}{sys.executable} -m aitop top; sleep 60")  # fmt: skip

    def __call__(self, *words):
        return subprocess.run(
            [*self.base, *words], capture_output=True, check=True, timeout=20
        ).stdout.decode()

    def until(self, wanted, *more):
        """The screen as soon as it says all of these."""
        return self.settled(lambda lines: [text for text in (wanted, *more) if text not in "\n".join(lines)])

    def settled(self, wrong):
        """The screen as soon as nothing of it is wrong: a capture may fall into the middle of a drawing.

        `wrong(lines)` names what is wrong; the test fails when something still is after half a minute.
        """
        end = time.monotonic() + 30
        while True:
            found = self("capture-pane", "-p")
            faults = wrong(found.splitlines())
            if not faults:
                return found
            if time.monotonic() > end:
                pytest.fail(f"{faults}:\n{found}")
            time.sleep(0.1)

    def close(self):
        with contextlib.suppress(subprocess.SubprocessError):
            self("kill-server")
        shutil.rmtree(self.folder, ignore_errors=True)
