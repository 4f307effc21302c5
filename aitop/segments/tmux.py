"""tmux: the output of a `#()` job, or an environment variable shown with `#{AITOP}`.

Data: every `#` is doubled, so that no `#{…}`, `#S` or `#[…]` in a name is expanded. `%`, `,` and `}`
mean nothing there. Colours are names, which follow the terminal's theme; around each stand
push-default and pop-default, so that a theme's own colours go on after it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aitop.segments.template import Piece

COLOURS = {"warning": "#[fg=yellow]", "critical": "#[fg=red,bold]"}
BEFORE, AFTER = "#[push-default]", "#[default]#[pop-default]"


def escape(text: str) -> str:
    return text.replace("#", "##")


def line(pieces: list[Piece], *, colour: bool, colours: dict[str, str] | None = None) -> str:
    """`colours` replaces those of COLOURS: level → a `#[…]` style."""
    styles = COLOURS | (colours or {})
    shown = []
    for text, level in pieces:
        style = styles.get(level, "") if colour else ""
        shown.append(f"{BEFORE}{style}{escape(text)}{AFTER}" if style else escape(text))
    return "".join(shown)
