"""The same rows as JSON, CSV, Markdown or a table. Pure; names come from files and are made harmless here."""

import csv
import io
import json
from typing import Any

from aitop.reports import table
from aitop.reports.ask import Answer

NAMES = ("table", "json", "csv", "markdown")


def render(answer: Answer, form: str, rows: list[dict[str, Any]]) -> str:
    """`rows` are those shown; the total is always that of the whole answer."""
    if form == "json":
        return _json(rows)
    if form == "csv":
        return _csv(rows)
    layout = table.layout(answer.name)
    if form == "markdown":
        return _markdown(answer, rows, layout)
    return table.render(rows, answer.name, answer.total)


def _json(rows: list[dict[str, Any]]) -> str:
    """A row a line: as readable as an indented one, and the standard library's fast way."""
    return "[" + ",".join(f"\n{json.dumps(row)}" for row in rows) + ("\n]" if rows else "]")


def _csv(rows: list[dict[str, Any]]) -> str:
    out = io.StringIO()
    if rows:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(rows[0])
        writer.writerows([_field(value) for value in row.values()] for row in rows)
    return out.getvalue().rstrip("\n")


def _field(value: Any) -> Any:
    """Numbers as they are; a text a spreadsheet would compute gets an apostrophe in front."""
    if isinstance(value, list):
        value = ";".join(str(item) for item in value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        value = table.clean(value)
        return f"'{value}" if value[:1] in ("=", "+", "-", "@") else value
    return value


def _markdown(answer: Answer, rows: list[dict[str, Any]], layout: table.Layout) -> str:
    lines = [[answer.name, *(head for _, head in layout)]]
    lines += [table.cells(row, table.name_of(row, answer.name), layout) for row in rows]
    lines.append(table.cells(table.total_row(answer.total), "**total**", layout))
    shown = [
        "| " + " | ".join(cell.replace("\\", "\\\\").replace("|", "\\|") for cell in line) + " |"
        for line in lines
    ]
    return "\n".join([shown[0], "| --- |" + " ---: |" * len(layout), *shown[1:], *_notes(rows)])


def _notes(rows: list[dict[str, Any]]) -> list[str]:
    notes = table.notes(rows)
    return ["", *notes] if notes else []
