"""How long a report takes, against the size of the history: a made-up year that grows to two million responses.

Each report is the whole command, without a listener: it starts Python, looks for clients' files (there are
none), asks the history and prints JSON. Beside it stands `aitop version`, which does nothing but start.
"""

import os
import time

from benchmarks import homes
from benchmarks.harness import PYTHON, Row, disturbed, failures, least, median, rounds, run_family
from benchmarks.year import Year

REPORTS = ("daily", "models", "sessions", "blocks")
BUDGET = "≤ 0.3 s more than its start"
SECONDS = 25  # of rounds at one size


def reports(effort):
    """Four reports and the forecast at each size of one history."""
    with homes.folder() as home:
        env = homes.environment(home)
        path = os.path.join(home, "history.db")
        year = Year(path, time.time())
        for responses in (2_000,) if effort.quick else effort.responses:
            began = time.perf_counter()
            year.grow(responses)
            year.settle()
            made = time.perf_counter() - began
            calls = {"start": _call(["version"], env)}
            calls |= {f"report {name}": _call(["report", name, "--json"], env) for name in REPORTS}
            calls["forecast"] = _call(["forecast", "--json"], env)
            found = rounds(calls, effort.times(9, 1), SECONDS, warm=1)
            size = {"responses": responses, "history_mb": os.path.getsize(path) / 1e6, "made_in_s": made}
            starts = found.pop("start")
            for name, runs in found.items():
                yield _row(name, runs, starts, size)
        year.close()


MANY, MANY_QUICK = 10_000_000, 2_000
MANY_REPORTS = (*REPORTS, "projects", "branches", "tools")
MANY_BUDGET = "≤ 0.5 s, ≤ 100 MB"


def many(effort):
    """Every report, a start and the size of the file over ten million responses."""
    responses = effort.times(MANY, MANY_QUICK)
    with homes.folder() as home:
        env = homes.environment(home)
        path = os.path.join(home, "history.db")
        year = Year(path, time.time())
        year.grow(responses)
        year.close()
        calls = {f"report {name}": _call(["report", name, "--json"], env) for name in MANY_REPORTS}
        calls["report sessions --limit 20"] = _call(["report", "sessions", "--limit", "20"], env)
        calls["forecast"] = _call(["forecast", "--json"], env)
        for name, runs in rounds(calls, effort.times(5, 1), 120, warm=1).items():
            took, memory = median(runs), max(r.rss for r in runs) / 1e6
            within = took <= 0.5 and memory <= 100
            yield Row(f"`aitop {name}`, {responses:,} responses", MANY_BUDGET, f"{took:.2f} s, {memory:.0f} MB",
                      within=within, note=failures(runs) or disturbed(within, least(runs) <= 0.5),
                      values={"series": name, "responses": responses, "seconds": took, "rss_mb": memory})  # fmt: skip
        yield _start(home, responses)
        each = os.path.getsize(path) / responses
        yield Row(f"history of {responses:,} responses", "≤ 200 B a response", f"{each:.0f} B a response",
                  within=each <= 200, values={"bytes_a_response": each})  # fmt: skip


def _start(home, responses):
    took = []
    for _ in range(3):
        with homes.listening(home) as listener:
            took.append(listener.until(bool, every=0.001)[1])
    least_ = min(took)
    return Row(f"start to the first fresh state, {responses:,} responses known", "≤ 0.3 s", f"{least_:.3f} s at best",
               within=least_ <= 0.3, values={"seconds": took})  # fmt: skip


def _call(words, env):
    return lambda: run_family([PYTHON, "-m", "aitop", *words], env, cwd=homes.HERE)


def _row(name, runs, starts, size):
    took, start = median(runs), median(starts)
    within = took - start <= 0.3
    return Row(
        f"`aitop {name}`, {size['responses']:,} responses in a year", BUDGET,
        f"{took:.2f} s (min {least(runs):.2f}), {max(r.rss for r in runs) / 1e6:.0f} MB",
        f"{start:.2f} s `aitop version`",
        took / start, within, failures(runs, starts) or disturbed(within, least(runs) - least(starts) <= 0.3),
        {"series": name, **size, "seconds": took, "min_seconds": least(runs), "start_seconds": start,
         "rss_mb": max(r.rss for r in runs) / 1e6},
    )  # fmt: skip
