"""What a key means for the choices: pure steps from one picture's choices to the next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from aitop.segments import fields
from aitop.top import sessions
from aitop.top.choices import CHARTS, GROUPS, REACHES, SHOWN, TIME_SPANS, Choices, after
from aitop.top.keys import VIEWS
from aitop.top.overview import ALERTS
from aitop.top.picture import COLUMNS
from aitop.top.view_model import World

Step = Callable[..., Choices]


def view(choices: Choices, _world: World, name: str) -> Choices:
    return replace(choices, view=name, session="", model="")


def turn(choices: Choices, world: World, by: int) -> Choices:
    here = {"detail": choices.back, "compare": "models"}.get(choices.view, choices.view)
    return view(choices, world, VIEWS[(VIEWS.index(here) + by) % len(VIEWS)])


def open_(choices: Choices, _world: World) -> Choices:
    """Go nearer: into a session, into the comparison of a model, from the overview to the sessions."""
    row = choices.cursor.get(choices.view, "")
    if choices.view in ("overview", "sessions") and row:
        return replace(choices, view="detail", session=row, back=choices.view)
    if choices.view == "models":
        return replace(choices, view="compare", model=row)
    return choices


def back(choices: Choices, _world: World) -> Choices:
    """Leave the alerts for the sessions, then a filter, then the view."""
    if choices.cursor.get(choices.view) == ALERTS:
        return choices.at("")
    if choices.filters.get(choices.view):
        return choices.filtered("")
    if choices.view == "detail":
        return replace(choices, view=choices.back, session="")
    if choices.view == "compare":
        return replace(choices, view="models", model="")
    return choices


def sort(choices: Choices, _world: World, column: str) -> Choices:
    """By this column; once more turns it round. Numbers begin with the largest, texts with A."""
    now = choices.sorting.get(choices.view)
    chosen = next((c for c in COLUMNS.get(choices.view, ()) if c.key == column), None)
    if now is None or chosen is None:
        return choices
    return choices.sorted_by(column, not now.descending if now.column == column else chosen.numeric)


def sort_by(choices: Choices, world: World, by: int) -> Choices:
    """By the column to the left or the right of the present one."""
    columns = [column.key for column in COLUMNS.get(choices.view, ())]
    if not columns:
        return choices
    now = choices.sorting[choices.view].column
    place = columns.index(now) if now in columns else 0
    return sort(choices, world, columns[(place + by) % len(columns)])


def reverse(choices: Choices, world: World) -> Choices:
    now = choices.sorting.get(choices.view)
    return choices if now is None else sort(choices, world, now.column)


def more(choices: Choices, _world: World) -> Choices:
    if choices.view == "compare":
        return replace(choices, every_model=not choices.every_model)
    return replace(choices, shown=after(SHOWN, choices.shown))


def span(choices: Choices, _world: World) -> Choices:
    if choices.view == "history":
        return replace(choices, reach=after(REACHES, choices.reach))
    return replace(choices, span=after(TIME_SPANS, choices.span))


def group(choices: Choices, _world: World) -> Choices:
    return replace(choices, group=after(GROUPS, choices.group))


def heat(choices: Choices, _world: World) -> Choices:
    return replace(choices, heat=not choices.heat)


def chart(choices: Choices, _world: World) -> Choices:
    return replace(choices, chart=after(CHARTS, choices.chart))


def fold(choices: Choices, _world: World) -> Choices:
    """Open or close the sub-agents of the session under the cursor."""
    key = "\t".join(choices.cursor.get(choices.view, "").split("\t")[:2])
    return replace(choices, unfolded=choices.unfolded ^ {key}).at(key) if key not in ("", ALERTS) else choices


def fold_all(choices: Choices, world: World) -> Choices:
    """Open all that have sub-agents; close all when any is open."""
    listed = fields.rows((world.state or {}).get("sessions"))
    every = frozenset(sessions.key_of(s) for s in listed if s.get("subagents"))
    return replace(choices, unfolded=frozenset() if choices.unfolded else every)


STEPS: dict[str, Step] = {
    "view": view, "turn": turn, "open": open_, "back": back, "sort": sort, "sort_by": sort_by, "reverse": reverse,
    "more": more, "span": span, "fold": fold, "fold_all": fold_all,
    "group": group, "heat": heat, "chart": chart,
}  # fmt: skip


def step(choices: Choices, world: World, name: str, arguments: tuple[Any, ...]) -> Choices:
    """The choices after a step."""
    return STEPS[name](choices, world, *arguments)


def cursor(keys: list[str], key: str, index: int, by: int = 0) -> tuple[int, str]:
    """Where the cursor stands among the rows: by its row's key, else where it stood; then moved by some rows."""
    if not keys:
        return 0, ""
    place = keys.index(key) if key in keys else min(index, len(keys) - 1)
    place = max(0, min(len(keys) - 1, place + by))
    return place, keys[place]
