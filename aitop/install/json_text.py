"""Read and change JSON texts of other people's: what did not change keeps its bytes.

A settings file belongs to its user: spacing, escapes, number forms, comments and line ends stay where
nothing changed, so the diff shows what was added and nothing else. Comments and trailing commas are
allowed only where the caller says that the file's own program allows them. Pure: text and data in, text out.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

_SPACE = re.compile(r"[ \t\n\r]*")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/|[{}\[\],]|.', re.DOTALL)
_SCALAR = re.compile(r'"(?:[^"\\]|\\.)*"|[-+.\w]+', re.DOTALL)


class NotJson(ValueError):  # noqa: N818
    """The text cannot be parsed; says the line and what is usually wrong there."""


@dataclass(slots=True)
class _Node:
    """A value and where its text is. `items`: (key or None, start of key or value, node)."""

    start: int
    end: int
    value: Any
    items: list[tuple[str | None, int, "_Node"]] | None = None


def parse(text: str, *, comments: bool = False) -> Any:
    """The value of a JSON text as strictly as the clients read it; an empty text is an empty object.

    With `comments`, comments and trailing commas are allowed. Raises NotJson.
    """
    if not text.strip():
        return {}
    try:
        return json.loads(plain(text) if comments else text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise NotJson(f"line {error.lineno}, column {error.colno}: {_hint(text, error)}") from error
    except _ConstantError as error:
        line = next((number for number, row in enumerate(text.splitlines(), 1) if error.args[0] in row), 1)
        raise NotJson(
            f"line {line}: {error.args[0]} is not JSON; its program ignores the whole file because of it"
        ) from error
    except RecursionError as error:
        raise NotJson("nested too deeply") from error


class _ConstantError(ValueError):
    """NaN or Infinity, which Python reads and the clients do not."""


def _refuse_constant(name: str) -> Any:
    raise _ConstantError(name)


def _hint(text: str, error: json.JSONDecodeError) -> str:
    rows = text.splitlines()
    line = rows[error.lineno - 1] if error.lineno <= len(rows) else ""
    if line.lstrip().startswith(("//", "/*", "#")) or "//" in line[error.colno - 1 :][:2]:
        return "a comment, which JSON does not allow"
    if re.match(r"\s*[}\]]", line[error.colno - 1 :]) or "trailing comma" in error.msg.lower():
        return "a comma too many before it, or a value missing"
    return error.msg


def plain(text: str) -> str:
    """The same text with comments and trailing commas as spaces, so that positions stay."""
    out: list[str] = []
    comma: int | None = None  # where a comma stands that nothing has followed yet
    for match in _TOKEN.finditer(text):
        piece = match.group()
        if piece.startswith(("//", "/*")):
            out.append(re.sub(r"[^\n]", " ", piece))
            continue
        if piece in ("}", "]") and comma is not None:
            out[comma] = " "
        if not piece.isspace():
            comma = len(out) if piece == "," else None
        out.append(piece)
    return "".join(out)


def inside_list(text: str, key: str) -> tuple[int, int] | None:
    """The positions between the brackets of a list of the top object, comments allowed; None: no such list."""
    blank = plain(text)
    root = _node(blank, _skip(blank, 0))
    for name, _, node in reversed(root.items or []):
        if name == key and isinstance(node.value, list):
            return node.start + 1, node.end - 1
    return None


def patch(text: str, new: object) -> str:
    """The text changed so that it parses to `new`; unchanged parts keep their bytes."""
    style = _style(text)
    if not text.strip():
        return _dump(new, style, 0) + style.newline
    start = _SPACE.match(text, 0).end()  # type: ignore[union-attr]
    root = _node(text, start)
    return text[:start] + _render(text, root, new, style, 0) + text[root.end :]


@dataclass(frozen=True, slots=True)
class _Style:
    indent: str | None  # None: all on one line
    newline: str


def _style(text: str) -> _Style:
    newline = "\r\n" if "\r\n" in text else "\n"
    indented = re.search(r"[{\[]\s*?\n([ \t]+)\S", text)
    if indented:
        return _Style(indented.group(1), newline)
    compact = "\n" not in text.strip() and len(text.strip()) > 2
    return _Style(None if compact else "  ", newline)


def _node(text: str, at: int) -> _Node:
    """The value that starts at `at`, in a text that is known to parse."""
    if text[at] not in "{[":
        end = _SCALAR.match(text, at).end()  # type: ignore[union-attr]
        return _Node(at, end, json.loads(text[at:end]))
    items: list[tuple[str | None, int, _Node]] = []
    is_object = text[at] == "{"
    close = "}" if is_object else "]"
    position = _skip(text, at + 1)
    while text[position] != close:
        begin = position
        key = None
        if is_object:
            end = _SCALAR.match(text, position).end()  # type: ignore[union-attr]
            key = json.loads(text[position:end])
            position = _skip(text, _skip(text, end) + 1)  # past the colon
        node = _node(text, position)
        items.append((key, begin, node))
        position = _skip(text, node.end)
        if text[position] == ",":
            position = _skip(text, position + 1)
    value: Any = {k: n.value for k, _, n in items} if is_object else [n.value for _, _, n in items]
    return _Node(at, position + 1, value, items)


_Part = tuple[int | None, str]  # an item's place in the text as it was, None for a new one; its text


def _skip(text: str, at: int) -> int:
    return _SPACE.match(text, at).end()  # type: ignore[union-attr]


def _render(text: str, node: _Node, new: object, style: _Style, depth: int) -> str:
    if _same(node.value, new):
        return text[node.start : node.end]
    if node.items and new and isinstance(node.value, dict) and isinstance(new, dict):
        # of a repeated key, the last counts
        kept = {key: (at, begin, old) for at, (key, begin, old) in enumerate(node.items)}
        order = [key for key in kept if key in new] + [key for key in new if key not in kept]
        parts: list[_Part] = []
        for key in order:
            if key in kept:
                at, begin, old = kept[key]
                parts.append((at, text[begin : old.start] + _render(text, old, new[key], style, depth + 1)))
            else:
                assert isinstance(key, str)
                parts.append((None, f"{_quote(key)}: {_dump(new[key], style, depth + 1)}"))
        return _join(text, node, parts, style, depth)
    if node.items and new and isinstance(node.value, list) and isinstance(new, list):
        parts = []
        unused = 0  # the first item that none of the new ones is yet
        for item in new:
            rest = range(unused, len(node.items))
            same = next((at for at in rest if _same(node.items[at][2].value, item)), None)
            if same is None and len(new) == len(node.items) and rest:
                same = unused  # the same number: one of them changed where it stands
            if same is None:
                parts.append((None, _dump(item, style, depth + 1)))
                continue
            unused = same + 1
            parts.append((same, _render(text, node.items[same][2], item, style, depth + 1)))
        return _join(text, node, parts, style, depth)
    return _dump(new, style, depth)


def _join(text: str, node: _Node, parts: list[_Part], style: _Style, depth: int) -> str:
    """The parts between the node's own brackets. What stood side by side keeps what stood between."""
    assert node.items
    before = text[node.start + 1 : node.items[0][1]]
    after = text[node.items[-1][2].end : node.end - 1]
    if "\n" in before:
        between = "," + before
    elif len(parts) > len(node.items) and any("\n" in part for at, part in parts if at is None):
        between = f",{style.newline}{(style.indent or '') * (depth + 1)}"
        after = f"{style.newline}{(style.indent or '') * depth}"
    elif len(node.items) > 1:
        between = text[node.items[0][2].end : node.items[1][1]]
    else:
        between = ", "
    out = [text[node.start] + before]
    for (left, _), (right, part) in zip([(None, ""), *parts], parts, strict=False):
        if left is not None and right == left + 1:
            out.append(text[node.items[left][2].end : node.items[right][1]])
        elif len(out) > 1:
            out.append(between)
        out.append(part)
    return "".join(out) + after + text[node.end - 1]


def _dump(value: object, style: _Style, depth: int) -> str:
    if style.indent is None or not isinstance(value, dict | list) or not value:
        return json.dumps(value, ensure_ascii=False)
    text = json.dumps(value, ensure_ascii=False, indent=style.indent)
    return text.replace("\n", style.newline + style.indent * depth)


def _quote(key: str) -> str:
    return json.dumps(key, ensure_ascii=False)


def _same(one: object, other: object) -> bool:
    """Equal as JSON: 1, 1.0 and true are three values."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_same(a, b) for a, b in zip(one, other, strict=True))
    return type(one) is type(other) and bool(one == other)
