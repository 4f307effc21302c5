"""`python -m benchmarks [--quick]`: every budget, measured; printed, and saved under benchmarks/results.

It measures and never asserts. A row over its budget says so and needs an explanation, not a retry.
"""

import argparse
import json
import os
import platform
import sys
import time

from aitop import __version__
from benchmarks import displays, feeds, gateway, hosts, reading
from benchmarks.harness import Row

RESULTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "results")
METHOD = (
    "Each command runs as a whole process (posix_spawn, wait4), in turn with its floor (A B A B); medians. "
    "Prompts: many in one shell, less the same shell with none. The listener is the real one, in a "
    "throw-away home. Histories are made by benchmarks/history.py with the line and session sizes of real ones; "
    "files are in the page cache."
)


def rows(quick):
    times = 60 if quick else 300
    yield from displays.one_shots(times)
    yield from displays.prompts(1000 if quick else 3000, 3 if quick else 9)
    yield from feeds.hooks(times // 2)
    yield from feeds.status_line(times // 2)
    yield from feeds.burst(1)
    yield from reading.histories(40 if quick else 288, 2 if quick else 7, quick)
    yield from reading.new_line(3 if quick else 12)
    yield from reading.idle(8 if quick else 60)
    yield from gateway.rows(times)
    if not quick:  # minutes of watching real programs
        yield from hosts.in_tmux()
        yield from hosts.in_starship(times)
        yield from hosts.followers()
        yield from hosts.today(40)


def machine():
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as file:
            model = next(
                (line.partition(":")[2].strip() for line in file if line.startswith("model name")), model
            )
    except OSError:
        pass
    return {
        "processor": model, "cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version(),
        "aitop": __version__, "date": time.strftime("%Y-%m-%d"), "load_before": os.getloadavg()[0],
    }  # fmt: skip


def cells(row):
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    verdict = {True: "yes", False: "**no**", None: ""}[row.within]
    return [row.what, row.budget, row.measured, row.floor, ratio, verdict, row.note]


HEAD = ["what", "budget", "measured", "floor in the same run", "ratio", "within", "note"]


def table(found):
    shown = [HEAD[:6], ["---"] * 6]
    shown += [[*cells(row)[:5], " ".join(filter(None, cells(row)[5:]))] for row in found]
    return "\n".join("| " + " | ".join(line) + " |" for line in shown)


MARKS = ("<!-- benchmarks: written by python -m benchmarks -->\n", "<!-- /benchmarks -->")


def readme_block(saved):
    """What the README shows of saved results: each row, beside what it was measured against."""
    facts = saved["machine"]
    lines = [
        f"{facts['date']}, Python {facts['python']}, {facts['cores']} cores of {facts['processor']}:",
        "",
        "| what | budget | measured | beside it |",
        "|---|---|---|---|",
    ]
    for row in saved["rows"]:
        missed = "" if row["within"] is not False else " (missed)"
        lines.append(f"| {row['what']} | {row['budget']}{missed} | {row['measured']} | {row['floor']} |")
    return "\n".join(lines) + "\n"


def write_readme(saved):
    path = os.path.join(os.path.dirname(os.path.dirname(RESULTS)), "README.md")
    with open(path) as file:
        head, _, rest = file.read().partition(MARKS[0])
    _, _, tail = rest.partition(MARKS[1])
    with open(path, "w") as file:
        file.write(head + MARKS[0] + readme_block(saved) + MARKS[1] + tail)


def save(found, facts, quick):
    os.makedirs(RESULTS, exist_ok=True)
    name = "quick" if quick else "latest"
    with open(os.path.join(RESULTS, f"{name}.json"), "w") as file:
        json.dump(
            {"machine": facts, "method": METHOD, "rows": [row._asdict() for row in found]}, file, indent=1
        )
        file.write("\n")
    about = (f"{facts['date']}, aitop {facts['aitop']}, Python {facts['python']}, {facts['cores']} cores of "
             f"{facts['processor']}, {facts['system']}, load before {facts['load_before']:.1f}.")  # fmt: skip
    with open(os.path.join(RESULTS, f"{name}.md"), "w") as file:
        file.write(f"# Budgets, measured\n\n{about}\n\n{METHOD}\n\n{table(found)}\n")
    return os.path.join(RESULTS, f"{name}.md")


def main():
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--quick", action="store_true", help="under a minute, with fewer runs and smaller files"
    )
    parser.add_argument("--only", metavar="WORD", help="print the rows that have this word; saves nothing")
    arguments = parser.parse_args()
    facts = machine()
    found: list[Row] = []
    for row in chosen(arguments.quick, arguments.only):
        found.append(row)
        print("  ".join(filter(None, cells(row))), flush=True)
    if not arguments.only:
        print("\nsaved:", save(found, facts, arguments.quick))
    return 0


def chosen(quick, only):
    if not only:
        yield from rows(quick)
        return
    groups = {
        "one-shot": lambda: displays.one_shots(60 if quick else 300), "prompt": lambda: displays.prompts(1000, 3),
        "hook": lambda: feeds.hooks(60), "statusline": lambda: feeds.status_line(60), "burst": lambda: feeds.burst(1),
        "history": lambda: reading.histories(40 if quick else 288, 3, quick), "line": lambda: reading.new_line(5),
        "tmux": lambda: hosts.in_tmux(12 if quick else hosts.SECONDS), "starship": lambda: hosts.in_starship(60),
        "follow": hosts.followers, "peers": lambda: hosts.today(20),
        "idle": lambda: reading.idle(8 if quick else 60),
        "gateway": lambda: gateway.rows(60 if quick else 300),
    }  # fmt: skip
    if only not in groups:
        sys.exit(f"benchmarks: --only is one of {', '.join(groups)}")
    yield from groups[only]()


if __name__ == "__main__":
    sys.exit(main())
