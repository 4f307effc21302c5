"""SwiftBar, xbar, Argos and kargos: a header line, then a menu; one item a line, `| key=value` after it.

The first `|` of a line always splits, so it becomes `¦` in data; a leading `-` would make a submenu or
a separator; `:name:` symbols, emoji codes, ANSI and (Argos) markup are off for every line with data.
Symbols are SF Symbols, which bars that know none pass over; colours come in pairs, light and dark.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aitop.segments.details import Blocks, Row
    from aitop.segments.placeholders import Values
    from aitop.segments.template import Piece

INERT = "symbolize=false emojize=false ansi=false useMarkup=false unescape=false"
COLOURS = {"warning": " color=#9a5b00,#ffb340", "critical": " color=#c4001d,#ff6961"}
NAMED = ("Branch", "Tag", "Title", "Status")
HEADER = {"warning": "exclamationmark.triangle", "critical": "exclamationmark.octagon"}


def escape(text: str) -> str:
    text = text.replace("|", "¦").strip()
    return "‐" + text[1:] if text.startswith("-") else text


def item(text: str, *, named: bool = False, image: str = "", level: str = "", depth: int = 0) -> str:
    """One line of the menu that only shows something; `named`: it holds names others have given."""
    options = (INERT if named else "") + (f" sfimage={image}" if image else "") + COLOURS.get(level, "")
    return f"{'--' * depth}{escape(text) or '·'}{f' | {options.strip()}' if options else ''}"


def joined(row: Row) -> str:
    return " · ".join(text for text in row if text)


def line(pieces: list[Piece], *, colour: bool, level: str = "") -> str:
    """The header: a bar has one colour for it, that of its gravest part or of the gravest alert."""
    text = escape("".join(text for text, _ in pieces))
    levels = [level, *(of for _, of in pieces)]
    worst = "critical" if "critical" in levels else "warning" if "warning" in levels else ""
    image = HEADER.get(worst, "gauge.medium")
    return f"{text or 'aitop'} | {INERT} sfimage={image}{COLOURS.get(worst, '') if colour else ''}"


def document(pieces: list[Piece], values: Values, blocks: Blocks) -> str:
    lines = [line(pieces, colour=True, level=values["level"][1])]
    parts = [
        [item(text, named=True, image="bell", level=level) for text, level in blocks["alerts"]],
        _sums(blocks),
        [item(joined(row), image="timer") for row in blocks["windows"]],
        [item(row) for row in blocks["rates"]],
        [_limit(row, level) for row, level in blocks["limits"]],
        [item(text, named=True, image="creditcard", level=level) for text, level in blocks["budgets"]],
        [item(text, named=True, image="chart.line.uptrend.xyaxis") for text in blocks["forecast"]],
        _sessions(blocks),
        [item(text, named=True, image="questionmark.circle") for text in blocks["coverage"]],
        [
            f"Open the table | {action('top')} terminal=true sfimage=tablecells",
            "Refresh | refresh=true sfimage=arrow.clockwise",
        ],
    ]
    for part in parts:
        if part:
            lines += ["---", *part]
    return "\n".join(lines)


def _limit(row: Row, level: str) -> str:
    return item(joined([f"Limit {row[0]}", *row[2:]]), named=True, image="hourglass", level=level)


def _sums(blocks: Blocks) -> list[str]:
    """Today with its projects behind it, week, month."""
    lines = []
    for number, row in enumerate(blocks["sums"]):
        lines.append(item(joined(row), image="" if number else "calendar"))
        if number == 0:
            lines += [item(joined(project), named=True, depth=1) for project in blocks["projects"]]
    return lines


def _sessions(blocks: Blocks) -> list[str]:
    """Each session, what else is known of it behind it."""
    lines = []
    for row, more, level in blocks["sessions"]:
        lines.append(item(joined(row), named=True, level=level))
        lines += [item(f"{label} {text}", named=label in NAMED, depth=1) for label, text in more]
    return lines


def off() -> str:
    """The menu while no fresh numbers exist."""
    return "\n".join(
        [
            f"aitop off | color=gray {INERT}",
            "---",
            "No fresh numbers: the listener is not running",
            f"Start the listener | {action('start')} terminal=false refresh=true",
        ]
    )


def action(word: str) -> str:
    """A bar's PATH rarely has the user's programs, so the command is named with its folder."""
    front = os.path.join(os.path.dirname(sys.executable), "aitop")
    return f'bash="{front}" param1={word}'
