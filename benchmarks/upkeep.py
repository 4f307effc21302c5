"""What keeping costs: the daily backup of a large history, the disk of a listener without a folder in memory,
and following a hundred thousand files.
"""

import os
import resource
import shutil
import subprocess
import time

from aitop.history.recovery import backup
from aitop.listener.maintenance import BACKUP
from benchmarks import history, homes, year
from benchmarks.client import Sessions, at_pace
from benchmarks.harness import PYTHON, Row, missing

RESPONSES = 10_000_000
FILES = 100_000
SESSIONS = 50
ON_DISK = {"XDG_RUNTIME_DIR": "/nonexistent"}  # a folder that is named and not there: the home serves
LATER = 300  # responses of the day after the copy


def backups(effort):
    """Processor time of a day's backup: the first one, which checks everything, and one of the days that follow."""
    count = effort.times(RESPONSES, 100_000)
    budget = "≤ 10 s of processor"
    kept = os.environ.get("AITOP_BENCH_YEAR")  # a history made before, of so many responses
    with homes.folder() as home:
        path = os.path.join(home, "history.db")
        if kept:
            shutil.copy(kept, path)
        else:
            year.make(home, count)
        size = os.path.getsize(path) / 1e6
        used, wall = _backup(path, home)
        of = f"{count:,} responses, {size:,.0f} MB"
        yield Row(f"weekly backup with the whole check, {of}", "at rest, lowest priority",
                  f"{used:.1f} s of processor, {wall:.0f} s", values={"cpu_s": used, "seconds": wall})  # fmt: skip
        more = year.Year(path, time.time(), seed=7)
        more.sessions = 90_000_000
        more.grow(LATER)
        more.close()
        used, wall = _backup(path, home)
        yield Row(f"daily backup, {of}", budget, f"{used:.1f} s of processor, {wall:.0f} s",
                  within=used <= 10, values={"cpu_s": used, "seconds": wall})  # fmt: skip


def _backup(path, home):
    """(processor seconds, seconds) of a backup in its own process, as the listener starts it."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([PYTHON, "-I", "-c", BACKUP, path, home], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert os.path.exists(os.path.join(home, backup.GENERATIONS[0]))
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, time.perf_counter() - began


# -- the disk ---------------------------------------------------------------------------------------------------


def disk(effort):
    """Bytes that a listener hands to the file system in a second where no folder is in memory."""
    seconds = effort.times(120, 5)
    with homes.folder() as home:
        claude = os.path.join(home, "claude")
        sessions = Sessions(claude, 3)
        sessions.respond(3, at=time.time() - 7200)
        with homes.listening(home, claude, **ON_DISK) as listener:
            listener.until(lambda state: state["scan"]["complete"])
            time.sleep(effort.times(75, 3))  # beyond the first backup
            yield _written(listener, "an idle listener", "≤ 1 kB a second", 1000, seconds)
    with homes.folder() as home:
        claude = os.path.join(home, "claude")
        sessions = Sessions(claude, SESSIONS)
        sessions.respond(SESSIONS)
        with homes.listening(home, claude, **ON_DISK) as listener:
            listener.until(homes.caught_up(SESSIONS))
            with at_pace(lambda _: sessions.respond(1), SESSIONS / 10, seconds + 60):
                time.sleep(effort.times(30, 3))
                yield _written(listener, f"{SESSIONS} working sessions, a response each 10 s", "≤ 20 kB a second",
                               20_000, seconds)  # fmt: skip


def _written(listener, who, budget, bound, seconds):
    """What displays read, by the sizes of the files that were replaced; beside it all that the kernel accounts."""
    what = f"bytes published to the disk, {who}, {seconds} s"
    if _bytes_written(listener.process.pid) is None:
        return missing(what, budget, "no /proc here")
    before, began, known, published = _bytes_written(listener.process.pid), time.monotonic(), None, 0
    while time.monotonic() - began < seconds:
        found = dict(_published(listener.home))
        published += sum(size for inode, size in found.items() if known is not None and inode not in known)
        known = found
        time.sleep(0.05)
    took = time.monotonic() - began
    pace, whole = published / took, (_bytes_written(listener.process.pid) - before) / took
    return Row(what, budget, f"{pace / 1000:.2f} kB a second", f"{whole / 1000:.1f} kB in pages, history included",
               within=pace <= bound,
               values={"bytes_per_second": pace, "whole_pages_per_second": whole, "seconds": seconds})  # fmt: skip


def _published(home):
    """(inode, size) of the state and of each segment."""
    for path in (os.path.join(home, "state.json"), *_segments(os.path.join(home, "segments"))):
        try:
            status = os.stat(path)
        except OSError:
            continue
        yield status.st_ino, status.st_size


def _segments(folder):
    return [os.path.join(folder, name) for name in os.listdir(folder) if not name.startswith(".")]


def _bytes_written(pid):
    """Bytes for which a process, and each that it started and waited for, made the file system write."""
    try:
        with open(f"/proc/{pid}/io") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("write_bytes"))
    except (OSError, StopIteration):
        return None


# -- files ------------------------------------------------------------------------------------------------------


def files(effort):
    """Processor of a listener with very many transcripts and nothing to do."""
    count, seconds = effort.times(FILES, 500), effort.times(180, 5)
    what, budget = f"idle listener, {count:,} transcripts, {seconds} s", "≤ 1 % of a core"
    with homes.folder() as home:
        claude = os.path.join(home, "claude")
        history.make(claude, 0, files=count)
        with homes.listening(home, claude) as listener:
            listener.until(lambda state: state["scan"]["complete"], 900, every=0.5)
            time.sleep(effort.times(120, 3))  # the day's backup and the past are behind it
            before = listener.account()
            if before is None:
                yield missing(what, budget, "no /proc here")
                return
            began = time.monotonic()
            time.sleep(seconds)
            after = listener.account()
            share = (after[0] - before[0]) / (time.monotonic() - began) * 100
    yield Row(what, budget, f"{share:.2f} %, {after[1] / 1e6:.0f} MB resident", within=share <= 1,
              values={"percent": share, "rss": after[1], "seconds": seconds})  # fmt: skip
