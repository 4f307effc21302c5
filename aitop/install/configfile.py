"""Set one key in the user's TOML file and leave every other byte: comments are the user's.

The edit is textual and checked afterwards by a real parser; where it would not come out right,
nothing is written and the line to add is told instead. Pure but for reading nothing at all.
"""

import json
import re
import tomllib
from typing import Any


class CannotEdit(ValueError):  # noqa: N818
    """The file's layout is beyond a careful edit; the message says which line to write."""


def get_dirs(text: str) -> list[str] | None:
    """`claude.config_dirs` as the file has it; None when it has none. Raises CannotEdit."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CannotEdit(f"cannot be parsed: {error}") from error
    claude = data.get("claude")
    found = claude.get("config_dirs") if isinstance(claude, dict) else None
    return found if isinstance(found, list) else None


def set_dirs(text: str, dirs: list[str] | None) -> str:
    """The text with `claude.config_dirs` set, or taken out (None). Raises CannotEdit."""
    # A JSON list is a TOML list, but for DEL, which TOML wants escaped.
    line = f"config_dirs = {json.dumps(dirs, ensure_ascii=False)}".replace("\x7f", "\\u007f")
    before = _loads(text, line)
    lines = text.splitlines(keepends=True)
    place = _assignment(lines)
    if place is not None:
        start, end, prefix = place
        lines[start:end] = [] if dirs is None else [f"{prefix}{line}\n"]
    elif dirs is not None:
        header = next((n for n, row in enumerate(lines) if re.match(r"\s*\[\s*claude\s*\]", row)), None)
        if header is None:
            gap = "\n" if text.strip() else ""
            end_of_line = "" if not text or text.endswith("\n") else "\n"
            lines.append(f"{end_of_line}{gap}[claude]\n{line}\n")
        else:
            if not lines[header].endswith("\n"):
                lines[header] += "\n"
            lines.insert(header + 1, f"{line}\n")
    new = "".join(lines)
    wanted = _with_dirs(before, dirs)
    if _prune(_loads(new, line)) != _prune(wanted):
        raise CannotEdit(f"its layout is unusual; in [claude], write: {line}")
    return new


def _assignment(lines: list[str]) -> tuple[int, int, str] | None:
    """(first line, line after the last, what precedes `config_dirs`) of the key's own assignment."""
    table = ""
    for number, row in enumerate(lines):
        header = re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", row)
        if header:
            table = header.group(1).strip("\"' ")
        wanted = r"\s*config_dirs\s*=" if table == "claude" else r"\s*claude\s*\.\s*config_dirs\s*="
        if re.match(wanted, row) and table in ("", "claude"):
            for end in range(number + 1, len(lines) + 1):
                try:
                    tomllib.loads("".join(lines[number:end]))
                except tomllib.TOMLDecodeError:
                    continue
                return number, end, row[: row.index("config_dirs")]
    return None


def _loads(text: str, line: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CannotEdit(f"cannot be parsed ({error}); mend it, then write in [claude]: {line}") from error


def _with_dirs(data: dict[str, Any], dirs: list[str] | None) -> dict[str, Any]:
    claude = dict(data.get("claude") or {})
    claude.pop("config_dirs", None)
    return {**data, "claude": claude if dirs is None else {**claude, "config_dirs": dirs}}


def _prune(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if value != {}}
