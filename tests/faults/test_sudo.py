"""Root runs a command in a user's home, as `sudo aitop …` does where HOME is kept: nothing of root's is left.

Needs root, and this Python's packages where another user can read them: they are copied there.
"""

import glob
import importlib.util
import os
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT
from support.lines import assistant, transcript

from .conftest import LONG

USER = 65_534
PACKAGES = ("click", "filelock", "orjson", "tomlkit", "h11", "psutil", "hpack", "h2", "hyperframe")
COMMANDS = [
    ["report", "daily"], ["start"], ["doctor"], ["listen", "--quiet"], ["tag", "x"], ["install", "--write"],
    ["report", "sessions", "--json"], ["report", "models"], ["status"], ["stop"], ["config"], ["top", "--once"],
    ["tmux", "--format", "{burn}"], ["guard"], ["statusline"], ["hook", "SessionStart"],
]  # fmt: skip
STATES = ("before its first start", "after it", "while it runs")

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        not hasattr(os, "getuid") or os.getuid() != 0 or not shutil.which("setpriv"),
        reason="needs root and setpriv",
    ),
]


@pytest.fixture(scope="module")
def python():
    """A Python that every user can run: the one in use, or the system's if it is the same version."""
    for path in (sys.executable, "/usr/bin/python3"):
        check = f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
        words = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "sh", "-c",
                 '"$0" -I -c "$1"', path, check]  # fmt: skip
        if subprocess.run(words, capture_output=True, check=False, cwd="/").returncode == 0:
            return path
    pytest.skip("no Python of this version can be run by another user")


@pytest.fixture
def place(python):
    """(a Python with aitop, a home): both where another user can reach them, the home is theirs."""
    base = os.path.join("/var/tmp", f"aitop-sudo-{os.getpid()}")
    home = os.path.join(base, "home")
    subprocess.run([python, "-m", "venv", "--without-pip", os.path.join(base, "venv")], check=True)
    (packages,) = glob.glob(os.path.join(base, "venv", "lib", "python3*", "site-packages"))
    shutil.copytree(os.path.join(ROOT, "aitop"), os.path.join(packages, "aitop"))
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin:
            folder = os.path.dirname(spec.origin)
            shutil.copytree(folder, os.path.join(packages, os.path.basename(folder)))
    transcript(os.path.join(home, ".claude"), [assistant()])
    subprocess.run(["chmod", "-R", "a+rX", base], check=True)
    subprocess.run(["chown", "-R", f"{USER}:{USER}", home], check=True)
    yield os.path.join(base, "venv", "bin", "python"), home
    shutil.rmtree(base)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("command", COMMANDS if LONG else COMMANDS[:4] + COMMANDS[-4:], ids=" ".join)
def test_no_command_under_sudo_leaves_a_file_of_root_s(command, state, place, tally):
    python, home = place
    environ = {"HOME": home, "AITOP_HOME": os.path.join(home, ".aitop"), "PATH": os.defpath,
               "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"}  # fmt: skip

    def run(*words, user=False, seconds=60):
        call = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"] if user else []
        try:
            return subprocess.run(
                [*call, "sh", "-c", '"$@"', "-", python, "-P", "-m", "aitop", *words],
                env=environ, cwd=home, capture_output=True, text=True,
                input="{}", timeout=seconds, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return None

    with tally.fault():
        if state != STATES[0]:
            assert run("start", user=True).returncode == 0
        if state == STATES[1]:
            assert run("stop", user=True).returncode == 0
        done = run(*command, seconds=4 if command[0] == "listen" else 60)
        if command[0] in ("report", "start", "listen"):
            assert done.returncode == 1
            assert "without sudo" in done.stderr
        try:
            roots = [
                os.path.join(folder, name)
                for folder, folders, names in os.walk(home)
                for name in (*folders, *names)
                if os.lstat(os.path.join(folder, name)).st_uid == 0
            ]
            assert roots == []
            started = run("start", user=True)
            assert (started.returncode, started.stderr) == (0, "")
        finally:
            assert run("stop", user=True).returncode == 0
