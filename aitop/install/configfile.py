"""Set one key in the user's TOML file and leave every other byte: comments are the user's.

The edit is textual and checked afterwards by a real parser; where it would not come out right,
nothing is written and the line to add is told instead. Pure but for reading nothing at all.
Keys have one table above them: `table.name`.
"""

import json
import re
import tomllib
from typing import Any

Value = str | bool | int | list[str]


class CannotEdit(ValueError):  # noqa: N818
    """The file's layout is beyond a careful edit; the message says which line to write."""


def get(text: str, dotted: str) -> Any:
    """A key as the file has it; None when it has none. Raises CannotEdit."""
    table, _, name = dotted.partition(".")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CannotEdit(f"cannot be parsed: {error}") from error
    found = data.get(table)
    return found.get(name) if isinstance(found, dict) else None


def put(text: str, dotted: str, value: Value | None) -> str:
    """The text with the key set, or taken out (None). Raises CannotEdit."""
    table, _, name = dotted.partition(".")
    line = f"{name} = {written(value)}"
    before = _loads(text, table, line)
    lines = text.splitlines(keepends=True)
    place = _assignment(lines, table, name)
    if place is not None:
        start, end, prefix = place
        lines[start:end] = [] if value is None else [f"{prefix}{line}\n"]
    elif value is not None:
        header = next((n for n, row in enumerate(lines) if re.match(rf"\s*\[\s*{table}\s*\]", row)), None)
        if header is None:
            gap = "\n" if text.strip() else ""
            end_of_line = "" if not text or text.endswith("\n") else "\n"
            lines.append(f"{end_of_line}{gap}[{table}]\n{line}\n")
        else:
            if not lines[header].endswith("\n"):
                lines[header] += "\n"
            lines.insert(header + 1, f"{line}\n")
    new = "".join(lines)
    wanted = _with(before, table, name, value)
    if _prune(_loads(new, table, line)) != _prune(wanted):
        raise CannotEdit(f"its layout is unusual; in [{table}], write: {line}")
    return new


def written(value: Value | None) -> str:
    """As TOML: JSON's texts, numbers and lists are the same, but for DEL, which TOML wants escaped."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _assignment(lines: list[str], wanted: str, name: str) -> tuple[int, int, str] | None:
    """(first line, line after the last, what precedes the name) of the key's own assignment."""
    table = ""
    for number, row in enumerate(lines):
        header = re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", row)
        if header:
            table = header.group(1).strip("\"' ")
        form = rf"\s*{name}\s*=" if table == wanted else rf"\s*{wanted}\s*\.\s*{name}\s*="
        if re.match(form, row) and table in ("", wanted):
            for end in range(number + 1, len(lines) + 1):
                try:
                    tomllib.loads("".join(lines[number:end]))
                except tomllib.TOMLDecodeError:
                    continue
                return number, end, row[: row.index(name)]
    return None


def _loads(text: str, table: str, line: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CannotEdit(f"cannot be parsed ({error}); mend it, then write in [{table}]: {line}") from error


def _with(data: dict[str, Any], table: str, name: str, value: Value | None) -> dict[str, Any]:
    found = dict(data.get(table) or {})
    found.pop(name, None)
    return {**data, table: found if value is None else {**found, name: value}}


def _prune(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if value != {}}
