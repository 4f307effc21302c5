"""What a tick costs, and how late it is: against the pace of events, and against the number of sessions.

A tick's cost is all processor time of the listener in a second: receiving, reading, counting and publishing.
The lateness of a tick is the gap between two published states, less one second.
"""

import itertools
import os
import statistics
import time

from benchmarks import homes
from benchmarks.client import Hooks, Sessions, at_pace
from benchmarks.harness import Row, missing

RATES = (1, 10, 100, 1_000, 10_000)
SESSIONS = (1, 10, 100, 1_000, 5_000)
SETTLE = 2.0  # seconds at that pace before anything is measured
LATE = "no tick over 0.5 s late"


def ticks(effort):
    """Both curves. Where the sender cannot keep a pace, the pace it reached is shown."""
    seconds = effort.times(6, 2)
    for rate in (1_000,) if effort.quick else RATES:
        yield _paced("transcript lines", rate, seconds)
    for rate in (10,) if effort.quick else RATES:
        yield _paced("hook events", rate, seconds)
    for count in (100,) if effort.quick else SESSIONS:
        yield _with_sessions(count, seconds)


def _paced(source, rate, seconds):
    with homes.folder() as home:
        claude = os.path.join(home, "claude")
        sessions = Sessions(claude, 8)
        sessions.respond(8)
        with homes.listening(home, claude) as listener:
            listener.until(homes.caught_up(8))
            act = sessions.respond if source == "transcript lines" else Hooks(home).send
            with at_pace(act, rate, seconds + SETTLE + 20) as end:
                time.sleep(SETTLE)
                found = watch(listener, seconds)
                sent, took = end()
            counted = _counted(listener, source, sent)
    return _row(f"a tick at {rate:,} {source} a second", found, {
        "series": source, "rate": sent / took, "wanted": rate, "sent": sent, "counted": counted,
    }, "" if counted == sent else f"counted {counted:,} of {sent:,}", f"{sent / took:,.0f} a second sent")  # fmt: skip


def _counted(listener, source, sent):
    """How many of the sent events the listener counted in the end."""

    def count(state):
        recent = state["windows"]["15m"]
        return recent["requests"] - 8 if source == "transcript lines" else recent["tool_calls"]

    try:
        return count(listener.until(lambda state: count(state) >= sent, 30, every=0.05)[0])
    except TimeoutError:
        return count(homes.state(listener.home))


def _with_sessions(count, seconds):
    with homes.folder() as home:
        claude = os.path.join(home, "claude")
        sessions = Sessions(claude, count)
        sessions.respond(count, at=time.time() - 30)
        with homes.listening(home, claude) as listener:
            listener.until(homes.caught_up(count))
            with at_pace(lambda _: sessions.respond(1), 1, seconds + SETTLE + 20):
                time.sleep(SETTLE)
                found = watch(listener, seconds)
    return _row(f"a tick with {count:,} active sessions, one line a second", found,
                {"series": "sessions", "sessions": count})  # fmt: skip


def watch(listener, seconds):
    """(processor ms a tick, ms each tick took to publish, worst lateness in s, resident MB), or None."""
    if listener.account() is None:
        return None
    path = os.path.join(listener.home, "state.json")
    times, durations, last = [], [], None
    began, used = time.monotonic(), listener.account()[0]
    while time.monotonic() - began < seconds:
        changed = os.stat(path).st_mtime_ns
        if changed != last:
            last = changed
            times.append(homes.state(listener.home)["written_at"])
            durations.append(changed / 1e9 - times[-1])
        time.sleep(0.01)
    took, after = time.monotonic() - began, listener.account()
    late = max((b - a - 1.0 for a, b in itertools.pairwise(times)), default=took)
    return (
        (after[0] - used) / took * 1000,
        max(statistics.median(durations), 0.0) * 1000,
        max(late, 0.0),
        after[1] / 1e6,
    )


def _row(what, found, values, note="", shown=""):
    if found is None:
        return missing(what, LATE, "no /proc here")
    cpu, publishing, late, megabytes = found
    said = f"{cpu:.1f} ms of processor, {late * 1000:.0f} ms late at worst, {megabytes:.0f} MB"
    return Row(what, LATE, said, shown, within=late <= 0.5 and not note, note=note,
               values={**values, "cpu_ms": cpu, "publish_ms": publishing, "late_s": late,
                       "rss_mb": megabytes})  # fmt: skip
