"""zsh: inert in PROMPT by reference (`'${x}'`) and embedded (`"$x"`), with PROMPT_SUBST on or off.

`%` is doubled, `$` is followed by an empty `%{%}` (no width) so that it starts no expansion;
backslash, backtick and `!` become look-alikes, since no quoting survives all ways of inserting.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aitop.segments.template import Piece

COLOURS = {"warning": ("%F{yellow}", "%f"), "critical": ("%B%F{red}", "%f%b")}
LOOKALIKES = str.maketrans({"%": "%%", "$": "$%{%}", "\\": "∖", "`": "ˋ", "!": "ǃ"})


def escape(text: str) -> str:
    return text.translate(LOOKALIKES)


def line(pieces: list[Piece], *, colour: bool) -> str:
    shown = []
    for text, level in pieces:
        start, end = COLOURS.get(level, ("", "")) if colour else ("", "")
        shown.append(f"{start}{escape(text)}{end}")
    return "".join(shown)
