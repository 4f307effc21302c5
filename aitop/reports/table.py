"""A report's rows as a table for people. Pure; names come from files and are cleaned here."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import NamedTuple

from aitop.reports.columns import Column, columns
from aitop.reports.filters import Period
from aitop.reports.rows import Answer, Row, clean, figures, project
from aitop.segments import humanize, money, text_table
from aitop.segments.money import Currency
from aitop.segments.text import cells as cells_of
from aitop.segments.text import cut

NAME_CELLS_MIN = 24  # columns give way before names are cut below this
NAME_CELLS_MAX = 60
BEHIND_MARKS = ("unpriced_requests", "understated_requests", "estimated_requests")
SESSION_ID_LETTERS, COMMIT_LETTERS = 8, 9


Groups = dict[str, dict[str, Row]]  # name of a group → period's label → row


class Style(NamedTuple):
    """How numbers are shown: the currency, the cells of the terminal (0: as many as needed), the zone."""

    currency: Currency
    width: int = 0
    zone: tzinfo | None = None


def render(answer: Answer, rows: Sequence[Row], style: Style) -> str:
    """One line a row and a total; `rows` are those shown, the total is that of the whole answer."""
    fitting = _fitting(answer, rows, style)
    heads = [answer.name, *(column.head for column in fitting)]
    body = [line for row in rows for line in _lines(row, answer.name, fitting, style)]
    align = "l" + "".join("l" if column.kind in ("names", "text") else "r" for column in fitting)
    foot = ["total", *cells(figures(answer.total) | answer.whole, fitting, style)]
    return "\n".join(text_table.lines(body, align, heads=heads, foot=foot, width=style.width))


def matrix(answer: Answer, period: Period, style: Style, chosen: Callable[[list[str]], list[str]]) -> str:
    """Groups down, periods across, what was spent in each place; the oldest periods give way.

    `chosen` picks the groups to show from their names, the dearest first; the totals are of all of them.
    """
    labels = sorted({row[period] for row in answer.rows})
    groups: Groups = {}
    for row in answer.rows:
        groups.setdefault(name_of(row, answer.name), {})[row[period]] = row
    dearest = sorted(groups, key=lambda name: -sum(row["spent_usd"] for row in groups[name].values()))
    names, shown = chosen(dearest), labels
    while True:
        lines = _matrix_lines(groups, names, shown, style)
        if len(shown) <= 1 or not style.width or max(map(cells_of, lines)) <= style.width:
            break
        shown = shown[1:]
    hidden = len(labels) - len(shown)
    if hidden:
        first = f"{hidden} earlier {period}{'' if hidden == 1 else 's'}"
        lines.append(f"{first} left out for want of room; `--csv` has all of them")
    if len(names) < len(groups):
        lines.append(f"{len(names)} of {len(groups)} {answer.name} rows shown; the total is of all of them")
    return "\n".join(lines)


def _matrix_lines(groups: Groups, names: list[str], labels: list[str], style: Style) -> list[str]:
    body = [
        [
            name,
            *(_money(groups[name].get(label), style) for label in labels),
            _together([groups[name]], style),
        ]
        for name in names
    ]
    sums = [
        _together([{label: of[label]} for of in groups.values() if label in of], style) for label in labels
    ]
    foot = ["total", *sums, _together(list(groups.values()), style)]
    return text_table.lines(body, "lr", heads=["", *labels, "total"], foot=foot)


def _money(row: Row | None, style: Style) -> str:
    return "" if row is None else money.text(row["spent_usd"], style.currency, row)


def _together(parts: Sequence[Mapping[str, Row]], style: Style) -> str:
    rows = [row for part in parts for row in part.values()]
    counts = {key: sum(row[key] for row in rows) for key in BEHIND_MARKS}
    return money.text(sum(row["spent_usd"] for row in rows), style.currency, counts)


def name_of(row: Row, name: str) -> str:
    """What a row is called in a table."""
    text = str(row[name] if row[name] is not None else "(none)")
    if name == "session":
        text = f"{text[:SESSION_ID_LETTERS]} {project(row.get('cwd')) if row.get('cwd') else ''}".strip()
    elif name == "branch":
        text = f"{row['project']}: {text}"
    elif name == "block":
        text = f"{text[:16].replace('T', ' ')}{' (running)' if row['active'] else ''}"
    elif name == "commit":
        text = f"{text[:COMMIT_LETTERS]} {row.get('subject') or ''}".strip()
    return cut(clean(text), NAME_CELLS_MAX)


def cells(row: Row, shown: Sequence[Column], style: Style) -> list[str]:
    """A row's fields as text; `-` for what is unknown."""
    return [_cell(row, column, style) for column in shown]


def _cell(row: Row, column: Column, style: Style) -> str:
    value = row.get(column.key)
    if value is None:
        return "" if column.kind in ("moment", "names", "text") else humanize.UNKNOWN
    if column.key == "untracked_usd" and not value and row.get("client_cost_usd", 0.0) is None:
        return humanize.UNKNOWN  # the client of this session reports no total to compare with
    if column.kind == "money":
        return money.text(value, style.currency, row, exact=True)
    if column.kind == "share":
        return humanize.share(value)
    if column.kind == "moment":
        return f"{datetime.fromtimestamp(value, style.zone):%Y-%m-%d %H:%M}"
    if column.kind == "names":
        return ", ".join(map(clean, value))
    if column.kind == "ratio":
        return f"{value:.2f}"
    if column.kind == "text":
        return clean(value)
    return f"{value:,.1f}" if column.kind == "amount" else f"{value:,}"


def _lines(row: Row, name: str, shown: Sequence[Column], style: Style) -> list[list[str]]:
    """The row, and a line for each model of its breakdown."""
    parts = row.get("breakdown", [])
    return [
        [name_of(row, name), *cells(row, shown, style)],
        *([f"  {clean(part['model'])}", *cells(part, shown, style)] for part in parts),
    ]


def _fitting(answer: Answer, rows: Sequence[Row], style: Style) -> tuple[Column, ...]:
    """The columns for which there is room beside names of a readable length."""
    shown = columns(answer.kind or answer.name, answer.total, in_credits=answer.in_credits)
    every = [
        *rows,
        *(part for row in rows for part in row.get("breakdown", [])),
        figures(answer.total) | answer.whole,
    ]
    longest = max((text_table.widths([[name_of(row, answer.name)]])[0] for row in rows), default=0)
    needed = min(longest, NAME_CELLS_MIN)
    sizes = {
        column.key: text_table.widths([[column.head], *([_cell(row, column, style)] for row in every)])[0]
        for column in shown
    }
    while style.width and needed + sum(sizes[c.key] + 2 for c in shown) > style.width:
        leaving = min((c for c in shown if c.gives_way), key=lambda c: c.gives_way, default=None)
        if leaving is None:
            break
        shown = tuple(column for column in shown if column != leaving)
    return shown
