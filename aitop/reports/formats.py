"""The same rows as JSON, CSV, Markdown or a table. Pure; names come from files and are made harmless here."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Literal

from aitop.reports import table
from aitop.reports.columns import columns
from aitop.reports.rows import Answer, Row, clean, figures
from aitop.reports.table import Style

Form = Literal["table", "json", "csv", "markdown"]
FORMS: tuple[Form, ...] = ("table", "json", "csv", "markdown")
ROWS_AT_ONCE = 500  # of JSON in memory: all of them would be held three times
COMPUTED_BY_SPREADSHEETS = ("=", "+", "-", "@")


def render(answer: Answer, form: Form, rows: Sequence[Row], style: Style) -> str:
    """`rows` are those shown; the total is always that of the whole answer."""
    if form == "json":
        return "".join(json_parts(rows))
    if form == "csv":
        return _csv(rows)
    if form == "markdown":
        return _markdown(answer, rows, style)
    return table.render(answer, rows, style)


def json_parts(rows: Sequence[Row]) -> Iterator[str]:
    """JSON, some rows at a time. A row a line: as readable as an indented one, and the standard library's fast way."""
    before = "["
    for at in range(0, len(rows), ROWS_AT_ONCE):
        yield before + ",".join(f"\n{json.dumps(row)}" for row in rows[at : at + ROWS_AT_ONCE])
        before = ","
    yield "\n]" if rows else "[]"


def _csv(rows: Sequence[Row]) -> str:
    out = io.StringIO()
    if rows:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(rows[0])
        writer.writerows([_field(key, value) for key, value in row.items()] for row in rows)
    return out.getvalue().rstrip("\n")


def _field(key: str, value: object) -> object:
    """Money to a millionth of a dollar, times to a millisecond; an apostrophe before what a spreadsheet would
    compute.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.6f}" if key.endswith(("_usd", "_rate", "per_line")) else f"{value:.3f}"
    if isinstance(value, list):
        value = ";".join(str(item) for item in value)
    if isinstance(value, str):
        value = clean(value)
        return f"'{value}" if value.startswith(COMPUTED_BY_SPREADSHEETS) else value
    return value


def _markdown(answer: Answer, rows: Sequence[Row], style: Style) -> str:
    shown = columns(answer.kind or answer.name, answer.total, in_credits=answer.in_credits)
    lines = [[answer.name, *(column.head for column in shown)]]
    lines += [[table.name_of(row, answer.name), *table.cells(row, shown, style)] for row in rows]
    lines.append(["**total**", *table.cells(figures(answer.total) | answer.whole, shown, style)])
    drawn = [
        "| " + " | ".join(cell.replace("\\", "\\\\").replace("|", "\\|") for cell in line) + " |"
        for line in lines
    ]
    rule = "".join(" --- |" if column.kind in ("names", "text") else " ---: |" for column in shown)
    return "\n".join([drawn[0], "| --- |" + rule, *drawn[1:]])
