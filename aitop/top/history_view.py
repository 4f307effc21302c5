"""The History tab: a chart or a heat map over rows by day, week, month, project, model, client or branch. Pure."""

from __future__ import annotations

from datetime import date, timedelta

from aitop.model.json_types import JsonObject
from aitop.model.sums import PICO, Sum
from aitop.segments import humanize, money
from aitop.segments.text import clean
from aitop.top import charts, past
from aitop.top.paint import Glyphs, Line, Span, box, left, right, span
from aitop.top.past import Group, Past
from aitop.top.table import Bar, Column, Row

COLUMNS = (
    Column("name", "", 16, 0, numeric=False, most=44),
    Column("spent", "SPENT", 10, 1),
    Column("part", "PART", 5, 4),
    Column("requests", "REQUESTS", 8, 3),
    Column("input", "INPUT", 7, 5),
    Column("output", "OUTPUT", 7, 6),
    Column("hits", "CACHE HITS", 10, 8),
    Column("errors", "ERRORS", 6, 9),
    Column("share", "", 8, 7, numeric=False, most=60),
)
HEADS = {"day": "DAY", "week": "WEEK", "month": "MONTH", "project": "PROJECT", "model": "MODEL", "client": "CLIENT",
         "branch": "BRANCH"}  # fmt: skip
UNITS = ("day", "week", "month")
SHADES = " ░▒▓█"
DAY_NAMES = ("Mon", "", "Wed", "", "Fri", "", "Sun")


def columns(group: str) -> tuple[Column, ...]:
    return (COLUMNS[0]._replace(head=HEADS[group]), *COLUMNS[1:])


def counts(value: Sum) -> JsonObject:
    """The counts behind the marks of a sum."""
    return {"unpriced_requests": value.unpriced_requests, "estimated_requests": value.estimated_requests,
            "understated_requests": value.understated_requests}  # fmt: skip


def rows(state: JsonObject, days: Past, group: str) -> list[Row]:
    """The rows of one grouping."""
    groups = past.grouped(days, group)
    whole = sum(row.sum.spent for row in groups)
    most = max((row.sum.spent for row in groups), default=0)
    exact = 0 < most < PICO
    return [_row(state, row, whole, most, exact=exact) for row in groups]


def _row(state: JsonObject, group: Group, whole: int, most: int, *, exact: bool) -> Row:
    value = group.sum
    spent = value.spent / PICO
    hits = value.cache_read_tokens / value.input_tokens if value.input_tokens else None
    part = value.spent / whole if whole else None
    name = clean(group.name, 60)
    return Row(
        group.name,
        {
            "name": span(name, "name"),
            "spent": span(money.of(state, spent, counts(value), exact=exact), "money"),
            "part": span(humanize.share(part), "dim"),
            "requests": span(humanize.count(value.requests)),
            "input": span(humanize.count(value.input_tokens)),
            "output": span(humanize.count(value.output_tokens)),
            "hits": span(humanize.share(hits)),
            "errors": span(humanize.count(value.errors), "critical" if value.errors else "dim"),
            "share": Bar(value.spent / most if most else 0.0, "bar"),
        },
        {"name": name, "spent": spent, "part": part, "requests": value.requests, "input": value.input_tokens,
         "output": value.output_tokens, "hits": hits, "errors": value.errors, "share": spent},
    )  # fmt: skip


def picture(
    state: JsonObject, days: Past, group: str, width: int, height: int, glyphs: Glyphs, *, heat: bool
) -> list[Line]:
    """The chart of the days, weeks or months, or the heat map of the days; [] where there is no room."""
    if height < 5 or not days.days:
        return []
    if heat and height >= 9:
        return heat_map(state, days, width, glyphs)
    unit = group if group in UNITS else "day"
    while unit != "month" and len({past.label(unit, day) for day, _ in days.days}) > width - 14:
        unit = UNITS[UNITS.index(unit) + 1]  # all of it in coarser bars rather than its end alone
    return chart(state, days, unit, width, min(height, 12), glyphs)


def chart(state: JsonObject, days: Past, unit: str, width: int, height: int, glyphs: Glyphs) -> list[Line]:
    """Spending by day, week or month, oldest at the left."""
    bars: dict[str, float] = {}
    for day, value in days.days:
        name = past.label(unit, day)
        bars[name] = bars.get(name, 0.0) + value.spent / PICO
    values = list(bars.values())
    note = (
        f"total {money.of(state, sum(values))} · dearest {unit} {money.of(state, max(values, default=0.0))}"
    )
    lines = charts.chart(
        values, width - 4, height - 2, glyphs, lambda _: "money", lambda value: money.of(state, value)
    )[:-1]
    edge = len(lines[0][0].text) + 1 if lines else 0
    shown = list(bars)[-max(1, width - 4 - edge) :]
    lines.append(
        (Span(" " * edge), *_ends(shown[0].split(" ")[0], shown[-1].split(" ")[0], width - 4 - edge))
    )
    return box(f"spent by {unit}", lines, width, glyphs, note=note)


def _ends(first: str, last: str, width: int) -> Line:
    return (left(first, max(0, width - len(last)), "dim"), right(last, min(width, len(last)), "dim"))


def heat_map(state: JsonObject, days: Past, width: int, glyphs: Glyphs) -> list[Line]:
    """A column a week, a row a day, darker where more was spent; by quarters of the days in use."""
    inner = width - 4 - 4
    across = 2 if inner >= 2 * 53 else 1
    weeks = max(1, inner // across)
    last = days.days[-1][0]
    monday = last - timedelta(days=last.weekday()) - timedelta(weeks=weeks - 1)
    spent = {day: value.spent for day, value in days.days}
    first = max(monday, days.days[0][0] - timedelta(days=days.days[0][0].weekday()))
    weeks = (last - first).days // 7 + 1
    used = sorted(value for day, value in spent.items() if value > 0 and day >= first)
    steps = [used[len(used) * part // 4] for part in (1, 2, 3)] if used else []
    months = _months(first, weeks, across)
    lines: list[Line] = [(Span("    "), Span(months, "dim"))]
    for row in range(7):
        text = ""
        for week in range(weeks):
            value = spent.get(first + timedelta(days=7 * week + row), 0)
            shade = 0 if value <= 0 else 1 + sum(value >= step for step in steps)
            text += SHADES[shade] * across
        lines.append((left(DAY_NAMES[row], 4, "dim"), Span(text, "money")))
    best = max(days.days, key=lambda day: day[1].spent)
    note = f"dearest {best[0]:%Y-%m-%d} {money.of(state, best[1].spent / PICO, counts(best[1]))}"
    return box(
        f"spent by day, {len(used)} {'day' if len(used) == 1 else 'days'} in use",
        lines,
        width,
        glyphs,
        note=note,
    )


def _months(first: date, weeks: int, across: int) -> str:
    """The months' names over the weeks they begin in."""
    text = ""
    before = 0
    for week in range(weeks):
        day = first + timedelta(weeks=week)
        begins = day.month != before
        before = day.month
        if begins and len(text) <= week * across:
            text = text.ljust(week * across) + f"{day:%b} "
    return text.rstrip()


def summary(state: JsonObject, days: Past) -> str:
    """Everything together, in words."""
    whole = sum(value.spent for _, value in days.days) / PICO
    used = sum(any(value) for _, value in days.days)
    return f"{money.of(state, whole)} on {used} of {len(days.days)} days" if days.days else ""


def nothing(problem: str, *, answered: bool) -> str:
    """Why there are no rows."""
    if problem:
        return problem
    return "The history holds nothing yet." if answered else "Reading the history …"
