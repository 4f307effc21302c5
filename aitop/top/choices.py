"""What the user chose: all that a screen depends on besides the published numbers. Frozen."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

SHOWN = ("active", "idle", "all")
TIME_SPANS = ("today", "week", "month", "all")
REACHES = ("30 days", "90 days", "a year", "all time")  # of the History tab
GROUPS = ("day", "week", "month", "project", "model", "client", "branch")
CHARTS = ("hour", "day", "week", "month", "year")  # how far the overview's chart reaches
THEMES = ("dark", "light", "terminal", "contrast")


class Sorting(NamedTuple):
    """The column a list is sorted by, and which way."""

    column: str
    descending: bool


SORTED = {
    "overview": Sorting("last", True),
    "history": Sorting("", True),  # as the grouping has them
    "sessions": Sorting("last", True),
    "tools": Sorting("calls", True),
    "models": Sorting("cost", True),
    "compare": Sorting("cost", False),
}


@dataclass(frozen=True, slots=True)
class Choices:
    """One user's picture of the moment."""

    view: str = "overview"
    sorting: dict[str, Sorting] = field(default_factory=lambda: dict(SORTED))
    filters: dict[str, str] = field(default_factory=dict)
    cursor: dict[str, str] = field(default_factory=dict)  # view → the row's key
    shown: str = "active"
    every_model: bool = False
    unfolded: frozenset[str] = frozenset()
    span: str = "today"
    session: str = ""  # the key of the session that is open
    back: str = "sessions"  # where Esc leads from there
    model: str = ""  # the one that is compared, "" for all together
    reach: str = "30 days"
    group: str = "day"
    heat: bool = False  # the History tab shows a heat map instead of a chart
    chart: str = "hour"
    theme: str = "dark"

    def at(self, row: str) -> Choices:
        """With the cursor on a row of the present view."""
        return replace(self, cursor={**self.cursor, self.view: row})

    def filtered(self, text: str) -> Choices:
        return replace(self, filters={**self.filters, self.view: text})

    def sorted_by(self, column: str, descending: bool) -> Choices:
        return replace(self, sorting={**self.sorting, self.view: Sorting(column, descending)})


def after(values: tuple[str, ...], value: str) -> str:
    """The next one, round and round."""
    return values[(values.index(value) + 1) % len(values)] if value in values else values[0]
