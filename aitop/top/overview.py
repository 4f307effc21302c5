"""The first page: one strip that says how things are, then the sessions, then whatever there is room for.

Pure: the published state and a size in, lines out. The strip stays, the sessions scroll, the chart and the
windows stand beneath where the screen is tall enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from aitop.model.json_types import JsonObject
from aitop.segments import fields, humanize, money
from aitop.segments.placeholders.view import MINUTES
from aitop.segments.text import clean
from aitop.top import charts, meters, plain
from aitop.top.paint import Glyphs, Line, Span, beside, box, cells, fit, left, span, width_of

NARROW = 76  # cells below which the strip has no gauges
GAUGE_CELLS = 38
ALERTS = "!"  # the cursor's row when it stands on the alerts; no session has this key
CHART_LINES = (6, 20)  # of the chart, fewest and most
TALL = 40  # lines from which a chart stands under any number of sessions
CHART_NAMES = {"hour": "minute, last hour", "day": "quarter hour, last day", "week": "hour, last week",
               "month": "day, last 30 days", "year": "day, last year"}  # fmt: skip
CHART_SECONDS = {"hour": 60, "day": 900, "week": 3600, "month": 86_400, "year": 86_400}


def strip(
    state: JsonObject, width: int, height: int, glyphs: Glyphs, *, on_alerts: bool = False
) -> list[Line]:
    """How things are: rates, what is spent and where it leads, what fills up, alerts, what is not counted."""
    rows = [_rates(state, width, glyphs), *_spent(state, width)]
    rows += _short_gauges(state, width) if width < NARROW else _gauges(state, width, height, glyphs)
    return [*rows, *_alert_line(state, width, glyphs, chosen=on_alerts), *_notes(state, height)]


def _rates(state: JsonObject, width: int, glyphs: Glyphs) -> Line:
    """The burn rates by their windows, and the last hour as bars."""
    windows = fields.table(state.get("windows"))
    spans: list[Span] = [Span(" now    ", "dim")]
    five = fields.table(windows.get("5m"))
    level = fields.level_of(money.per_hour(five, MINUTES["5m"]), fields.bounds(state, "burn")) or "money"
    for name in ("5m",) if width < NARROW else ("1m", "5m", "15m"):
        window = fields.table(windows.get(name))
        rate = money.per_hour(window, MINUTES[name])
        text = humanize.UNKNOWN if rate is None else f"{money.of(state, rate, window)}/h"
        spans += [Span(text, f"{level} bold" if name == "5m" else ""), Span(f" {name}  ", "dim")]
    room = width - width_of(tuple(spans)) - 1
    costs = charts.numbers(money.by_minute(state.get("sparklines")))
    return (*spans, *charts.spark(costs, min(60, max(0, room)), "money", glyphs))


def _spent(state: JsonObject, width: int) -> list[Line]:
    """Today, week and month, and how today and the month will end."""
    parts: list[list[Span]] = []
    for name, period in (("today", "day"), ("week", ""), ("month", "month")):
        sums = fields.table(state.get(name))
        part = [Span(f"{name} ", "dim"), Span(money.of(state, money.spent(sums), sums), "money bold")]
        row = fields.table(fields.table(state.get("forecast")).get(period))
        ends = humanize.number(row.get("usd"))
        if ends and ends >= (money.spent(sums) or 0.0) and width >= NARROW:
            part.append(Span(f" → {money.of(state, row.get('usd'))}", "dim"))
        parts.append(part)
    plan = fields.table(state.get("plan"))
    factor = humanize.number(plan.get("factor"))
    if factor is not None:
        parts.append([Span("plan ", "dim"), Span(money.factor(factor, plan), "")])
    if width >= 100:
        requests = humanize.count(fields.table(state.get("today")).get("requests"))
        parts.append([Span(f"{requests} requests today", "dim")])
    return [_joined(" spent  ", parts, width)]


def _joined(label: str, parts: list[list[Span]], width: int) -> Line:
    """Whole parts after a label, as far as there is room; `…` where one had none."""
    line: list[Span] = [Span(label, "dim")]
    for number, part in enumerate(parts):
        longer = [*line, *([Span("  ·  ", "frame")] if number else []), *part]
        if width_of(tuple(longer)) > width - 2:
            return (*line, Span(" …", "dim"))
        line = longer
    return tuple(line)


def _short_gauges(state: JsonObject, width: int) -> list[Line]:
    """What fills up, as numbers."""
    parts: list[list[Span]] = []
    context = fields.table(state.get("context"))
    filled = humanize.number(context.get("percent"))
    if filled is not None:
        level = fields.level_of(filled, fields.bounds(state, "context"))
        parts.append([Span("ctx ", "dim"), Span(humanize.percent(filled), level)])
    limits = sorted(fields.limits(state, _written(state)), key=lambda limit: -limit.used)
    parts += [
        [Span(f"{limit.label} ", "dim"), Span(humanize.percent(limit.used), limit.level)] for limit in limits
    ]
    parts += [
        [
            Span(f"{clean(row.get('name'), 12)} ", "dim"),
            Span(money.at_least(row) + humanize.percent(row.get("percent")), fields.budget_level(row)),
        ]
        for row in fields.budgets(state)
    ]
    return [_joined(" full   ", parts, width)] if parts else []


def _gauges(state: JsonObject, width: int, height: int, glyphs: Glyphs) -> list[Line]:
    """Context, limits and budgets as bars, several in a line; those without room are counted."""
    across = max(1, (width - 1) // GAUGE_CELLS)
    size = (width - 1) // across
    gauges = _all_gauges(state, size - 2, glyphs)
    most = max(1, (height + 2) // 12) * across  # a screen of 24 lines has room for two
    if len(gauges) > most:
        more = len(gauges) - most + 1
        gauges = [*gauges[: most - 1], (left(f"{more} more limits and budgets …", size - 2, "dim"),)]
    lines: list[Line] = []
    for start in range(0, len(gauges), across):
        row = [([gauge], size) for gauge in gauges[start : start + across]]
        lines += [(Span(" "), *line) for line in beside(row, 0)]
    return lines


def _all_gauges(state: JsonObject, width: int, glyphs: Glyphs) -> list[Line]:
    """The context of the newest working session, then budgets, then limits, fullest first."""
    context = fields.table(state.get("context"))
    filled = humanize.number(context.get("percent"))
    level = fields.level_of(filled, fields.bounds(state, "context"))
    size = f"{humanize.size(context.get('tokens'))}/{humanize.size(context.get('limit'))}" if context else ""
    rows = [meters.gauge("context", filled, level, size, width, glyphs)]
    limits = fields.limits(state, _written(state))
    for limit in sorted(limits, key=lambda limit: -limit.used) if len(limits) > 3 else limits:
        reset = "" if limit.left is None else f"↻ {humanize.duration(limit.left)}"
        rows.append(meters.gauge(limit.label, limit.used, limit.level, reset, width, glyphs))
    for row in fields.budgets(state):
        left_ = ("≤" if money.at_least(row) else "") + money.of(state, row.get("left_usd"))
        rows.append(
            meters.gauge(
                clean(row.get("name"), 16), humanize.number(row.get("percent")), fields.budget_level(row),
                f"{left_} left", width, glyphs,
            )
        )  # fmt: skip
    return rows


def alerts(state: JsonObject) -> list[tuple[str, str]]:
    """(text, level) of every alert, the gravest first."""
    texts = [(clean(row.get("text"), 200), str(row.get("level"))) for row in fields.alerts(state)]
    return [(text, "critical" if level == "critical" else "warning") for text, level in texts if text]


def alert_lines(state: JsonObject) -> list[str]:
    """Every alert as a line of its own, for the list of them."""
    return [f"{'■' if level == 'critical' else '▲'} {text}" for text, level in alerts(state)] or ["No alert."]


def _alert_line(state: JsonObject, width: int, glyphs: Glyphs, *, chosen: bool) -> list[Line]:
    """All alerts in one line: how many, and the gravest in words; `chosen` where the cursor stands on it."""
    shown = alerts(state)
    if not shown:
        return []
    text, level = shown[0]
    many = f"{len(shown)} alerts: " if len(shown) > 1 else ""
    hint = " (! lists them) " if len(shown) > 1 and width >= 60 else " "
    start, style = " ", f"{level} banner"
    if chosen:
        start, style = glyphs.tree[0], f"{level} cursor"
        hint = " (Enter lists them) " if width >= 60 else " "
    line: Line = (Span(f"{start}▲ {many}{text}", style, "alerts"), Span(hint, style, "alerts"))
    if width_of(line) > width:
        room = width - cells(hint)
        line = (*fit(line[:1], room), line[-1])
    return [line]


def _notes(state: JsonObject, height: int) -> list[Line]:
    """What the numbers do not include: as many lines as the screen can spare, the rest counted."""
    texts = plain.notes(state)
    most = 1 if height < 30 else 4
    shown = texts[:most]
    if len(texts) > most:
        shown[-1] += f" … and {len(texts) - most} more: aitop doctor"
    return [span(f" {text}", "warning") for text in shown]


def _written(state: JsonObject) -> float:
    return float(humanize.number(state.get("written_at")) or 0.0)


def beneath(
    state: JsonObject,
    width: int,
    room: int,
    glyphs: Glyphs,
    *,
    chart: str,
    values: Sequence[float] | None,
) -> list[Line]:
    """What stands under the sessions in `room` lines: a chart, and where there is more room the windows."""
    fewest, most = CHART_LINES
    if room < fewest:
        return []
    blocks = _blocks(state, width, glyphs) if width >= NARROW else []
    if len(blocks) + fewest > room:
        blocks = []
    tall = min(most, room - len(blocks))
    return [*cost_chart(state, width, tall, glyphs, chart, values), *blocks]


def _blocks(state: JsonObject, width: int, glyphs: Glyphs) -> list[Line]:
    """Every number of the windows and periods, tools and stop reasons, side by side."""
    first = min(52, width // 2)
    now = box("rolling windows", meters.windows(state, first - 4), first, glyphs)
    if width < 150:
        second = width - first
        spent = box("spent", meters.spent(state, second - 4), second, glyphs)
        tall = len(now) - len(spent)
        half = (tall + 1) // 2
        tools = box("tools today", meters.top_tools(state, second - 4, half - 2), second, glyphs, height=half)
        rest = tall - half
        stops = box("why responses ended, today", meters.columns(meters.events(state), second - 4, rest - 2), second,
                    glyphs, height=rest)  # fmt: skip
        return beside([(now, first), ([*spent, *tools, *stops], second)], 0)
    second = 64
    third = width - first - second
    periods = box("spent", meters.periods(state, second - 4), second, glyphs, height=len(now))
    half = len(now) // 2
    tools = box("tools today", meters.top_tools(state, third - 4, half - 2), third, glyphs, height=half)
    stops = box("why responses ended, today", meters.events(state), third, glyphs, height=len(now) - half)
    return beside([(now, first), (periods, second), ([*tools, *stops], third)], 0)


def cost_chart(
    state: JsonObject, width: int, height: int, glyphs: Glyphs, chart: str = "hour",
    values: Sequence[float] | None = None,
) -> list[Line]:  # fmt: skip
    """Spending over an hour to a year, each bar in the colour its rate would have; `values` beyond the hour."""
    if chart == "hour":
        values = charts.numbers(money.by_minute(state.get("sparklines")))
    title = f"spent by {CHART_NAMES[chart]}  z"
    if values is None:
        return box(title, [span("Reading the history …", "dim")], width, glyphs, height=height)
    bounds, per_hour = fields.bounds(state, "burn"), 3600 / CHART_SECONDS[chart]
    note = f"total {money.of(state, sum(values))} · most {money.of(state, max(values, default=0.0))}"

    def style(value: float) -> str:
        return fields.level_of(value * per_hour, bounds) or "good"

    lines = charts.chart(values, width - 4, height - 2, glyphs, style, lambda value: money.of(state, value))
    if chart != "hour" and lines:
        edge = len(lines[0][0].text) + 1
        lines[-1] = (Span(" " * edge), *_ends(CHART_SECONDS[chart] * len(values), width - 4 - edge))
    return box(title, lines, width, glyphs, note=note)


def _ends(seconds: float, width: int) -> Line:
    """`-7d … now` under the bars."""
    back = timedelta(seconds=seconds)
    first = f"-{back.days}d" if back.days > 1 else f"-{int(seconds // 3600)}h"
    return span(first + "now".rjust(max(0, width - len(first))), "dim")
