"""Set one key in a TOML text of the user's and leave every other byte: comments, order, line ends.

tomlkit does the editing; the result is read again with the standard library and compared with what it
should say, so a layout that would come out wrong is refused with the line to write by hand. Pure: text
in, text out. Keys are dotted paths, `table.name` or a bare `name`.
"""

import re
import tomllib
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array, Item, Table

from aitop.model.json_types import JsonObject

Value = str | bool | int | float | list[str]


class CannotEdit(ValueError):  # noqa: N818
    """The text cannot be changed with certainty; the message says which line to write."""


def get(text: str, dotted: str) -> Any:
    """The value of a key; None where the text has none. Raises CannotEdit for what is not TOML."""
    try:
        value: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CannotEdit(f"cannot be parsed: {error}") from error
    for name in dotted.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def put(text: str, dotted: str, value: Value | None) -> str:
    """The text with the key set, or without it (`value=None`). Raises CannotEdit."""
    head, _, name = dotted.rpartition(".")
    remedy = f"{f'in [{head}], ' if head else ''}write: {name} = {written(value)}"
    try:
        before = tomllib.loads(text)
        document = tomlkit.parse(text)
        _set(document, dotted.split("."), value)
        edited = _line_ends(tomlkit.dumps(document), text)
        after = tomllib.loads(edited)
    except tomllib.TOMLDecodeError as error:
        raise CannotEdit(f"cannot be parsed ({error}); mend it, then {remedy}") from error
    except (TOMLKitError, TypeError, ValueError) as error:
        raise CannotEdit(f"its layout is unusual; {remedy}") from error
    if after != _with(before, dotted.split("."), value):
        raise CannotEdit(f"its layout is unusual; {remedy}")
    return edited


def written(value: Value | None) -> str:
    """A value as TOML writes it; "" for None."""
    return "" if value is None else tomlkit.item(value).as_string()


def _set(document: tomlkit.TOMLDocument, names: list[str], value: Value | None) -> None:
    table: Any = document
    for name in names[:-1]:
        if name not in table:
            if value is None:
                return
            table[name] = tomlkit.table()
        table = table[name]
    last = names[-1]
    if value is None:
        table.pop(last, None)
    elif isinstance(table.get(last), Array) and isinstance(value, list):
        _set_items(table[last], value)
    elif last in table:
        _replace(table, last, value)
    else:
        _add(table, last, value)


def _replace(table: Any, name: str, value: Value) -> None:
    """The new value with the comment that stands behind the old one."""
    old, new = table[name], tomlkit.item(value)
    if isinstance(old, Item):
        new.trivia.comment, new.trivia.comment_ws = old.trivia.comment, old.trivia.comment_ws
        new.trivia.trail = old.trivia.trail
    table[name] = new


def _add(table: Any, name: str, value: Value) -> None:
    """A new key at the head of its table: behind the last one it would stand behind blank lines and comments."""
    if isinstance(table, Table) and table.value.body:
        table.value._insert_at(0, tomlkit.key(name), tomlkit.item(value))  # noqa: SLF001 - has no public name
    else:
        table.append(name, value)


def _set_items(array: Array, wanted: list[str]) -> None:
    """Items in and out one by one, so that the comments of the others stay."""
    for position in reversed(range(len(array))):
        if array[position] not in wanted:
            del array[position]
    for position, item in enumerate(wanted):
        if position >= len(array) or array[position] != item:
            array.insert(position, item)
    del array[len(wanted) :]


def _line_ends(edited: str, like: str) -> str:
    """The line ends of the old text in the new parts too."""
    if "\r\n" in like and not re.search(r"(?<!\r)\n", like):
        return re.sub(r"(?<!\r)\n", "\r\n", edited)
    return edited


def _with(data: JsonObject, names: list[str], value: Value | None) -> JsonObject:
    """What the text should say afterwards."""
    changed = dict(data)
    head, *rest = names
    if rest:
        inner = changed.get(head)
        if value is not None or isinstance(inner, dict):
            changed[head] = _with(inner if isinstance(inner, dict) else {}, rest, value)
    elif value is None:
        changed.pop(head, None)
    else:
        changed[head] = value
    return changed
