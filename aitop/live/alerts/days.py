"""Compares today with the user's own days by a robust score, so that one extreme day does not hide the next."""

from aitop.live.alerts import rules
from aitop.live.alerts.edge import Alert, Edge
from aitop.live.alerts.evidence import Evidence
from aitop.model.median import median
from aitop.model.sums import PICO

LEAST_DAYS = 10  # days with any cost: fewer say nothing about what is usual
LEAST_USD = 1.0  # over the usual: an odd day of cents deserves no alert
LEAST_TIMES = 1.5  # the usual: days that hardly vary would make every small step an anomaly
NORMAL = 0.6745  # the median deviation of a normal distribution, in standard deviations
LEAST_SPREAD = 0.05  # of the median: identical days still leave room for a little more


def evaluate(edge: Edge, evidence: Evidence) -> list[Alert]:
    """The alert of today's cost. The cost only grows, so the alert stays until midnight."""
    today, past = evidence.today_spent, evidence.past_days
    deviations = score(today, past)
    if deviations is None:
        return []
    usual = median(past)
    if today < LEAST_TIMES * usual or today - usual < LEAST_USD * PICO:
        return []
    cause = str(int(evidence.day_started))
    level = edge.over(rules.ANOMALY, deviations, warning=edge.number("anomaly_score"), cause=cause)
    words = f"today cost {edge.usd(today / PICO)} so far, a usual day {edge.usd(usual / PICO)}"
    session = evidence.session(evidence.dearest_today[0]) if evidence.dearest_today else None
    if session is not None and evidence.dearest_today is not None:
        words += f"; dearest session: {session.project}, {edge.usd(evidence.dearest_today[1] / PICO)}"
    return edge.raised(rules.ANOMALY, level, words, cause=cause, session=session)


def score(today: int, past: tuple[int, ...]) -> float | None:
    """How far today lies above the median of past days, in robust standard deviations; None: too few days."""
    if len(past) < LEAST_DAYS:
        return None
    middle = median(past)
    spread = max(median(abs(day - middle) for day in past), LEAST_SPREAD * middle)
    return NORMAL * (today - middle) / spread if spread else None
