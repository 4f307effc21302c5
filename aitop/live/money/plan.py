"""What a subscription gave at API prices. Pure.

The days are whole and past, as many as `aitop plan` looks at. Without the plan's name there is no multiple, because
what is paid is not known.
"""

from datetime import date
from typing import NamedTuple

from aitop.history.query.doubts import Doubts
from aitop.model.sums import PICO

CLIENT = "claude-code"  # the plans are its maker's
DAYS = 30
MONTH_DAYS = 365.25 / 12
USD_A_MONTH = {"pro": 20.0, "max5": 100.0, "max20": 200.0}


class PlanView(NamedTuple):
    """A plan as it is published. `until`: the last day, ISO. `name`, price and factor are None without a plan."""

    name: str | None
    usd_a_month: float | None
    days: int
    until: str
    value_usd: float
    factor: float | None
    unpriced_requests: int = 0
    understated_requests: int = 0
    estimated_requests: int = 0


def multiple(spent: int, days: int, usd_a_month: float) -> float:
    """How often the plan's price of these days is in what they would have cost at API prices."""
    return spent / PICO / (usd_a_month * days / MONTH_DAYS)


def view(spent: int, until: date, configured: str, doubts: Doubts) -> PlanView | None:
    """`spent`: picodollars of the client in `DAYS` days; None for none. `configured`: `limits.plan`.

    `doubts`: of its requests in these days.
    """
    if spent <= 0:
        return None
    paid = USD_A_MONTH.get(configured)
    factor = None if paid is None else multiple(spent, DAYS, paid)
    return PlanView(
        configured if paid else None, paid, DAYS, until.isoformat(), spent / PICO, factor, *doubts
    )
