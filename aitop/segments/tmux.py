"""tmux: the output of a `#()` job, or an environment variable shown with `#{AITOP}`.

Data: every `#` is doubled, so that no `#{…}`, `#S` or `#[…]` in a name is expanded. `%`, `,` and `}`
mean nothing there. Colours are names, which follow the terminal's theme.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aitop.segments.template import Piece

COLOURS = {"warning": "#[fg=yellow]", "critical": "#[fg=red,bold]"}


def escape(text: str) -> str:
    return text.replace("#", "##")


def line(pieces: list[Piece], *, colour: bool) -> str:
    shown = []
    for text, level in pieces:
        start = COLOURS.get(level, "") if colour else ""
        shown.append(f"{start}{escape(text)}{'#[default]' if start else ''}")
    return "".join(shown)
