"""Our sums beside ccusage's for each client that both read and that has a recorded sample.

python scripts/compare_clients.py [--home FOLDER]

Writes the samples of tests/support/client_samples.py into a throw-away home (or takes the home folder that is named,
such as one in which the real clients ran), asks both for their sums, and prints who is right where they differ. A
reason is bound to its numbers: on the samples to exactly those that ccusage gave, in a home to its direction and size.
Exit code 1: a difference without a reason, or of another size. ccusage is found and installed as by compare_ccusage.py.
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
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


class Figures(NamedTuple):
    """What one side counts; `usd` is compared to a hundredth of a cent. `reasoning` is a part of the output."""

    fresh: int
    read: int
    written: int
    output: int
    usd: float
    reasoning: int = 0  # ours alone

    def same(self, other: "Figures") -> bool:
        return self.same_tokens(other) and abs(self.usd - other.usd) < 1e-4

    def same_tokens(self, other: "Figures") -> bool:
        return self[:4] == other[:4]

    def within(self, least: "Figures", most: "Figures", output: int = 0) -> bool:
        """Whether each number of tokens lies between those of two others; the output may be `output` above."""
        highest = most._replace(output=most.output + output)
        return all(
            low <= one <= high for low, one, high in zip(least[:4], self[:4], highest[:4], strict=True)
        )


NONE = Figures(0, 0, 0, 0, 0.0)


class Reason(NamedTuple):
    """Why ccusage differs, and how far. On the samples its numbers are exactly `theirs`; on a home in which clients
    ran, `holds` says whether a difference (ours, theirs) is of this reason's direction and size.
    """

    why: str
    theirs: Figures | None
    holds: Callable[[Figures, Figures], bool]


def _thinking_twice(here: Figures, there: Figures) -> bool:
    """The tokens are the same, and the cost is higher by at most what the thinking costs."""
    most = here.usd * here.reasoning / here.output if here.output else 0.0
    return here.same_tokens(there) and -1e-4 <= there.usd - here.usd <= most + 1e-4


def _some(here: Figures, there: Figures) -> bool:
    """It counts no more than we do, in tokens and in USD."""
    return there.within(NONE, here) and there.usd <= here.usd + 1e-4


def _some_reasoning_twice(here: Figures, there: Figures) -> bool:
    return there.within(NONE, here, here.reasoning)


def _twice(here: Figures, there: Figures) -> bool:
    """Each number is ours and at most the same once more."""
    return there.within(here, Figures(*(2 * number for number in here[:4]), 0.0))


def _copies_without_reasoning(here: Figures, there: Figures) -> bool:
    bare = here._replace(output=here.output - here.reasoning)
    return there.within(bare, Figures(*(2 * number for number in bare[:4]), 0.0))


# Who is right where the two differ: in each of these, aitop.
WHY = {
    "kimi": Reason(
        "ccusage leaves out calls outside a turn (a compaction), and prices the user's alias, not the model",
        Figures(3600, 14_900, 20, 120, 0.0), _some,
    ),
    "goose": Reason(
        "ccusage reads the sums of sessions, which this version keeps for the last turn only", NONE, _some,
    ),
    "hermes": Reason(
        "ccusage reads no database without its newest columns, leaves out side calls, and adds reasoning to the "
        "output again", NONE, _some_reasoning_twice,
    ),
    "droid": Reason(
        "the same tokens; ccusage adds thinking to the cost again, and renames the model",
        Figures(3600, 14_900, 20, 120, 0.0080875), _thinking_twice,
    ),
    "grok": Reason(
        "ccusage counts a turn that is written again once more",
        Figures(8200, 29_800, 0, 270, 0.016675), _twice,
    ),
    "kilo": Reason(
        "ccusage counts a fork's copies once more, and leaves reasoning out of the output", None,
        _copies_without_reasoning,
    ),
    "pi": Reason(
        "the same tokens; ccusage takes pi's own cost, which a user's configuration may set, before the list price",
        Figures(3600, 14_900, 20, 120, 0.5), Figures.same_tokens,
    ),
    "openclaw": Reason("the same as pi", Figures(3600, 14_900, 20, 120, 0.5), Figures.same_tokens),
    "amp": Reason(
        "the same tokens; ccusage shows credits beside its own price, here what was billed is the cost",
        Figures(3600, 14_900, 10, 120, 0.007575), Figures.same_tokens,
    ),
    "qwen": Reason(
        "ccusage leaves out calls without an answer of their own, and adds thoughts twice", None,
        _some_reasoning_twice,
    ),
}  # fmt: skip


def explained(name: str, here: Figures, there: Figures, *, sampled: bool) -> str | None:
    """Why the two differ; None where the reason that is known for this client does not account for these numbers."""
    reason = WHY.get(name)
    if reason is None or not reason.holds(here, there):
        return None
    if sampled and (reason.theirs is None or not reason.theirs.same(there)):
        return None
    return reason.why


def ours(name: str, home: str) -> Figures:
    module, _, attribute = BUILTIN[name].partition(":")
    provider = getattr(importlib.import_module(module), attribute)
    desk = Desk(provider, *provider.folders([], {"HOME": home})).read()
    totals = desk.totals().values()
    reasoning = desk.db.execute("SELECT ifnull(sum(reasoning), 0) FROM response").fetchone()[0]
    return Figures(
        sum(one.uncached_input_tokens for one in totals), sum(one.cache_read_tokens for one in totals),
        sum(one.cache_write_tokens for one in totals), sum(one.output_tokens for one in totals),
        sum(one.cost for one in totals) / PICO, reasoning,
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
            why = explained(name, here, there, sampled=arguments.home is None)
            unexplained += why is None
            print(f"{name}: aitop {tuple(here[:5])}, ccusage {tuple(there[:5])}: {why or 'NOT EXPLAINED'}")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
