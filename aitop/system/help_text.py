"""Help of the commands that load no click, folded to the terminal, and the nearest word for a mistyped one.

Loaded only where somebody asks for help or made a mistake: it must stay out of every hot path's work.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_COLUMNS = 100


def columns() -> int:
    """The cells of a line of help: `$COLUMNS`, else the terminal's, at most 100."""
    named = os.environ.get("COLUMNS", "")
    if named.isascii() and named.isdigit() and int(named) > 0:
        return min(int(named), MAX_COLUMNS)
    for stream in (sys.__stdout__, sys.__stderr__):
        try:
            return min(os.get_terminal_size(stream.fileno()).columns or MAX_COLUMNS, MAX_COLUMNS)  # type: ignore[union-attr]
        except (OSError, ValueError, AttributeError):
            continue
    return MAX_COLUMNS


def fitted(text: str, width: int) -> str:
    """The text with no line of more than `width` cells; what is folded hangs below its own description."""
    width = max(width, 20)
    return "\n".join(_folded(line, width) for line in _paragraphs(text.split("\n"), width))


def _paragraphs(lines: list[str], width: int) -> list[str]:
    """The lines; those of a paragraph that does not fit are one, to be folded anew. Indented lines stay lines."""
    paragraphs: list[str] = []
    run: list[str] = []
    for line in [*lines, ""]:
        if line and not line.startswith((" ", "Usage:")):
            run.append(line)
            continue
        paragraphs += [" ".join(run)] if any(len(one) > width for one in run) else run
        run = []
        paragraphs.append(line)
    return paragraphs[:-1]


def _folded(line: str, width: int) -> str:
    if len(line) <= width:
        return line
    hang = _description(line) if line.startswith((" ", "Usage:")) else 0
    if hang > width // 2:
        hang = min(len(line) - len(line.lstrip(" ")) + 4, width // 2)
    done = []
    rest = " " * min(len(line) - len(line.lstrip(" ")), width // 2) + line.lstrip(" ")
    while len(rest) > width:
        at = rest.rfind(" ", 0, width + 1)
        if not rest[: max(at, 0)].strip():  # one long word
            at = width
        done.append(rest[:at].rstrip())
        rest = " " * hang + rest[at:].lstrip()
    return "\n".join([*done, rest])


def _description(line: str) -> int:
    """Where the second column begins: behind the last run of blanks; without one, two cells in from the first."""
    start = len(line) - len(line.lstrip(" "))
    gap = line.rfind("  ", start, len(line) * 2 // 3)
    return gap + 2 if gap > start else start + 2


def nearest(word: str, words: Iterable[str]) -> str:
    """`; did you mean --shell?`, or nothing where no known word is near."""
    import difflib

    close = difflib.get_close_matches(word, list(words), n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else ""
