"""A report's rows as a table for people. Pure; names come from files and are cleaned here."""

import os
from collections.abc import Iterable
from typing import Any

COLUMNS = (
    ("requests", "requests"),
    ("uncached_input_tokens", "input"),
    ("cache_write_tokens", "cache write"),
    ("cache_read_tokens", "cache read"),
    ("output_tokens", "output"),
    ("cost_usd", "cost"),
)
NAME_WIDTH = 44


def render(rows: list[dict[str, Any]], name: str) -> str:
    """One line a row and a total, columns right-aligned; `≥` where the sum is a lower bound, `~` an estimate."""
    heads = [name, *(head for _, head in COLUMNS)]
    lines = [heads, *(_cells(row, _name(row, name)) for row in rows), _cells(_total(rows), "total")]
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    shown = [
        line[0].ljust(widths[0])
        + "".join("  " + cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))
        for line in lines
    ]
    rule = "-" * len(shown[0])
    notes = _notes(rows)
    return "\n".join([shown[0], rule, *shown[1:-1], rule, shown[-1], *notes])


def clean(text: str) -> str:
    """Text of a file as it may stand on a terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)


def _name(row: dict[str, Any], name: str) -> str:
    text = str(row[name])
    if name == "session":
        folder = os.path.basename((row.get("cwd") or "").replace("\\", "/").rstrip("/"))
        text = f"{text[:8]} {folder}".strip()
    return clean(text)[:NAME_WIDTH]


def _cells(row: dict[str, Any], name: str) -> list[str]:
    mark = "≥" if row["unpriced_requests"] else "~" if row["estimated_requests"] else ""
    cells = [f"{row[key]:,}" if key != "cost_usd" else f"{mark}${row[key]:,.4f}" for key, _ in COLUMNS]
    return [name, *cells]


def _total(rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in COLUMNS] + ["unpriced_requests", "estimated_requests"]
    found = list(rows)
    return {key: sum(row[key] for row in found) for key in keys}


def _notes(rows: list[dict[str, Any]]) -> list[str]:
    notes = []
    if any(row["unpriced_requests"] for row in rows):
        notes.append("≥ some requests have no known price: `aitop prices` lists their models")
    if any(row["estimated_requests"] for row in rows):
        notes.append("~ some requests are priced as their family's newest model")
    return notes
