"""Alerts of single sessions: one that runs away, will compact soon, loses its cache, or waits for its user."""

from aitop.live.alerts import rules
from aitop.live.alerts.edge import RELEASE, Alert, Edge
from aitop.live.alerts.evidence import Evidence, SessionEvidence
from aitop.live.alerts.spans import span
from aitop.model.sums import PICO

QUARTER = 900.0
FRESH_LINES = 300.0  # seconds: an older report does not prove that no line changed
RUNAWAY_REQUESTS = 10  # few dear requests are a large context, not a loop
LITTLE_OUTPUT = 20  # tokens a request: less is neither text nor a tool call
RESERVE = 33_000  # tokens Claude Code keeps free: it compacts when a context reaches its limit less this
COLD_TOKENS = 50_000  # a smaller context is cheap to write again


def evaluate(edge: Edge, evidence: Evidence) -> list[Alert]:
    raised: list[Alert] = []
    for session in evidence.sessions:
        if session.status == "working":
            raised += _runaway(edge, session)
            raised += _compaction(edge, session)
        elif session.status != "ended":
            raised += _cache_expiry(edge, session)
            raised += _waiting(edge, session)
    return raised


def _runaway(edge: Edge, session: SessionEvidence) -> list[Alert]:
    """A session that spends money for a quarter of an hour without a changed line, or with next to no output."""
    recent, spent = session.recent, session.recent.spent / PICO
    dear = edge.over(rules.RUNAWAY, spent, warning=edge.number("runaway_usd"), about=session.name)
    still = (
        session.lines_changed is not None
        and edge.now - session.lines_since >= QUARTER
        and edge.now - session.lines_told < FRESH_LINES
    )
    if dear and still and recent.requests >= RUNAWAY_REQUESTS:
        words = (
            f"{session.project}: {edge.usd(spent)} in 15 minutes and no line changed: check whether it loops"
        )
        return edge.raised(rules.RUNAWAY, "warning", words, about=session.name, session=session)
    many = edge.over(
        rules.RUNAWAY, recent.requests, warning=edge.number("runaway_requests"), about=session.name
    )
    empty = recent.output_tokens < LITTLE_OUTPUT * recent.requests and not recent.incomplete_requests
    if many and empty and recent.cost > 0:
        words = (
            f"{session.project}: {recent.requests} requests in 15 minutes with next to no output: "
            "check whether it loops"
        )
        return edge.raised(rules.RUNAWAY, "warning", words, about=session.name, session=session)
    return []


def _compaction(edge: Edge, session: SessionEvidence) -> list[Alert]:
    near = edge.number("compaction_tokens")
    has_threshold = session.provider == "claude-code" and session.context_limit > 2 * RESERVE
    if not near or session.context_tokens is None or not has_threshold:
        return []
    cause = str(session.compactions)
    left = session.context_limit - RESERVE - session.context_tokens
    if left > (near / RELEASE if edge.held(rules.COMPACTION, session.name, cause=cause) else near):
        return []
    when = f"in {left / 1000:,.0f}K tokens" if left >= 500 else "at its next response"
    words = f"{session.project}: will compact its context {when}. Use /compact now to choose what it keeps"
    return edge.raised(rules.COMPACTION, "warning", words, about=session.name, cause=cause, session=session)


def _cache_expiry(edge: Edge, session: SessionEvidence) -> list[Alert]:
    """Only where the client reports when its cache expires. An expired cache cannot be saved: no alert."""
    within, expires = edge.number("cache_expiry_seconds"), session.cache_expires_at
    if not within or expires is None or (session.context_tokens or 0) < COLD_TOKENS:
        return []
    cause, left = str(int(expires)), expires - edge.now
    held = edge.held(rules.CACHE_EXPIRY, session.name, cause=cause)
    if not 0 < left <= (within / RELEASE if held else within):
        return []
    words = (
        f"{session.project}: its cache of {(session.context_tokens or 0) / 1000:,.0f}K tokens expires in "
        f"{left:.0f} s: answer before then"
    )
    return edge.raised(rules.CACHE_EXPIRY, "warning", words, about=session.name, cause=cause, session=session)


def _waiting(edge: Edge, session: SessionEvidence) -> list[Alert]:
    """A session that waits for a permission or an answer."""
    patience = edge.number("waiting_seconds")
    waited = edge.now - session.status_since if session.status_since > 0 else 0.0
    if not patience or session.status != "waiting" or waited < patience:
        return []
    words = f"{session.project}: has waited for you for {span(waited)}"
    cause = str(int(session.status_since))
    return edge.raised(rules.WAITING, "warning", words, about=session.name, cause=cause, session=session)
