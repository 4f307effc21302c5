"""A table as lines of text, the one way for `top`, `report` and `doctor`. Pure.

Widths are terminal cells, so wide characters keep the columns straight. Texts come in clean.
"""

from __future__ import annotations

from aitop.segments.text import cells, cut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Cells = Sequence[str]

NUMBER_STARTS = "$~≈≥0123456789"


def pad(text: str, width: int, *, right: bool = False) -> str:
    """The text in exactly `width` cells: filled with blanks, or cut with `…`."""
    text = cut(text, width)
    room = " " * (width - cells(text))
    return room + text if right else text + room


def widths(rows: Sequence[Cells]) -> list[int]:
    """The cells each column needs; rows may be of different lengths."""
    sizes: list[int] = []
    for row in rows:
        sizes += [0] * (len(row) - len(sizes))
        for at, text in enumerate(row):
            sizes[at] = max(sizes[at], cells(text))
    return sizes


def lines(
    rows: Sequence[Cells],
    align: str = "",
    *,
    heads: Cells | None = None,
    foot: Cells | None = None,
    gap: int = 2,
    width: int = 0,
    shrink: int = 0,
) -> list[str]:
    """Rows as lines of equal columns.

    align: a letter for each column, `l` or `r`, the last one for all that follow; `a` sets each text that
    starts like a number to the right. "" is `la`. heads and foot stand apart by a rule. width: the cells
    there are, 0 for as many as needed; column `shrink` is cut with `…` where there are too few.
    """
    align = align or "la"
    parts = [row for row in (heads, *rows, foot) if row is not None]
    sizes = widths(parts)
    if width and shrink < len(sizes):
        over = sum(sizes) + gap * (len(sizes) - 1) - width
        if over > 0:
            sizes[shrink] = max(min(sizes[shrink], 6), sizes[shrink] - over)
    rule = "─" * (sum(sizes) + gap * (len(sizes) - 1))
    texts = [_line(row, sizes, align, gap) for row in rows]
    if heads is not None:
        texts[:0] = [_line(heads, sizes, align.replace("a", "r"), gap), rule]
    if foot is not None:
        texts += [rule, _line(foot, sizes, align, gap)]
    return texts


def _line(row: Cells, sizes: list[int], align: str, gap: int) -> str:
    parts = []
    for at, text in enumerate(row):
        side = align[min(at, len(align) - 1)]
        right = side == "r" or (side == "a" and text[:1] in NUMBER_STARTS and text != "")
        parts.append(pad(text, sizes[at], right=right))
    return (" " * gap).join(parts).rstrip()
