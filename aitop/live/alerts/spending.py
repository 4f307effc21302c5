"""Alerts of the last minutes: a high burn rate, a full context, requests without output, a cold cache."""

from aitop.live.alerts import rules
from aitop.live.alerts.edge import RELEASE, Alert, Edge
from aitop.live.alerts.evidence import Evidence, SessionEvidence
from aitop.live.money import burn

CACHE_REQUESTS = 5  # a session's first requests have no cache to read
CACHE_INPUT = 20_000


def evaluate(edge: Edge, evidence: Evidence) -> list[Alert]:
    return [
        *_burn(edge, evidence),
        *_context(edge, evidence),
        *_silent(edge, evidence),
        *_cache(edge, evidence),
    ]


def _burn(edge: Edge, evidence: Evidence) -> list[Alert]:
    """A warning by five minutes; critical only where fifteen minutes are above the critical rate too."""
    five, thresholds = evidence.five_minutes, evidence.burn
    sustained = burn.sustained_rate(five, evidence.fifteen_minutes)
    level = edge.over(rules.BURN, sustained, critical=thresholds.critical)
    level = level or edge.over(rules.BURN, burn.rate(five), warning=thresholds.warning)
    session = evidence.dearest()
    words = f"{_named(session)}{edge.usd(burn.rate(five))}/h over 5 minutes"
    if session is not None and five.spent > 0:
        words += f", {100 * session.five_minutes.spent / five.spent:.0f}% of it in this session"
    return edge.raised(rules.BURN, level, words, session=session)


def _context(edge: Edge, evidence: Evidence) -> list[Alert]:
    percent = evidence.context_percent
    if percent is None:
        return []
    level = edge.over(
        rules.CONTEXT,
        percent,
        warning=edge.number("context_warning"),
        critical=edge.number("context_critical"),
    )
    session = evidence.session(evidence.context_session)
    words = f"{_named(session)}context {percent:.0f}% full: /compact or /clear before the next task"
    return edge.raised(rules.CONTEXT, level, words, session=session)


def _silent(edge: Edge, evidence: Evidence) -> list[Alert]:
    """Requests that cost money and return no output. A placeholder as output proves nothing: no alert then."""
    five = evidence.five_minutes
    most_output = five.requests / (RELEASE if edge.held(rules.SILENT) else 1.0)  # a token each
    if five.output_tokens > most_output or five.cost <= 0 or five.incomplete_requests:
        return []
    session = evidence.dearest()
    words = f"{_named(session)}{five.requests} requests in 5 minutes with next to no output: check whether it loops"
    level = edge.over(rules.SILENT, five.requests, warning=edge.number("silent_requests"))
    return edge.raised(rules.SILENT, level, words, session=session)


def _cache(edge: Edge, evidence: Evidence) -> list[Alert]:
    five, threshold = evidence.five_minutes, edge.number("cache_hit_warning")
    if not threshold or five.requests < CACHE_REQUESTS or five.input_tokens < CACHE_INPUT:
        return []
    hit_rate = 100 * five.cache_read_tokens / five.input_tokens
    if hit_rate >= (threshold / RELEASE if edge.held(rules.CACHE) else threshold):
        return []
    session = _coldest(evidence)
    words = (
        f"{_named(session)}only {hit_rate:.0f}% of the input came from the cache over 5 minutes: "
        "a long pause, changed tools or another model empty the cache"
    )
    return edge.raised(rules.CACHE, "warning", words, session=session)


def _coldest(evidence: Evidence) -> SessionEvidence | None:
    """The session that sent the most input past the cache."""
    senders = [one for one in evidence.sessions if one.five_minutes.input_tokens > 0]

    def uncached(one: SessionEvidence) -> int:
        return one.five_minutes.input_tokens - one.five_minutes.cache_read_tokens

    return max(senders, key=uncached, default=None)


def _named(session: SessionEvidence | None) -> str:
    return f"{session.project}: " if session else ""
