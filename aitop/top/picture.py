"""The whole screen as lines: a pure function of what is known, what was chosen, and the size.

`paint` puts together what widgets then only place: the bar with the views, warnings, the sticky head
of a list, its rows, a second list beneath, and the keys. Tests read it without a terminal.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from aitop.model.json_types import JsonObject
from aitop.segments import fields, humanize
from aitop.segments.text import clean
from aitop.top import compare, history_view, keys, overview, rows, session, sessions, table
from aitop.top.choices import Choices, Sorting
from aitop.top.paint import BLANK, Glyphs, Line, Span, fit, span, spread, text_of, width_of
from aitop.top.table import Row
from aitop.top.view_model import Answers, World, readable

COLUMNS = {
    "overview": sessions.COLUMNS,
    "sessions": sessions.COLUMNS,
    "history": history_view.COLUMNS,
    "tools": rows.TOOLS,
    "models": rows.MODELS,
    "compare": rows.COMPARE,
}
NOUNS = {
    "overview": "sessions",
    "history": "rows",
    "sessions": "sessions",
    "tools": "tools",
    "models": "models",
    "compare": "models",
}
SPAN_WORDS = {"today": "today", "week": "this week", "month": "this month", "all": "all time"}


class Picture(NamedTuple):
    """What goes where. `keys` names the row of each line of the body, "" where there is none."""

    top: Line
    banner: list[Line]
    head: list[Line]
    body: list[Line]
    keys: list[str]
    tail: list[Line]
    bottom: Line


def paint(world: World, choices: Choices, width: int, height: int, glyphs: Glyphs) -> Picture:
    """Everything, for a screen of that size."""
    top, banner, bottom = (
        bar(world, choices, width, glyphs),
        banners(world, width),
        foot(world, choices, width),
    )
    room = max(1, height - 2 - len(banner))
    state = world.state
    if state is None or not readable(state):
        return Picture(top, banner, [], within(waiting(world), width), [], [], bottom)
    frame = Picture(top, banner, [], [], [], [], bottom)
    if choices.view == "overview":
        return _overview(frame, world, choices, width, room, glyphs)
    if choices.view == "history":
        return _history(frame, world, choices, width, room, glyphs)
    if choices.view == "detail":
        page = detail(world, choices, width, glyphs)
        return Picture(top, banner, [], within(page, width), [], [], bottom)
    return _list(frame, world, choices, width, room, glyphs)


def _overview(
    frame: Picture, world: World, choices: Choices, width: int, room: int, glyphs: Glyphs
) -> Picture:
    """The strip, the sessions, and beneath them what there is room for."""
    state = world.state or {}
    head = overview.strip(state, width, room, glyphs, on_alerts=on_alerts(world, choices))
    shown = listed(world, choices, glyphs)
    lines = table_lines("overview", shown, choices.sorting["overview"], width, glyphs)
    if shown:
        head, body, row_keys = [*head, lines[0]], lines[1:], [row.key for row in shown]
    else:
        body, row_keys = [span(f"  {nothing(world, choices)}", "dim")], [""]
    left_over = room - len(head) - len(body)
    if room >= overview.TALL and left_over < sum(overview.CHART_LINES) // 2:
        left_over = sum(overview.CHART_LINES) // 2
    values = world.answers.costs.get(choices.chart)
    tail = overview.beneath(state, width, left_over, glyphs, chart=choices.chart, values=values)
    frame = frame._replace(head=within(head, width), body=within(body, width), tail=within(tail, width))
    return frame._replace(keys=row_keys)


def on_alerts(world: World, choices: Choices) -> bool:
    """Whether the cursor stands on the alerts instead of a session."""
    here = choices.view == "overview" and choices.cursor.get("overview") == overview.ALERTS
    return here and bool(overview.alerts(world.state or {}))


def _history(
    frame: Picture, world: World, choices: Choices, width: int, room: int, glyphs: Glyphs
) -> Picture:
    """A chart or a heat map, and the rows of the grouping."""
    state, days = world.state or {}, world.answers.past.get(choices.reach)
    start = (Span(" by ", "dim"), Span(choices.group, "accent", "group"), Span("  over ", "dim"),
             Span(choices.reach, "accent", "span"))  # fmt: skip
    summary = "" if days is None else history_view.summary(state, days)
    head: list[Line] = [spread(start, span(f"{summary} ", "dim"), width)]
    if days is None or not days.days:
        text = history_view.nothing(world.answers.problem, answered=days is not None)
        body = [BLANK, span(f"  {text}", "dim")]
        return frame._replace(head=within(head, width), body=within(body, width), keys=["", ""])
    tall = room // 2 if room >= 12 else 0
    head += history_view.picture(state, days, choices.group, width, tall, glyphs, heat=choices.heat)
    shown = listed(world, choices, glyphs)
    columns = table.fitted(history_view.columns(choices.group), width)
    sorting = choices.sorting["history"]
    titles = table.header(columns, sorting, glyphs)
    head.append((*titles, Span(" " * max(0, width - width_of(titles)), "header")))
    body = [table.line(row, columns, glyphs) for row in shown]
    return frame._replace(head=within(head, width), body=within(body, width), keys=[row.key for row in shown])


def _list(frame: Picture, world: World, choices: Choices, width: int, room: int, glyphs: Glyphs) -> Picture:
    """A view that is one table; under the models, what the others would have cost."""
    shown = listed(world, choices, glyphs)
    sorting = choices.sorting[choices.view]
    lines = table_lines(choices.view, shown, sorting, width, glyphs)
    many = sum(bool(row.key) and not row.parent for row in shown)
    head = within([subtitle(world, choices, many, width), lines[0]], width)
    if not shown:
        body = within([BLANK, span(f"  {nothing(world, choices)}", "dim")], width)
        return frame._replace(head=head, body=body, keys=["", ""])
    tail: list[Line] = []
    if choices.view == "models" and world.answers.prices is not None and room >= 12:
        tail = _beneath(world, choices, width, room - len(head) - len(shown), room // 2, glyphs)
    frame = frame._replace(head=head, body=within(lines[1:], width), tail=within(tail, width))
    return frame._replace(keys=[row.key for row in shown])


def table_lines(view: str, shown: list[Row], sorting: Sorting, width: int, glyphs: Glyphs) -> list[Line]:
    """The head and every row."""
    columns = table.fitted(_used(view, shown), width)
    head = table.header(columns, sorting, glyphs)
    head = (*head, Span(" " * max(0, width - width_of(head)), "header"))
    return [head, *(table.line(row, columns, glyphs) for row in shown)]


def _used(view: str, shown: list[Row]) -> list[table.Column]:
    """Leave out an optional column without a value; its room goes to the others."""
    optional = ("tag", "agents", "branch", "latency", "ttft", "speed")
    return [
        column
        for column in COLUMNS[view]
        if column.key not in optional or any(row.values.get(column.key) for row in shown)
    ]


def listed(world: World, choices: Choices, glyphs: Glyphs) -> list[Row]:
    """The rows of a list: chosen, filtered, sorted."""
    state, answers, view = world.state or {}, world.answers, choices.view
    if view in ("sessions", "overview"):
        shown = sessions.rows(state, choices, answers.hourly, answers.agents, glyphs)
    elif view == "history":
        days = answers.past.get(choices.reach)
        shown = history_view.rows(state, days, choices.group) if days else []
    elif view == "tools":
        shown = rows.tools(state)
    elif view == "models":
        usages = compare.by_model(answers.mixes.get(choices.span, []))
        shown = rows.models(state, usages, compare.together(usages))
    else:
        shown = comparison(state, answers, choices, everyone=choices.every_model)
    shown = table.matching(shown, choices.filters.get(view, ""))
    if choices.sorting[view].column:
        shown = table.arranged(shown, choices.sorting[view])
    whole = [row for row in shown if view == "models" and not row.key]
    return [row for row in shown if row not in whole] + whole


def comparison(state: JsonObject, answers: Answers, choices: Choices, *, everyone: bool) -> list[Row]:
    """What the chosen model's tokens, or all of them, would have cost elsewhere."""
    if answers.prices is None:
        return []
    mixes = [mix for mix in answers.mixes.get(choices.span, []) if choices.model in ("", mix.model)]
    names = compare.candidates(answers.prices, (mix.model for mix in mixes), answers.day, everyone=everyone)
    others = compare.alternatives(answers.prices, mixes, names, answers.day)
    return rows.compare(state, others, compare.together(compare.by_model(mixes)))


def _beneath(world: World, choices: Choices, width: int, room: int, least: int, glyphs: Glyphs) -> list[Line]:
    """The cheapest alternatives to the model under the cursor."""
    model = choices.cursor.get("models", "")
    chosen = Choices(view="compare", span=choices.span, model=model)
    shown = table.arranged(
        comparison(world.state or {}, world.answers, chosen, everyone=False), chosen.sorting["compare"]
    )
    name = clean(model, 40) or rows.TOGETHER
    many = max(least - 2, room - 2)
    if not shown or many < 2:
        return []
    title = f" what the tokens of {name} would have cost {SPAN_WORDS[choices.span]}"
    more = f"{len(shown) - many + 1} more: Enter " if len(shown) > many - 1 else "Enter: all of it "
    lines = table_lines("compare", shown[: many - 1], chosen.sorting["compare"], width, glyphs)
    return [spread(span(title, "title"), span(more, "dim"), width), *lines]


def detail(world: World, choices: Choices, width: int, glyphs: Glyphs) -> list[Line]:
    """The page of one session."""
    state = world.state or {}
    row = sessions.found(state, choices.session)
    if row is None:
        return [BLANK, span("  This session is no longer among the newest 50. Esc goes back.", "dim")]
    answer = world.answers.details.get(sessions.named(row))
    return session.page(state, row, answer, width, glyphs, world.answers.problem)


def within(lines: list[Line], width: int) -> list[Line]:
    """None of them wider than the screen."""
    return [line if width_of(line) <= width else fit(line, width) for line in lines]


def waiting(world: World) -> list[Line]:
    """Why there is nothing to show."""
    texts = (f"Waiting: {world.trouble or 'no numbers published yet'}.", world.note, "",
             "S starts the listener, q leaves, ? lists every key.")  # fmt: skip
    return [BLANK, *(span(f"  {text}") for text in texts)]


def bar(world: World, choices: Choices, width: int, glyphs: Glyphs) -> Line:
    """The first line: where one is, and how things are."""
    here = {"detail": choices.back, "compare": "models"}.get(choices.view, choices.view)
    spans: list[Span] = [Span(" aitop ", "brand")]
    if world.badge:
        spans = [
            Span(f" {world.badge if width >= 100 else world.badge.split(' ')[0]} ", "warning banner"),
            Span(" "),
        ]
    slim = width < 72
    for number, view in enumerate(keys.VIEWS, 1):
        title = keys.TITLES[view][: 4 if slim else 12]
        text = f"{number} {title}"
        if slim and view != here:
            text = str(number)
        spans += [Span(f" {text} ", "tab" if view == here else "dim", f"view('{view}')"), Span(" ")]
    return spread(tuple(spans), _status(world, glyphs, width - width_of(tuple(spans))), width)


def _status(world: World, glyphs: Glyphs, room: int) -> Line:
    """How things are, in as many words as there is room for."""
    state = world.state or {}
    at = sessions.written(state)
    clock = datetime.fromtimestamp(at).strftime("%H:%M:%S") if 0 < at < 1e11 else ""  # noqa: DTZ006 - local on purpose
    if world.paused:
        return span(f" paused {clock} ", "warning banner")
    if world.trouble:
        return span(" waiting " if not state else f" old {clock} ", "critical banner")
    active = int(humanize.number(state.get("active_sessions")) or 0)
    level = fields.overall(state)
    style = {"ok": "good", "warning": "warning", "critical": "critical"}[level]
    host = clean(state.get("host"), 24)
    spans: Line = (Span(f"{glyphs.marks['working']} ", style), Span(f"{active} active "))
    for more in (f" {host}  {clock} ", f" {clock} ", ""):
        longer = (*spans, Span(more, "dim"))
        if width_of(longer) <= room:
            return longer
    return spans


def banners(world: World, width: int) -> list[Line]:
    """What must not be missed, over everything else."""
    rows: list[Line] = []
    if world.trouble and world.state is not None and readable(world.state):
        rows.append(fit(span(f" OLD NUMBERS: {world.trouble}. S starts it.", "critical banner"), width))
    if world.note and readable(world.state):
        rows.append(fit(span(f" {world.note}", "warning"), width))
    return rows


def subtitle(world: World, choices: Choices, many: int, width: int) -> Line:
    """Over a list: what is listed, and what the user chose."""
    noun = NOUNS[choices.view]
    noun = noun[:-1] if many == 1 else noun
    start: list[Span] = [Span(f" {many} {noun}", "title")]
    if choices.view == "sessions":
        gone = sessions.hidden(world.state or {}, choices.shown)
        word = {"active": "active", "idle": "with idle ones", "all": "with idle and ended ones"}[
            choices.shown
        ]
        start.append(Span(f" {word}" + (f", {gone} more: a" if gone else ""), "dim"))
    elif choices.view in ("models", "compare"):
        about = clean(choices.model, 40) or rows.TOGETHER
        start.append(Span(f" for the tokens of {about}" if choices.view == "compare" else "", "dim"))
        start.append(Span(f" {SPAN_WORDS[choices.span]}", "accent", "span"))
    else:
        start.append(Span(" today", "dim"))
    text = choices.filters.get(choices.view, "")
    end = span(f"filter: {clean(text, 30)} ", "warning", "filter") if text else BLANK
    if not text and choices.view == "compare":
        end = span("same tokens, list prices; * really used ", "dim")
        end = end if width_of((*start, *end)) <= width else BLANK
    return spread(tuple(start), end, width)


def nothing(world: World, choices: Choices) -> str:
    """Why a list is empty."""
    if choices.filters.get(choices.view):
        return "Nothing matches the filter. Esc drops it."
    if choices.view in ("overview", "sessions"):
        gone = sessions.hidden(world.state or {}, choices.shown)
        return f"No session is active; a shows {gone} idle or ended." if gone else "No session yet."
    if choices.view == "tools":
        return "No tool was called today."
    if world.answers.problem:
        return world.answers.problem
    if choices.span not in world.answers.mixes or world.answers.prices is None:
        return "Reading the history …"
    return f"No requests {SPAN_WORDS[choices.span]}; t takes a longer time."


def foot(world: World, choices: Choices, width: int) -> Line:
    """The last line: the keys that matter here; where there is no room for all, `…`. `?` lists them, so it stays."""
    always = [next(key for key in keys.KEYS if key.action == action) for action in ("help", "quit")]
    end = tuple(piece for key in always for piece in _key(key, key.footer))
    others = [key for key in keys.footer(choices.view) if key not in always]
    words = ["Alerts" if key.action == "open" and on_alerts(world, choices) else key.footer for key in others]
    pieces = [_key(key, word) for key, word in zip(others, words, strict=True)]
    room = width - width_of(end)
    if sum(width_of(piece) for piece in pieces) > room:
        end = (Span("… ", "label", "help"), *end)
        room -= 2
    spans: Line = ()
    for piece in pieces:
        if width_of((*spans, *piece)) <= room:
            spans = (*spans, *piece)
    space = Span(" " * max(0, room - width_of(spans)), "label")
    return fit((*spans, space, *end), width)


def _key(key: keys.Key, word: str) -> Line:
    """One key with what it does, for the last line."""
    name = key.shown.split(" ", maxsplit=1)[0]
    return Span(f" {name} ", "key", key.action), Span(f"{word} ", "label", key.action)


def text(picture: Picture) -> str:
    """What the screen says, for tests and captures."""
    parts = [picture.top, *picture.banner, *picture.head, *picture.body, *picture.tail, picture.bottom]
    return "\n".join(text_of(line).rstrip() for line in parts)
