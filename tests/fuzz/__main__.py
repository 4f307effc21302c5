"""`python -m tests.fuzz`: so many inputs for each target, one table, exit code 1 when a property broke.

--inputs N     for each target (default 20,000)
--seed S       the same seed makes the same inputs (default 1)
--target NAME  only this one; may be given again
--jobs N       processes (default: the number of cores)
--keep FOLDER  where inputs that broke something are written (default: fuzz-findings)
--record FILE  append the date, the counts and the outcome to this file
"""

import argparse
import concurrent.futures
import datetime
import os
import platform
import sys
import time

from .runner import Outcome, run
from .targets import all_targets

PART = 5000  # inputs of one piece of work


def table(outcomes: list[Outcome]) -> list[str]:
    """One row a target, and their sum."""
    lines = [
        f"{'fuzz target':<16}{'inputs':>10}{'MB':>9}{'survived':>10}{'broken':>8}{'ms each':>9}{'grown MB':>10}"
    ]
    names = dict.fromkeys(outcome.target for outcome in outcomes)
    lines += [_row(name, [outcome for outcome in outcomes if outcome.target == name]) for name in names]
    return [*lines, _row("all", outcomes)]


def _row(name: str, outcomes: list[Outcome]) -> str:
    tried, broken = sum(o.tried for o in outcomes), sum(len(o.findings) for o in outcomes)
    each = 1000 * sum(o.seconds for o in outcomes) / max(1, tried)
    grown = max(o.grown for o in outcomes) >> 20
    size = sum(o.bytes for o in outcomes) / 1e6
    return f"{name:<16}{tried:>10,}{size:>9,.1f}{tried - broken:>10,}{broken:>8,}{each:>9.2f}{grown:>10,}"


def fuzz(inputs: int, seed: int, names: list[str], jobs: int, keep: str) -> list[Outcome]:
    """Every target's parts, dealt to so many processes."""
    parts = [
        (name, first, min(PART, inputs - first), seed, keep)
        for first in range(0, inputs, PART)
        for name in names
    ]
    outcomes = []
    with concurrent.futures.ProcessPoolExecutor(jobs, max_tasks_per_child=1) as pool:
        for done in concurrent.futures.as_completed([pool.submit(run, *part) for part in parts]):
            outcomes.append(done.result())
            for finding in outcomes[-1].findings:
                print(finding, flush=True)
    return sorted(outcomes, key=lambda outcome: names.index(outcome.target))


def main(argv: list[str] | None = None) -> int:
    known = list(all_targets())
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("--inputs", type=int, default=20_000, help="for each target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", action="append", choices=known)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--keep", default="fuzz-findings")
    parser.add_argument("--record")
    asked = parser.parse_args(argv)
    began = time.monotonic()
    outcomes = fuzz(asked.inputs, asked.seed, asked.target or known, asked.jobs, asked.keep)
    lines = table(outcomes)
    print("\n".join(lines))
    print(f"seed {asked.seed}, {time.monotonic() - began:.0f} s on {asked.jobs} processes")
    broken = sum(len(outcome.findings) for outcome in outcomes)
    if asked.record:
        day = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
        head = f"## {day}, seed {asked.seed}, Python {platform.python_version()}, {platform.system()}"
        with open(asked.record, "a", encoding="utf-8") as file:
            file.write("\n".join(["", head, "", "```", *lines, "```", ""]))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
