"""Today against the user's own days: a robust score, so that one wild day does not hide the next."""

from aitop.live.alerts.edge import Alert, Edge
from aitop.live.alerts.facts import More
from aitop.model.median import median
from aitop.model.sums import PICO

LEAST_DAYS = 10  # days with any cost: fewer say nothing about what is usual
LEAST_USD = 1.0  # over the usual: an odd day of cents is nobody's business
LEAST_TIMES = 1.5  # the usual: days that hardly vary would make every small step an anomaly
NORMAL = 0.6745  # the median deviation of a normal distribution, in standard deviations
LEAST_SPREAD = 0.05  # of the median: identical days still leave room for a little more


def rules(edge: Edge, more: More) -> list[Alert]:
    """Today's cost so far: it can only grow, so once out of the ordinary it stays so until midnight."""
    found = score(more.today_cost, more.past_days)
    if found is None:
        return []
    usual = median(more.past_days)
    if more.today_cost < LEAST_TIMES * usual or more.today_cost - usual < LEAST_USD * PICO:
        return []
    cause = str(int(more.day_started))
    level = edge.over("anomaly", found, {"warning": edge.number("anomaly_score")}, cause)
    words = f"today {edge.usd(more.today_cost / PICO)}, a usual day {edge.usd(usual / PICO)}"
    return edge.raised("anomaly", level, words, cause)


def score(today: int, past: tuple[int, ...]) -> float | None:
    """How far today lies above the median of past days, in robust standard deviations; None: too few days."""
    if len(past) < LEAST_DAYS:
        return None
    middle = median(past)
    spread = max(median(abs(day - middle) for day in past), LEAST_SPREAD * middle)
    return NORMAL * (today - middle) / spread if spread else None
