"""`python -m benchmarks [PART …] [--quick]`: every budget, measured; printed, and saved under benchmarks/results.

It measures and never asserts. A row over its budget is marked and needs an explanation, not a retry.
"""

import argparse
import sys
import time
import traceback

from benchmarks import plots, saved
from benchmarks.harness import Effort, Row
from benchmarks.parts import PARTS


def main():
    arguments = options()
    if arguments.list:
        for name, part in PARTS.items():
            print(f"{name:12}{part.about}{'' if part.quick else ' (not with --quick)'}")
        return 0
    effort = Effort(arguments.quick, arguments.idle, arguments.sizes, arguments.responses)
    names = arguments.parts or [name for name, part in PARTS.items() if part.quick or not effort.quick]
    broken = []
    for number, name in enumerate(names):
        say(f"[{number + 1}/{len(names)}] {name}: {PARTS[name].about}")
        if not measure(name, effort):
            broken.append(name)
    done = saved.load(effort.quick)
    shown = {name: part for name, part in done["parts"].items() if name in names}
    print(saved.document({**done, "parts": shown}))
    if not effort.quick:
        say(*plots.draw(done))
    say("saved:", saved.path(effort.quick, "md"))
    if broken:
        say("not finished:", ", ".join(broken))
    return 1 if broken else 0


def measure(name, effort):
    """Run one part and save its rows, also those measured before a failure. True if the part finished."""
    facts, began, rows, whole = saved.facts(), time.monotonic(), [], True
    try:
        for row in PARTS[name].rows(effort):
            rows.append(row)
            say("   ", "  ".join(filter(None, saved.cells(row._asdict()))))
    except Exception:
        traceback.print_exc()
        whole = False
        rows.append(Row(f"the rest of {name}", "", "not measured: it broke off", within=False))
    saved.keep(name, saved.part(name, rows, facts, time.monotonic() - began), effort.quick)
    return whole


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def options():
    most = Effort()
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__.partition("\n")[0],
        epilog="The whole of it takes about half an hour and 5 GB of disk. Each part is saved as it ends and can be "
        "run alone; the other parts keep what was measured before. See docs/benchmarks.md.",
    )  # fmt: skip
    parser.add_argument("parts", nargs="*", metavar="PART", help="measure these alone; --list names them")
    parser.add_argument("--list", action="store_true", help="the parts and what each measures")
    parser.add_argument(
        "--quick", action="store_true",
        help="under a minute: few runs and small files, saved apart as results/quick.*; fetches no peers",
    )  # fmt: skip
    parser.add_argument("--idle", type=float, metavar="SECONDS", default=most.idle,
                        help="how long the idle listener is watched (default %(default)g)")  # fmt: skip
    parser.add_argument("--sizes", type=numbers(float), metavar="GB,GB", default=most.sizes,
                        help="sizes of the growing history (default 0.1,1,3)")  # fmt: skip
    parser.add_argument("--responses", type=numbers(int), metavar="N,N", default=most.responses,
                        help="responses of the growing year (default 100000,500000,1000000,2000000), and of the "
                        "year that web shows (default 2000000)")  # fmt: skip
    arguments = parser.parse_args()
    unknown = [name for name in arguments.parts if name not in PARTS]
    if unknown:
        parser.error(f"no part is named {', '.join(unknown)}; there are {', '.join(PARTS)}")
    if arguments.quick:
        arguments.sizes = (0.003, 0.01)
    return arguments


def numbers(kind):
    """A type for argparse: several numbers, in rising order."""

    def read(text):
        return tuple(sorted(kind(word) for word in text.split(",")))

    read.__name__ = "list of numbers"
    return read


if __name__ == "__main__":
    sys.exit(main())
