"""One session from near: who it is, what it costs and where, how its context filled. Pure.

The published row is the truth of the second; what the history adds (windows, tools, agents) may be a
second or two older and is missing until it has answered.
"""

from __future__ import annotations

from datetime import datetime

from aitop.history.query.session_detail import Detail
from aitop.live.windows import WINDOW_SECONDS
from aitop.model.histograms import Timings
from aitop.model.json_types import JsonObject
from aitop.model.sums import PICO, Sum
from aitop.publish.state_rows import window_row
from aitop.segments import fields, humanize, money
from aitop.segments.text import clean
from aitop.top import charts, meters, sessions
from aitop.top.paint import BLANK, Glyphs, Line, Span, beside, box, left, right, span

HEADS = ("1m", "5m", "15m")
ROWS = tuple(row for row in meters.METRICS if row[0] not in ("tokens_per_minute", "error_rate"))


def page(
    state: JsonObject,
    session: JsonObject,
    detail: Detail | None,
    width: int,
    glyphs: Glyphs,
    note: str = "",
) -> list[Line]:
    """The whole page, to be scrolled; `note` says why the history has not answered."""
    half = width // 2 if width >= 76 else width
    other = width - half if width >= 76 else width
    first = box("session", facts(state, session, half - 4), half, glyphs)
    second = box("cost: counted, and by the client", costs(state, session, other - 4), other, glyphs)
    split = box("tokens", tokens(session, other - 4, glyphs), other, glyphs)
    head = _pair((first, half), ([*second, *split], other), width)
    if detail is None:
        return [*head, span(f" {note or 'Reading the history …'}", "dim")]
    return [*head, *_history(state, session, detail, width, glyphs)]


def _history(
    state: JsonObject, session: JsonObject, detail: Detail, width: int, glyphs: Glyphs
) -> list[Line]:
    """What only the history knows."""
    half = width // 2 if width >= 76 else width
    other = width - half if width >= 76 else width
    windows = box("rolling windows", _windows(state, detail, half - 4), half, glyphs)
    stops = [
        *meters.events(
            {"stop_reasons": session.get("stop_reasons"), "compactions": session.get("compactions")}
        )
    ]
    tall = max(4, len(windows) - len(stops) - 2)
    tools = box("tools", _tools(detail, other - 4, tall - 2), other, glyphs, height=tall)
    reasons = box("stop reasons", stops, other, glyphs)
    rows = context(state, session, detail, width, glyphs)
    rows += _pair((windows, half), ([*tools, *reasons], other), width)
    calls = box("last tools", _calls(detail, half - 4, 12), half, glyphs)
    agents = box("cost by sub-agent and model", _agents(state, detail, other - 4), other, glyphs)
    return [*rows, *_pair((calls, half), (agents, other), width)]


def _pair(one: tuple[list[Line], int], two: tuple[list[Line], int], width: int) -> list[Line]:
    """Beside each other where there is room."""
    if width < 76:
        return [*one[0], *two[0]]
    return beside([one, two], 0)


def facts(state: JsonObject, session: JsonObject, width: int) -> list[Line]:
    """Who, where, since when."""
    now = sessions.written(state)
    status = clean(session.get("status"), 12)
    started, last = (
        humanize.number(session.get("started_at")),
        humanize.number(session.get("last_activity_at")),
    )
    ago = "" if last is None else f", active {humanize.age(now - last)} ago"
    end = last if status == "ended" else now
    long = "" if started is None or end is None else f", {humanize.duration(end - started)}"
    listed = (
        ("status", status + ago, sessions.STYLES.get(status, "")),
        ("project", clean(session.get("project"), 80), "name"),
        ("branch", clean(session.get("branch"), 80) or "-", "branch"),
        ("folder", clean(session.get("cwd"), 200) or "-", ""),
        ("model", clean(session.get("model"), 80) or "-", "model"),
        ("title", clean(session.get("title"), 80), ""),
        ("tag", clean(session.get("tag"), 60), "accent"),
        ("id", clean(session.get("id"), 80), "dim"),
        ("client", clean(session.get("provider"), 40), ""),
        ("process", _process(session), ""),
        ("started", f"{clock(started)}{long}", ""),
        ("prompt cache", _cache(session, now), ""),
        ("latency", _latency(session), ""),
    )
    return [(left(name, 13, "dim"), Span(text, style)) for name, text, style in listed if text and width > 0]


def _process(session: JsonObject) -> str:
    pid, pane = session.get("pid"), clean(session.get("pane"), 12)
    name = str(pid) if isinstance(pid, int) else "unknown (its hooks are not installed)"
    return f"{name}, tmux pane {pane}" if pane else name


def _latency(session: JsonObject) -> str:
    """Median and 95th percentile of its responses, where they are measured."""
    number = humanize.number
    parts = [
        f"{label} {humanize.took(half)} (p95 {humanize.took(session.get(f'{key}_p95_ms'))})"
        for label, key in (("response", "duration"), ("first token", "ttft"))
        if (half := number(session.get(f"{key}_p50_ms"))) is not None
    ]
    speed = number(session.get("output_tokens_per_second_p50"))
    return ", ".join(parts + ([] if speed is None else [f"{humanize.rate(speed)} tokens/s"]))


def _cache(session: JsonObject, now: float) -> str:
    cache = fields.table(session.get("prompt_cache"))
    if not cache:
        return ""
    ends = humanize.number(cache.get("expires_at"))
    if cache.get("warm") is not True or (ends is not None and ends <= now):
        return "cold: the next request writes it anew"
    return "warm" if ends is None else f"warm, cold in {humanize.duration(ends - now)}"


def clock(at: float | None) -> str:
    """A local date and time."""
    if at is None or not 0 < at < 1e11:
        return humanize.UNKNOWN
    return datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M")  # noqa: DTZ006 - people read local time


def costs(state: JsonObject, session: JsonObject, width: int) -> list[Line]:
    """Our sum beside the client's own, and what no record shows."""
    sums = fields.session_sums(state, session)
    counted = humanize.number(session.get("cost_usd"))
    reported, untracked = (humanize.number(session.get(key)) for key in ("client_cost_usd", "untracked_usd"))
    listed = [
        ("counted", money.of(state, counted, sums, exact=True), "money bold"),
        ("by the client", money.of(state, reported, exact=True) if reported is not None else "-", ""),
        ("untracked", money.of(state, untracked, exact=True) if untracked is not None else "-",
         "warning" if untracked and untracked >= 0.005 else ""),
    ]  # fmt: skip
    return [(left(name, max(10, width - 14), "dim"), right(text, 14, style)) for name, text, style in listed]


def tokens(session: JsonObject, width: int, glyphs: Glyphs) -> list[Line]:
    """The split of its input, and its output."""
    rows = [meters.split(session, width, glyphs)]
    listed = (
        ("input", session.get("input_tokens"), ""),
        (" fresh", meters.fresh(session), "fresh"),
        (" cache write", session.get("cache_write_tokens"), "written"),
        (" cache read", session.get("cache_read_tokens"), "read"),
        ("output", session.get("output_tokens"), ""),
        ("requests", session.get("requests"), ""),
    )
    return rows + [
        (left(name, max(8, width - 12), style or "dim"), right(humanize.count(value), 12, style))
        for name, value, style in listed
    ]


def context(state: JsonObject, session: JsonObject, detail: Detail, width: int, glyphs: Glyphs) -> list[Line]:
    """The context after each response of the main thread, compactions marked below."""
    limit = humanize.number(session.get("context_limit")) or 200_000
    bounds = fields.bounds(state, "context")
    many = max(1, width - 4 - 8)
    points = detail.context[-many:]
    filled = humanize.percent(session.get("context_percent"))
    note = f"now {humanize.size(session.get('context_tokens'))} of {humanize.size(limit)} ({filled})"
    name = "context after each response"
    if not points:
        return box(name, [span("no response yet", "dim")], width, glyphs, note=note)

    def style(value: float) -> str:
        return fields.level_of(100 * value / limit, bounds) or "context"

    values = [float(point.tokens) for point in points]
    lines = charts.chart(values, width - 4, 8, glyphs, style, humanize.size)[:-1]
    edge = len(lines[0][0].text) + 1
    room = max(1, width - 4 - edge)
    marks = [" "] * room
    for at, _ in detail.compactions:
        number = next((number for number, point in enumerate(points) if point.at >= at), None)
        cell = -1 if number is None else charts.cell_of(number, len(points), room)
        if cell >= 0:
            marks[cell] = "▲" if glyphs.marks["working"] == "●" else "^"
    legend = f"{len(points)} responses, {clock(points[0].at)} to {clock(points[-1].at)}"
    below: list[Line] = (
        [(Span(" " * edge), Span("".join(marks), "warning"))] if "".join(marks).strip() else []
    )
    legend += ", ▲ compacted" if below else ""
    return box(name, [*lines, *below, (Span(" " * edge), Span(legend, "dim"))], width, glyphs, note=note)


def _windows(state: JsonObject, detail: Detail, width: int) -> list[Line]:
    sums = [
        dict(window_row(value, Timings(), WINDOW_SECONDS[name]))
        for name, value in zip(HEADS, detail.windows, strict=True)
    ]
    return meters.metrics(state, list(zip(HEADS, sums, strict=True)), ROWS, width)


def _tools(detail: Detail, width: int, most: int) -> list[Line]:
    shown = {tool.name: {"calls": tool.calls, "failures": tool.failures} for tool in detail.tools}
    return meters.top_tools({"tools": shown}, width, most) or [span("none", "dim")]


def _calls(detail: Detail, width: int, most: int) -> list[Line]:
    """The newest tool calls, newest first."""
    rows: list[Line] = []
    for call in detail.calls[:most]:
        at = datetime.fromtimestamp(call.at).strftime("%H:%M:%S")  # noqa: DTZ006 - people read local time
        took = "…" if call.took is None else humanize.took(call.took)
        name = clean(call.name, 40)
        rows.append(
            (
                left(at, 9, "dim"),
                left(name, max(4, width - 9 - 7 - 7), "critical" if call.failed else ""),
                right(took, 7, "dim"),
                right("failed" if call.failed else "", 7, "critical"),
            )
        )
    return rows or [span("none", "dim")]


def _agents(state: JsonObject, detail: Detail, width: int) -> list[Line]:
    """The main thread and each sub-agent, then each model."""
    head = (
        left("", max(6, width - 25), "dim"),
        right("req", 5, "dim"),
        right("output", 8, "dim"),
        right("cost", 12, "dim"),
    )
    rows: list[Line] = [head]
    for agent in detail.agents:
        model = fields.short_model(agent.models.split(",", maxsplit=1)[0])
        rows.append(_share(state, clean(agent.name, 24) or "main thread", model, agent.sum, width))
    rows.append(BLANK)
    for name, total in detail.models:
        rows.append(_share(state, fields.short_model(name) or "unknown model", "", total, width))
    return rows


def _share(state: JsonObject, name: str, note: str, value: Sum, width: int) -> Line:
    marks = {"unpriced_requests": value.unpriced_requests, "estimated_requests": value.estimated_requests,
             "understated_requests": value.understated_requests}  # fmt: skip
    room = max(6, width - 25)
    label = left(f"{name} {note}" if note else name, room)
    return (
        label,
        right(humanize.count(value.requests), 5, "dim"),
        right(humanize.count(value.output_tokens), 8, "dim"),
        right(money.of(state, value.cost / PICO, marks, exact=True), 12, "money"),
    )
