"""Following a client: a new line until it is seen, and what it costs when nothing happens."""

import os
import statistics
import time

from benchmarks import history, homes
from benchmarks.client import Sessions, stopped
from benchmarks.harness import Row, missing

FILES = 2_000


def new_line(effort):
    """A line at the end of a 30 MB transcript until `state.json` shows it."""
    with homes.folder() as home:
        claude = os.path.join(home, "claude")
        sessions = Sessions(claude)
        sessions.respond(at=time.time() - 60)
        _lengthen(sessions.path, 30_000_000)
        with homes.listening(home, claude) as listener:
            listener.until(homes.caught_up(1))
            time.sleep(2)
            for hooked in (False, True):
                yield _seen(listener, sessions, hooked, effort.times(12, 1))


def _lengthen(path, size):
    """Add what tools put out until the transcript has that many bytes."""
    writer, number = history.Writer(), 0
    with open(path, "a") as file:
        while file.tell() < size:
            note = {"type": "hook_success", "content": writer.text()}
            file.write(
                writer.line({"cwd": "/p"}, "attachment", f"note{number}", time.time() - 60, attachment=note)
            )
            number += 1


def _seen(listener, sessions, hooked, times):
    waits, read, size = [], [], os.path.getsize(sessions.path)
    for number in range(times):
        time.sleep(0.137 * (number % 7))  # anywhere between two ticks
        before, used = sessions.count, listener.account()
        sessions.respond()
        if hooked:
            stopped(listener.home, sessions)
        waits.append(listener.until(lambda state, n=before: state["windows"]["15m"]["requests"] > n, 30)[1])
        if used:
            read.append(listener.account()[2] - used[2])
    written = (os.path.getsize(sessions.path) - size) // times
    how = "after a hook" if hooked else "without a hook"
    more = (
        f"; {statistics.median(read) / 1000:.0f} KB read meanwhile for a line of {written} bytes"
        if read
        else ""
    )
    return Row(f"new line in a {size / 1e6:.0f} MB transcript to `state.json`, {how}", "≤ 1.2 s",
               f"median {statistics.median(waits):.2f} s, worst {max(waits):.2f} s{more}", within=max(waits) <= 1.2,
               values={"seconds": waits, "bytes_read": read})  # fmt: skip


def idle(effort):
    """A listener with many transcripts and nothing to do."""
    files, seconds = effort.times(FILES, 100), effort.times(int(effort.idle), 3)
    what, budget = f"idle listener, {files:,} transcripts, {seconds} s", "≤ 0.5 % of a core, ≤ 40 MB"
    with homes.folder() as home:
        claude = os.path.join(home, "claude")
        history.make(claude, 0, files=files)
        with homes.listening(home, claude) as listener:
            listener.until(lambda state: state["scan"]["complete"])
            time.sleep(3)
            before = listener.account()
            if before is None:
                yield missing(what, budget, "no /proc here")
                return
            began, sizes = time.perf_counter(), []
            while time.perf_counter() - began < seconds:
                time.sleep(min(1.0, seconds))
                sizes.append(listener.account()[1] / 1e6)
            after = listener.account()
            share = (after[0] - before[0]) / (time.perf_counter() - began) * 100
    yield Row(what, budget, f"{share:.2f} %, {sizes[-1]:.1f} MB resident, {max(sizes):.1f} MB at most",
              within=share <= 0.5 and max(sizes) <= 40,
              values={"percent": share, "rss_mb": max(sizes), "seconds": seconds})  # fmt: skip
