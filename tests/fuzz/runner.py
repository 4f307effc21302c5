"""Some inputs of one target in one process: tried, looked at, and what broke written down.

Bounded like the promise it checks: an address space of two gigabytes, processor time for each input.
"""

import atexit
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from random import Random
from typing import NamedTuple

from . import judge
from .targets import Target, all_targets

BATCH = 50  # inputs between two looks at what came of them
FORGET = 2000  # inputs after which a target begins anew: what grows with them is told from what leaks
MOST_MEMORY = 1 << 31  # bytes of address space of one process
MOST_GROWTH = 192 << 20  # bytes its memory may grow from the first part to the last
MOST_FINDINGS = 5  # of one part


class Outcome(NamedTuple):
    """What became of some inputs of one target."""

    target: str
    tried: int
    bytes: int
    seconds: float
    grown: int
    findings: tuple[str, ...]


def run(name: str, first: int, many: int, seed: int, keep: str) -> Outcome:
    """Inputs `first` to `first + many` of one target, each made from its own number."""
    _alone()
    began = time.process_time()
    target = all_targets()[name]()
    real, time.time = time.time, lambda: target.now
    findings: list[str] = []
    tried = size = before = 0
    batch: list[bytes] = []
    signal.signal(signal.SIGVTALRM, _late)
    try:
        for number in range(first, first + many):
            data = target.make(Random(f"{seed}:{name}:{number}"))
            batch.append(data)
            tried += 1
            size += len(data)
            found = _tried(target, data)
            if found is None and (len(batch) == BATCH or number == first + many - 1):
                found = _settled(target, batch)
                batch = []
            if found is not None:
                findings.append(_kept(name, number, seed, found, keep))
                batch = []
                target.fresh()
                if len(findings) >= MOST_FINDINGS:
                    break
            elif tried % FORGET == 0:
                target.fresh()
            if tried == min(many, FORGET):
                before = _memory()
    finally:
        time.time = real
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        target.close()
    grown = max(0, _memory() - before)
    if grown > MOST_GROWTH:
        findings.append(
            f"{name}: memory grew by {grown >> 20} MB over {tried} inputs (seed {seed}, from {first})"
        )
    return Outcome(name, tried, size, time.process_time() - began, grown, tuple(findings))


def _late(*_: object) -> None:
    raise judge.Broken(f"it took more than {judge.SECONDS:.0f} s of processor time")


def _tried(target: Target, data: bytes) -> tuple[bytes, str] | None:
    signal.setitimer(signal.ITIMER_VIRTUAL, judge.SECONDS)
    try:
        target.check(data)
    except (Exception, SystemExit):
        return data, traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return None


def _settled(target: Target, batch: list[bytes]) -> tuple[bytes, str] | None:
    """What some inputs led to together; where it broke, the one that does it alone if there is one."""
    signal.setitimer(signal.ITIMER_VIRTUAL, judge.SECONDS)
    try:
        target.settle()
    except (Exception, SystemExit):
        said = traceback.format_exc()
    else:
        return None
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    for data in batch:
        target.fresh()
        try:
            target.check(data)
            target.settle()
        except Exception:
            return data, traceback.format_exc()
    return b"\n--- next input ---\n".join(batch), said


def _kept(name: str, number: int, seed: int, found: tuple[bytes, str], keep: str) -> str:
    """Write the input down; how the finding is told."""
    data, said = found
    os.makedirs(keep, exist_ok=True)
    path = os.path.join(keep, f"{name}-{seed}-{number}")
    with open(path, "wb") as file:
        file.write(data)
    with open(path + ".txt", "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(said)
    last = said.strip().rpartition("\n")[2]
    return f"{name}: input {number} of seed {seed} ({path}): {last[:300]}"


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _alone() -> None:
    """A home that is nobody's, and a bound on memory: a process that wants more fails at once."""
    scratch = tempfile.mkdtemp(prefix="aitop-fuzz-home-")
    os.environ.update(
        HOME=scratch, AITOP_HOME=os.path.join(scratch, "h"), AITOP_PROVIDERS="builtin", TZ="UTC"
    )
    for name in ("XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "AITOP_CONFIG", "CLAUDE_CONFIG_DIR", "COLUMNS"):
        os.environ.pop(name, None)
    time.tzset()
    if sys.platform.startswith("linux"):
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
