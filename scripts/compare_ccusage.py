"""Our sums beside ccusage's, on the same files: every day and month of every model, to the cent.

python scripts/compare_ccusage.py [CLAUDE_FOLDER] [--timezone ZONE]

Reads the folder (default: $CLAUDE_CONFIG_DIR, else ~/.claude) into a throw-away history, asks ccusage of
the version below for the same, and prints what differs. Exit code 0: equal, or different only where ccusage
is known to be wrong (`WHY`); 1: a difference without an explanation. ccusage is installed by npm into
$AITOP_PEERS, else aitop-benchmarks in the user's cache; it is asked offline.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from typing import NamedTuple
from zoneinfo import ZoneInfo

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from aitop.history.query import spans
from aitop.history.query.spans import Only
from aitop.model.sums import PICO
from aitop.pricing import table
from aitop.reports import catchup
from aitop.reports.ask import Asker
from aitop.reports.filters import Filter

VERSION = "20.0.24"
CENT = 0.005
# What a cell (one model's day or month) holds that ccusage counts otherwise: a condition on a response, and why.
WHY = {
    "searches > 0": "ccusage leaves out the fee of web searches",
    "json_extract(modifiers, '$[1]') = 'us'": "ccusage leaves out the tenth for inference in the US",
}
LONG = "ccusage charges a long prompt's premium on the excess alone, or after the day it was dropped"
PRICES = table.load()
UNPRICED = "ccusage knows no price for this model"

Cells = dict[tuple[str, str], float]  # (day or month, model) → USD


class Difference(NamedTuple):
    """One cell in which the two disagree; `why` is empty where the cause is unknown."""

    period: str
    model: str
    ours: float
    theirs: float
    why: str


def ccusage():
    """Its program, installed when it is not there. Raises SystemExit."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folder = os.path.join(os.environ.get("AITOP_PEERS") or os.path.join(cache, "aitop-benchmarks"), "npm")
    package = os.path.join(folder, "node_modules", "ccusage")
    if _version(package) != VERSION:
        if not shutil.which("npm"):
            sys.exit("ccusage is installed by npm, which is missing: apt-get install npm")
        os.makedirs(folder, exist_ok=True)
        call = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--no-save", "--prefix", folder]
        subprocess.run([*call, f"ccusage@{VERSION}"], check=True)
    return os.path.join(folder, "node_modules", ".bin", "ccusage")


def _version(package):
    try:
        with open(os.path.join(package, "package.json")) as file:
            return json.load(file)["version"]
    except (OSError, ValueError, KeyError):
        return None


def theirs(program, folder, zone, word, key):
    """(cells, models without a price) as ccusage sees them."""
    with tempfile.TemporaryDirectory() as home:
        environ = {"PATH": os.environ["PATH"], "HOME": home, "CLAUDE_CONFIG_DIR": folder}
        call = [program, "claude", word, "--json", "--offline", "--timezone", zone]
        said = json.loads(subprocess.run(call, env=environ, capture_output=True, check=True).stdout)
    found = defaultdict(float)
    for row in said[word]:
        for part in row["modelBreakdowns"]:
            found[row[key], part["modelName"].removesuffix("-fast")] += part["cost"]
    return dict(found), set(said["totals"].get("unpricedModels") or ())


def ours(folder, zone):
    """(days, months, reasons): our cells, and for each day's cell what in it ccusage counts otherwise."""
    with tempfile.TemporaryDirectory() as home:
        os.environ.update(
            {"AITOP_HOME": home, "CLAUDE_CONFIG_DIR": folder, "AITOP_CONFIG": f"{home}/none.toml"}
        )
        db = catchup.catch_up(lambda *_: None).db
        asker = Asker(db, Filter(zone=ZoneInfo(zone), provider="claude-code"), (), {})
        days, reasons = defaultdict(float), {}
        for day, span in zip(asker.days, asker.day_spans(), strict=True):
            for cell in spans.cells(db, span, Only()):
                if cell.session in asker.allowed and cell.sum.requests:
                    days[day.isoformat(), cell.model] += cell.sum.cost / PICO
            reasons |= {(day.isoformat(), model): why for model, why in _reasons(db, span)}
        db.close()
    months = defaultdict(float)
    for (day, model), usd in days.items():
        months[day[:7], model] += usd
    return dict(days), dict(months), reasons


def _reasons(db, span):
    ask = "FROM response r JOIN model m ON m.id = r.model WHERE r.at >= ? AND r.at < ?"
    for condition, why in WHY.items():
        models = db.execute(f"SELECT DISTINCT m.name {ask} AND {condition}", span)
        yield from ((model, why) for (model,) in models)
    longest = f"SELECT m.name, max(uncached + cache_read + write_5m + write_1h) {ask} GROUP BY m.name"
    for name, tokens in db.execute(longest, span):
        model = PRICES.find(name)
        steps = {step.over for row in model.rows for step in row.standard} if model else set()
        if any(0 < over < tokens for over in steps):
            yield name, LONG


def differences(mine: Cells, his: Cells, unpriced, reasons) -> list[Difference]:
    """Cells that differ by a cent or are in one of the two only."""
    found = []
    for period, model in sorted(mine.keys() | his.keys()):
        own, other = mine.get((period, model), 0.0), his.get((period, model), 0.0)
        if abs(own - other) >= CENT:
            why = UNPRICED if model in unpriced else _reason(reasons, period, model)
            found.append(Difference(period, model, own, other, why))
    return found


def _reason(reasons, period, model):
    """A month has the reasons of its days."""
    return next((why for (day, of), why in reasons.items() if of == model and day.startswith(period)), "")


def compare(folder, zone):
    """(cells compared, differences) of the days and the months of a folder."""
    program = ccusage()
    days, months, reasons = ours(folder, zone)
    count, found = 0, []
    for mine, word, key in ((days, "daily", "date"), (months, "monthly", "month")):
        his, unpriced = theirs(program, folder, zone, word, key)
        count += len(mine.keys() | his.keys())
        found += differences(mine, his, unpriced, reasons)
    return count, found


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", default=os.environ.get("CLAUDE_CONFIG_DIR") or "~/.claude")
    parser.add_argument("--timezone", default="UTC", type=lambda name: str(ZoneInfo(name)))
    arguments = parser.parse_args()
    count, found = compare(os.path.expanduser(arguments.folder), arguments.timezone)
    for one in found:
        print(
            f"{one.period:<10} {one.model:<32} ${one.ours:.4f} here, ${one.theirs:.4f} there: {one.why or '???'}"
        )
    known = sum(1 for one in found if one.why)
    print(
        f"{count} sums of a model's day or month: {count - len(found)} equal to the cent, {known} known, "
        f"{len(found) - known} unexplained ({arguments.timezone}, ccusage {VERSION})"
    )
    return 1 if known < len(found) else 0


if __name__ == "__main__":
    sys.exit(main())
