"""Print one report: its rows in the form asked for, and for people what stands around them."""

import os
import sys
from typing import NamedTuple

import click

from aitop.model.sums import ZERO
from aitop.reports import formats, framing, table
from aitop.reports.ask import Asker
from aitop.reports.filters import PERIODS
from aitop.reports.framing import Folders
from aitop.reports.options import Chosen
from aitop.reports.rows import Answer, Row
from aitop.reports.table import Style
from aitop.segments import money

PLOT_CELLS_MAX = 160
CONTEXT_NOTES = (
    "≈: a call's result is the growth of the next prompt without the answer before it; calls side by side share it.",
    "Descriptions of tools that a client always sends are among the beginnings: the records do not say their size.",
)


class Page(NamedTuple):
    """One answer and all that its printing needs; `coverage` says what could not be counted, a line each."""

    title: str
    answer: Answer
    chosen: Chosen
    style: Style
    folders: Folders
    coverage: list[str]


def terminal_width() -> int:
    """The cells of the terminal; 0, for as many as needed, where the output goes to a file or a program."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdecimal():
        import shutil

        return shutil.get_terminal_size().columns
    return 0


def show(page: Page, asker: Asker, now: float) -> None:
    """Print it."""
    answer, chosen = page.answer, page.chosen
    rows = _shown(answer, chosen)
    if chosen.form == "json":
        for part in formats.json_parts(rows):
            click.echo(part, nl=False)
        click.echo()
        return
    if chosen.form == "csv":
        click.echo(formats.render(answer, chosen.form, rows, page.style))
        return
    if not answer.rows and not answer.of:
        click.echo(framing.nothing(asker, page.folders, answer.name))
        return
    currency = None if _without_money(answer) else page.style.currency
    click.echo(framing.header(page.title, chosen.wanted, currency, now))
    click.echo()
    click.echo(_body(page, rows))
    for line in _below(page, rows):
        click.echo(line)


def _without_money(answer: Answer) -> bool:
    return answer.name == "tool" or answer.kind == "tries"


def _body(page: Page, rows: list[Row]) -> str:
    answer, chosen = page.answer, page.chosen
    if chosen.plot:
        return _drawn(page, rows)
    if chosen.by:
        return table.matrix(answer, chosen.by, page.style, lambda names: _part(names, chosen))
    return formats.render(answer, chosen.form, rows, page.style)


def _below(page: Page, rows: list[Row]) -> list[str]:
    answer, lines = page.answer, []
    count = len(answer.rows) if answer.of is None else answer.of
    if len(rows) < count and not page.chosen.by:
        lines.append(f"{len(rows)} of {count} rows shown; the total is of all of them")
    if answer.name == "commit" and not (page.chosen.plot or page.chosen.png):
        from aitop.reports import commits

        lines += commits.by_branch(answer.rows, page.style.currency)
        lines += commits.spikes(rows, page.style.currency)
    lines += framing.git_errors(answer.rows)
    if answer.name == "part" and rows:
        from aitop.reports import context_report

        lines += [*CONTEXT_NOTES, *context_report.idle(answer.rows, page.style.currency)]
    if answer.kind == "tries":
        from aitop.reports.shipped import tries

        lines.append(tries.note(answer.whole))
    if answer.name == "fate":
        from aitop.reports.shipped import answer as shipped

        lines += shipped.notes(answer.rows, lambda usd, row: money.text(usd, page.style.currency, row))
    notes = framing.notes(ZERO if _without_money(answer) else answer.total, page.coverage)
    return [*lines, *([""] if notes and page.chosen.form == "markdown" else []), *notes]


def png(page: Page, asker: Asker, now: float) -> bytes:
    """The report's chart as a picture. Raises click.ClickException where there is nothing to draw or to draw with."""
    from aitop.reports import picture, plot  # with logging, 5 ms that no other form needs

    answer, currency = page.answer, page.style.currency
    rows, key = _to_draw(answer, _shown(answer, page.chosen))
    if not any(row[key] for row in rows):
        raise click.ClickException(f"no picture: {framing.nothing(asker, page.folders, answer.name)}")
    title = framing.header(page.title, page.chosen.wanted, None if _without_money(answer) else currency, now)
    try:
        return picture.png(picture.Chart(rows, answer.name, key, currency, title, _below(page, rows)))
    except plot.MissingError as error:
        raise click.ClickException(str(error)) from error


def _shown(answer: Answer, chosen: Chosen) -> list[Row]:
    """The rows that the options ask for."""
    if answer.of is not None:
        return answer.rows
    return _in_order(answer, chosen)[chosen.offset :][: chosen.limit]


def _to_draw(answer: Answer, rows: list[Row]) -> tuple[list[Row], str]:
    """The rows in the order of a chart, and the field that its bars show."""
    key = "tool_calls" if answer.name == "tool" else "spent_usd"
    return sorted(rows, key=lambda row: row[answer.name]) if answer.name in PERIODS else rows, key


def _in_order(answer: Answer, chosen: Chosen) -> list[Row]:
    """The answer's own order, or the other one where that is asked for."""
    own = "asc" if answer.by_time else "desc"
    return answer.rows if chosen.order in (None, own) else answer.rows[::-1]


def _part(names: list[str], chosen: Chosen) -> list[str]:
    """The groups to show of a table by period; they come the dearest first."""
    ordered = names[::-1] if chosen.order == "asc" else names
    return ordered[chosen.offset :][: chosen.limit]


def _drawn(page: Page, rows: list[Row]) -> str:
    import shutil

    from aitop.reports import plot

    answer = page.answer
    ordered, key = _to_draw(answer, rows)
    width = min(PLOT_CELLS_MAX, page.style.width or shutil.get_terminal_size((100, 24)).columns)
    try:
        drawn = plot.bars(ordered, answer.name, key, width, page.style.currency)
    except plot.MissingError as error:
        raise click.ClickException(str(error)) from error
    map_ = plot.heatmap(ordered, page.style.currency) if answer.name == "day" else ""
    return f"{drawn}\n\n{map_}" if map_ else drawn
