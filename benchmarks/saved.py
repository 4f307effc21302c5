"""Keeps the results by part: results/latest.json, the tables made of it, and the table of the README.

Each part keeps the commit, day, machine and load it was measured with, so one part can be measured
again without the others. `python -m benchmarks.saved` writes the tables anew from latest.json alone.
"""

import json
import os
import platform
import subprocess
import time

from aitop import __version__
from benchmarks.harness import Row
from benchmarks.parts import PARTS
from benchmarks.peers import Peers

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RESULTS = os.path.join(HERE, "benchmarks", "results")
METHOD = (
    "Commands are whole processes (posix_spawn, wait4). A command and what it stands beside run in turn, once in "
    "each round and in an order that changes, in the same minutes; medians, and the least disturbed run where it "
    "says min. A ratio is ours to theirs: below 1 is faster. Prompts: many in one shell, less the same shell with "
    "none. The listener is the real one, in a throw-away home. Histories are made, with the line and session sizes "
    "of real ones; files are in the page cache. Memory is resident, summed over a program's "
    "processes, at its peak."
)
MARKS = ("<!-- benchmarks: written by python -m benchmarks -->\n", "<!-- /benchmarks -->")


def path(quick, suffix):
    return os.path.join(RESULTS, f"{'quick' if quick else 'latest'}.{suffix}")


def load(quick=False):
    """The saved results; empty ones where nothing is saved."""
    try:
        with open(path(quick, "json")) as file:
            return json.load(file)
    except FileNotFoundError:
        return {"method": METHOD, "peers": {}, "parts": {}}


def part(name: str, rows: list[Row], facts: dict, seconds: float) -> dict:
    """One part in the form that is saved."""
    return {
        **facts,
        "about": PARTS[name].about,
        "seconds": round(seconds, 1),
        "rows": [row._asdict() for row in rows],
    }


def keep(name, made, quick):
    """Put one part into the saved results, in the order of the parts, and write their tables."""
    saved = load(quick)
    found = {**saved["parts"], name: made}
    versions = Peers(install=False).versions() or saved.get("peers", {})
    saved = {
        "method": METHOD,
        "peers": versions,
        "parts": {known: found[known] for known in PARTS if known in found},
    }
    os.makedirs(RESULTS, exist_ok=True)
    with open(path(quick, "json"), "w") as file:
        json.dump(saved, file, indent=1, ensure_ascii=False)
        file.write("\n")
    write_tables(saved, quick)


def write_tables(saved, quick):
    with open(path(quick, "md"), "w") as file:
        file.write(document(saved))
    if not quick:
        write_readme(saved)


def facts():
    """The machine, the moment and the code; taken before a part is measured."""
    return {
        "commit": _commit(), "date": time.strftime("%Y-%m-%d"), "aitop": __version__,
        "python": platform.python_version(), "processor": _processor(), "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": platform.platform(), "load_before": round(os.getloadavg()[0], 1),
    }  # fmt: skip


def _processor():
    try:
        with open("/proc/cpuinfo") as file:
            names = (line.partition(":")[2].strip() for line in file if line.startswith("model name"))
            return next(names, platform.machine())
    except OSError:
        return platform.processor() or platform.machine()


def _commit():
    """The commit measured, with a plus where the code differs from it; "" outside a clone."""

    def git(*words):
        return subprocess.run(
            ["git", "-C", HERE, *words], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--", "aitop", "bin", "benchmarks/*.py", "pyproject.toml")
        return git("rev-parse", "--short=9", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


# -- tables --------------------------------------------------------------------------------------------------

HEAD = (
    "what",
    "budget",
    "measured",
    "beside it, in the same minutes",
    "ratio",
    "within",
    "ahead of the peer",
    "note",
)


def cells(row: dict) -> list[str]:
    yes = {True: "yes", False: "**no**", None: ""}
    ratio = row["ratio"]
    shown = "" if ratio is None else f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.2g}"
    return [row["what"], row["budget"], row["measured"], row["floor"], shown, yes[row["within"]], yes[row["ahead"]],
            row["note"]]  # fmt: skip


def table(rows):
    lines = [HEAD, ["---"] * len(HEAD), *map(cells, rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def document(saved):
    """All parts as Markdown."""
    parts = [
        f"## {name}: {made['about']}\n\n{_when(made)}\n\n{table(made['rows'])}"
        for name, made in saved["parts"].items()
    ]
    peers = ", ".join(f"{name} {version}" for name, version in saved.get("peers", {}).items())
    head = [
        "# Budgets, measured\n",
        saved["method"] + "\n",
        f"Peers: {peers or 'none installed'}.\n",
        _summary(saved),
    ]
    return "\n".join([*head, *parts])


def _summary(saved):
    rows = [row for made in saved["parts"].values() for row in made["rows"]]
    within = [row["within"] for row in rows if row["within"] is not None]
    ahead = [row["ahead"] for row in rows if row["ahead"] is not None]
    return (
        f"{sum(within)} of {len(within)} rows within their budget; {sum(ahead)} of {len(ahead)} ahead of the peer "
        f"beside them; {sum(row['measured'].startswith('not measured') for row in rows)} not measured.\n"
    )


def _when(made):
    code = f"commit {made['commit']}, " if made["commit"] else ""
    return (
        f"{made['date']}, {code}aitop {made['aitop']}, Python {made['python']}, {made['cores']} cores of "
        f"{made['processor']}, {made['memory_gb']} GB, {made['system']}; load before {made['load_before']}; "
        f"{made['seconds']:.0f} s."
    )


def _where(saved):
    """The machines, days and loads of all parts; one of each, as a rule."""
    parts = saved["parts"].values()
    places = dict.fromkeys(f"Python {m['python']}, {m['cores']} cores of {m['processor']}" for m in parts)
    days = sorted({made["date"] for made in parts})
    if not days:
        return ""
    loads = sorted(made["load_before"] for made in parts)
    load = " to ".join(dict.fromkeys(f"{one:g}" for one in (loads[0], loads[-1])))
    return f"{' to '.join(dict.fromkeys((days[0], days[-1])))}; {'; '.join(places)}; load before a part {load}.\n"


def readme_block(saved):
    """What the README shows of saved results: a few rows, each beside what it was measured against."""
    lines = [_where(saved), _summary(saved), "| what | budget | measured | beside it |", "|---|---|---|---|"]
    for name, part in PARTS.items():
        rows = saved["parts"].get(name, {"rows": ()})["rows"] if part.readme is not None else ()
        row = next((row for row in rows if row["what"].startswith(part.readme)), None)
        if row is not None:
            missed = " (missed)" if row["within"] is False else ""
            lines.append(f"| {row['what']} | {row['budget']}{missed} | {row['measured']} | {row['floor']} |")
    return "\n".join(lines) + "\n"


def write_readme(saved):
    where = os.path.join(HERE, "README.md")
    with open(where) as file:
        head, _, rest = file.read().partition(MARKS[0])
    _, _, tail = rest.partition(MARKS[1])
    with open(where, "w") as file:
        file.write(head + MARKS[0] + readme_block(saved) + MARKS[1] + tail)


if __name__ == "__main__":
    write_tables(load(), quick=False)
