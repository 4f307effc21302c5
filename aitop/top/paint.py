"""What a screen is made of: lines of spans, each a text, the name of its style, and what a click does.

Pure: no terminal and no colour here, only names that a theme turns into colours. Every text comes in
clean (`segments.text.clean`); widths are in cells, so wide characters keep columns straight.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from aitop.segments.text import cells as count_cells
from aitop.segments.text import cut


@lru_cache(maxsize=8192)
def cells(text: str) -> int:
    """How many cells a text fills; a screen says mostly what it said a second ago."""
    return count_cells(text)


class Span(NamedTuple):
    """A piece of a line in one style; `action` is what a click on it calls."""

    text: str
    style: str = ""
    action: str = ""


Line = tuple[Span, ...]
BLANK: Line = ()


class Glyphs(NamedTuple):
    """The characters a terminal's font is sure to have."""

    eighths: str  # of a cell's height, the full one last
    parts: str  # of a cell's width, the full one last
    rest: str  # the empty part of a bar
    mix: str  # a full cell for each part of a bar that has three
    corners: str  # top left, top right, bottom left, bottom right
    sides: str  # horizontal, vertical
    marks: dict[str, str]  # by status
    arrows: str  # descending, ascending
    tree: str  # folded, unfolded, branch, last branch


RICH = Glyphs(
    "▁▂▃▄▅▆▇█", "▏▎▍▌▋▊▉█", "░", "███", "╭╮╰╯", "─│",
    {"working": "●", "waiting": "◐", "idle": "○", "ended": "·"}, "▼▲", "▸▾├└",
)  # fmt: skip
# The Linux console's font has no eighths and no circles.
SIMPLE = Glyphs(
    "▄█", "█", "░", "███", "┌┐└┘", "─│", {"working": "*", "waiting": "?", "idle": "o", "ended": "."}, "v^", "+-├└",
)  # fmt: skip
UNCOLOURED = "█▓▒"  # the same three where no colour tells them apart


def span(text: str, style: str = "", action: str = "") -> Line:
    return (Span(text, style, action),)


def width_of(line: Line) -> int:
    return sum(cells(piece.text) for piece in line)


def text_of(line: Line) -> str:
    return "".join(piece.text for piece in line)


def fit(line: Line, width: int) -> Line:
    """Exactly `width` cells: cut with `…`, or filled with blanks."""
    room = width
    kept: list[Span] = []
    for number, piece in enumerate(line):
        size = cells(piece.text)
        more = size == room and any(later.text for later in line[number + 1 :])
        if size > room or more:
            text = cut(piece.text + " " * more, room)
            kept.append(piece._replace(text=text))
            room -= cells(text)
            break
        kept.append(piece)
        room -= size
    if room > 0:
        kept.append(Span(" " * room))
    return tuple(kept)


def right(text: str, width: int, style: str = "") -> Span:
    """One text set to the right of its column."""
    text = cut(text, width)
    return Span(" " * (width - cells(text)) + text, style)


def left(text: str, width: int, style: str = "", action: str = "") -> Span:
    """One text set to the left of its column."""
    text = cut(text, width)
    return Span(text + " " * (width - cells(text)), style, action)


def spread(start: Line, end: Line, width: int) -> Line:
    """One part at the left edge, one at the right; the left one yields."""
    room = max(0, width - width_of(end))
    return fit((*fit(start, room), *end), width)


def box(
    title: str, lines: list[Line], width: int, glyphs: Glyphs, *, height: int = 0, note: str = ""
) -> list[Line]:
    """A frame with its title, `width` cells wide; `height` lines tall when given, else as tall as its content.

    `…` stands for lines without room.
    """
    inner = max(0, width - 4)
    rows = height - 2 if height else len(lines)
    if len(lines) > rows > 0:
        lines = [*lines[: rows - 1], span("…", "dim")]
    shown = [*lines[:rows], *([BLANK] * (rows - len(lines)))]
    across, down = glyphs.sides[0], glyphs.sides[1]
    name = cut(title, max(0, width - 6))
    head = f"{glyphs.corners[0]}{across} "
    tail = f" {cut(note, max(0, width - 10 - cells(name)))} " if note else ""
    fill = across * max(0, width - cells(head) - cells(name) - cells(tail) - 3)
    top = (
        Span(head, "frame"), Span(name, "title"), Span(f" {fill}", "frame"), Span(tail, "dim"),
        Span(f"{across}{glyphs.corners[1]}", "frame"),
    )  # fmt: skip
    side = Span(down, "frame")
    body = [(side, Span(" "), *fit(line, inner), Span(" "), side) for line in shown]
    bottom = span(f"{glyphs.corners[2]}{across * max(0, width - 2)}{glyphs.corners[3]}", "frame")
    return [fit(top, width), *body, bottom]


def beside(blocks: list[tuple[list[Line], int]], gap: int = 1) -> list[Line]:
    """Blocks of (lines, width) side by side, the short ones filled up."""
    height = max((len(lines) for lines, _ in blocks), default=0)
    rows: list[Line] = []
    for row in range(height):
        line: list[Span] = []
        for number, (lines, width) in enumerate(blocks):
            if number:
                line.append(Span(" " * gap))
            line += fit(lines[row] if row < len(lines) else BLANK, width)
        rows.append(tuple(line))
    return rows
