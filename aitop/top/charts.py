"""Numbers as bars: gauges, sparklines, and a chart of the last hour. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from operator import itemgetter

from aitop.segments import humanize
from aitop.top.paint import Glyphs, Line, Span, right

Style = Callable[[float], str]
SMALLEST = 1e-12  # of a scale; far below it a float can no longer be divided by ten


def gauge(share: float | None, width: int, style: str, glyphs: Glyphs) -> Line:
    """A horizontal bar of `width` cells, filled by a share between 0 and 1."""
    if width < 1:
        return ()
    filled = max(0.0, min(1.0, share or 0.0)) * width
    whole = int(filled)
    parts = glyphs.parts
    part = int((filled - whole) * len(parts))
    text = parts[-1] * whole + (parts[part - 1] if part else "")
    if not text and filled > 0:
        text = parts[0] if len(parts) > 1 else ""
    return (Span(text, style), Span(glyphs.rest * (width - len(text)), "rest"))


def bars(values: Sequence[float], width: int) -> list[float]:
    """A value for each of `width` cells: the newest where there are more, each widened where there are fewer.

    Bars that are three cells wide have a gap after them; the last one stands at the right edge.
    """
    if not values or width < 1:
        return []
    shown = values[-width:]
    many = len(shown)
    places = [cell * many // width for cell in range(width)]
    gaps = width // many >= 3
    return [
        0.0 if gaps and cell + 1 < width and places[cell + 1] != place else shown[place]
        for cell, place in enumerate(places)
    ]


def cell_of(number: int, many: int, width: int) -> int:
    """The first cell of one of `many` bars; below zero where only newer ones have room."""
    shown = max(1, min(many, width))
    place = number - (many - shown)
    return -(-place * width // shown)


def numbers(values: object) -> list[float]:
    """A list from the state, what is no number as 0."""
    if not isinstance(values, list):
        return []
    return [max(0.0, float(humanize.number(value) or 0.0)) for value in values]


def spark(values: Sequence[float], width: int, style: str, glyphs: Glyphs) -> Line:
    """One line of bars; a value above zero is always seen."""
    shown = bars(values, width)
    top = max(shown, default=0.0)
    levels = glyphs.eighths
    text = "".join(
        " " if value <= 0 else levels[min(len(levels) - 1, int(value / top * len(levels)))] for value in shown
    )
    return (Span(text.rjust(width), style),)


def chart(
    values: Sequence[float],
    width: int,
    height: int,
    glyphs: Glyphs,
    style: Style,
    label: Callable[[float], str],
) -> list[Line]:
    """Bars over time, `height` lines tall with a scale at the left and a time axis below.

    `style` names the colour of a value, `label` writes one on the scale.
    """
    top = ceiling(max(values, default=0.0))
    rows = height - 1
    names = {rows - 1: label(top), 0: label(0.0)}
    if height >= 8:
        names[(rows - 1) // 2] = label(top / 2)
    edge = max((len(text) for text in names.values()), default=0) + 1
    shown = bars(values, max(0, width - edge))
    columns = {value: (_column(value, top, rows, glyphs.eighths), style(value)) for value in set(shown)}
    drawn = [columns[value] for value in shown]
    chart_lines: list[Line] = []
    for row in range(rows - 1, -1, -1):
        line = [right(names.get(row, ""), edge - 1, "dim"), Span("┤" if row in names else "│", "frame")]
        for name, group in groupby(drawn, itemgetter(1)):
            line.append(Span("".join([column[row] for column, _ in group]), name))
        chart_lines.append(tuple(line))
    return [*chart_lines, _axis(len(values), len(shown), edge)]


def _column(value: float, top: float, rows: int, levels: str) -> str:
    """One bar from below to above; a value above zero is always seen."""
    if not top or value <= 0:
        return " " * rows
    many = len(levels)
    filled = max(1, min(rows * many, int(value / top * rows * many + 0.5)))
    whole, part = divmod(filled, many)
    return (levels[-1] * whole + (levels[part - 1] if part else "")).ljust(rows)


def _axis(many: int, width: int, edge: int) -> Line:
    """`-60m … now` under the bars."""
    minutes = min(many, width)
    text = [" "] * width
    step = 10 if width >= 50 else 30
    for back in range(step * (minutes // step), 0, -step):
        label, at = f"-{back}m", width - back * width // minutes
        if (
            at >= 0
            and at + len(label) < width - 4
            and all(char == " " for char in text[max(0, at - 1) : at + len(label)])
        ):
            text[at : at + len(label)] = label
    text[max(0, width - 3) :] = "now"[: min(3, width)]
    return (Span(" " * edge), Span("".join(text), "dim"))


def ceiling(value: float) -> float:
    """A round number not below the value: one or two digits times a power of ten."""
    if not 0 < value < 1e300:
        return 0.0
    value = max(value, SMALLEST)
    size = 1.0
    while size > value:
        size /= 10
    while size * 10 <= value:
        size *= 10
    return next(
        (size * step for step in (1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8) if size * step >= value), size * 10
    )
