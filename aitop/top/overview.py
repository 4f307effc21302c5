"""The first page: what is being spent, in three windows and four periods, and what stands in its way.

Pure: the published state and a size in, lines out. On a wide screen the blocks stand side by side, on
a narrow one they follow each other in the order of what people look for first.
"""

from __future__ import annotations

from typing import Any

from aitop.segments import fields, humanize, money
from aitop.segments.text import clean
from aitop.top import charts, meters, plain
from aitop.top.paint import BLANK, Glyphs, Line, Span, beside, box, left, span

CHART = 4  # lines of the smallest one that has two series


def alerts(state: dict[str, Any]) -> list[Line]:
    """What needs attention, the gravest first."""
    rows = fields.rows(state.get("alerts"))
    rows.sort(key=lambda row: row.get("level") != "critical")
    found: list[Line] = []
    for row in rows:
        level = "critical" if row.get("level") == "critical" else "warning"
        found.append((Span(f" ▲ {clean(row.get('text'), 120)} ", f"{level} banner"),))
    return found


def notes(state: dict[str, Any]) -> list[Line]:
    """What the numbers do not include: prices that are missing or old, history not read yet."""
    return [span(f" {text}", "warning") for text in plain.notes(state)]


def cost_chart(state: dict[str, Any], width: int, height: int, glyphs: Glyphs) -> list[Line]:
    """Cost by the minute over the last hour, each bar in the colour its rate would have as a burn rate."""
    table = fields.table(state.get("sparklines"))
    values = charts.numbers(table.get("cost_usd"))
    bounds = fields.bounds(state, "burn")
    top = max(values, default=0.0)
    last = money.of(state, values[-1] if values else None, exact=True)
    note = f"total {money.of(state, sum(values))} · peak {money.of(state, top)}/min · this minute {last}"
    inner = width - 4
    if height < 6:
        series = (("cost", values, "money"), ("tokens", charts.numbers(table.get("tokens")), "tokens"))
        lines = [
            (left(name, 7, "dim"), *charts.spark(numbers, inner - 7, style, glyphs))
            for name, numbers, style in series[: 2 if height >= 4 else 1]
        ]
        return box(
            "cost and tokens a minute" if height >= 4 else "cost a minute", lines, width, glyphs, note=note
        )

    def style(value: float) -> str:
        return fields.level_of(value * 60, bounds) or "good"

    def label(value: float) -> str:
        return money.of(state, value)

    tokens = charts.numbers(table.get("tokens"))
    chart = charts.chart(values, inner, height - 3, glyphs, style, label)
    edge = len(chart[0][0].text) + 1 if chart else 0
    name = "tokens"[: max(0, edge - 1)]
    strip = (
        left(name, edge, "dim"),
        *charts.spark(tokens, inner - edge, "tokens", glyphs),
    )
    return box("cost a minute, last hour", [*chart, strip], width, glyphs, note=note)


def page(state: dict[str, Any], width: int, height: int, glyphs: Glyphs, listed: list[Line]) -> list[Line]:
    """The whole page. `listed` are the lines of the sessions, shown as far as there is room."""
    head = [*alerts(state), *notes(state)]
    if width >= 150:
        body = _wide(state, width, glyphs)
    elif width >= 76:
        body = _middle(state, width, height - len(head), glyphs)
    else:
        return [*head, *_narrow(state, width, glyphs)]
    room = height - len(head) - len(body)
    many = min(len(listed), max(0, room - 12)) if len(listed) > 1 else 0
    tall = max(3, min(16, room - (many + 2 if many else 0)))
    body += cost_chart(state, width, tall, glyphs)
    room -= tall
    if len(listed) > 1 and room >= 5:
        body += box("sessions", listed, width, glyphs, height=max(5, room))
    return [*head, *body]


def _wide(state: dict[str, Any], width: int, glyphs: Glyphs) -> list[Line]:
    """Windows, periods and gauges beside each other."""
    first, second = 50, 64
    third = width - first - second - 2
    one = box("now: rolling windows", meters.windows(state, first - 4), first, glyphs)
    two = box("spent", meters.periods(state, second - 4), second, glyphs, height=len(one))
    tall = 4 + len(fields.limits(state, float(humanize.number(state.get("written_at")) or 0.0)))
    three = box(
        "context, limits, input of today", meters.gauges(state, third - 4, glyphs), third, glyphs, height=tall
    )
    rest = len(one) - tall
    if third < 70:
        below = box(
            "stop reasons today",
            meters.columns(meters.events(state), third - 4, rest - 2),
            third,
            glyphs,
            height=rest,
        )
    else:
        half = third // 2
        many = meters.top_tools(state, third - half - 4, rest - 2)
        stops = box("stop reasons today", meters.events(state), half, glyphs, height=rest)
        tools = box("tools today", many, third - half, glyphs, height=rest)
        below = beside([(stops, half), (tools, third - half)], 0)
    return beside([(one, first), (two, second), ([*three, *below], third)])


def _middle(state: dict[str, Any], width: int, height: int, glyphs: Glyphs) -> list[Line]:
    """Windows at the left; what was spent, the gauges and the stop reasons at the right; below, room for a chart."""
    first = 42 if width < 100 else min(52, width // 2)
    second = width - first
    one = box("now", meters.windows(state, first - 4, height - 2 - CHART), first, glyphs)
    two = box("spent", meters.spent(state, second - 4), second, glyphs)
    three = box("context, limits, input", meters.gauges(state, second - 4, glyphs), second, glyphs)
    rest = max(3, len(one) - len(two) - len(three))
    four = box(
        "stop reasons today",
        meters.columns(meters.events(state), second - 4, rest - 2),
        second,
        glyphs,
        height=rest,
    )
    return beside([(one, first), ([*two, *three, *four], second)], 0)


def _narrow(state: dict[str, Any], width: int, glyphs: Glyphs) -> list[Line]:
    """One under the other, to be scrolled; no frames where every cell counts."""
    costs = charts.numbers(fields.table(state.get("sparklines")).get("cost_usd"))
    minute = fields.table(fields.table(state.get("windows")).get("1m"))
    burn = humanize.number(minute.get("cost_usd_per_hour"))
    level = fields.level_of(burn, fields.bounds(state, "burn")) or "money"
    rate = f"{money.of(state, burn, minute)}/h "
    found: list[Line] = [
        (Span(rate, f"{level} bold"), *charts.spark(costs, max(0, width - len(rate)), "money", glyphs))
    ]
    found += meters.spent(state, width)[1:]
    found += meters.gauges(state, width, glyphs)
    return [
        *found,
        BLANK,
        *meters.windows(state, width),
        BLANK,
        *meters.events(state),
        BLANK,
        *meters.top_tools(state, width, 10),
    ]
