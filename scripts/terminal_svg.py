"""A terminal's cells as an SVG that looks alike in every browser and renderer.

Each run of ASCII is one text with the width of its cells; every other character stands at its own cell, so a
font that lacks it moves nothing. Blanks between words are U+00A0, since engines collapse others. Blocks and
shades are rectangles, lines are lines: no font draws them to the edge of the cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from aitop.segments.text import width as cell_width

CHARACTER, LINE, MARGIN, SIZE = 7.8, 17, 14, 13
FONT = "ui-monospace,SFMono-Regular,Menlo,DejaVu Sans Mono,Liberation Mono,monospace"
NO_BREAK_SPACE = "\u00a0"
EIGHTHS = "▁▂▃▄▅▆▇█"
PARTS = "▏▎▍▌▋▊▉"
SHADES = {"░": 0.25, "▒": 0.5, "▓": 0.75}
# Which of left, right, up, down a line character reaches from the middle of its cell.
LINES = {"─": "lr", "│": "ud", "╭": "rd", "╮": "ld", "╰": "ru", "╯": "lu", "┌": "rd", "┐": "ld", "└": "ru", "┘": "lu",
         "├": "urd", "┤": "uld", "┬": "lrd", "┴": "lru", "┼": "lrud"}  # fmt: skip


# Glyphs of patched fonts, which no reader of a page has: powerline's ends as shapes, icons as plain characters.
ARROWS = {"\ue0b0": "M0 0L1 .5L0 1Z", "\ue0b2": "M1 0L0 .5L1 1Z", "\ue0b4": "M0 0C1.3 0 1.3 1 0 1Z",
          "\ue0b6": "M1 0C-.3 0 -.3 1 1 1Z"}  # fmt: skip
ICONS = {"\uf155": "$", "\ue0a0": "⎇"}


class Run(NamedTuple):
    """A piece of a line in one look; colours are CSS, the ground None for the picture's own."""

    text: str
    colour: str
    ground: str | None = None
    bold: bool = False


def document(lines: Sequence[Iterable[Run]], title: str, columns: int, *, ground: str) -> str:
    """The whole picture."""
    width, height = size(columns, len(lines))
    return "\n".join([head(width, height, title, ground), *body(lines), "</svg>", ""])


def film(
    frames: Sequence[tuple[float, list[str]]], length: float, title: str, columns: int, rows: int
) -> str:
    """Captured screens, each shown from its second on, round and round; the last stands where nothing may move."""
    kept = [frame for number, frame in enumerate(frames) if not number or frames[number - 1][1] != frame[1]]
    last = f"#f{len(kept) - 1}{{visibility:visible}}"  # also where nothing can move: librsvg
    style, groups = [f"<style>g.f{{visibility:hidden}}{last}"], []
    for number, (begins, lines) in enumerate(kept):
        start = 100 * begins / length if number else 0.0
        stop = 100 * kept[number + 1][0] / length if number + 1 < len(kept) else 100.0
        before = (
            f"0%{{visibility:hidden}}{start:.2f}%{{visibility:visible}}"
            if number
            else "0%{visibility:visible}"
        )
        after = f"{stop:.2f}%,100%{{visibility:hidden}}" if stop < 100 else "100%{visibility:visible}"
        style.append(f"@keyframes k{number}{{{before}{after}}}")
        style.append(f"#f{number}{{animation:k{number} {length:g}s step-end infinite}}")
        content = "\n".join(body(captured(lines)))
        groups.append(f'<g class="f" id="f{number}">\n{content}\n</g>')
    still = f"@media (prefers-reduced-motion: reduce){{g.f{{animation:none!important}}{last}}}"
    width, height = size(columns, rows)
    begin = head(width, height, title, BACK, "".join(style) + still + "</style>\n")
    return "\n".join([begin, *groups, "</svg>", ""])


def size(columns: int, rows: int) -> tuple[float, float]:
    return columns * CHARACTER + 2 * MARGIN, rows * LINE + 2 * MARGIN


def head(width: float, height: float, title: str, ground: str, style: str = "") -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'font-family="{FONT}" font-size="{SIZE}" role="img">\n<title>{escape(title)}</title>\n'
        f'{style}<rect width="100%" height="100%" rx="8" fill="{ground}"/>'
    )


def body(lines: Sequence[Iterable[Run]]) -> list[str]:
    """Grounds first, so that no text is cut by its neighbour's."""
    grounds: list[str] = []
    texts: list[str] = []
    for row, line in enumerate(lines):
        column = 0
        for run in line:
            width = sum(cell_width(char) for char in run.text)
            if run.ground:
                grounds.append(_rectangle(column, row, 0, 0, width, 1, run.ground))
            texts += _run(run, row, column)
            column += width
    return grounds + texts


def _run(run: Run, row: int, column: int) -> list[str]:
    found: list[str] = []
    for piece in re.findall(r"[!-~]+(?: +[!-~]+)*| +|█+|░+|[^ -~]", run.text):
        width = sum(cell_width(char) for char in piece)
        if piece.strip(" " + NO_BREAK_SPACE):
            found.append(_piece(piece, run, row, column, width))
        column += width
    return found


def _piece(piece: str, run: Run, row: int, column: int, width: int) -> str:
    if piece.strip("█") == "":
        return _rectangle(column, row, 0, 0, width, 1, run.colour)
    if piece.strip("░") == "":
        return _rectangle(column, row, 0, 0, width, 1, run.colour, f' opacity="{SHADES["░"]}"')
    if piece in EIGHTHS:
        part = (EIGHTHS.index(piece) + 1) / 8
        return _rectangle(
            column, row, 0, 1 - part, 1, part + 0.04, run.colour
        )  # over the seam to the cell below
    if piece in PARTS:
        return _rectangle(column, row, 0, 0, (PARTS.index(piece) + 1) / 8, 1, run.colour)
    if piece in SHADES:
        return _rectangle(column, row, 0, 0, 1, 1, run.colour, f' opacity="{SHADES[piece]}"')
    if piece in ARROWS:
        return _arrow(piece, row, column, run.colour)
    piece = ICONS.get(piece, "▫" if _is_private(piece) else piece)
    if piece in LINES:
        return _lines(piece, row, column, run.colour)
    weight = ' font-weight="bold"' if run.bold else ""
    # Where a character has another width than its cells, squeeze the glyph: the next one stands at its own place.
    adjust = ' lengthAdjust="spacingAndGlyphs"' if not piece.isascii() else ""
    return (
        f'<text x="{MARGIN + column * CHARACTER:.1f}" y="{MARGIN + row * LINE + LINE * 0.75:.1f}" fill="{run.colour}"'
        f'{weight} textLength="{width * CHARACTER:.1f}"{adjust}>{escape(piece.replace(" ", NO_BREAK_SPACE))}</text>'
    )


def _is_private(piece: str) -> bool:
    """A glyph that only a patched font has."""
    return len(piece) == 1 and ("\ue000" <= piece <= "\uf8ff" or piece >= "\U000f0000")


def _rectangle(
    column: float, row: int, x: float, y: float, width: float, height: float, colour: str, more: str = ""
) -> str:
    left, top = MARGIN + (column + x) * CHARACTER, MARGIN + (row + y) * LINE
    return (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{width * CHARACTER + 0.05:.2f}" height="{height * LINE:.2f}" '
        f'fill="{colour}" shape-rendering="crispEdges"{more}/>'
    )


def _arrow(char: str, row: int, column: int, colour: str) -> str:
    left, top = MARGIN + column * CHARACTER, MARGIN + row * LINE
    place = f"translate({left:.1f} {top:.1f}) scale({CHARACTER} {LINE})"
    return f'<path transform="{place}" d="{ARROWS[char]}" fill="{colour}"/>'


def _lines(char: str, row: int, column: int, colour: str) -> str:
    middle, centre = MARGIN + (column + 0.5) * CHARACTER, MARGIN + (row + 0.5) * LINE
    ends = {"l": (middle - CHARACTER / 2, centre), "r": (middle + CHARACTER / 2, centre),
            "u": (middle, centre - LINE / 2), "d": (middle, centre + LINE / 2)}  # fmt: skip
    path = "".join(f"M{middle:.1f} {centre:.1f}L{ends[way][0]:.1f} {ends[way][1]:.1f}" for way in LINES[char])
    return f'<path d="{path}" stroke="{colour}" stroke-linecap="square" fill="none"/>'


# -- captured lines ------------------------------------------------------------------------------------------

PALETTE = ["#1e2127", "#ff6b6b", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d7dae0"]
TEXT, BACK, GREY = "#d7dae0", "#1e2127", "#7f848e"


def captured(lines: Sequence[str]) -> list[list[Run]]:
    """Lines with SGR sequences (`tmux capture-pane -e`) as runs; a look goes on from line to line."""
    look: dict[str, object] = {"fg": TEXT, "bg": None, "bold": False, "dim": False, "reverse": False}
    return [list(_styled(line, look)) for line in lines]


def _styled(line: str, look: dict[str, object]) -> Iterable[Run]:
    for part in re.split(r"(\x1b\[[\d;:]*m|\x1b\][^\x1b]*\x1b\\)", line):
        if part.startswith("\x1b]"):
            continue
        if part.startswith("\x1b["):
            _apply(part[2:-1].replace(":", ";").split(";"), look)
        elif part:
            text, ground = str(GREY if look["dim"] else look["fg"]), look["bg"] and str(look["bg"])
            if look["reverse"]:
                text, ground = str(ground or BACK), text
            yield Run(part, text, ground, bool(look["bold"]))


def _apply(words: list[str], look: dict[str, object]) -> None:
    words = words or ["0"]
    while words:
        word = int(words.pop(0) or 0)
        if word == 0:
            look.update(fg=TEXT, bg=None, bold=False, dim=False, reverse=False)
        elif word in (7, 27):
            look["reverse"] = word == 7
        elif word in (1, 2):
            look["bold" if word == 1 else "dim"] = True
        elif word == 22:
            look.update(bold=False, dim=False)
        elif word in (38, 48):
            colour, took = _shade(words)
            look["fg" if word == 38 else "bg"] = colour
            words = words[took:]
        elif 30 <= word <= 37 or 90 <= word <= 97:
            look["fg"] = GREY if word == 90 else PALETTE[word % 10]
        elif 40 <= word <= 47:
            look["bg"] = PALETTE[word - 40]
        elif word in (39, 49):
            look["fg" if word == 39 else "bg"] = TEXT if word == 39 else None


def _shade(words: list[str]) -> tuple[str, int]:
    """A colour of a sequence's words after 38 or 48, and how many words it took."""
    if words[:1] == ["2"]:
        return "#" + "".join(f"{int(word):02x}" for word in words[1:4]), 4
    number = int(words[1])
    if number < 16:
        return PALETTE[number % 8], 2
    if number >= 232:
        return "#" + f"{8 + 10 * (number - 232):02x}" * 3, 2
    steps = [0, 95, 135, 175, 215, 255]
    number -= 16
    return "#" + "".join(f"{steps[part]:02x}" for part in (number // 36, number // 6 % 6, number % 6)), 2
