"""Bars and a heatmap in the terminal, through plotext (the extra `plot`). Draws what it is handed."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from aitop.reports.filters import PERIODS
from aitop.reports.rows import Row
from aitop.reports.table import name_of
from aitop.segments import money, text_table
from aitop.segments.money import Currency
from aitop.system import installation

SHADES = "░▒▓█"
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
BARS_MAX = 40
WEEKS_MAX = 53
NAME_CELLS = 32


class MissingError(Exception):
    """The plotting library is not installed; the message says how."""


class Calendar(NamedTuple):
    """Days as weeks side by side: the first Monday, how many weeks, the last day, USD of each day with use.

    `bounds`: the cost from which on each shade begins, a quarter of the days with use in each.
    """

    monday: date
    weeks: int
    last: date
    costs: dict[date, float]
    bounds: tuple[float, ...]

    def shade(self, day: date) -> int | None:
        """The number of a day's shade, 0 the cheapest; None without use."""
        cost = self.costs.get(day, 0.0)
        return None if cost <= 0 else bisect_right(self.bounds[1:], cost)


def bars(rows: Sequence[Row], name: str, key: str, width: int, currency: Currency) -> str:
    """One bar a row, in the rows' order; days, weeks and months without use are empty bars. Raises MissingError."""
    try:
        import plotext  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError as error:
        raise MissingError(f"--plot needs plotext: {installation.add_extra('plot')}") from error
    shown = drawn_rows(rows, name, key)
    factor = currency.rate if key.endswith("_usd") else 1.0
    values = [float(row[key] or 0) * factor for row in shown]
    if not any(values):
        return "nothing to draw"
    plotext.clear_figure()
    plotext.theme("clear")
    title = f"spent, {currency.symbol}" if key.endswith("_usd") else key.replace("_", " ")
    plotext.simple_bar(_labels(shown, name), values, width=width, title=title)
    drawn: str = plotext.uncolorize(plotext.build())
    if not key.endswith("_usd"):  # the library writes every number with cents
        drawn = "\n".join(line.rstrip().removesuffix(".00") for line in drawn.split("\n"))
    return drawn.rstrip()


def drawn_rows(rows: Sequence[Row], name: str, key: str) -> list[Row]:
    """The rows that become bars: with the empty periods between them, the newest or the dearest of too many."""
    every = with_gaps(rows, name, key) if name in PERIODS else list(rows)
    return every[-BARS_MAX:] if name in (*PERIODS, "block") else every[:BARS_MAX]


def _labels(rows: Sequence[Row], name: str) -> list[str]:
    """Names of equal width in cells: the library counts letters, so wide ones would push their bar aside."""
    names = [name_of(row, name) for row in rows]
    cells = min(NAME_CELLS, max(text_table.widths([[one]])[0] for one in names))
    return [text_table.pad(one, cells) for one in names]


def with_gaps(rows: Sequence[Row], name: str, key: str) -> list[Row]:
    """The rows with one of nothing for each day, week or month between them that has none; oldest first."""
    by_label = {row[name]: row for row in rows}
    if not by_label:
        return []
    labels, last = [min(by_label)], max(by_label)
    while labels[-1] < last:
        labels.append(_next(labels[-1], name))
    return [by_label.get(label) or {name: label, key: 0} for label in labels]


def _next(label: str, name: str) -> str:
    if name == "month":
        year, month = map(int, label.split("-"))
        return f"{year + month // 12:04d}-{month % 12 + 1:02d}"
    return (date.fromisoformat(label) + timedelta(days=7 if name == "week" else 1)).isoformat()


def calendar(rows: Sequence[Row]) -> Calendar | None:
    """The heatmap's facts; None for less than a fortnight and for days without use."""
    costs = {date.fromisoformat(row["day"]): float(row["spent_usd"] or 0) for row in rows}
    used = sorted(cost for cost in costs.values() if cost > 0)
    if len(costs) < 14 or not used:
        return None
    first, last = min(costs), max(costs)
    monday = first - timedelta(days=first.weekday())
    weeks = min(WEEKS_MAX, (last - monday).days // 7 + 1)
    monday = last - timedelta(days=last.weekday()) - timedelta(weeks=weeks - 1)
    bounds = tuple(used[len(used) * part // len(SHADES)] for part in range(1, len(SHADES)))
    return Calendar(monday, weeks, last, costs, (used[0], *bounds))


def heatmap(rows: Sequence[Row], currency: Currency) -> str:
    """Days as weeks side by side, Monday on top, a quarter of the days in each shade; "" for less than a fortnight."""
    found = calendar(rows)
    if found is None:
        return ""
    lines = [f"    {_months(found.monday, found.weeks)}".rstrip()]
    for weekday, head in enumerate(WEEKDAYS):
        days = [found.monday + timedelta(weeks=week, days=weekday) for week in range(found.weeks)]
        lines.append(f"{head} " + "".join(_mark(found.shade(day)) for day in days))
    steps = zip(SHADES, found.bounds, strict=True)
    legend = "  ".join(f"{shade} from {money.text(bound, currency)}" for shade, bound in steps)
    return "\n".join([*lines, f"    {found.monday.isoformat()} to {found.last.isoformat()}; {legend}"])


def _months(monday: date, weeks: int) -> str:
    """The months' names above their first whole week, where there is room."""
    line = ""
    for week in range(weeks):
        day = monday + timedelta(weeks=week)
        if day.day <= 7 and len(line) <= week:
            line = line.ljust(week) + f"{day:%b} "
    return line[:weeks]


def _mark(shade: int | None) -> str:
    return " " if shade is None else SHADES[shade]
