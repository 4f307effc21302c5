"""A report's rows as a table for people. Pure; names come from files and are cleaned here."""

from typing import Any

from aitop.model.sums import Sum
from aitop.reports.ask import figures, project

Layout = tuple[tuple[str, str], ...]
COLUMNS: Layout = (
    ("requests", "requests"),
    ("uncached_input_tokens", "input"),
    ("cache_write_tokens", "cache write"),
    ("cache_read_tokens", "cache read"),
    ("output_tokens", "output"),
    ("cost_usd", "cost"),
)
TOOL_COLUMNS: Layout = (("tool_calls", "calls"), ("tool_failures", "failed"))
COMMIT_COLUMNS: Layout = (
    ("requests", "requests"), ("cost_usd", "cost"), ("lines", "lines"), ("usd_per_line", "per line"),
)  # fmt: skip
NAME_WIDTH = 44


def layout(name: str) -> Layout:
    return {"tool": TOOL_COLUMNS, "commit": COMMIT_COLUMNS}.get(name, COLUMNS)


def render(rows: list[dict[str, Any]], name: str, total: Sum) -> str:
    """One line a row and a total, columns right-aligned; `≥` where the sum is a lower bound, `~` an estimate."""
    columns = layout(name)
    heads = [name, *(head for _, head in columns)]
    body = [cells(row, name_of(row, name), columns) for row in rows]
    lines = [heads, *body, cells(total_row(total), "total", columns)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    shown = [
        line[0].ljust(widths[0])
        + "".join("  " + cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))
        for line in lines
    ]
    rule = "-" * len(shown[0])
    return "\n".join([shown[0], rule, *shown[1:-1], rule, shown[-1], *notes(rows)])


def clean(text: str) -> str:
    """Text of a file as it may stand on a terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)


def name_of(row: dict[str, Any], name: str) -> str:
    """What a row is called in a table."""
    text = str(row[name] if row[name] is not None else "(none)")
    if name == "session":
        text = f"{text[:8]} {project(row.get('cwd')) if row.get('cwd') else ''}".strip()
    elif name == "branch":
        text = f"{row['project']}: {text}"
    elif name == "block":
        text = f"{text[:16].replace('T', ' ')}{' (running)' if row['active'] else ''}"
    elif name == "commit":
        text = f"{text[:9]} {row.get('subject') or ''}".strip()
    return clean(text)[:NAME_WIDTH]


def cells(row: dict[str, Any], name: str, columns: Layout) -> list[str]:
    return [name, *(_cell(row, key) for key, _ in columns)]


def total_row(total: Sum) -> dict[str, Any]:
    return figures(total)


def notes(rows: list[dict[str, Any]]) -> list[str]:
    found = []
    if any(row.get("unpriced_requests") for row in rows):
        found.append("≥ some requests have no known price: `aitop prices` lists their models")
    if any(row.get("estimated_requests") for row in rows):
        found.append("~ some requests are priced as their family's newest model")
    return found


def _cell(row: dict[str, Any], key: str) -> str:
    value = row.get(key)
    if value is None:
        return "-"
    if key not in ("cost_usd", "usd_per_line"):
        return f"{value:,}"
    mark = "≥" if row.get("unpriced_requests") else "~" if row.get("estimated_requests") else ""
    return f"{mark}${value:,.4f}"
