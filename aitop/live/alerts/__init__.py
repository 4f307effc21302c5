"""Alerts: what deserves attention now. Pure: evidence in, alerts out; the caller keeps the state between ticks.

Each family of rules has a file, and `rules.py` lists them all. Each rule asks for enough evidence that one odd
request cannot raise it. An alert ends only a tenth beyond its threshold, so that a value at the edge does not
flicker. `publish/notify/` decides whether and how often an alert leaves the displays as a notification.
"""

from collections.abc import Iterable

from aitop.config import Config
from aitop.live.alerts import budgets, days, failures, limits, sessions, spending
from aitop.live.alerts.edge import LEVELS, RELEASE, Alert, Edge, Level, level
from aitop.live.alerts.evidence import Evidence, SessionEvidence
from aitop.live.alerts.rules import ALL as RULES

__all__ = [
    "LEVELS",
    "RELEASE",
    "RULES",
    "Alert",
    "Evidence",
    "Level",
    "SessionEvidence",
    "evaluate",
    "level",
]

FAMILIES = (spending, failures, sessions, limits, budgets, days)


def evaluate(before: Iterable[Alert], config: Config, now: float, evidence: Evidence) -> tuple[Alert, ...]:
    """Alerts at `now`, given those of the tick before."""
    edge = Edge(before, config, now, limited=any(limit.resets_at > now for limit in evidence.limits))
    return tuple(alert for family in FAMILIES for alert in family.evaluate(edge, evidence))
