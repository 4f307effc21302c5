"""Names made harmless before any display sees them: one line, no controls, capped in cells.

Project, branch, model and tag names are written by others. This removes what no display could show
as text (controls, escapes, direction overrides, lone surrogates); what is special to one display
only is that display's own business.
"""

from __future__ import annotations

from unicodedata import category, combining, east_asian_width

REPLACEMENT = "\ufffd"
MARKS_MAX = 2  # marks on one letter: a pile of them would climb over other lines
_CLEAN: dict[tuple[object, int], str] = {}


def clean(value: object, cells_max: int) -> str:
    """The value as one line of at most `cells_max` cells, fit for any display's own escaping."""
    if not isinstance(value, str) or not value:
        return ""
    key = (value, cells_max)
    cleaned = _CLEAN.get(key)
    if cleaned is None:
        if len(_CLEAN) > 500:
            _CLEAN.clear()
        cleaned = _CLEAN[key] = cut(printable(value[:4096]), cells_max)
    return cleaned


def printable(text: str) -> str:
    """Without controls, escapes, direction overrides and variation selectors; newlines become spaces."""
    if text.isascii() and text.isprintable():
        return text
    kept: list[str] = []
    marks = MARKS_MAX  # a mark needs a letter before it
    for char in text:
        kind = category(char)
        if kind in ("Mn", "Me"):
            marks += 1
            if marks <= MARKS_MAX and not "\ufe00" <= char <= "\ufe0f":
                kept.append(char)
        elif kind in ("Cc", "Zl", "Zp", "Zs"):
            marks = MARKS_MAX
            if kind != "Cc" or char in "\t\n\r\v\f":
                kept.append(" ")
        elif kind == "Cs":
            kept.append(REPLACEMENT)
        elif kind != "Cf":
            marks = 0
            kept.append(char)
    return "".join(kept)


def cells(text: str) -> int:
    """How many terminal cells the text fills."""
    if text.isascii():
        return len(text)
    return sum(width(char) for char in text)


def width(char: str) -> int:
    if char < "\u0300":
        return 1
    if combining(char) or category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if east_asian_width(char) in "WF" else 1


def cut(text: str, cells_max: int) -> str:
    """At most `cells_max` cells; a cut is marked with `…`."""
    if cells(text) <= cells_max:
        return text
    room = cells_max - 1
    kept = 0
    for end, char in enumerate(text):
        kept += width(char)
        if kept > room:
            return text[:end] + "…" if cells_max > 0 else ""
    return text
