"""A table as data: columns, rows, which of them fit a width, and the lines they become. Pure.

A row keeps its raw values beside what is shown, so sorting and exports never read text back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from aitop.model.json_types import JsonObject
from aitop.segments.text import cut
from aitop.top import charts
from aitop.top.choices import Sorting
from aitop.top.paint import Glyphs, Line, Span, cells, fit, left, right, text_of

GAP = 1
MARGIN = 1


class Column(NamedTuple):
    """`rank` says which columns go first when there is no room (the highest); `most` lets one grow."""

    key: str
    head: str
    width: int
    rank: int
    numeric: bool = True
    most: int = 0


class Bar(NamedTuple):
    """A cell that is a bar as wide as its column allows, with its number behind it."""

    share: float | None
    style: str
    label: str = ""
    label_style: str = ""


class Row(NamedTuple):
    """One row: what is shown, and the values behind it."""

    key: str
    shown: dict[str, Line | Bar]
    values: JsonObject
    parent: str = ""


class Fitted(NamedTuple):
    column: Column
    width: int


def fitted(columns: Iterable[Column], width: int) -> list[Fitted]:
    """The columns there is room for, in their order; what is left over goes to those that can grow."""
    kept = list(columns)
    while len(kept) > 1 and _needed(kept) > width:
        kept.remove(max(kept, key=lambda column: column.rank))
    widths = {column.key: column.width for column in kept}
    room = width - _needed(kept)
    growing = [column for column in kept if column.most > column.width]
    while room > 0 and growing:
        for column in list(growing):
            if room > 0:
                widths[column.key] += 1
                room -= 1
            if widths[column.key] >= column.most:
                growing.remove(column)
    return [Fitted(column, widths[column.key]) for column in kept]


def _needed(columns: list[Column]) -> int:
    return sum(column.width for column in columns) + GAP * (len(columns) - 1) + 2 * MARGIN


def header(columns: list[Fitted], sorting: Sorting, glyphs: Glyphs) -> Line:
    """The heads; a click sorts. The sorted one carries the arrow."""
    line: list[Span] = [Span(" " * MARGIN, "header")]
    for number, (column, width) in enumerate(columns):
        if number:
            line.append(Span(" " * GAP, "header"))
        chosen = column.key == sorting.column
        arrow = (glyphs.arrows[0] if sorting.descending else glyphs.arrows[1]) if chosen else ""
        text = cut(column.head, width - len(arrow)) + arrow
        place = right if column.numeric else left
        piece = place(text, width, "header sorted" if chosen else "header")
        line.append(piece._replace(action=f"sort('{column.key}')"))
    line.append(Span(" " * MARGIN, "header"))
    return tuple(line)


def line(row: Row, columns: list[Fitted], glyphs: Glyphs) -> Line:
    """One row as a line."""
    spans: list[Span] = [Span(" " * MARGIN)]
    for number, (column, width) in enumerate(columns):
        if number:
            spans.append(Span(" " * GAP))
        shown = row.shown.get(column.key, ())
        if isinstance(shown, Bar):
            spans += _bar(shown, width, glyphs)
        elif column.numeric:
            text = text_of(shown)
            room = width - cells(text)
            spans += (Span(" " * room), *shown) if room >= 0 else (right(text, width, shown[0].style),)
        else:
            spans += fit(shown, width)
    return tuple(spans)


def _bar(bar: Bar, width: int, glyphs: Glyphs) -> Line:
    """Its number keeps its place; a bar of one or two cells would say nothing."""
    label = bar.label.rjust(4) if bar.label else ""
    room = width - len(label) - bool(label)
    if room < 3:
        return (right(bar.label, width, bar.label_style),)
    return (
        *charts.gauge(bar.share, room, bar.style, glyphs),
        Span(f" {label}" if label else "", bar.label_style),
    )


def arranged(rows: Iterable[Row], sorting: Sorting) -> list[Row]:
    """Sorted by a column, children beneath their parents; unknown values come last either way."""
    families: dict[str, list[Row]] = {}
    tops: list[Row] = []
    for row in rows:
        if row.parent:
            families.setdefault(row.parent, []).append(row)
        else:
            tops.append(row)
    ordered: list[Row] = []
    for row in _sorted(tops, sorting):
        ordered.append(row)
        ordered += families.get(row.key, [])
    return ordered


def _sorted(rows: list[Row], sorting: Sorting) -> list[Row]:
    filled = [row for row in rows if row.values.get(sorting.column) is not None]
    unknown = [row for row in rows if row.values.get(sorting.column) is None]
    filled.sort(key=lambda row: _order(row.values[sorting.column]), reverse=sorting.descending)
    return filled + unknown


def _order(value: object) -> tuple[int, float, str]:
    """Numbers before texts, texts without regard to case."""
    if isinstance(value, int | float):
        return (0, float(value), "")
    return (1, 0.0, str(value).casefold())


def matching(rows: Iterable[Row], text: str) -> list[Row]:
    """The rows in which every word of the filter occurs; a child stays with its parent."""
    words = text.casefold().split()
    if not words:
        return list(rows)
    kept: list[Row] = []
    parents: set[str] = set()
    for row in rows:
        if row.parent in parents or (not row.parent and _says(row, words)):
            kept.append(row)
            parents.add(row.key)
    return kept


def _says(row: Row, words: list[str]) -> bool:
    text = " ".join(str(value) for value in row.values.values() if isinstance(value, str)).casefold()
    return all(word in text for word in words)
