"""Runs commands as whole processes and times them in turn, so that a busy minute slows all of them alike.

No dependency and no shell runs between the clock and the command: posix_spawn, wait4. Every measurement
is bounded in time: rounds end early when their seconds are used up.
"""

import os
import random
import select
import signal
import statistics
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

PYTHON = sys.executable
BARE_PYTHON = [PYTHON, "-I", "-S", "-c", "pass"]
FEWEST = 2  # rounds, whatever they take
LONGEST = 180.0  # seconds of one run; a longer one is killed, and named by its exit code
SAMPLE = 0.01  # seconds between two looks at the memory of a family of processes


class Effort(NamedTuple):
    """How much is measured. `sizes`: GB of transcripts. `responses`: responses of a history."""

    quick: bool = False
    idle: float = 600.0  # seconds
    sizes: tuple[float, ...] = (0.1, 1.0, 3.0)
    responses: tuple[int, ...] = (100_000, 500_000, 1_000_000, 2_000_000)

    def times(self, full: int, quick: int) -> int:
        return quick if self.quick else full


class Run(NamedTuple):
    """One process: wall seconds, processor seconds, largest resident size in bytes, exit code.

    `ended`: seconds to its end, where `wall` is the time to its answer.
    """

    wall: float
    cpu: float
    rss: int
    code: int
    ended: float = 0.0


class Row(NamedTuple):
    """One line of the result. `ahead`: faster than the peer beside it; None where the row has no peer."""

    what: str
    budget: str
    measured: str
    floor: str = ""
    ratio: float | None = None
    within: bool | None = None
    note: str = ""
    values: dict = {}  # noqa: RUF012 - what the JSON keeps
    ahead: bool | None = None


def missing(what: str, budget: str, why: str) -> Row:
    """A row that could not be measured here, and why."""
    return Row(what, budget, f"not measured: {why}")


def run(
    argv, env, stdin=os.devnull, stdout=os.devnull, cwd=None, started: Callable[[int], None] | None = None
):
    """Spawn, wait, account. The command is found by path: no search is timed. `started` is told the pid."""
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, stdin, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, stdout, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ]
    here = os.getcwd()
    if cwd:
        os.chdir(cwd)
    began = time.perf_counter()
    pid = os.posix_spawn(argv[0], argv, env, file_actions=actions, setpgroup=0)
    if started:
        started(pid)
    _end_in_time(pid)
    _, status, used = os.wait4(pid, 0)
    wall = time.perf_counter() - began
    if cwd:
        os.chdir(here)
    unit = 1 if sys.platform == "darwin" else 1024
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * unit, os.waitstatus_to_exitcode(status))


def _end_in_time(pid: int) -> None:
    """Wait, where the system can wait with a limit; what runs longer is killed with all it started."""
    if not hasattr(os, "pidfd_open"):
        return
    fd, ended = os.pidfd_open(pid), []
    try:
        ended = select.select([fd], [], [], LONGEST)[0]
    finally:
        os.close(fd)
        if not ended:
            os.killpg(pid, signal.SIGKILL)


def run_to_answer(argv, env, path, cwd=None):
    """As `run_family`; `wall` is the time until the command closed its output, which is kept at `path`."""
    fifo = f"{path}.pipe"
    if os.path.lexists(fifo):
        os.unlink(fifo)
    os.mkfifo(fifo, 0o600)
    closed, began = [], time.perf_counter()

    def read():
        with open(fifo, "rb") as pipe, open(path, "wb") as file:
            file.write(pipe.read())
            closed.append(time.perf_counter() - began)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    found = run_family(argv, env, stdout=fifo, cwd=cwd)
    reader.join(timeout=10)
    os.unlink(fifo)
    return found._replace(wall=closed[0] if closed else found.wall, ended=found.wall)


def run_family(argv, env, stdout=os.devnull, cwd=None):
    """As `run`; the resident sizes of the process and all it started are summed, and their peak is kept."""
    peak, ended, watchers = [0], threading.Event(), []

    def watch(pid):
        while not ended.wait(SAMPLE):
            peak[0] = max(peak[0], sum(map(resident, family(pid))))

    def started(pid):
        watchers.append(threading.Thread(target=watch, args=(pid,), daemon=True))
        watchers[0].start()

    try:
        found = run(argv, env, stdout=stdout, cwd=cwd, started=started)
    finally:
        ended.set()
        for watcher in watchers:
            watcher.join()
    # what the kernel calls a process's largest size is never less than its parent's at the start
    return found._replace(rss=peak[0] or found.rss)


def family(pid: int) -> list[int]:
    """A process and everything it started that still runs, as Linux tells; elsewhere the process alone."""
    found = [pid]
    for one in found:
        try:
            with open(f"/proc/{one}/task/{one}/children") as file:
                found += map(int, file.read().split())
        except OSError:
            continue
    return found


def resident(pid: int) -> int:
    """Bytes in memory; 0 for a process that is gone."""
    try:
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def rounds(
    calls: Mapping[str, Callable[[], Run]], times: int, seconds: float = 60.0, warm: int = 3
) -> dict[str, list[Run]]:
    """Every call once in each round, in an order of its own, so that none always follows the slowest one.

    The runs of each; the first rounds are left out.
    """
    found: dict[str, list[Run]] = {name: [] for name in calls}
    order, chance = list(calls), random.Random(1)
    began = time.perf_counter()
    for number in range(times + warm):
        if number - warm >= FEWEST and time.perf_counter() - began > seconds:
            break
        chance.shuffle(order)
        for name in order:
            result = calls[name]()
            if number >= warm:
                found[name].append(result)
    return found


def median(runs: list[Run]) -> float:
    """Wall seconds."""
    return statistics.median(r.wall for r in runs)


def least(runs: list[Run]) -> float:
    """Wall seconds of the fastest run, which was disturbed least."""
    return min(r.wall for r in runs)


def failures(*several: list[Run]) -> str:
    """A note on runs that did not end well."""
    codes = {r.code for runs in several for r in runs} - {0}
    return f"exit codes {sorted(codes)}" if codes else ""


def disturbed(within: bool, at_best: bool) -> str:
    """A note, if the median run misses the budget and the fastest run keeps it."""
    return "within it in the runs that were disturbed least" if at_best and not within else ""


def compared(
    what, budget, limit, command, floors, times, env, *, stdin=os.devnull, bound_ms=None, seconds=60.0
):
    """A row: a command beside its floors (name → command; the ratio is to the first), and how they stand.

    The budget is `limit` times the first floor, or `bound_ms` where that is given.
    """
    calls = {"": command, **floors}
    found = rounds({n: lambda c=c: run(c, env, stdin) for n, c in calls.items()}, times, seconds)
    runs = found.pop("")
    beside = found[next(iter(floors))]
    took, first = median(runs), median(beside)
    spread = sorted(r.wall for r in runs)

    def holds(ours, floor):
        return ours * 1000 <= bound_ms if bound_ms is not None else ours / floor <= limit

    within = holds(took, first)
    note = failures(runs, *found.values())
    note = note or disturbed(within, holds(least(runs), least(beside)))
    return Row(
        what, budget, f"{took * 1000:.2f} ms (min {least(runs) * 1000:.2f})",
        ", ".join(f"{median(others) * 1000:.2f} ms {name}" for name, others in found.items()), took / first, within,
        note,
        {"median_ms": took * 1000, "p95_ms": spread[int(len(spread) * 0.95)] * 1000, "min_ms": least(runs) * 1000,
         "floors_ms": {name: median(others) * 1000 for name, others in found.items()},
         "floors_min_ms": {name: least(others) * 1000 for name, others in found.items()}, "runs": len(runs)},
    )  # fmt: skip
