"""Placeholders of what happens: tokens, requests, tools, errors, latency."""

from __future__ import annotations

from aitop.segments import fields, humanize
from aitop.segments.humanize import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aitop.segments.placeholders import Field, Value
    from aitop.segments.placeholders.view import View


def count(value: object) -> Value:
    return (humanize.count(value), "", not number(value))


def tokens_today(view: View) -> Value:
    today = view.period("today")
    taken = number(today.get("input_tokens"))
    return count(None if taken is None else taken + (number(today.get("output_tokens")) or 0))


def rpm(view: View) -> Value:
    per_minute = number(view.window("1m").get("requests_per_minute"))
    return (humanize.rate(per_minute), "", not per_minute)


def errors(view: View) -> Value:
    many = number(view.window("15m").get("errors"))
    return (humanize.count(many), "warning" if many else "", not many)


def cache_hit(view: View) -> Value:
    hits = number(view.window("5m").get("cache_hit_rate"))
    bound = number(fields.bounds(view.state, "cache_hit"))
    low = hits is not None and bound is not None and hits * 100 < bound
    return (humanize.share(hits), "warning" if low else "", hits is None)


def timing(view: View, key: str) -> Value:
    took = number(view.window("15m").get(key))
    return (humanize.took(took), "", took is None)


def speed(view: View) -> Value:
    per_second = number(view.window("15m").get("output_tokens_per_second_p50"))
    return (humanize.rate(per_second), "", per_second is None)


def lines(view: View) -> Value:
    """`+12 −3`: only the client counts lines."""
    cost = view.said("cost")
    added, removed = (number(cost.get(f"total_lines_{kind}")) for kind in ("added", "removed"))
    if added is None and removed is None:
        return ("", "", True)
    return (f"+{humanize.count(added or 0)} −{humanize.count(removed or 0)}", "", not (added or removed))


def estimated(view: View, key: str, units: tuple[str, str]) -> Value:
    """`1.2–3.4 Wh`: today's range in the smaller unit below one of the larger; `≥` where a model is left out."""
    energy = fields.table(view.state.get("energy"))
    ends = energy.get(key)
    least, most = (number(end) for end in ends) if isinstance(ends, list) and len(ends) == 2 else (None, None)
    if least is None or most is None:
        return ("", "", True)
    unit, factor = (units[0], 1000) if most < 1 else (units[1], 1)
    mark = "≥" if energy.get("unknown_models") else ""
    low, high = humanize.rough(least * factor), humanize.rough(most * factor)
    return (f"{mark}{low if low == high else f'{low}–{high}'} {unit}", "", not most)


FIELDS: tuple[Field, ...] = (
    ("tokens_1m", "tokens", "input and output of the last minute",
     lambda v: count(v.window("1m").get("tokens_per_minute"))),
    ("tokens_today", "tokens", "input (cached included) and output of today", tokens_today),
    ("output_today", "tokens", "output of today", lambda v: count(v.period("today").get("output_tokens"))),
    ("requests_today", "count", "API requests today", lambda v: count(v.period("today").get("requests"))),
    ("rpm", "1/min", "API requests in the last minute", rpm),
    ("tools", "count", "tool calls today", lambda v: count(v.period("today").get("tool_calls"))),
    ("tool_failures", "count", "failed tool calls today", lambda v: count(v.period("today").get("tool_failures"))),
    ("errors", "count", "failed API requests in the last 15 minutes; any is a warning", errors),
    ("latency", "time", "median duration of the API responses of the last 15 minutes, where it is measured",
     lambda v: timing(v, "duration_p50_ms")),
    ("latency_p95", "time", "their 95th percentile", lambda v: timing(v, "duration_p95_ms")),
    ("ttft", "time", "median time to the first token, 15 minutes, where it is measured",
     lambda v: timing(v, "ttft_p50_ms")),
    ("ttft_p95", "time", "its 95th percentile", lambda v: timing(v, "ttft_p95_ms")),
    ("tokens_per_second", "1/s", "median speed of the output, 15 minutes", speed),
    ("cache_hit", "%", "share of input read from the cache, 5 minutes; level: cache_hit", cache_hit),
    ("energy", "Wh, kWh", "estimated electricity of today's output, as a range; needs the extra `energy`",
     lambda v: estimated(v, "energy_kwh", ("Wh", "kWh"))),
    ("co2", "g, kg", "its greenhouse gas, as CO2 equivalent; the same",
     lambda v: estimated(v, "carbon_kg", ("g", "kg"))),
    ("compactions", "count", "context compactions", lambda v: count(v.state.get("compactions"))),
    ("lines", "text", "lines the session added and removed; Claude Code's status line only", lines),
)  # fmt: skip
