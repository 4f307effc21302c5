"""A home as the listener publishes it, and the real programs that read it."""

import json
import os
import shutil
import subprocess
import sys
import time

import pytest
from golden import states

from aitop import segments

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FRONT = os.path.join(ROOT, "bin", "aitop")


def publish(home, state, *, own=(), fresh=True):
    """Write state and segments as the listener does: dated, their time the expiry."""
    now = time.time() if fresh else time.time() - 60
    state = dict(state, written_at=now)
    os.makedirs(os.path.join(home, "segments"), exist_ok=True)
    path = os.path.join(home, "state.json")
    with open(path + ".new", "w") as file:
        json.dump(state, file)
    os.utime(path + ".new", (now, now))  # readers take the later of this and `written_at`
    os.replace(path + ".new", path)
    for name, text in segments.render_all(state, own, states.NOW).items():
        path = os.path.join(home, "segments", name)
        with open(path + ".new", "wb") as file:
            file.write(f"{int(now)} 77 {text}\n".encode("utf-8", "replace"))
        # A day instead of ten seconds: a slow machine must not make a fresh number old in mid-test.
        expiry = now + 86_400 if fresh else now + 10
        os.utime(path + ".new", (expiry, expiry))
        os.replace(path + ".new", path)


def environment(home, **more):
    base = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AITOP_HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "TERM": "xterm-256color",
        "PYTHONPATH": ROOT,
    }
    return base | more


def run(arguments, home, **more):
    return subprocess.run(
        arguments, check=False, env=environment(home, **more), capture_output=True, cwd=home, timeout=30
    )


def front(home, *words, **more):
    return run([FRONT, *words], home, **more)


def python(home, *words, **more):
    return run([sys.executable, "-m", "aitop", *words], home, **more)


def need(program, package=None):
    """Skip where a real program is missing; in CI that is a failure."""
    if shutil.which(program):
        return
    message = f"{program} is missing: apt-get install -y {package or program}"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


def processes(arguments, home, **more):
    """How many processes the command started, itself not counted, and its stdout."""
    need("strace")
    trace = os.path.join(home, "trace")
    found = run(
        ["strace", "-f", "-qq", "-e", "trace=fork,vfork,clone,clone3", "-o", trace, *arguments], home, **more
    )
    with open(trace) as file:
        return sum("CLONE_THREAD" not in line for line in file if "(" in line), found.stdout
