"""The parts of a page: sums in columns, gauges, the split of input, short lists. Pure."""

from __future__ import annotations

from aitop.model.json_types import JsonObject
from aitop.segments import fields, humanize, money
from aitop.segments.text import clean
from aitop.top import charts, plain
from aitop.top.paint import Glyphs, Line, Span, beside, left, right

LABEL = 13
# key in W, label, kind, style of the label; the three parts of input stand beneath it
METRICS = (
    ("cost_usd_per_hour", "spent/hour", "money", "money"),
    ("cost_usd", "spent", "exact", "money"),
    ("requests", "requests", "count", ""),
    ("requests_per_minute", "requests/min", "rate", ""),
    ("errors", "errors", "count", ""),
    ("error_rate", "error rate", "share", ""),
    ("input_tokens", "input", "count", ""),
    ("fresh_tokens", " uncached", "count", "fresh"),
    ("cache_write_tokens", " cache write", "count", "written"),
    ("cache_read_tokens", " cache read", "count", "read"),
    ("cache_hit_rate", "cache hits", "share", ""),
    ("output_tokens", "output", "count", ""),
    ("tokens_per_minute", "tokens/min", "count", ""),
    ("tool_calls", "tool calls", "count", ""),
    ("tool_failures", "failed tools", "count", ""),
)
PERIODS = (("today", "today"), ("week", "week"), ("month", "month"), ("since_start", "this run"))
BAD = frozenset(("errors", "error_rate", "tool_failures"))


def fresh(sums: JsonObject) -> int | float | None:
    """Input that was neither read from the cache nor written to it."""
    parts = [humanize.number(sums.get(f"{name}_tokens")) for name in ("input", "cache_read", "cache_write")]
    if parts[0] is None:
        return None
    return parts[0] - (parts[1] or 0) - (parts[2] or 0)


def shown(state: JsonObject, sums: JsonObject, key: str, kind: str) -> str:
    """One number as every table of ours shows it."""
    if key == "fresh_tokens":
        return humanize.count(fresh(sums))
    return plain.shown(state, sums, key, kind)


def windows(state: JsonObject, width: int, most: int = 99) -> list[Line]:
    """Every metric in the last 1, 5 and 15 minutes; latencies only where `most` lines have room for them."""
    table = fields.table(state.get("windows"))
    sums = [fields.table(table.get(name)) for name in plain.WINDOWS]
    timed = tuple((*row, "") for row in plain.timed(sums))
    rows = METRICS if 1 + len(METRICS) + len(timed) > most else METRICS + timed
    return metrics(state, list(zip(plain.WINDOWS, sums, strict=True)), rows, width)


def periods(state: JsonObject, width: int) -> list[Line]:
    """The same of today, the week, the month and since the start; without what only a window has."""
    named = [(label, fields.table(state.get(name))) for name, label in PERIODS]
    return metrics(
        state, named, tuple(row for row in METRICS if "per_" not in row[0] and "hit" not in row[0]), width
    )


def metrics(
    state: JsonObject,
    named: list[tuple[str, JsonObject]],
    rows: tuple[tuple[str, ...], ...],
    width: int,
) -> list[Line]:
    """Metrics down, sums across."""
    column = max(6, (width - LABEL) // max(1, len(named)))
    table_lines: list[Line] = [(left("", LABEL), *(right(name, column, "dim") for name, _ in named))]
    for key, label, kind, style in rows:
        line = [left(label, LABEL, style or "dim")]
        for _, sums in named:
            line.append(right(shown(state, sums, key, kind), column, _style(state, key, sums, style)))
        table_lines.append(tuple(line))
    return table_lines


def _style(state: JsonObject, key: str, sums: JsonObject, style: str) -> str:
    value = fresh(sums) if key == "fresh_tokens" else humanize.number(sums.get(key))
    if value is None or value == 0:
        return "dim"
    if key in BAD:
        return "critical"
    if key == "cost_usd_per_hour":
        return fields.level_of(value, fields.bounds(state, "burn")) or style
    if key == "cache_hit_rate":
        bound = humanize.number(fields.bounds(state, "cache_hit"))
        return "warning" if bound and value * 100 < bound else "good"
    return style


def spent(state: JsonObject, width: int) -> list[Line]:
    """Today, week, month, since the start in one line each: for where the whole table has no room."""
    many = 9
    heads = (("spent", 9), ("requests", many), ("input", 7), ("output", 7))
    label = max(5, width - sum(size for _, size in heads))
    rows: list[Line] = [(left("", label), *(right(name, size, "dim") for name, size in heads))]
    for name, text in PERIODS:
        sums = fields.table(state.get(name))
        shown_cost = money.of(state, money.spent(sums), sums)
        rows.append(
            (
                left(text, label, "dim"),
                right(shown_cost, 9, "money"),
                right(humanize.count(sums.get("requests")), many),
                right(humanize.count(sums.get("input_tokens")), 7),
                right(humanize.count(sums.get("output_tokens")), 7),
            )
        )
    return rows


def gauge(label: str, percent: float | None, level: str, note: str, width: int, glyphs: Glyphs) -> Line:
    """`5h limit ████░░░░ 42% ↻ 1h10`."""
    tail = 12
    room = width - 10 - 5 - tail
    bar = charts.gauge((percent or 0.0) / 100, room, level or "good", glyphs)
    return (
        left(label, 10, "dim"),
        *bar,
        right(humanize.percent(percent), 5, level),
        right(note, tail, "dim"),
    )


def split(sums: JsonObject, width: int, glyphs: Glyphs) -> Line:
    """Today's input as one bar of three colours: fresh, written to the cache, read from it."""
    parts = (
        ("fresh", fresh(sums) or 0),
        ("written", humanize.number(sums.get("cache_write_tokens")) or 0),
        ("read", humanize.number(sums.get("cache_read_tokens")) or 0),
    )
    total = sum(value for _, value in parts)
    label, room = left("input mix", 10, "dim"), max(3, width - 10 - 15)
    if total <= 0:
        return (label, Span(glyphs.rest * room, "rest"), right("-", 5, "dim"))
    sizes = {name: max(1, int(value / total * room + 0.5)) if value > 0 else 0 for name, value in parts}
    largest = max(sizes, key=lambda name: sizes[name])
    sizes[largest] += room - sum(sizes.values())
    hits = (parts[2][1]) / total
    bars = tuple(Span(glyph * sizes[name], name) for glyph, (name, _) in zip(glyphs.mix, parts, strict=True))
    return (label, *bars, right(humanize.share(hits), 5), right("cached", 10, "dim"))


def events(state: JsonObject) -> list[Line]:
    """Compactions and why responses stopped, today."""
    many = humanize.number(state.get("compactions"))
    rows: list[Line] = [
        (left("compactions", 14, "dim"), right(humanize.count(many), 7, "" if many else "dim"))
    ]
    reasons = fields.table(state.get("stop_reasons"))
    for reason, count in sorted(
        reasons.items(), key=lambda item: (-(humanize.number(item[1]) or 0), item[0])
    ):
        bad = "warning" if reason in ("max_tokens", "refusal", "model_context_window_exceeded") else ""
        rows.append((left(clean(reason, 14), 14, bad or "dim"), right(humanize.count(count), 7, bad)))
    return rows


def top_tools(state: JsonObject, width: int, most: int) -> list[Line]:
    """The tools called most; the last of `most` lines counts those without a line."""
    tools = {str(name): fields.table(row) for name, row in fields.table(state.get("tools")).items()}
    order = sorted(tools.items(), key=lambda item: (-(humanize.number(item[1].get("calls")) or 0), item[0]))
    label = max(6, width - 14)
    rows: list[Line] = []
    shown = order if len(order) <= most else order[: max(0, most - 1)]
    for name, row in shown:
        failures = humanize.number(row.get("failures"))
        bad = f"{humanize.count(failures)} bad" if failures else ""
        rows.append(
            (
                left(clean(name, label), label, "dim"),
                right(humanize.count(row.get("calls")), 6),
                right(bad, 8, "critical"),
            )
        )
    return rows if shown is order else [*rows, (left(f"… {len(order) - len(shown)} more", width, "dim"),)]


def columns(lines: list[Line], width: int, height: int) -> list[Line]:
    """A short list in as many columns as it needs to fit the height; `…` where the width has too few."""
    if height < 1 or len(lines) <= height:
        return lines
    across = max(1, min(width // 17, -(-len(lines) // height)))
    size = width // across
    if len(lines) > across * height:
        lines = [*lines[: across * height - 1], (Span("…", "dim"), Span(""))]
    parts = [lines[start : start + height] for start in range(0, len(lines), height)][:across]
    return beside([([_narrowed(line, size - 1) for line in part], size) for part in parts], 0)


def _narrowed(line: Line, width: int) -> Line:
    """A label and its number closer together."""
    label, number = line[0], line[1]
    value = number.text.strip()
    return (left(label.text.strip(), width - len(value) - 1, label.style), Span(f" {value}", number.style))
