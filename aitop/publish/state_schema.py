"""The published shape for programs and people: a JSON Schema and the tables of `docs/state.md`. Pure.

Both are made from `state_types.py`, so neither can differ from what mypy checks the builder against.
"""

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from aitop.model.json_types import JsonObject
from aitop.publish import state_types
from aitop.publish.state_types import Key

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_SIMPLE = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}
_PARTS = (state_types.Sum, state_types.Latencies)  # shapes that others contain whole
_OPENING, _END = "<!-- keys of ", "<!-- end of keys -->"


def schema() -> JsonObject:
    """JSON Schema of `state.json`. Keys may be added in later versions, so unknown ones are allowed."""
    shapes = {shape.__name__: _object(shape) for shape in shapes_of(state_types.State)}
    root = shapes.pop("State")
    return {"$schema": DRAFT, "title": "aitop state.json, version 1", **root, "$defs": shapes}


def described() -> list[Any]:
    """Every shape that has a table on the page."""
    return [
        *shapes_of(state_types.State),
        *(part for part in _PARTS if part not in shapes_of(state_types.State)),
    ]


def shapes_of(shape: object) -> Iterator[Any]:
    """A TypedDict and every one inside it, each once, in the order in which they appear."""
    seen: list[Any] = []

    def visit(hint: object) -> None:
        if is_typeddict(hint):
            if hint not in seen:
                seen.append(hint)
                for inner in get_type_hints(hint).values():
                    visit(inner)
            return
        for inner in get_args(hint):
            if not isinstance(inner, str | int):
                visit(inner)

    visit(shape)
    yield from seen


def keys_of(shape: object) -> dict[str, tuple[Any, Key]]:
    """Key → its type, its meaning and unit."""
    keys = {}
    for name, hint in get_type_hints(shape, include_extras=True).items():
        if get_origin(hint) is Annotated:
            plain, key = get_args(hint)
            keys[name] = (plain, key)
        else:
            keys[name] = (hint, Key(""))
    return keys


def page(text: str) -> str:
    """A page with every block `<!-- keys of NAME -->` filled anew. Raises KeyError for an unknown name."""
    by_name = {shape.__name__: shape for shape in described()}
    done, rest = "", text
    while _OPENING in rest:
        before, _, rest = rest.partition(_OPENING)
        name, _, rest = rest.partition(" -->")
        _, _, rest = rest.partition(_END)
        done += f"{before}{_OPENING}{name} -->\n{_table(by_name[name])}{_END}"
    return done + rest


def undescribed(text: str) -> list[str]:
    """Shapes that a page has no block for."""
    names = [shape.__name__ for shape in described()]
    return [name for name in names if f"{_OPENING}{name} -->" not in text]


def _table(shape: object) -> str:
    lines = [
        f"{shape.__doc__}\n" if shape.__doc__ else "",
        "| key | type | unit | meaning |",
        "|---|---|---|---|",
    ]
    parts = [part for part in _PARTS if part is not shape and keys_of(part).items() <= keys_of(shape).items()]
    elsewhere = {name for part in parts for name in keys_of(part)}
    for name, (hint, key) in keys_of(shape).items():
        if name not in elsewhere:
            lines.append(f"| `{name}` | {_words(hint)} | {key.unit} | {key.meaning} |")
    if parts:
        lines.append(f"\nand the keys of {' and '.join(map(_link, parts))}.")
    return "\n".join(lines) + "\n"


def _link(shape: Any) -> str:
    return f"[{shape.__name__}](#{shape.__name__.lower()})"


def _words(hint: Any) -> str:
    """A type in words."""
    if is_typeddict(hint):
        return _link(hint)
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in inner)
    if origin in (UnionType, Union):
        return " or ".join(_words(one) for one in inner)
    if origin is list:
        return f"list of {_words(inner[0])}"
    if origin is dict:
        return f"name → {_words(inner[1])}"
    return "any" if hint is Any else "`null`" if hint in (None, NoneType) else _SIMPLE[hint]


def _object(shape: Any) -> JsonObject:
    properties = {}
    for name, (hint, key) in keys_of(shape).items():
        words = " ".join(part for part in (key.meaning, f"Unit: {key.unit}." if key.unit else "") if part)
        properties[name] = _type(hint) | ({"description": words} if words else {})
    schema = {"type": "object", "properties": properties, "required": sorted(shape.__required_keys__)}
    return schema | ({"description": shape.__doc__} if shape.__doc__ else {})


def _type(hint: Any) -> JsonObject:
    if is_typeddict(hint):
        return {"$ref": f"#/$defs/{hint.__name__}"}
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return {"enum": list(inner)}
    if origin in (UnionType, Union):
        return {"anyOf": [_type(one) for one in inner]}
    if origin is list:
        return {"type": "array", "items": _type(inner[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": _type(inner[1])}
    return {} if hint is Any else {"type": _SIMPLE[NoneType if hint is None else hint]}
