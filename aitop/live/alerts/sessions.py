"""One session at a time: running away, about to compact, at rest while its cache runs out."""

from collections.abc import Iterable

from aitop.live.alerts.edge import RELEASE, Alert, Edge
from aitop.live.alerts.facts import SessionFacts
from aitop.model.sums import PICO

QUARTER = 900.0
TOLD_LATELY = 300.0  # seconds: a client that went silent does not say that nothing changed
RUNAWAY_REQUESTS = 10  # few dear requests are a large context, not a loop
LITTLE_OUTPUT = 20  # tokens a request: less is neither text nor a tool call
RESERVE = 33_000  # tokens Claude Code keeps free: it compacts when a context reaches its limit less this
COLD_TOKENS = 50_000  # a smaller context is cheap to write again


def rules(edge: Edge, sessions: Iterable[SessionFacts]) -> list[Alert]:
    found: list[Alert] = []
    for session in sessions:
        if session.status == "ended":
            continue
        if session.status == "working":
            found += _runaway(edge, session)
            found += _compaction(edge, session)
        else:
            found += _cache_expiry(edge, session)
    return found


def _runaway(edge: Edge, session: SessionFacts) -> list[Alert]:
    """Money for a quarter of an hour with nothing to show: no line changed, or next to no output."""
    name = f"runaway:{session.name}"
    quarter, cost = session.quarter, session.quarter.cost / PICO
    dear = edge.over(name, cost, {"warning": edge.number("runaway_usd")})
    still = (
        session.lines_changed is not None
        and edge.now - session.lines_since >= QUARTER
        and edge.now - session.lines_told < TOLD_LATELY
    )
    if dear and still and quarter.requests >= RUNAWAY_REQUESTS:
        words = f"{session.project}: {edge.usd(cost)} in 15 minutes and no line changed"
        return edge.raised(name, "warning", words)
    many = edge.over(name, quarter.requests, {"warning": edge.number("runaway_requests")})
    empty = quarter.output_tokens < LITTLE_OUTPUT * quarter.requests and not quarter.incomplete_requests
    if many and empty and quarter.cost > 0:
        words = f"{session.project}: {quarter.requests} requests in 15 minutes with next to no output"
        return edge.raised(name, "warning", words)
    return []


def _compaction(edge: Edge, session: SessionFacts) -> list[Alert]:
    near = edge.number("compaction_tokens")
    known = session.provider == "claude-code" and session.context_limit > 2 * RESERVE
    if not near or session.context_tokens is None or not known:
        return []
    name, cause = f"compaction:{session.name}", str(session.compactions)
    left = session.context_limit - RESERVE - session.context_tokens
    if left > (near / RELEASE if edge.held(name, cause=cause) else near):
        return []
    words = f"{session.project}: {max(0, left) / 1000:,.0f}K tokens until the context is compacted"
    return edge.raised(name, "warning", words, cause)


def _cache_expiry(edge: Edge, session: SessionFacts) -> list[Alert]:
    """Only by the client's own word on its cache; one that has run out is past saving."""
    window, expires = edge.number("cache_expiry_seconds"), session.cache_expires_at
    if not window or expires is None or (session.context_tokens or 0) < COLD_TOKENS:
        return []
    name, cause = f"cache-expiry:{session.name}", str(int(expires))
    left = expires - edge.now
    if not 0 < left <= (window / RELEASE if edge.held(name, cause=cause) else window):
        return []
    words = (
        f"{session.project}: the cache of {(session.context_tokens or 0) / 1000:,.0f}K tokens "
        f"expires in {left:.0f} s"
    )
    return edge.raised(name, "warning", words, cause)
