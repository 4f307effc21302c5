"""`python -m tests.lives`: so many made-up lives, each counted twice; exit code 1 for any difference.

--lives N      how many (default 1,000)
--seed S       the first one's seed (default 1); the same seed is the same life
--steps N      steps of each (default 60)
--jobs N       processes (default: the number of cores)
--record FILE  append the date, the counts and the outcome to this file
"""

import argparse
import concurrent.futures
import datetime
import os
import platform
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # for `support`

from .life import live


def main():
    arguments = options()
    began = time.perf_counter()
    seeds = range(arguments.seed, arguments.seed + arguments.lives)
    with concurrent.futures.ProcessPoolExecutor(arguments.jobs) as pool:
        lives = pool.map(live, seeds, [arguments.steps] * len(seeds), chunksize=5)
        differences = [one for life in lives for one in life]
    for one in differences[:20]:
        print(f"seed {one.seed}, {one.what}: ledger {one.ledger}, aitop {one.aitop}", file=sys.stderr)
    bad = len({one.seed for one in differences})
    line = (
        f"{datetime.date.today()}: {arguments.lives:,} lives of {arguments.steps} steps from seed {arguments.seed} on, "  # noqa: DTZ011
        f"{bad} with a difference, {time.perf_counter() - began:.0f} s, Python {platform.python_version()}"
    )
    print(line)
    if arguments.record:
        with open(arguments.record, "a") as file:
            file.write(f"- {line}\n")
    return 1 if differences else 0


def options():
    parser = argparse.ArgumentParser(prog="python -m tests.lives", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--lives", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--record")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
