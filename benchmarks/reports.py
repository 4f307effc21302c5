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
