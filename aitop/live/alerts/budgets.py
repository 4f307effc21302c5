"""Alerts of the user's budgets. Each budget has its own thresholds; a small correction of a sum ends no alert."""

from aitop.live.alerts import rules
from aitop.live.alerts.edge import LEVELS, Alert, Edge
from aitop.live.alerts.evidence import Evidence
from aitop.model import periods

PERIOD_NAMES = {"day": "today", "week": "week", "month": "month"}
SLACK = 2.0  # "over" ends when the use has fallen this many points below 100


def evaluate(edge: Edge, evidence: Evidence) -> list[Alert]:
    """One alert for each budget that is near or over. Its cause names the period, so a new period is a new alert."""
    raised: list[Alert] = []
    for budget in evidence.budgets:
        about = budget.name
        if budget.session:
            about += f"/{budget.session}"  # each session over its budget has its own alert
        cause = budget.period
        if budget.period in PERIOD_NAMES:
            cause += f"@{int(periods.starts(edge.now)[PERIOD_NAMES[budget.period]])}"
        level = budget.level
        slack = budget.percent >= 100 - SLACK
        if level == "warning" and slack and edge.held(rules.BUDGET, about, level="critical", cause=cause):
            level = "critical"
        if level == "ok" or level not in LEVELS:
            continue
        session = evidence.session(budget.session)
        at_least = "≥" if budget.unpriced_requests or budget.understated_requests else ""
        words = (
            f"budget {budget.name}: {at_least}{edge.usd(budget.used_usd)} of {edge.usd(budget.limit_usd)} "
            f"({at_least}{budget.percent:.0f}%) spent"
        )
        named = f"{session.project}: {words}" if session else words
        raised += edge.raised(rules.BUDGET, level, named, about=about, cause=cause, session=session)
    return raised
