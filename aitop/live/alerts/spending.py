"""The last minutes' money: burn rate, a full context, requests that put out nothing, a cold cache."""

from aitop.live.alerts.edge import RELEASE, Alert, Edge
from aitop.model.sums import PICO, Sum

CACHE_REQUESTS = 5  # a session's first requests have no cache to read
CACHE_INPUT = 20_000


def rules(edge: Edge, one: Sum, five: Sum, context_percent: float | None) -> list[Alert]:
    burn = one.cost * 60 / PICO
    found = edge.raised("burn", edge.over_key("burn", burn, "burn"), f"burning {edge.usd(burn)}/h")
    if context_percent is not None:
        full = edge.over_key("context", context_percent, "context")
        found += edge.raised("context", full, f"context {context_percent:.0f}% full")
    quiet = f"{five.requests} requests in 5 minutes with next to no output"
    found += edge.raised("silent", _silent(edge, five), quiet)
    cold = f"cache hit rate {_hit_rate(five):.0f}% over 5 minutes"
    return found + edge.raised("cache", _cold(edge, five), cold)


def _silent(edge: Edge, five: Sum) -> str | None:
    """Money without output; responses whose reported output is a placeholder say nothing either way."""
    most = five.requests / (RELEASE if edge.held("silent") else 1.0)  # a token each
    if five.output_tokens > most or five.cost <= 0 or five.incomplete_requests:
        return None
    return edge.over("silent", five.requests, {"warning": edge.number("silent_requests")})


def _cold(edge: Edge, five: Sum) -> str | None:
    threshold = edge.number("cache_hit_warning")
    if not threshold or five.requests < CACHE_REQUESTS or five.input_tokens < CACHE_INPUT:
        return None
    return "warning" if _hit_rate(five) < (threshold / RELEASE if edge.held("cache") else threshold) else None


def _hit_rate(value: Sum) -> float:
    return 100 * value.cache_read_tokens / value.input_tokens if value.input_tokens else 0.0
