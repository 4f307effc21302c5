"""Alerts of failures at the API: bursts of errors, and responses cut off at their output limit."""

from aitop.live.alerts import rules
from aitop.live.alerts.edge import RELEASE, Alert, Edge
from aitop.live.alerts.evidence import Evidence

ERROR_SHARE = 0.2  # of all attempts: a few errors among hundreds of requests are no burst


def evaluate(edge: Edge, evidence: Evidence) -> list[Alert]:
    return [*_errors(edge, evidence), *_cut_off(edge, evidence)]


def _errors(edge: Edge, evidence: Evidence) -> list[Alert]:
    five = evidence.five_minutes
    tried = five.requests + five.errors
    share = ERROR_SHARE * (RELEASE if edge.held(rules.ERRORS) else 1.0)
    if five.errors < share * tried:
        return []
    failing = [one for one in evidence.sessions if one.five_minutes.errors > 0]
    session = max(failing, key=lambda one: one.five_minutes.errors, default=None)
    words = f"{five.errors} of {tried} API requests failed in 5 minutes: see the client's message or its status page"
    level = edge.over(rules.ERRORS, five.errors, warning=edge.number("errors"))
    named = f"{session.project}: {words}" if session else words
    return edge.raised(rules.ERRORS, level, named, session=session)


def _cut_off(edge: Edge, evidence: Evidence) -> list[Alert]:
    level = edge.over(rules.MAX_TOKENS, evidence.cut_off, warning=edge.number("max_tokens"))
    words = (
        f"{evidence.cut_off} responses cut off at their output limit in 15 minutes: ask for smaller steps, "
        "or raise the client's limit"
    )
    return edge.raised(rules.MAX_TOKENS, level, words)
