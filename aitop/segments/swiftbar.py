"""SwiftBar, xbar, Argos and kargos: a header line, then a menu; one item a line, `| key=value` after it.

The first `|` of a line always splits, so it becomes `¦` in data; a leading `-` would make a submenu or
a separator; `:name:` symbols, emoji codes, ANSI and (Argos) markup are off for every line with data.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aitop.segments.details import Blocks
    from aitop.segments.template import Piece

INERT = "symbolize=false emojize=false ansi=false useMarkup=false unescape=false"
COLOURS = {"warning": " color=orange", "critical": " color=red"}


def escape(text: str) -> str:
    text = text.replace("|", "¦").strip()
    return "‐" + text[1:] if text.startswith("-") else text


def line(pieces: list[Piece], *, colour: bool) -> str:
    """The header: a bar has one colour for it, that of its gravest part."""
    text = escape("".join(text for text, _ in pieces))
    levels = [level for _, level in pieces]
    worst = "critical" if "critical" in levels else "warning" if "warning" in levels else ""
    return f"{text or 'aitop'} | {INERT}{COLOURS.get(worst, '') if colour else ''}"


def document(pieces: list[Piece], blocks: Blocks) -> str:
    lines = [line(pieces, colour=True)]
    for name, block in blocks.items():
        inert = "" if name == "sums" else f" | {INERT}"  # sums hold no names of others
        if block:
            lines += ["---", *(f"{escape(row)}{inert}" for row in block)]
    lines += ["---", f"Open the table | {action('top')} terminal=true"]
    return "\n".join(lines)


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
