"""What the History tab and the long charts show: spending by day and by what it went for. Reads only.

It opens nothing and knows no clock: a connection and `now` come in. Sums are cut at local midnights.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from aitop.history.query import spans
from aitop.model import periods
from aitop.model.sums import PICO, ZERO, Sum, plus, total

MINUTE, HOUR, DAY = 60, 3600, 86_400
# How far the History tab reaches back: days, None for all there is.
REACHES: dict[str, int | None] = {"30 days": 30, "90 days": 90, "a year": 365, "all time": None}
# How far the chart of the overview reaches: seconds of one bar, bars. The hour comes with the state.
CHARTS = {"hour": (MINUTE, 60), "day": (900, 96), "week": (HOUR, 168), "month": (DAY, 30), "year": (DAY, 365)}
GROUPS = ("day", "week", "month", "project", "model", "client", "branch")


class Group(NamedTuple):
    """One row: what it is called, and everything in it."""

    name: str
    sum: Sum


class Past(NamedTuple):
    """A stretch of the history: each day in order, without gaps, and the same by project, model, …"""

    days: tuple[tuple[date, Sum], ...]
    groups: dict[str, tuple[Group, ...]]


def read(db: sqlite3.Connection, reach: str, now: float, provider: str | None = None) -> Past:
    """The days a reach covers, and what they were spent on. Raises sqlite3.Error."""
    edges = spans.bounds(db)
    if edges is None:
        return Past((), {})
    today, first = periods.date_of(now), periods.date_of(edges[0])
    back = REACHES[reach]
    if back is not None:
        first = max(first, today - timedelta(days=back - 1))
    days = [first + timedelta(days=number) for number in range(max(0, (today - first).days) + 1)]
    facts = spans.facts(db)
    only = spans.Only()
    if provider is not None:
        spans.let_through(db, [number for number, fact in facts.items() if fact.provider == provider])
        only = spans.Only(sessions=True)
    sums = tuple(zip(days, spans.sums(db, list(_day_spans(days)), only), strict=True))
    whole = (periods.midnight(days[0]), periods.midnight(days[-1] + timedelta(days=1)))
    cells = [(facts.get(cell.session), cell) for cell in spans.cells(db, whole, only)]

    def by(name: Callable[[spans.SessionFacts | None, spans.Cell], str | None]) -> tuple[Group, ...]:
        return _grouped((name(fact, cell), cell.sum) for fact, cell in cells)

    return Past(
        sums,
        {
            "project": by(lambda fact, cell: project(_place(fact, cell)[0])),
            "model": by(lambda _, cell: cell.model or None),
            "client": by(lambda fact, cell: cell.provider or (fact.provider if fact else "unknown")),
            "branch": by(lambda fact, cell: _branch(*_place(fact, cell))),
        },
    )


def _place(fact: spans.SessionFacts | None, cell: spans.Cell) -> tuple[str | None, str | None]:
    """Folder and branch of the responses themselves, else of their session."""
    if cell.place is not None and cell.place.cwd:
        return cell.place.cwd, cell.place.branch
    return (fact.cwd, fact.branch) if fact else (None, None)


def _branch(cwd: str | None, branch: str | None) -> str:
    return f"{project(cwd)}: {branch or '(none)'}"


def project(cwd: str | None) -> str:
    """The name of a folder."""
    return os.path.basename((cwd or "").rstrip("/")) or "unknown"


def _grouped(parts: Iterator[tuple[str | None, Sum]]) -> tuple[Group, ...]:
    """Sums by name, dearest first; what has no name is left out."""
    by_name: dict[str, Sum] = {}
    for name, value in parts:
        if name is not None:
            by_name[name] = plus(by_name.get(name, ZERO), value)
    rows = [Group(name, value) for name, value in by_name.items() if any(value)]
    return tuple(sorted(rows, key=lambda row: (-row.sum.spent, row.name)))


def _day_spans(days: Sequence[date]) -> Iterator[spans.Span]:
    for day in days:
        yield periods.midnight(day), periods.midnight(day + timedelta(days=1))


def grouped(past: Past, group: str) -> tuple[Group, ...]:
    """The rows of a grouping: days, weeks and months newest first, the others dearest first."""
    if group not in ("day", "week", "month"):
        return past.groups.get(group, ())
    by_label: dict[str, list[Sum]] = {}
    for day, value in past.days:
        by_label.setdefault(label(group, day), []).append(value)
    rows = [Group(name, total(values)) for name, values in by_label.items()]
    return tuple(row for row in reversed(rows) if any(row.sum))


def label(group: str, day: date) -> str:
    """`2026-11-29 Sun`, `2026-W48`, `2026-11`."""
    if group == "week":
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02d}"
    return f"{day:%Y-%m}" if group == "month" else f"{day:%Y-%m-%d %a}"


def costs(db: sqlite3.Connection, chart: str, now: float) -> list[float]:
    """USD spent in each bar of a chart, oldest first; the last bar is the one that runs. Raises sqlite3.Error."""
    seconds, many = CHARTS[chart]
    if seconds == DAY:
        today = periods.date_of(now)
        cuts = list(_day_spans([today - timedelta(days=back) for back in range(many - 1, -1, -1)]))
    else:
        end = int(now) // seconds * seconds + seconds
        cuts = [(end - seconds * back, end - seconds * (back - 1)) for back in range(many, 0, -1)]
    return [value.spent / PICO for value in spans.sums(db, cuts, spans.Only())]
