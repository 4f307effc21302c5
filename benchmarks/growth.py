"""How the cost of reading grows with the size of the history: the first read and later starts.

The peer is ccusage's native binary on the same files. It reads all of them each time. Both may use every
core. Memory is the peak of the resident sizes of all processes of a program, summed. The history is made
as it is needed, one size after the other in the same folder, and removed at the end.
"""

import json
import os
import shutil
import statistics
import tempfile

from benchmarks import history, homes, peers
from benchmarks.harness import PYTHON, Row, Run, disturbed, least, median, missing, rounds, run, run_to_answer

BARE_LOOP = [PYTHON, os.path.join(os.path.dirname(os.path.abspath(__file__)), "bare_loop.py")]
ROOM = 1.4  # of the largest size: the history, our database and its journal
SECONDS, SECONDS_PER_GB = 60, 60  # of rounds at one size
WHY = "ours is Python; the peer keeps nothing and reads it all each time"
LATER, AGAIN = "≤ 0.3 s", "≤ 0.2 × the peer"
# Of ccusage's native binary, by gigabytes: ours is Python, and writes every response into its history besides.
FIRST_READ_LIMITS = ((0.2, 1.3), (2.0, 1.4))


def growth(effort):
    """First read, later start and report at each size."""
    sizes = sorted(effort.sizes)
    free = shutil.disk_usage(tempfile.gettempdir()).free
    with homes.folder() as home:
        claude = os.path.join(home, "claude")
        made = history.History(claude)
        for size in sizes:
            if free < size * 1e9 * ROOM:
                yield missing(
                    f"first read of {size:g} GB", "", f"only {free / 1e9:.1f} GB are free on the disk"
                )
                continue
            made.grow(size * 1000)
            yield from _at(Place(home, claude, made.truth, effort))


class Place:
    """One history in its folder, and the commands that are measured on it."""

    def __init__(self, home, claude, truth, effort):
        self.home, self.claude, self.truth = os.path.join(home, "aitop"), claude, truth
        self.out = os.path.join(home, "report.json")
        self.env = homes.environment(self.home, claude) | {"TMPDIR": home}
        self.gigabytes = truth["bytes"] / 1e9
        self.shown = (
            f"{self.gigabytes:.2g} GB" if self.gigabytes >= 0.095 else f"{truth['bytes'] / 1e6:.0f} MB"
        )
        few = 2 if self.gigabytes > 2 else 3
        self.times = 2 if effort.quick else few if self.gigabytes > 0.5 else 7
        self.seconds = SECONDS + SECONDS_PER_GB * self.gigabytes
        self.binary, self.peer = peers.native(install=not effort.quick)
        os.makedirs(self.home, exist_ok=True)

    def report(self):
        return run_to_answer(
            [PYTHON, "-m", "aitop", "report", "models", "--json"], self.env, self.out, homes.HERE
        )

    def first_read(self):
        homes.clear(self.home)
        return self.report()

    def ccusage(self):
        return run_to_answer([self.binary, "daily", "--json", "--offline"], self.env, f"{self.out}.peer")

    def later_start(self):
        """From the start of a listener that knows the history to its first state."""
        with homes.listening(self.home, self.claude) as listener:
            took = listener.until(bool, every=0.001)[1]
            used = listener.account()
        return Run(took, used[0] if used else 0.0, used[1] if used else 0, 0)

    def first_today(self):
        """From the start of a listener that knows nothing to the first state with a right `today`."""
        homes.clear(self.home)
        with homes.listening(self.home, self.claude) as listener:
            took = listener.until(lambda state: state["today"]["requests"] == self.truth["today"])[1]
        return Run(took, 0.0, 0, 0)

    def counted_right(self):
        with open(self.out) as file:
            models = json.load(file)
        counted = sum(model["requests"] for model in models)
        output = sum(model["output_tokens"] for model in models)
        return counted == self.truth["responses"] and output == self.truth["output"]


def _at(place):
    calls = {"first": place.first_read} | ({"peer": place.ccusage} if place.binary else {})
    if place.gigabytes < 2:
        calls["bare"] = lambda: run([*BARE_LOOP, place.claude], place.env)
    found = rounds(calls, place.times, place.seconds, warm=0)
    right = place.counted_right()
    peer = found.get("peer")
    limit = next((limit for size, limit in FIRST_READ_LIMITS if place.gigabytes <= size), None)
    yield first_row(
        f"first read of {place.shown}, {place.truth['files']:,} files",
        place,
        found["first"],
        peer,
        right,
        limit,
    )
    if "bare" in found:
        ours, bare = median(found["first"]), median(found["bare"])
        yield Row(f"the same beside a bare Python loop, {place.shown}", "for comparison", f"{ours:.2f} s",
                  f"{bare:.2f} s, {_most(found['bare']):.0f} MB", ours / bare)  # fmt: skip
    yield from _later(place)


def first_row(what, place, ours, peer, right, limit):
    """The first read compared with the peer's. Its budget, if `limit` is set: at most `limit` times as long."""
    took = median(ours)
    ended = statistics.median(one.ended for one in ours)
    said = f"{took:.2f} s to the answer, {ended:.2f} s until it is kept, {_most(ours):.0f} MB"
    said += "" if right else ": WRONG COUNT"
    values = {"series": "first read", **_sizes(place), **_values("", ours)}
    budget = f"≤ {limit:g} × ccusage's native binary" if limit else "for comparison"
    if not peer:
        return Row(what, budget, said, f"ccusage not measured: {place.peer}", values=values)
    theirs = median(peer)
    within = took <= limit * theirs and right if limit else None
    note = disturbed(within, least(ours) <= limit * least(peer)) if limit else ""
    values |= _values("peer_", peer)
    note = note or (WHY if took >= theirs else "")
    return Row(what, budget, said, f"{theirs:.2f} s, {_most(peer):.0f} MB", took / theirs, within, note, values,
               took < theirs)  # fmt: skip


def _later(place):
    """Once the history is known: a listener's start, and the report, beside the peer that reads it all again."""
    calls = {"start": place.later_start, "report": place.report}
    calls |= {"peer": place.ccusage} if place.binary else {}
    found = rounds(calls, place.times, place.seconds / 2, warm=1)
    peer = found.get("peer")
    responses = f"{place.truth['responses']:,} responses known"
    for name, what, budget, bound in (
        ("start", f"later start to the first fresh state, {place.shown}, {responses}", LATER, 0.3),
        ("report", f"`aitop report models` once that is known, {place.shown}", AGAIN, None),
    ):
        runs = found[name]
        took = median(runs)
        theirs = median(peer) if peer else None
        within = took <= bound if bound else took <= 0.2 * theirs if theirs else None
        best = least(runs) <= (bound or 0.2 * least(peer or runs))
        yield Row(what, budget, f"{took:.3f} s (min {least(runs):.3f}), {_most(runs):.0f} MB",
                  f"{theirs:.2f} s ccusage, which reads it all again" if theirs else "",
                  took / theirs if theirs else None, within, disturbed(within is not False, best),
                  values={"series": "later start" if name == "start" else "later report", **_sizes(place),
                          **_values("", runs), **(_values("peer_", peer) if peer else {})},
                  ahead=took < theirs if theirs else None)  # fmt: skip


def _sizes(place):
    return {
        "gigabytes": place.gigabytes,
        "responses": place.truth["responses"],
        "files": place.truth["files"],
    }


def _values(prefix, runs):
    return {
        f"{prefix}seconds": median(runs), f"{prefix}min_seconds": least(runs),
        f"{prefix}ended_seconds": statistics.median(r.ended for r in runs),
        f"{prefix}rss_mb": _most(runs), f"{prefix}cpu_seconds": statistics.median(r.cpu for r in runs),
        f"{prefix}runs": len(runs),
    }  # fmt: skip


def _most(runs):
    return max(r.rss for r in runs) / 1e6
