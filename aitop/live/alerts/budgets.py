"""Budgets the user set: their own levels, held for a moment against corrections of a sum."""

from collections.abc import Iterable, Mapping
from typing import Any

from aitop.live.alerts.edge import LEVELS, Alert, Edge
from aitop.model import periods

PERIODS = {"day": "today", "week": "week", "month": "month"}
SLACK = 2.0  # points a budget's use may fall below 100 before "over" is let go


def rules(edge: Edge, budgets: Iterable[Mapping[str, Any]]) -> list[Alert]:
    """One alert for each budget that is near or over, named so that a new period is new news."""
    starts: dict[str, float] = {}
    found: list[Alert] = []
    for budget in budgets:
        level = budget.get("level")
        if level not in LEVELS:
            continue
        starts = starts or periods.starts(edge.now)
        period = str(budget.get("period") or "")
        name = f"budget:{budget.get('name')}"
        if period == "session" and budget.get("session"):
            name += f"/{budget['session']}"  # each session that is over is news of its own
        cause = f"{period}@{int(starts[PERIODS[period]])}" if period in PERIODS else period
        percent = float(budget.get("percent") or 0)
        if level == "warning" and percent >= 100 - SLACK and edge.held(name, "critical", cause):
            level = "critical"
        words = (
            f"budget {budget.get('name')}: {edge.usd(float(budget.get('used_usd') or 0))} of "
            f"{edge.usd(float(budget.get('limit_usd') or 0))} ({percent:.0f}%)"
        )
        found += edge.raised(name, None if level == "ok" else level, words, cause)
    return found
