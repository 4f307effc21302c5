"""What a list shows, as a file: raw numbers under plain names, in the order of the screen."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Sequence
from typing import Any

from aitop.top.table import Row

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def columns(rows: Sequence[Row]) -> list[str]:
    """Every value's name, in the order they first appear."""
    return list(dict.fromkeys(name for row in rows for name in row.values))


def as_json(rows: Sequence[Row]) -> str:
    """A list of objects; what is unknown is null. A sub-agent names its parent."""
    names = columns(rows)
    objects = [
        {name: row.values.get(name) for name in names}
        | ({"parent": row.parent.partition("\t")[2]} if row.parent else {})
        for row in rows
    ]
    return json.dumps(objects, indent=1, ensure_ascii=False) + "\n"


def as_csv(rows: Sequence[Row]) -> str:
    """One line a row; what is unknown is empty. A text that a spreadsheet would run stays a text."""
    names = columns(rows)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*names, "parent"])
    for row in rows:
        writer.writerow([*(_cell(row.values.get(name)) for name in names), row.parent.partition("\t")[2]])
    return out.getvalue()


def _cell(value: object) -> Any:
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return "" if value is None else value


def write(path: str, rows: Sequence[Row]) -> str:
    """Write a new file by its ending (.json, else CSV), for this user only; its whole path. Raises OSError."""
    path = os.path.abspath(os.path.expanduser(path))
    text = as_json(rows) if path.endswith(".json") else as_csv(rows)
    fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    return path
