"""Bars and a heatmap in the terminal, through plotext (the extra `plot`). Draws what it is handed."""

from bisect import bisect_right
from datetime import date, timedelta
from typing import Any

from aitop.reports import table

SHADES = "░▒▓█"
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MOST_BARS = 40


class MissingError(Exception):
    """The plotting library is not installed; the message says how."""


def bars(rows: list[dict[str, Any]], name: str, key: str, width: int) -> str:
    """One bar a row, in the rows' order. Raises MissingError."""
    try:
        import plotext  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError as error:
        raise MissingError("--plot needs plotext: pip install 'aitop-status[plot]'") from error
    shown = rows[-MOST_BARS:] if name in ("day", "week", "month", "block") else rows[:MOST_BARS]
    values = [float(row[key] or 0) for row in shown]
    if not any(values):
        return "nothing to draw"
    plotext.clear_figure()
    plotext.theme("clear")
    labels = [table.name_of(row, name) for row in shown]
    plotext.simple_bar(
        labels, values, width=width, title="USD" if key == "cost_usd" else key.replace("_", " ")
    )
    drawn: str = plotext.uncolorize(plotext.build())
    if key != "cost_usd":  # the library writes every number with cents
        drawn = "\n".join(line.rstrip().removesuffix(".00") for line in drawn.split("\n"))
    return drawn.rstrip()


def heatmap(rows: list[dict[str, Any]]) -> str:
    """Days as weeks side by side, Monday on top, a quarter of the days in each shade; "" for less than a fortnight."""
    costs = {date.fromisoformat(row["day"]): row["cost_usd"] for row in rows}
    used = sorted(cost for cost in costs.values() if cost > 0)
    if len(costs) < 14 or not used:
        return ""
    first, last = min(costs), max(costs)
    monday = first - timedelta(days=first.weekday())
    weeks = min(53, (last - monday).days // 7 + 1)
    monday = last - timedelta(days=last.weekday()) - timedelta(weeks=weeks - 1)
    bounds = [used[len(used) * part // len(SHADES)] for part in range(1, len(SHADES))]
    lines = [f"    {_months(monday, weeks)}".rstrip()]
    for weekday, head in enumerate(WEEKDAYS):
        days = [monday + timedelta(weeks=week, days=weekday) for week in range(weeks)]
        lines.append(f"{head} " + "".join(_shade(costs.get(day, 0.0), bounds) for day in days))
    steps = zip(SHADES, (used[0], *bounds), strict=True)
    lines.append(
        f"    {monday.isoformat()} to {last.isoformat()}; "
        + "  ".join(f"{s} from ${b:,.2f}" for s, b in steps)
    )
    return "\n".join(lines)


def _months(monday: date, weeks: int) -> str:
    """The months' names above their first whole week, where there is room."""
    line = ""
    for week in range(weeks):
        day = monday + timedelta(weeks=week)
        if day.day <= 7 and len(line) <= week:
            line = line.ljust(week) + f"{day:%b} "
    return line[:weeks]


def _shade(cost: float, bounds: list[float]) -> str:
    return " " if cost <= 0 else SHADES[bisect_right(bounds, cost)]
