"""Plain text: no colour, nothing special. For `NO_COLOR`, scripts and bars of the user's own."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aitop.segments.template import Piece


def escape(text: str) -> str:
    return text


def line(pieces: list[Piece], *, colour: bool) -> str:  # noqa: ARG001 - every text display is called alike
    return "".join(text for text, _ in pieces)
