"""Modes from creation on: whatever the umask, no file of ours is open to others for a moment.

Watched from outside, by the system calls of a real start, run, backup and stop under umask 000: a check
afterwards would not see a file that is closed a moment after it was made.
"""

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time

import pytest
from conftest import ROOT
from support.lines import SESSION, assistant, transcript, user

from aitop import paths

CALLS = (
    "open,openat,creat,mkdir,mkdirat,bind,umask,chmod,fchmod,fchmodat,clone,clone3,fork,vfork,"
    "rename,renameat,renameat2,unlink,unlinkat"
)
AT = r"(?:AT_FDCWD(?:<[^>]*>)?, )?"
OPENED = re.compile(
    rf'^(\d+) +(?:openat|open|creat)\({AT}"([^"]*)", ([A-Z_|0-9x]*O_CREAT[A-Z_|0-9x]*), (0\d*)'
)
MADE = re.compile(rf'^(\d+) +mkdir(?:at)?\({AT}"([^"]*)", (0\d*)\) += 0')
BOUND = re.compile(r'^(\d+) +bind\(\d+(?:<[^>]*>)?, \{sa_family=AF_UNIX, sun_path="([^"]*)"')
MASKED = re.compile(r"^(\d+) +umask\((0\d*)\) += (0\d*)")
CHANGED = re.compile(rf'^(\d+) +f?chmod(?:at)?\({AT}(?:"([^"]*)"|\d+<([^>]*)>), (0\d*)')
GONE = re.compile(rf'^\d+ +(?:rename|unlink)(?:at2?)?\({AT}"([^"]*)"')
BORN = re.compile(r"^(\d+) +(?:<\.\.\. )?(?:clone3?|v?fork)\b.* = (\d+)")


class Watched:
    """What the calls of some processes made, and how open it was: path → mode at birth."""

    def __init__(self, folder):
        self.folder = folder
        self.number = 0

    def run(self, *words, wait=True):
        self.number += 1
        log = os.path.join(self.folder, f"calls-{self.number}")
        command = ["strace", "-f", "-y", "-qq", "-s", "4096", "-e", f"trace={CALLS}", "-o", log, *words]
        process = subprocess.Popen(command, cwd="/", umask=0, start_new_session=True)
        if wait:
            assert process.wait(60) == 0
        return process

    def births(self, inside):
        """(path, mode at birth or after a chmod) of everything made inside some folders."""
        found = []
        for number in range(1, self.number + 1):
            with open(
                os.path.join(self.folder, f"calls-{number}"), encoding="utf-8", errors="replace"
            ) as file:
                found += list(_births(file))
        return [(path, mode) for path, mode in found if path.startswith(tuple(inside))]


def _births(lines):
    """Opening what is there already makes nothing, whatever mode the call names."""
    masks = {}
    known = set()

    def mask(pid):
        return masks.get(pid, 0)

    for line in lines:
        if found := MASKED.match(line):
            masks[found[1]] = int(found[2], 8)
        elif found := BORN.match(line):
            masks[found[2]] = mask(found[1])
        elif found := GONE.match(line):
            known.discard(found[1])
        elif found := OPENED.match(line):
            if found[2] not in known:
                yield found[2], int(found[4], 8) & ~mask(found[1])
            known.add(found[2])
        elif found := MADE.match(line):
            yield found[2], int(found[3], 8) & ~mask(found[1])
        elif found := BOUND.match(line):
            yield found[2], 0o777 & ~mask(found[1])
        elif found := CHANGED.match(line):
            yield found[2] or found[3] or "", int(found[4], 8)


@pytest.fixture
def watched(tmp_path):
    if not shutil.which("strace"):
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("strace is missing: install strace")
    folder = tmp_path / "calls"
    folder.mkdir()
    return Watched(str(folder))


def state_of(home):
    import json

    try:
        with open(os.path.join(home, paths.STATE), "rb") as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def until(true, seconds=30.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return
        time.sleep(0.02)
    pytest.fail(f"not within {seconds} s")


@pytest.mark.timeout(120)
@pytest.mark.parametrize("place", ["home", "runtime folder"])
def test_no_file_is_open_to_others_for_a_moment_whatever_the_umask(
    home, watched, monkeypatch, tmp_path, place
):
    monkeypatch.setenv("PYTHONPATH", ROOT)
    monkeypatch.setenv("AITOP_LOG_LEVEL", "debug")
    os.rmdir(home)
    run = tmp_path / "run"
    if place != "home":
        run.mkdir(mode=0o700)
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(run))
    (tmp_path / "config.toml").write_text(f"[otel]\nenabled = true\nport = {free_port()}\n")
    monkeypatch.setenv("AITOP_CONFIG", str(tmp_path / "config.toml"))
    transcript(str(tmp_path / "user" / ".claude"), [user(), assistant()])
    aitop = [sys.executable, "-m", "aitop"]
    listener = watched.run(*aitop, "listen", "--quiet", wait=False)
    try:
        until(lambda: (state_of(home) or {}).get("scan", {}).get("complete"))
        watched.run(
            sys.executable,
            "-c",
            f"from aitop.history.recovery import backup; backup.make({home + '/history.db'!r}, {home!r})",
        )
        watched.run(sys.executable, "-c", JOURNAL)
        watched.run(*aitop, "tag", SESSION, "client")
        watched.run(*aitop, "waybar", "--cycle")
        watched.run(*aitop, "install", "--write", "--statusline")
        watched.run(*aitop, "report", "models", "--json")
        watched.run(*aitop, "stop")
        listener.wait(20)
    finally:
        if listener.poll() is None:
            os.killpg(listener.pid, signal.SIGKILL)
            listener.wait()
    births = watched.births([home, str(run)])
    made = {os.path.relpath(path, home).split(".tmp")[0] for path, _ in births}
    assert {"claudecode.sock", "history.db", "listener.lock", "aitop.log", "history.backup-1.db.new", "stopped",
            "tags.lock", "waybar.preset.new", "gateway/openai", "."} <= made  # fmt: skip
    assert [(path, oct(mode)) for path, mode in births if mode & 0o077] == []
    assert open_ones(home) == open_ones(str(run)) == []


JOURNAL = (
    "from aitop.gateway import journal; from aitop.providers.gateway.entry import Entry; "
    "journal.append('openai', [Entry('a', 1e9, 's', 'm')], 1e9)"
)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def open_ones(folder):
    """What is open to others now, links left out."""
    found = []
    for place, folders, files in os.walk(folder):
        for name in ["", *folders, *files]:
            path = os.path.join(place, name)
            mode = os.lstat(path).st_mode
            if not stat.S_ISLNK(mode) and mode & 0o077:
                found.append((path, oct(mode)))
    return found


def test_a_home_others_made_wider_is_closed_again_at_the_next_start(listener, home):
    listener.start()
    listener.end()
    os.chmod(home, 0o755)
    listener.start()
    assert stat.S_IMODE(os.stat(home).st_mode) == 0o700


def test_a_file_a_shell_made_first_is_closed_by_the_listener(listener, home):
    with open(os.path.join(home, paths.NOW), "w"):
        os.chmod(os.path.join(home, paths.NOW), 0o666)
    listener.start()
    assert stat.S_IMODE(os.stat(os.path.join(home, paths.NOW)).st_mode) == 0o600
