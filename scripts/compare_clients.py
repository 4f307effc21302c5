"""Our sums beside ccusage's for each client that both read and that has a recorded sample.

python scripts/compare_clients.py [--home FOLDER]

Writes the samples of tests/support/client_samples.py into a throw-away home (or takes the home folder that is named,
such as one in which the real clients ran), asks both for their sums, and prints who is right where they differ. Exit
code 1: a difference without an explanation. ccusage is found and installed as by compare_ccusage.py.
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
from typing import NamedTuple

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(sys.path[0], "tests"))

import compare_ccusage
from support.client_samples import SAMPLES, Writing
from support.desk import Desk

from aitop.model.sums import PICO
from aitop.providers.load import BUILTIN

BOTH = ("pi", "openclaw", "kimi", "goose", "hermes", "droid", "amp", "grok", "qwen", "kilo", "opencode", "copilot",
        "gemini", "codex")  # fmt: skip
# Why the two differ on a sample, and who is right.
WHY = {
    "kimi": "ccusage leaves out calls outside a turn (a compaction), and prices the user's alias, not the model",
    "goose": "ccusage reads the sums of sessions, which this version keeps for the last turn only",
    "hermes": "ccusage reads no database without its newest columns, leaves out side calls, and adds reasoning to the "
    "output again",
    "droid": "the same tokens; ccusage adds thinking to the total and the cost again, and renames the model",
    "grok": "ccusage counts a turn that is written again once more",
    "kilo": "ccusage counts a fork's copies once more, and leaves reasoning out of the output",
    "pi": "the same tokens; ccusage takes pi's own cost, which a user's configuration may set, before the list price",
    "openclaw": "the same as pi",
    "amp": "the same tokens; ccusage shows credits beside its own price, here what was billed is the cost",
    "qwen": "ccusage leaves out calls without an answer of their own, and adds thoughts twice",
}


class Figures(NamedTuple):
    """What one side counts; `usd` is compared to a hundredth of a cent."""

    fresh: int
    read: int
    written: int
    output: int
    usd: float

    def same(self, other: "Figures") -> bool:
        return self[:4] == other[:4] and abs(self.usd - other.usd) < 1e-4


def ours(name: str, home: str) -> Figures:
    module, _, attribute = BUILTIN[name].partition(":")
    provider = getattr(importlib.import_module(module), attribute)
    totals = Desk(provider, *provider.folders([], {"HOME": home})).read().totals().values()
    return Figures(
        sum(one.uncached_input_tokens for one in totals), sum(one.cache_read_tokens for one in totals),
        sum(one.cache_write_tokens for one in totals), sum(one.output_tokens for one in totals),
        sum(one.cost for one in totals) / PICO,
    )  # fmt: skip


def theirs(program: str, name: str, home: str) -> Figures | None:
    """None where it cannot be asked."""
    environ = {"HOME": home, "PATH": os.environ["PATH"], "TZ": "UTC"}
    command = [program, name, "daily", "--json", "--offline"]
    answer = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)
    try:
        totals = json.loads(answer.stdout)["totals"]
    except (ValueError, KeyError, TypeError):
        return None
    if not isinstance(totals, dict):
        return None
    keys = ("inputTokens", "cacheReadTokens", "cacheCreationTokens", "outputTokens")
    return Figures(*(totals.get(key, 0) for key in keys), totals.get("totalCost", totals.get("costUSD", 0.0)))


def main() -> int:
    parser = argparse.ArgumentParser(prog="compare_clients.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--home")
    arguments = parser.parse_args()
    program, unexplained = compare_ccusage.ccusage(), 0
    with tempfile.TemporaryDirectory(prefix="aitop-clients-") as folder:
        home = arguments.home or folder
        if arguments.home is None:
            for sample, _ in SAMPLES.values():
                writing = Writing(sample, home)
                writing.all()
                writing.close()
        for name in BOTH:
            here, there = ours(name, home), theirs(program, name, home)
            if there is None or not any((*here, *there)):
                continue
            if here.same(there):
                print(
                    f"{name}: equal, {here.fresh + here.read + here.written + here.output:,} tokens, {here.usd:.4f} USD"
                )
                continue
            why = WHY.get(name, "")
            unexplained += not why
            print(f"{name}: aitop {tuple(here)}, ccusage {tuple(there)}: {why or 'NOT EXPLAINED'}")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
