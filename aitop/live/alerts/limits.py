"""Usage limits as the client reports them: how far they are used, and how fast for their time."""

from collections.abc import Iterable

from aitop.live.alerts.edge import RELEASE, Alert, Edge
from aitop.model.events import Limit

LABELS = {"five_hour": "5-hour limit", "seven_day": "weekly limit"}
EARLY = 10.0  # percent of a window: before that a few requests look like a pace
LITTLE = 20.0  # percent used: before that there is nothing to run out of
ONE_RESET = 300.0  # seconds: resets closer than this are the same one
OLD = 900.0  # seconds after which a report says nothing about the pace now


def rules(edge: Edge, limits: Iterable[Limit]) -> list[Alert]:
    found: list[Alert] = []
    for limit in limits:
        if limit.resets_at <= edge.now:
            continue
        key = f"{limit.provider}/{limit.account or ''}/{limit.name}"
        label = LABELS.get(limit.name, limit.name.replace("_", " "))
        cause = _cause(edge, f"limit:{key}", limit.resets_at)
        used = edge.over_key(f"limit:{key}", limit.used_percent, "limit", cause)
        found += edge.raised(f"limit:{key}", used, f"{label} {limit.used_percent:.0f}% used", cause)
        found += _pace(edge, limit, f"pace:{key}", label, _cause(edge, f"pace:{key}", limit.resets_at))
    return found


def _cause(edge: Edge, name: str, resets_at: float) -> str:
    """The reset as it was first told: clients that tell a wait instead are a moment off each time."""
    known = edge.known.get(name)
    if known and known.cause.isdecimal() and abs(int(known.cause) - resets_at) < ONE_RESET:
        return known.cause
    return str(int(resets_at))


def _pace(edge: Edge, limit: Limit, name: str, label: str, cause: str) -> list[Alert]:
    """Used this far ahead of its time, a limit ends before it is reset; one used up needs no forecast."""
    points = edge.number("pace_points")
    span = limit.window_minutes * 60
    if not points or span <= 0 or limit.used_percent >= 100 or edge.now - limit.seen_at > OLD:
        return []
    elapsed = span - (limit.resets_at - limit.seen_at)
    share = 100 * elapsed / span
    if share < EARLY or limit.used_percent < LITTLE:
        return []
    ahead = limit.used_percent - share
    if ahead < (points * RELEASE if edge.held(name, cause=cause) else points):
        return []
    left = (100 - limit.used_percent) * elapsed / limit.used_percent - (edge.now - limit.seen_at)
    early = limit.resets_at - edge.now - left
    words = f"{label}: at this pace used up in {_span(left)}, {_span(early)} before its reset"
    return edge.raised(name, "warning", words, cause)


def _span(seconds: float) -> str:
    minutes = max(0, round(seconds / 60))
    if minutes < 60:
        return f"{minutes} min"
    hours = round(minutes / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if hours < 48 else f"{round(hours / 24)} days"
