"""fish: what a prompt function prints is shown as it is, so names need nothing more than `text.clean`.

Raw SGR colours; starship takes the same text through `env_var` and wraps the colours for its shell.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aitop.segments.template import Piece

COLOURS = {"warning": "\x1b[33m", "critical": "\x1b[1;31m"}


def escape(text: str) -> str:
    return text


def line(pieces: list[Piece], *, colour: bool) -> str:
    shown = []
    for text, level in pieces:
        start = COLOURS.get(level, "") if colour else ""
        shown.append(f"{start}{escape(text)}{chr(27) + '[0m' if start else ''}")
    return "".join(shown)
