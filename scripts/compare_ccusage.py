"""Our sums beside ccusage's, on the same files: every day and month of every model, to the cent.

python scripts/compare_ccusage.py [CLAUDE_FOLDER] [--codex CODEX_FOLDER] [--timezone ZONE] [--record FILE]

Reads the folder (default: $CLAUDE_CONFIG_DIR, else ~/.claude) into a throw-away history, asks ccusage of
the version below for the same, and prints what differs. Exit code 0: equal, or different only where ccusage
is known to be wrong (`WHY`); 1: a difference without an explanation. ccusage is installed by npm into
$AITOP_PEERS, else aitop-benchmarks in the user's cache; it is asked offline.

`--codex` compares the tokens of each day and model of Codex's rollouts as well. ccusage counts what a forked rollout
repeats of its parent's; the script counts these repeats by itself, from the lines, and names them.
"""

import argparse
import datetime
import glob
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

REPEATED = "ccusage counts what a forked rollout repeats of its parent's"

Cells = dict[tuple[str, str], float]  # (day or month, model) → USD
Tokens = dict[tuple[str, str], tuple[int, int, int]]  # (day, model) → input, of it cached, output


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


def codex(folder, zone):
    """(cells compared, differences in input tokens) of Codex's rollouts, by day and model."""
    mine, his = _codex_ours(folder, zone), _codex_theirs(folder, zone)
    repeats = _repeats(folder, zone)
    found = []
    for day, model in sorted(mine.keys() | his.keys()):
        own, other = mine.get((day, model), (0, 0, 0)), his.get((day, model), (0, 0, 0))
        if own != other:
            more = tuple(b - a for a, b in zip(own, other, strict=True))
            found.append(Difference(day, model, own[0], other[0], REPEATED if more == repeats[day] else ""))
    return len(mine.keys() | his.keys()), found


def _codex_ours(folder, zone) -> Tokens:
    with tempfile.TemporaryDirectory() as home:
        own = {"AITOP_HOME": home, "CLAUDE_CONFIG_DIR": home, "CODEX_HOME": folder}
        os.environ.update({**own, "AITOP_CONFIG": f"{home}/none.toml"})
        db = catchup.catch_up(lambda *_: None).db
        asker = Asker(db, Filter(zone=ZoneInfo(zone), provider="codex"), (), {})
        cells = {}
        for day, span in zip(asker.days, asker.day_spans(), strict=True):
            for cell in spans.cells(db, span, Only()):
                if cell.session in asker.allowed and cell.sum.requests:
                    one = cell.sum.input_tokens, cell.sum.cache_read_tokens, cell.sum.output_tokens
                    key = day.isoformat(), cell.model
                    cells[key] = tuple(map(sum, zip(cells.get(key, (0, 0, 0)), one, strict=True)))
        db.close()
    return cells


def _codex_theirs(folder, zone) -> Tokens:
    with tempfile.TemporaryDirectory() as home:
        environ = {"PATH": os.environ["PATH"], "HOME": home, "CODEX_HOME": folder}
        call = [ccusage(), "codex", "daily", "--json", "--offline", "--timezone", zone]
        said = json.loads(subprocess.run(call, env=environ, capture_output=True, check=True).stdout)
    return {
        (row["date"], model): (
            one["inputTokens"] + one["cacheReadTokens"] + one["cacheCreationTokens"], one["cacheReadTokens"],
            one["outputTokens"],
        )
        for row in said["daily"]
        for model, one in row["models"].items()
    }  # fmt: skip


def _repeats(folder, zone):
    """Day → tokens of token counts that another rollout holds with the same running total."""
    seen, found = {}, defaultdict(lambda: (0, 0, 0))
    for path in sorted(glob.glob(os.path.join(folder, "**", "*.jsonl"), recursive=True)):
        with open(path, "rb") as file:
            for line in file:
                try:
                    record = json.loads(line)
                    info = record["payload"]["info"]
                    last, key = info["last_token_usage"], str(info["total_token_usage"])
                except (ValueError, KeyError, TypeError):
                    continue
                if seen.setdefault(key, path) != path:
                    at = datetime.datetime.fromisoformat(record["timestamp"]).astimezone(ZoneInfo(zone))
                    one = last["input_tokens"], last["cached_input_tokens"], last["output_tokens"]
                    day = at.date().isoformat()
                    found[day] = tuple(map(sum, zip(found[day], one, strict=True)))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", default=os.environ.get("CLAUDE_CONFIG_DIR") or "~/.claude")
    parser.add_argument("--timezone", default="UTC", type=lambda name: str(ZoneInfo(name)))
    parser.add_argument("--codex", metavar="FOLDER", help="compare Codex's rollouts as well")
    parser.add_argument("--record", metavar="FILE", help="append the date and the outcome to this file")
    arguments = parser.parse_args()
    said = [
        _told(
            "a model's day or month, to the cent",
            "$",
            *compare(os.path.expanduser(arguments.folder), arguments.timezone),
        )
    ]
    if arguments.codex:
        said.append(
            _told("a model's day in Codex, to the token", "", *codex(arguments.codex, arguments.timezone))
        )
    outcome = "; ".join(text for text, _ in said) + f" ({arguments.timezone}, ccusage {VERSION})"
    print(outcome)
    if arguments.record:
        with open(arguments.record, "a") as file:
            file.write(f"- {datetime.date.today()}: {outcome}\n")  # noqa: DTZ011
    return 1 if any(unknown for _, unknown in said) else 0


def _told(what, unit, count, found):
    """(one line of text, differences without an explanation); each difference is printed."""
    for one in found:
        ours, theirs = (f"{unit}{value:,.4f}" if unit else f"{value:,} input tokens" for value in one[2:4])
        print(f"{one.period:<10} {one.model:<32} {ours} here, {theirs} there: {one.why or '???'}")
    unknown = sum(1 for one in found if not one.why)
    lower = sum(1 for one in found if one.ours < one.theirs and not one.why)
    text = (
        f"{count} sums of {what}: {count - len(found)} equal, {len(found) - unknown} known, {unknown} unexplained, "
        f"{lower} below"
    )
    return text, unknown


if __name__ == "__main__":
    sys.exit(main())
