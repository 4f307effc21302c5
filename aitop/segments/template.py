"""Templates: text with {placeholders} and {?optional parts}.

    {cost_today}{? burn {burn}}

A part in `{? … }` is shown only while one of its placeholders has something to say (a burn rate of
zero has not, nor has an unknown limit); parts may nest. `{{` and `}}` are braces. Everything else is
text, shown as it is in every display: a template cannot hold colours, they come from the levels. An
unknown placeholder stands as written; `problem` names it to the user before that.
"""

from __future__ import annotations

from aitop.segments import placeholders
from aitop.segments.text import cells, cut, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from aitop.segments.placeholders import Values

    Piece = tuple[str, str]  # text, level
    Part = tuple[list[str], list[Piece]]  # its placeholders' names, its pieces

LINE_CELLS = 200
BETWEEN = " · "  # stands between the parts of a status line
_PARSED: dict[str, list[Any]] = {}


def fill(template: str, values: Values) -> list[Piece]:
    """The template's pieces, neighbours of one level joined, spaces squeezed, the whole line capped."""
    return _joined(_walk(parse(template), values)[0])


def parts(template: str, values: Values) -> list[Part]:
    """What stands between ` · `; a part with placeholders that all have nothing to say is left out."""
    alternatives: list[Part] = []
    for nodes in _divided(parse(template)):
        names = _names_in(nodes)
        pieces, speaks = _walk(nodes, values)
        joined = _joined(pieces) if speaks or not names else []
        if joined:
            alternatives.append((names, joined))
    return alternatives


def _divided(nodes: list[Any]) -> list[list[Any]]:
    sides: list[list[Any]] = [[]]
    for node in nodes:
        if not isinstance(node, str):
            sides[-1].append(node)
            continue
        first, *others = node.split(BETWEEN)
        sides[-1].append(first)
        sides += [[text] for text in others]
    return sides


def _names_in(nodes: list[Any]) -> list[str]:
    names: list[str] = []
    for node in nodes:
        if isinstance(node, tuple):
            names.append(node[0])
        elif isinstance(node, list):
            names += _names_in(node)
    return names


def _joined(parts: list[Piece]) -> list[Piece]:
    pieces: list[Piece] = []
    for text, level in parts:
        end = pieces[-1][0][-1:] if pieces else " "
        shown = text.lstrip(" ") if end == " " else text
        if not shown:
            continue
        if pieces and pieces[-1][1] == level:
            pieces[-1] = (pieces[-1][0] + shown, level)
        else:
            pieces.append((shown, level))
    if pieces:
        text, level = pieces[-1]
        pieces[-1:] = [(text.rstrip(" "), level)] if text.strip(" ") else []
    return _cap(pieces)


def problem(template: str) -> str | None:
    """What is wrong with a template, said so that the user can mend it, or None."""
    stray: list[str] = []
    _names(parse(template), stray)
    if not stray:
        return None
    if stray[0] == "":
        return "a { without its }; write {{ for a brace"
    import difflib

    near = difflib.get_close_matches(stray[0], placeholders.NAMES, n=1, cutoff=0.6)
    hint = f"; did you mean {{{near[0]}}}?" if near else ""
    return f"unknown placeholder {{{stray[0]}}}{hint} (--help lists them all)"


def parse(template: str) -> list[Any]:
    """Nodes: str for text, (name,) for a placeholder, [nodes] for an optional part. Kept for next time."""
    nodes = _PARSED.get(template)
    if nodes is None:
        if len(_PARSED) > 100:
            _PARSED.clear()
        nodes, _ = _parse(printable(template), 0, depth=0)
        _PARSED[template] = nodes
    return nodes


def _parse(source: str, at: int, depth: int) -> tuple[list[Any], int]:
    nodes: list[Any] = []
    while at < len(source):
        char = source[at]
        if source.startswith("{?", at) and depth < 8:
            inner, at = _parse(source, at + 2, depth + 1)
            nodes.append(inner)
        elif source.startswith("{{", at) or (depth == 0 and source.startswith("}}", at)):
            nodes.append(char)
            at += 2
        elif char == "{":
            end = source.find("}", at)
            nodes.append((source[at + 1 : end],) if end > 0 else ("",))
            at = end + 1 if end > 0 else at + 1
        elif char == "}" and depth:
            return nodes, at + 1
        else:
            braces = (source.find("{", at + 1), source.find("}", at + 1))
            end = min((place for place in braces if place > 0), default=len(source))
            nodes.append(source[at:end])
            at = end
    if depth:
        nodes.append(("",))  # an optional part that never ends
    return nodes, at


def _walk(nodes: list[Any], values: Values) -> tuple[list[Piece], bool]:
    """The pieces of some nodes, and whether any placeholder among them has something to say."""
    pieces: list[Piece] = []
    speaks = False
    for node in nodes:
        if isinstance(node, str):
            pieces.append((node, ""))
        elif isinstance(node, tuple):
            value = values.get(node[0])
            if value is None:
                pieces.append((f"{{{node[0]}}}" if node[0] else "{", ""))
                speaks = speaks or bool(node[0])
            else:
                pieces.append(value[:2])
                speaks = speaks or not value[2]
        else:
            inner, inner_speaks = _walk(node, values)
            if inner_speaks:
                pieces += inner
                speaks = True
    return pieces, speaks


def _names(nodes: list[Any], stray: list[str]) -> None:
    for node in nodes:
        if isinstance(node, tuple) and node[0] not in placeholders.NAMES:
            stray.append(node[0])
        elif isinstance(node, list):
            _names(node, stray)


def _cap(pieces: list[Piece]) -> list[Piece]:
    room = LINE_CELLS
    for index, (text, level) in enumerate(pieces):
        used = cells(text)
        if used > room:
            return [*pieces[:index], (cut(text, room), level)] if room else pieces[:index]
        room -= used
    return pieces
