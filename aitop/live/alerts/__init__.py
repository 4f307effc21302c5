"""What deserves attention now. Pure: facts in, alerts out; keeps nothing but what it is handed back.

One file for each family of rules. Every rule asks for enough evidence that one odd request cannot
raise it, and lets go only a tenth beyond its threshold, so that a value at the edge does not flicker.
Whether somebody is told outside the displays, and how often, is decided elsewhere (`aitop.notify`).
"""

from collections.abc import Iterable

from aitop.config import Config
from aitop.live.alerts import budgets, days, failures, limits, sessions, spending
from aitop.live.alerts.edge import LEVELS, RELEASE, Alert, Edge, level
from aitop.live.alerts.facts import More, SessionFacts
from aitop.model.sums import Sum

__all__ = ["LEVELS", "RELEASE", "RULES", "Alert", "More", "SessionFacts", "evaluate", "level"]

# Every rule's name: the part of an alert's id before the colon.
RULES = (
    "burn", "context", "silent", "cache", "compaction", "limit", "pace", "budget", "anomaly", "runaway",
    "cache-expiry", "max-tokens", "errors",
)  # fmt: skip
NOTHING = More()


def evaluate(
    before: Iterable[Alert],
    config: Config,
    now: float,
    one: Sum,
    five: Sum,
    context_percent: float | None,
    more: More = NOTHING,
) -> tuple[Alert, ...]:
    """Alerts at `now`, given those of the tick before: of the last minutes, then of what lasts longer."""
    edge = Edge(before, config, now, limited=bool(more.limits))
    found = [
        *spending.rules(edge, one, five, context_percent),
        *failures.rules(edge, five, more),
        *sessions.rules(edge, more.sessions),
        *limits.rules(edge, more.limits),
        *budgets.rules(edge, more.budgets),
        *days.rules(edge, more),
    ]
    return tuple(found)
