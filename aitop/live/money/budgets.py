"""Budgets judged at a moment: used, percent, level, when it begins anew. Pure."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from aitop.config.budgets_and_tags import Budget
from aitop.model.sums import PICO


class Spent(NamedTuple):
    """What was spent in picodollars, untracked money included, and how many requests put it in doubt."""

    amount: int = 0
    unpriced: int = 0
    estimated: int = 0
    understated: int = 0

    def plus(self, other: "Spent") -> "Spent":
        return Spent(
            self.amount + other.amount, self.unpriced + other.unpriced, self.estimated + other.estimated,
            self.understated + other.understated,
        )  # fmt: skip


class Spender(NamedTuple):
    """A session as budgets see it; `spent` by period: day, week, month, session."""

    id: str
    cwd: str | None
    tag: str | None
    active: bool
    shown: bool  # among the newest ones, which the state lists
    spent: Mapping[str, Spent]


class BudgetView(NamedTuple):
    """A budget as it stands, in the published names and units."""

    name: str
    scope: str  # all, project, tag, session
    match: str | None
    period: str
    limit_usd: float
    used_usd: float
    left_usd: float
    percent: float
    level: str
    over: bool
    resets_at: float | None
    session: str | None
    session_ids: list[str] | None  # the listed sessions that it covers; None: every session
    unpriced_requests: int
    estimated_requests: int
    understated_requests: int


def judge(budget: Budget, spenders: Iterable[Spender], resets: Mapping[str, float]) -> BudgetView:
    """How a budget stands. A session budget speaks of the dearest active session."""
    covered = [one for one in spenders if budget.covers(one.cwd, one.tag)]
    worst, ids, total = None, None, Spent()
    if budget.period == "session":
        running = [one for one in covered if one.active]
        worst = max(running, key=lambda one: (one.spent["session"].amount, one.id), default=None)
        total = worst.spent["session"] if worst else total
        ids = [
            one.id
            for one in covered
            if one.shown and over(one.spent["session"].amount / PICO, budget.limit_usd)
        ]
    else:
        for one in covered:
            total = total.plus(one.spent.get(budget.period, Spent()))
        if budget.scope != "all":
            ids = [one.id for one in covered if one.shown]
    used = total.amount / PICO
    percent = 100 * used / budget.limit_usd
    return BudgetView(
        name=budget.name,
        scope=budget.scope if budget.match else ("session" if budget.period == "session" else "all"),
        match=budget.match or None,
        period=budget.period,
        limit_usd=budget.limit_usd,
        used_usd=used,
        left_usd=max(0.0, budget.limit_usd - used),
        percent=percent,
        level=level(percent, budget),
        over=over(used, budget.limit_usd),
        resets_at=resets.get(budget.period),
        session=worst.id if worst else None,
        session_ids=ids,
        unpriced_requests=total.unpriced,
        estimated_requests=total.estimated,
        understated_requests=total.understated,
    )


def over(used: float, limit: float) -> bool:
    """Whether a budget is spent: reaching it is enough, to the thousandth of a cent."""
    return used >= limit - 1e-5


def level(percent: float, budget: Budget) -> str:
    if percent >= budget.critical - 1e-9:
        return "critical"
    return "warning" if percent >= budget.warning - 1e-9 else "ok"
