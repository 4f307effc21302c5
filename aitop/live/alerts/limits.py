"""Alerts of the usage limits that the client reports: their use, their pace, and their reset."""

from aitop.live.alerts import rules
from aitop.live.alerts.edge import RELEASE, Alert, Edge
from aitop.live.alerts.evidence import Evidence
from aitop.live.alerts.rules import Rule
from aitop.live.alerts.spans import span
from aitop.live.money.limits import label
from aitop.model.events import Limit

EARLY = 10.0  # percent of a window: before that a few requests look like a pace
LITTLE = 20.0  # percent used: before that there is nothing to run out of
SAME_RESET = 300.0  # seconds: resets closer than this are the same one
OLD = 900.0  # seconds after which a report says nothing about the pace now
USED_UP = 99.5  # percent
BACK_FOR = 600.0  # seconds for which a limit's return is shown


def evaluate(edge: Edge, evidence: Evidence) -> list[Alert]:
    raised: list[Alert] = []
    for limit in evidence.limits:
        about = f"{limit.provider}/{limit.account or ''}/{limit.name}"
        if limit.resets_at <= edge.now:
            raised += _back(edge, limit, about)
            continue
        raised += _used(edge, limit, about)
        raised += _pace(edge, limit, about)
    return raised


def _used(edge: Edge, limit: Limit, about: str) -> list[Alert]:
    cause = _cause(edge, rules.LIMIT, about, limit.resets_at)
    level = edge.over(
        rules.LIMIT, limit.used_percent, warning=edge.number("limit_warning"), critical=edge.number("limit_critical"),
        about=about, cause=cause,
    )  # fmt: skip
    words = f"{label(limit)} {limit.used_percent:.0f}% used, resets in {span(limit.resets_at - edge.now)}"
    return edge.raised(rules.LIMIT, level, words, about=about, cause=cause, provider=limit.provider)


def _back(edge: Edge, limit: Limit, about: str) -> list[Alert]:
    """A limit that was used up has been reset: work can go on."""
    if limit.used_percent < USED_UP or edge.now - limit.resets_at > BACK_FOR or not edge.number("limit_back"):
        return []
    words = f"{label(limit)} is back: it was reset {span(edge.now - limit.resets_at)} ago"
    return edge.raised(
        rules.LIMIT_BACK, "ok", words, about=about, cause=str(int(limit.resets_at)), provider=limit.provider
    )


def _cause(edge: Edge, rule: Rule, about: str, resets_at: float) -> str:
    """The reset as first reported. A client that reports a wait instead gives a slightly different time each time."""
    before = edge.before(rule, about)
    if before and before.cause.isdecimal() and abs(int(before.cause) - resets_at) < SAME_RESET:
        return before.cause
    return str(int(resets_at))


def _pace(edge: Edge, limit: Limit, about: str) -> list[Alert]:
    """A limit used faster than its window passes is used up before its reset. One used up already is skipped."""
    points = edge.number("pace_points")
    window = limit.window_minutes * 60
    if not points or window <= 0 or limit.used_percent >= 100 or edge.now - limit.seen_at > OLD:
        return []
    elapsed = window - (limit.resets_at - limit.seen_at)
    share = 100 * elapsed / window
    if share < EARLY or limit.used_percent < LITTLE:
        return []
    cause = _cause(edge, rules.PACE, about, limit.resets_at)
    ahead = limit.used_percent - share
    if ahead < (points * RELEASE if edge.held(rules.PACE, about, cause=cause) else points):
        return []
    left = (100 - limit.used_percent) * elapsed / limit.used_percent - (edge.now - limit.seen_at)
    early = limit.resets_at - edge.now - left
    words = f"{label(limit)}: used up in {span(left)} at this pace, {span(early)} before its reset"
    return edge.raised(rules.PACE, "warning", words, about=about, cause=cause, provider=limit.provider)
