"""One history and one filter, asked for sums. Pure but for its questions.

All groupings are made from the same cells, so their totals are the same picodollars.
"""

import copy
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from fnmatch import fnmatchcase
from functools import cached_property

from aitop.config import budgets_and_tags
from aitop.history.query import grouped, spans
from aitop.history.query.spans import Cell, SessionFacts
from aitop.model import periods
from aitop.model.sums import Sum
from aitop.reports import filters
from aitop.reports.filters import Filter, Period
from aitop.reports.rows import Row, figures


class Asker:
    """What the filter lets through, by day, by session and by model."""

    def __init__(
        self,
        db: sqlite3.Connection,
        wanted: Filter,
        tag_rules: tuple[budgets_and_tags.TagRule, ...],
        tags_by_hand: dict[str, str],
    ) -> None:
        self.db, self.wanted = db, wanted
        self._tag_rules, self._tags_by_hand = tag_rules, tags_by_hand
        self.days = self._days()
        some = wanted.provider is not None or wanted.tag is not None  # else no session need be looked at
        self.only = spans.Only(some, self._models(), places=wanted.project is not None)
        if some or wanted.project is not None:
            self.let_through(self.allowed)

    @cached_property
    def facts(self) -> dict[int, SessionFacts]:
        """What is known of every session, by its number."""
        return spans.facts(self.db)

    @cached_property
    def tags(self) -> dict[int, str | None]:
        """The tag of every session."""
        by_hand, rules = self._tags_by_hand, self._tag_rules
        return {
            f.id: budgets_and_tags.tag_of(by_hand.get(f.name), f.tag, f.cwd, f.branch, rules)
            for f in self.facts.values()
        }

    @cached_property
    def allowed(self) -> set[int]:
        """The sessions that the filter lets through, wherever they worked."""
        return {f.id for f in self.facts.values() if self._allows(f)}

    def let_through(self, sessions: Iterable[int]) -> None:
        """From now on `only` lets these sessions through, and of them the folder that is asked for."""
        folder = self.wanted.project
        places, at_home = [], []
        if folder is not None:
            places = [
                number
                for number, place in spans.places(self.db).items()
                if budgets_and_tags.in_folder(place.cwd, folder)
            ]
            at_home = [f.id for f in self.facts.values() if budgets_and_tags.in_folder(f.cwd, folder)]
        spans.let_through(self.db, sessions, places, at_home)

    def day_spans(self) -> list[spans.Span]:
        """One for each day."""
        midnights = [periods.midnight(day, self.wanted.zone) for day in self.days]
        if not self.days:
            return []
        after = periods.midnight(self.days[-1] + timedelta(days=1), self.wanted.zone)
        return list(zip(midnights, [*midnights[1:], after], strict=True))

    def period_spans(self, period: Period) -> dict[str, spans.Span]:
        """Each period's label, oldest first, and the part of it that is asked for."""
        by_label: dict[str, spans.Span] = {}
        for day, (start, end) in zip(self.days, self.day_spans(), strict=True):
            label = filters.label(period, day, self.wanted.week_start)
            by_label[label] = (by_label[label][0] if label in by_label else start, end)
        return by_label

    def whole(self) -> spans.Span | None:
        """From the first day to the end of the last; None where the filter's days hold nothing."""
        days = self.day_spans()
        return (days[0][0], days[-1][1]) if days else None

    def cells(self, span: spans.Span | None = None) -> Iterable[Cell]:
        """What the filter lets through of a span (None: of all its days), by session and model."""
        span = span or self.whole()
        return spans.cells(self.db, span, self.only) if span else ()

    def of_sessions(self, sessions: Sequence[int]) -> "Asker":
        """The same filter over these sessions alone; it knows of no others."""
        some = copy.copy(self)
        some.only = self.only._replace(numbers=tuple(sessions))
        some.facts = grouped.facts_of(self.db, sessions)
        return some

    def asks_everything(self) -> bool:
        """Whether no filter leaves anything of the history out."""
        bounds, span = spans.bounds(self.db), self.whole()
        if bounds is None or span is None or not self.only.everything or self.only.models is not None:
            return False
        return span[0] <= bounds[0] and span[1] >= bounds[1]

    def cells_by_model(self) -> Iterable[Cell]:
        """What the filter lets through of all its days, by provider and model."""
        span = self.whole()
        if span is None or not self.only.everything:
            return self.cells(span)
        return spans.by_model(self.db, span, self.only)

    def figures(self, value: Sum) -> Row:
        """As `rows.figures`; tool calls are unknown where one model is asked for."""
        row = figures(value)
        if self.wanted.model is not None:
            row["tool_calls"] = row["tool_failures"] = None
        return row

    def cwd(self, cell: Cell) -> str:
        """The folder a cell's work was done in, "" where no record names one."""
        return (cell.place.cwd if cell.place else self.facts[cell.session].cwd) or ""

    def branch(self, cell: Cell) -> str:
        """The git branch a cell's work was done on, "" where no record names one."""
        return (cell.place.branch if cell.place else self.facts[cell.session].branch) or ""

    def is_in_project(self, cwd: str | None) -> bool:
        """Whether work in a folder is asked for."""
        return self.wanted.project is None or budgets_and_tags.in_folder(cwd, self.wanted.project)

    def _allows(self, f: SessionFacts) -> bool:
        w = self.wanted
        return (w.provider is None or f.provider == w.provider) and (
            w.tag is None or fnmatchcase(self.tags[f.id] or "", w.tag)
        )

    def _models(self) -> tuple[int, ...] | None:
        """The models asked for: by a part of the id, or by pattern."""
        wanted = self.wanted.model
        if wanted is None:
            return None
        pattern = f"*{wanted}*" if not any(c in wanted for c in "*?[") else wanted
        names = self.db.execute("SELECT id, name FROM model WHERE name != ''")
        return tuple(identity for identity, name in names if fnmatchcase(name, pattern))

    def _days(self) -> list[date]:
        bounds = spans.bounds(self.db)
        if bounds is None:
            return []
        zone = self.wanted.zone
        first, last = (datetime.fromtimestamp(moment, zone).date() for moment in (bounds[0], bounds[1] - 1))
        first = max(first, self.wanted.since) if self.wanted.since else first
        last = min(last, self.wanted.until) if self.wanted.until else last
        return [first + timedelta(days=n) for n in range((last - first).days + 1)]
