r"""bash: inert in PS1 by reference (`'${x}'`) and embedded (`"$x"`), which decodes and expands it again.

`$` is followed by readline's own markers of invisible text (\001 \002), so it starts no expansion;
backslash, backtick and `!` become look-alikes, since no quoting survives both ways of inserting.
Colours are raw SGR between the same markers (`\[ \]` are not decoded inside a value).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aitop.segments.template import Piece

COLOURS = {"warning": "\x01\x1b[33m\x02", "critical": "\x01\x1b[1;31m\x02"}
RESET = "\x01\x1b[0m\x02"
LOOKALIKES = str.maketrans({"$": "$\x01\x02", "\\": "∖", "`": "ˋ", "!": "ǃ"})


def escape(text: str) -> str:
    return text.translate(LOOKALIKES)


def line(pieces: list[Piece], *, colour: bool) -> str:
    shown = []
    for text, level in pieces:
        start = COLOURS.get(level, "") if colour else ""
        shown.append(f"{start}{escape(text)}{RESET if start else ''}")
    return "".join(shown)
