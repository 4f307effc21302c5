"""Which burn rate is unusual for this user: thresholds from the user's own quarter hours. Pure, in USD an hour.

A fixed number would be right for no one: one person's ordinary turn is another's monthly budget. So the usual
rate is learned: the 95th percentile of the hourly rates of all quarter hours with any cost in the last 60 days
in use. Until enough of them are known, cautious constants stand in.
"""

from collections.abc import Iterable
from typing import NamedTuple

from aitop.live.money.limits import quantile
from aitop.model.sums import PICO, Sum

WINDOW = "5m"
LEAST_QUARTERS = 40  # ten hours of work: fewer say nothing about what is usual
USUAL_PART = 0.95
WARNING_TIMES, CRITICAL_TIMES = 1.5, 3.0  # of the usual rate
WARNING_FLOOR, CRITICAL_FLOOR = 10.0, 40.0  # USD/h: below it no rate deserves a colour
WARNING_UNKNOWN, CRITICAL_UNKNOWN = 30.0, 100.0  # USD/h, while too little is known


class BurnThresholds(NamedTuple):
    """Burn rates that deserve a colour, USD an hour; 0 is off."""

    warning: float = WARNING_UNKNOWN
    critical: float = CRITICAL_UNKNOWN
    learned: bool = False


class BurnView(NamedTuple):
    """The burn rate as it is judged, in the published names and units."""

    usd_per_hour: float
    window: str
    level: str
    warning_usd_per_hour: float
    critical_usd_per_hour: float
    learned: bool


def learn(quarter_costs: Iterable[float]) -> BurnThresholds:
    """From the USD of each quarter hour with any cost."""
    rates = [4 * usd for usd in quarter_costs if usd > 0]
    if len(rates) < LEAST_QUARTERS:
        return BurnThresholds()
    usual = quantile(rates, USUAL_PART)
    return BurnThresholds(
        max(WARNING_FLOOR, WARNING_TIMES * usual), max(CRITICAL_FLOOR, CRITICAL_TIMES * usual), learned=True
    )


def configured(learned: BurnThresholds, warning: float | str, critical: float | str) -> BurnThresholds:
    """The learned thresholds, but for those that the configuration fixes; "auto" fixes none."""
    return BurnThresholds(
        learned.warning if isinstance(warning, str) else warning,
        learned.critical if isinstance(critical, str) else critical,
        learned.learned and isinstance(warning, str),
    )


def rate(five_minutes: Sum) -> float:
    """USD an hour, extrapolated from the window that every colour and alert goes by."""
    return five_minutes.spent * 12 / PICO


def sustained_rate(five_minutes: Sum, fifteen_minutes: Sum) -> float:
    """The rate that has held for a quarter of an hour."""
    return min(rate(five_minutes), fifteen_minutes.spent * 4 / PICO)


def view(five_minutes: Sum, fifteen_minutes: Sum, thresholds: BurnThresholds) -> BurnView:
    now, sustained = rate(five_minutes), sustained_rate(five_minutes, fifteen_minutes)
    level = "ok"
    if 0 < thresholds.critical <= sustained:
        level = "critical"
    elif 0 < thresholds.warning <= now:
        level = "warning"
    return BurnView(now, WINDOW, level, thresholds.warning, thresholds.critical, thresholds.learned)
