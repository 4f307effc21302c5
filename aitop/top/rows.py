"""Tools, models and their alternatives as rows. Pure: published numbers and answers of the history in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aitop.model.json_types import JsonObject
from aitop.model.sums import PICO
from aitop.segments import fields, humanize, money
from aitop.segments.text import clean
from aitop.top.compare import Alternative, Usage
from aitop.top.paint import Line, Span, span
from aitop.top.table import Bar, Column, Row

TOGETHER = "all models"
TOOLS = (
    Column("tool", "TOOL", 14, 0, numeric=False, most=40),
    Column("calls", "CALLS", 7, 1),
    Column("share", "SHARE", 8, 6, numeric=False, most=40),
    Column("failures", "FAILED", 8, 2),
    Column("failed", "PART", 6, 5),
    Column("p50", "MEDIAN", 8, 3),
    Column("p95", "SLOWEST 5%", 10, 4),
)
MODELS = (
    Column("model", "MODEL", 14, 0, numeric=False, most=32),
    Column("requests", "REQUESTS", 8, 3),
    Column("fresh", "UNCACHED", 8, 6),
    Column("written", "CACHE WRITE", 11, 7),
    Column("read", "CACHE READ", 10, 8),
    Column("output", "OUTPUT", 8, 4),
    Column("hits", "HITS", 5, 9),
    Column("cost", "SPENT", 11, 1),
    Column("part", "PART", 5, 2),
    Column("per_request", "A REQUEST", 9, 10),
    Column("per_million", "A MILLION", 9, 11),
    Column("share", "SHARE", 8, 12, numeric=False, most=30),
)
COMPARE = (
    Column("model", "THE SAME TOKENS ON", 18, 0, numeric=False, most=34),
    Column("cost", "WOULD COST", 12, 1),
    Column("difference", "DIFFERENCE", 11, 2),
    Column("times", "TIMES", 7, 3),
    Column("share", "COMPARED", 8, 4, numeric=False, most=40),
    Column("context", "CONTEXT", 8, 5),
    Column("provider", "PROVIDER", 9, 6, numeric=False, most=12),
)


def tools(state: JsonObject) -> list[Row]:
    """Today's tools."""
    number = humanize.number
    by_name = {str(name): fields.table(row) for name, row in fields.table(state.get("tools")).items()}
    most = max((number(row.get("calls")) or 0 for row in by_name.values()), default=0)
    shown = []
    for name, row in by_name.items():
        calls, failures = number(row.get("calls")), number(row.get("failures"))
        failed = failures / calls if calls and failures is not None else None
        p50, p95 = number(row.get("p50_ms")), number(row.get("p95_ms"))
        bad = "critical" if failed and failed >= 0.25 else ("warning" if failures else "dim")
        share = (calls or 0) / most if most else 0.0
        shown.append(
            Row(
                name,
                {
                    "tool": span(clean(name, 60), "name"),
                    "calls": span(humanize.count(calls)),
                    "share": Bar(share, "bar"),
                    "failures": span(humanize.count(failures), bad),
                    "failed": span(humanize.share(failed), bad),
                    "p50": span(humanize.took(p50)),
                    "p95": span(humanize.took(p95), _slow(p95)),
                },
                {"tool": clean(name, 60), "calls": calls, "failures": failures, "failed": failed,
                 "share": calls, "p50": p50, "p95": p95},
            )
        )  # fmt: skip
    return shown


def _slow(milliseconds: float | None) -> str:
    return "warning" if milliseconds is not None and milliseconds >= 30_000 else ""


def models(state: JsonObject, usages: Sequence[Usage], total: Usage) -> list[Row]:
    """Each model of the span, and all of them together as the last row."""
    listed = [*usages, total] if len(usages) > 1 else list(usages)
    return [_model(state, usage, total) for usage in listed]


def _model(state: JsonObject, usage: Usage, total: Usage) -> Row:
    cost, exact = usage.cost / PICO, 0 < total.cost < PICO
    marks = {"unpriced_requests": usage.unpriced, "estimated_requests": usage.estimated}
    part = usage.cost / total.cost if total.cost else None
    hits = usage.cache_read / usage.input if usage.input else None
    each = cost / usage.requests if usage.requests else None
    tokens = usage.input + usage.output
    per_million = cost / tokens * 1e6 if tokens else None
    name = clean(usage.model, 60) or TOGETHER
    whole = not usage.model
    return Row(
        usage.model,
        {
            "model": span(name, "title" if whole else "model"),
            "requests": span(humanize.count(usage.requests)),
            "fresh": span(humanize.count(usage.uncached), "fresh"),
            "written": span(humanize.count(usage.cache_write), "written"),
            "read": span(humanize.count(usage.cache_read), "read"),
            "output": span(humanize.count(usage.output)),
            "hits": span(humanize.share(hits)),
            "cost": span(money.of(state, cost, marks, exact=exact), "money"),
            "part": span(humanize.share(part), "dim"),
            "per_request": span(money.of(state, each, marks, exact=True), "dim"),
            "per_million": span(money.of(state, per_million, marks), "dim"),
            "share": () if whole else Bar(part, "bar"),
        },
        {"model": name, "requests": usage.requests, "fresh": usage.uncached, "written": usage.cache_write,
         "read": usage.cache_read, "output": usage.output, "hits": hits, "cost": cost, "part": part,
         "per_request": each, "per_million": per_million, "share": part,
         "unpriced_requests": usage.unpriced, "estimated_requests": usage.estimated},
    )  # fmt: skip


def compare(state: JsonObject, others: Iterable[Alternative], actual: Usage) -> list[Row]:
    """What the actual tokens would have cost on each other model."""
    others = list(others)
    paid = actual.cost / PICO
    most = max((other.cost for other in others), default=0)
    return [_alternative(state, other, paid, most) for other in others]


def _alternative(state: JsonObject, other: Alternative, paid: float, most: int) -> Row:
    cost = other.cost / PICO
    difference = cost - paid
    times = cost / paid if paid else None
    better = "good" if difference < 0 else "warning"
    better = "dim" if abs(difference) < 0.005 else better
    shown: dict[str, Line | Bar] = {
        "model": (Span("* " if other.used else "  ", "accent"), Span(clean(other.model, 60), "model")),
        "cost": span(money.of(state, cost, exact=0 < most < PICO), "money"),
        "difference": span(_signed(difference) + money.of(state, abs(difference)), better),
        "times": span(_times(times), better),
        "share": Bar(other.cost / most if most else 0.0, "bar"),
        "context": span(humanize.size(other.context), "dim"),
        "provider": span(clean(other.provider, 20), "dim"),
    }
    values = {"model": clean(other.model, 60), "cost": cost, "difference": difference, "times": times,
              "share": cost, "context": other.context, "provider": clean(other.provider, 20),
              "used": other.used}  # fmt: skip
    return Row(other.model, shown, values)


def _signed(value: float) -> str:
    return "+" if value > 0 else "-" if value < 0 else ""


def _times(value: float | None) -> str:
    if value is None:
        return humanize.UNKNOWN
    return f"{value:.2f}×" if value < 10 else f"{humanize.count(value)}×"
