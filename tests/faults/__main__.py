"""`python -m tests.faults`: every fault is injected, one table says what became of it; exit code 1 for any loss.

--long         hundreds of kills and damaged files, a transcript of 2 GB: ten minutes instead of two
--record FILE  write the date, the counts and the outcome to this file, in the place of what it said before
"""

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"


def table(rows: dict[str, list[int]]) -> list[str]:
    """One row a fault, and their sum."""
    lines = [f"{'fault':<24}{'injected':>10}{'survived':>10}{'losses':>8}"]
    total = [sum(row[n] for row in rows.values()) for n in range(3)]
    for name, row in [*sorted(rows.items()), ("all", total)]:
        lines.append(f"{name:<24}{row[0]:>10,}{row[1]:>10,}{row[2]:>8,}")
    return lines


def counted(path: str) -> dict[str, list[int]]:
    """Fault → injected, survived, lost, from the lines that the tests left."""
    rows: dict[str, list[int]] = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            name, *counts = json.loads(line)
            known = rows.setdefault(name, [0, 0, 0])
            rows[name] = [a + b for a, b in zip(known, counts, strict=True)]
    return rows


def record(path: str, lines: list[str]) -> None:
    """Put the outcome between the marks of a document."""
    day = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d")
    head = f"{day}, Python {platform.python_version()}, {platform.system()} {platform.machine()}:"
    with open(path, encoding="utf-8") as file:
        before, _, rest = file.read().partition(BEGIN)
    text = "\n".join([BEGIN, "", head, "", "```", *lines, "```", "", END])
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + text + rest.partition(END)[2])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__.partition("\n")[0])
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--record", metavar="FILE")
    asked = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        counts = os.path.join(folder, "counts")
        open(counts, "w", encoding="utf-8").close()
        environ = (
            os.environ | {"AITOP_PROVE_COUNTS": counts} | ({"AITOP_PROVE": "long"} if asked.long else {})
        )
        workers = str(2 * (os.cpu_count() or 1))  # most of these tests wait
        words = [sys.executable, "-m", "pytest", "-n", workers, "--dist", "worksteal", "-q", "-rs", HERE]
        failed = subprocess.run(words, env=environ).returncode
        rows = counted(counts)
    lines = table(rows)
    print("\n".join(lines))
    print(f"{'long' if asked.long else 'short'} form, {time.monotonic() - began:.0f} s")
    if asked.record:
        record(asked.record, lines)
    whole = all(injected == survived and not lost for injected, survived, lost in rows.values())
    return 0 if whole and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
