"""A home where no socket can be: a path too long for one, a file system without any, something in its place.

The listener says in one sentence what to do. Reports need no socket and work all the same.
"""

import errno
import json
import os
import shutil
import subprocess
import sys
import time

import pytest
from conftest import ROOT

from .ground import aitop, fill, numbers, recount

pytestmark = pytest.mark.timeout(60)
FRONT = os.path.join(os.path.dirname(sys.executable), "aitop")


@pytest.fixture
def fat(tmp_path, monkeypatch):
    """`$AITOP_HOME` on a file system that knows neither sockets nor links nor modes: a USB stick's."""
    if os.getuid() != 0 or not shutil.which("mkfs.vfat"):
        pytest.skip("mounting a FAT file system needs root and mkfs.vfat")
    disk, image = tmp_path / "disk", tmp_path / "image"
    disk.mkdir()
    with open(image, "wb") as file:
        file.truncate(32 << 20)
    subprocess.run(["mkfs.vfat", image], check=True, capture_output=True)
    done = subprocess.run(["mount", "-o", "loop,umask=077", image, disk], capture_output=True)
    if done.returncode:
        pytest.skip(f"this machine forbids mounting: {done.stderr!r}")
    monkeypatch.setenv("AITOP_HOME", str(disk / "h"))
    yield str(disk / "h")
    subprocess.run(["umount", "-l", disk], check=True)


def refused(*said):
    """The listener's one sentence; it never traces back."""
    found = aitop("listen")
    assert found.returncode == 1
    assert "Traceback" not in found.stderr
    for text in said:
        assert text in found.stderr
    found = aitop("start")
    assert found.returncode == 1
    assert "Traceback" not in found.stderr


def everything_else_works(home, tmp_path, tally):
    rows = json.loads(aitop("report", "sessions", "--json").stdout)
    assert rows
    tally.same(numbers(home), recount(tmp_path))
    for words in (("hook", "Stop"), ("tmux",), ("prompt", "--shell", "zsh")):
        found = subprocess.run([FRONT, *words], input="{}", capture_output=True, text=True, timeout=20,
                               env=os.environ | {"PYTHONPATH": ROOT})  # fmt: skip
        assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_a_path_too_long_for_a_socket_is_told_with_the_remedy(tmp_path, claude, tally, monkeypatch):
    home = str(tmp_path / ("deep" * 30))
    monkeypatch.setenv("AITOP_HOME", home)
    fill(claude, time.time())
    with tally.fault():
        refused("AITOP_HOME")
        everything_else_works(home, tmp_path, tally)


def test_a_file_system_without_sockets_is_told_with_the_remedy(fat, tmp_path, claude, tally):
    fill(claude, time.time())
    with tally.fault():
        refused("AITOP_HOME")
        everything_else_works(fat, tmp_path, tally)


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP, errno.EACCES, errno.EINVAL])
def test_a_system_that_refuses_the_socket_is_told_with_the_remedy(number, home, tmp_path, claude, tally):
    fill(claude, time.time())
    without = (
        f"import os, socket, sys\ndef bind(*_): raise OSError({number}, os.strerror({number}))\n"
        "socket.socket.bind = bind\nsys.argv = ['aitop', 'listen']\nfrom aitop.__main__ import main\nsys.exit(main())"
    )
    with tally.fault():
        found = subprocess.run([sys.executable, "-c", without], capture_output=True, text=True, timeout=20,
                               env=os.environ | {"PYTHONPATH": ROOT})  # fmt: skip
        assert found.returncode == 1
        assert "Traceback" not in found.stderr
        assert "set AITOP_HOME to a local folder" in found.stderr
        everything_else_works(home, tmp_path, tally)


@pytest.mark.parametrize("what", ["a file", "a folder", "a FIFO"])
def test_something_else_in_its_place_is_never_removed(what, home, tmp_path, claude, tally):
    fill(claude, time.time())
    path = os.path.join(home, "claudecode.sock")
    {
        "a file": lambda: open(path, "w").close(),
        "a folder": lambda: os.mkdir(path),
        "a FIFO": lambda: os.mkfifo(path),
    }[what]()
    before = os.lstat(path)
    with tally.fault():
        refused("is no socket")
        everything_else_works(home, tmp_path, tally)
        assert os.lstat(path).st_ino == before.st_ino
