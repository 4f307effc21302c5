"""Budgets judged at a moment: used, percent, level, when it begins anew. Pure."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from aitop.config.budgets_and_tags import Budget
from aitop.model.sums import PICO


class Spent(NamedTuple):
    """What was spent, and how much of it is not at a listed price."""

    cost: int = 0
    unpriced: int = 0
    estimated: int = 0

    def plus(self, other: "Spent") -> "Spent":
        return Spent(self.cost + other.cost, self.unpriced + other.unpriced, self.estimated + other.estimated)


class Spender(NamedTuple):
    """A session as budgets see it; `spent` by period: day, week, month, session."""

    id: str
    cwd: str | None
    tag: str | None
    active: bool  # at work, or its user is still there
    shown: bool  # among the newest ones that the state lists
    spent: dict[str, Spent]


def judge(budget: Budget, spenders: Iterable[Spender], resets: dict[str, float]) -> dict[str, Any]:
    """One row of the published `budgets[]`; a session budget speaks of the dearest active session."""
    covered = [one for one in spenders if budget.covers(one.cwd, one.tag)]
    ids: list[str] | None = None
    if budget.period == "session":
        running = [one for one in covered if one.active]
        worst = max(running, key=lambda one: (one.spent["session"].cost, one.id), default=None)
        total = worst.spent["session"] if worst else Spent()
        ids = [
            one.id
            for one in covered
            if one.shown and over(one.spent["session"].cost / PICO, budget.limit_usd)
        ]
    else:
        worst = None
        total = Spent()
        for one in covered:
            total = total.plus(one.spent.get(budget.period, Spent()))
        if budget.scope != "all":
            ids = [one.id for one in covered if one.shown]
    used = total.cost / PICO
    percent = 100 * used / budget.limit_usd
    return {
        "name": budget.name,
        "scope": budget.scope if budget.match else ("session" if budget.period == "session" else "all"),
        "match": budget.match or None,
        "period": budget.period,
        "limit_usd": budget.limit_usd,
        "used_usd": used,
        "left_usd": max(0.0, budget.limit_usd - used),
        "percent": percent,
        "level": level(percent, budget),
        "over": over(used, budget.limit_usd),
        "resets_at": resets.get(budget.period),
        "session": worst.id if worst else None,
        "session_ids": ids,  # whom it stops when it is over; null: everybody
        "unpriced_requests": total.unpriced,
        "estimated_requests": total.estimated,
    }


def over(used: float, limit: float) -> bool:
    """Whether a budget is spent: reaching it is enough, to the thousandth of a cent."""
    return used >= limit - 1e-5


def level(percent: float, budget: Budget) -> str:
    if percent >= budget.critical - 1e-9:
        return "critical"
    return "warning" if percent >= budget.warning - 1e-9 else "ok"
