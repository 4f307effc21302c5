"""What goes wrong at the API: bursts of errors, responses cut off at their output limit."""

from aitop.live.alerts.edge import RELEASE, Alert, Edge
from aitop.live.alerts.facts import More
from aitop.model.sums import Sum

ERROR_SHARE = 0.2  # of all attempts: a few errors among hundreds of requests are no burst


def rules(edge: Edge, five: Sum, more: More) -> list[Alert]:
    tried = five.requests + five.errors
    words = f"{five.errors} of {tried} API requests failed in 5 minutes"
    found = edge.raised("errors", _burst(edge, five), words)
    cut = edge.over("max-tokens", more.cut_off, {"warning": edge.number("max_tokens")})
    words = f"{more.cut_off} responses cut off at their output limit in 15 minutes"
    return found + edge.raised("max-tokens", cut, words)


def _burst(edge: Edge, five: Sum) -> str | None:
    share = ERROR_SHARE * (RELEASE if edge.held("errors") else 1.0)
    if five.errors < share * (five.requests + five.errors):
        return None
    return edge.over("errors", five.errors, {"warning": edge.number("errors")})
