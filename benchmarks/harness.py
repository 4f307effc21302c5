"""Running commands as whole processes and timing them in pairs, so that a busy minute hurts both alike.

No dependency and no shell between the clock and the command: posix_spawn, wait4.
"""

import os
import statistics
import sys
import time
from typing import NamedTuple

PYTHON = sys.executable
BARE_PYTHON = [PYTHON, "-I", "-S", "-c", "pass"]


class Run(NamedTuple):
    """One process: wall seconds, processor seconds, largest resident size in bytes, exit code."""

    wall: float
    cpu: float
    rss: int
    code: int


class Row(NamedTuple):
    """One line of the result."""

    what: str
    budget: str
    measured: str
    floor: str = ""
    ratio: float | None = None
    within: bool | None = None
    note: str = ""
    values: dict = {}  # noqa: RUF012 - what the JSON keeps


def run(argv, env, stdin=os.devnull, stdout=os.devnull, cwd=None):
    """Spawn, wait, account. The command is found by path: no search is timed."""
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, stdin, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, stdout, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ]
    here = os.getcwd()
    if cwd:
        os.chdir(cwd)
    began = time.perf_counter()
    pid = os.posix_spawn(argv[0], argv, env, file_actions=actions)
    _, status, used = os.wait4(pid, 0)
    wall = time.perf_counter() - began
    if cwd:
        os.chdir(here)
    unit = 1 if sys.platform == "darwin" else 1024
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * unit, os.waitstatus_to_exitcode(status))


def pairs(first, second, times, warm=3):
    """Two callables that each give a Run, taken in turn; every run of each, the first few left out."""
    found = [], []
    for number in range(times + warm):
        for kept, call in zip(found, (first, second), strict=True):
            result = call()
            if number >= warm:
                kept.append(result)
    return found


def median(runs):
    return statistics.median(r.wall for r in runs)


def compared(
    what, budget, limit, command, floor, times, env, *, stdin=os.devnull, floor_name="", bound_ms=None
):
    """A row: a command beside its floor, the medians of many pairs, and how they stand to the budget."""
    runs, floors = pairs(lambda: run(command, env, stdin), lambda: run(floor, env, stdin), times)
    failed = {r.code for r in (*runs, *floors)} - {0}
    took, bare = median(runs), median(floors)
    spread = sorted(r.wall for r in runs)
    within = took * 1000 <= bound_ms if bound_ms is not None else took / bare <= limit
    return Row(
        what, budget, f"{took * 1000:.2f} ms", f"{bare * 1000:.2f} ms {floor_name}", took / bare, within,
        f"exit codes {sorted(failed)}" if failed else "",
        {"median_ms": took * 1000, "p95_ms": spread[int(len(spread) * 0.95)] * 1000, "floor_ms": bare * 1000,
         "runs": len(runs)},
    )  # fmt: skip
