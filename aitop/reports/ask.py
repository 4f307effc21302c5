"""What a report asks: which days, whose, of what; and the rows that answer. Pure but for its questions.

All groupings are made from the same cells, so their totals are the same picodollars. Rows are plain
dictionaries: the JSON contract is made here, once, and every other format shows the same rows.
"""

import math
import os
import sqlite3
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta, tzinfo
from fnmatch import fnmatchcase
from functools import partial
from operator import add
from typing import Any, NamedTuple

from aitop.config import budgets_and_tags
from aitop.history.query import spans
from aitop.history.query.spans import Cell, SessionFacts
from aitop.live.money.blocks import borders
from aitop.model import periods
from aitop.model.sums import PICO, ZERO, Sum, published

WIDTH = len(Sum._fields)


class Filter(NamedTuple):
    """Which part of the history: days inclusive in a zone (None: this machine's), and patterns."""

    since: date | None = None
    until: date | None = None
    zone: tzinfo | None = None
    project: str | None = None
    model: str | None = None
    tag: str | None = None
    provider: str | None = None

    def span(self) -> tuple[float | None, float | None]:
        start = periods.midnight(self.since, self.zone) if self.since else None
        end = periods.midnight(self.until + timedelta(days=1), self.zone) if self.until else None
        return start, end


class Answer(NamedTuple):
    """A report: its rows, the sum of all of them, and what a row is named by."""

    name: str
    rows: list[dict[str, Any]]
    total: Sum


class Asker:
    """One history and one filter, asked for any grouping."""

    def __init__(
        self,
        db: sqlite3.Connection,
        wanted: Filter,
        tags: tuple[budgets_and_tags.TagRule, ...],
        given: dict[str, str],
    ) -> None:
        self.db, self.wanted = db, wanted
        self.facts = spans.facts(db)
        self.tags = {
            f.id: budgets_and_tags.tag_of(given.get(f.name), f.tag, f.cwd, f.branch, tags)
            for f in self.facts.values()
        }
        self.allowed = {f.id for f in self.facts.values() if self._allows(f)}
        self.days = self._days()
        self.only = spans.Only(len(self.allowed) < len(self.facts), self._models())
        if self.only.sessions:
            spans.let_through(db, self.allowed)

    def day_spans(self) -> list[spans.Span]:
        """One for each day."""
        midnights = [periods.midnight(day, self.wanted.zone) for day in self.days]
        if not self.days:
            return []
        after = periods.midnight(self.days[-1] + timedelta(days=1), self.wanted.zone)
        return list(zip(midnights, [*midnights[1:], after], strict=True))

    def cells(self) -> Iterable[Cell]:
        """What the filter lets through, by session and model."""
        days = self.day_spans()
        return spans.cells(self.db, (days[0][0], days[-1][1]), self.only) if days else ()

    def periods(self, name: str) -> Answer:
        """By day, week or month: `name` is the key."""
        found: dict[str, Sum] = {}
        for day, value in zip(self.days, spans.sums(self.db, self.day_spans(), self.only), strict=True):
            if any(value):
                label = _label(name, day)
                found[label] = _total((found[label], value)) if label in found else value
        rows = [{name: label, **self._figures(value)} for label, value in sorted(found.items())]
        return Answer(name, rows, _total(found.values()))

    def models(self) -> Answer:
        groups, _ = _fold(
            (c for c in self.cells() if c.model), lambda c: (c.model, self.facts[c.session].provider)
        )
        rows = [
            {"model": model, "provider": provider, **figures(group.sum)}
            for (model, provider), group in _dearest(groups)
            if group.sum.requests > 0
        ]
        return Answer("model", rows, _total(g.sum for g in groups.values()))

    def sessions(self) -> Answer:
        groups, total = _fold(self.cells(), lambda cell: cell.session)
        rows = []
        for identity, group in _dearest(groups):
            f = self.facts[identity]
            if group.sum.requests or group.sum.errors:
                rows.append(
                    {
                        "session": f.name, "provider": f.provider, **self._figures(group.sum), "cwd": f.cwd,
                        "branch": f.branch, "model": f.model, "tag": self.tags[identity],
                        "started_at": f.started_at, "last_activity_at": f.last_at,
                        "client_cost_usd": f.client_cost, "compactions": f.compactions,
                    }
                )  # fmt: skip
        return Answer("session", rows, total)

    def projects(self) -> Answer:
        groups, total = _fold(self.cells(), lambda cell: self.facts[cell.session].cwd or "")
        rows = [
            {"project": project(cwd), "cwd": cwd or None, **self._described(g)} for cwd, g in _dearest(groups)
        ]
        return Answer("project", _distinct(rows), total)

    def by_tag(self) -> Answer:
        groups, total = _fold(self.cells(), lambda cell: self.tags[cell.session] or "")
        rows = [{"tag": tag or None, **self._described(g)} for tag, g in _dearest(groups)]
        return Answer("tag", rows, total)

    def branches(self) -> Answer:
        def key(cell: Cell) -> tuple[str, str]:
            f = self.facts[cell.session]
            return f.cwd or "", f.branch or ""

        groups, total = _fold(self.cells(), key)
        rows = [
            {"branch": branch or None, "project": project(cwd), "cwd": cwd or None, **self._described(g)}
            for (cwd, branch), g in _dearest(groups)
        ]
        return Answer("branch", rows, total)

    def blocks(self, now: float) -> Answer:
        """Five-hour blocks that begin on the days asked for; what is filtered out moves no border."""
        start, end = self.wanted.span()
        providers = sorted({f.provider for f in self.facts.values()})
        rows, total = [], ZERO
        for provider in providers:
            mine = [
                (begins, ends)
                for begins, ends in borders(partial(spans.first_use, self.db, provider=provider))
                if (start is None or begins >= start) and (end is None or begins < end)
            ]
            only = self.only
            if len(providers) > 1:
                spans.let_through(self.db, [i for i in self.allowed if self.facts[i].provider == provider])
                only = only._replace(sessions=True)
            for block, value in zip(mine, spans.sums(self.db, mine, only), strict=True):
                total = _total((total, value))
                rows += [self._block(provider, block, value, now)] if any(value) else []
        return Answer("block", sorted(rows, key=lambda row: (row["started_at"], row["provider"])), total)

    def tools(self) -> Answer:
        found: dict[str, list[int]] = {}
        days = self.day_spans()
        for tool in spans.tools(self.db, (days[0][0], days[-1][1]), self.only) if days else ():
            known = found.setdefault(tool.name, [0, 0])
            known[0] += tool.calls
            known[1] += tool.failures
        rows = [
            {
                "tool": name,
                "tool_calls": calls,
                "tool_failures": bad,
                "failure_rate": bad / calls if calls else None,
            }
            for name, (calls, bad) in sorted(found.items(), key=lambda item: (-item[1][0], item[0]))
        ]
        calls, bad = (sum(values[i] for values in found.values()) for i in (0, 1))
        return Answer("tool", rows, ZERO._replace(tool_calls=calls, tool_failures=bad))

    def _block(self, provider: str, block: tuple[int, int], value: Sum, now: float) -> dict[str, Any]:
        began = datetime.fromtimestamp(block[0], self.wanted.zone)
        return {
            "block": began.isoformat(timespec="minutes"), "provider": provider,
            "started_at": block[0], "ends_at": block[1], "active": block[1] > now,
            **self._figures(value),
        }  # fmt: skip

    def _figures(self, value: Sum) -> dict[str, Any]:
        """As `figures`; tool calls are unknown where one model is asked for."""
        row = figures(value)
        if self.wanted.model is not None:
            row["tool_calls"] = row["tool_failures"] = None
        return row

    def _described(self, group: "Group") -> dict[str, Any]:
        row = self._figures(group.sum)
        row["sessions"] = len(group.sessions)
        row["models"] = sorted(group.models - {""})
        row["providers"] = sorted({self.facts[session].provider for session in group.sessions})
        return row

    def _allows(self, f: SessionFacts) -> bool:
        w = self.wanted
        return (
            (w.provider is None or f.provider == w.provider)
            and (w.project is None or budgets_and_tags.in_folder(f.cwd, w.project))
            and (w.tag is None or fnmatchcase(self.tags[f.id] or "", w.tag))
        )

    def _models(self) -> tuple[int, ...] | None:
        """The models asked for: by a part of the id, or by pattern."""
        wanted = self.wanted.model
        if wanted is None:
            return None
        shown = f"*{wanted}*" if not any(c in wanted for c in "*?[") else wanted
        found = self.db.execute("SELECT id, name FROM model WHERE name != ''")
        return tuple(identity for identity, name in found if fnmatchcase(name, shown))

    def _days(self) -> list[date]:
        known = spans.bounds(self.db)
        if known is None:
            return []
        zone = self.wanted.zone
        first, last = (datetime.fromtimestamp(moment, zone).date() for moment in (known[0], known[1] - 1))
        first = max(first, self.wanted.since) if self.wanted.since else first
        last = min(last, self.wanted.until) if self.wanted.until else last
        return [first + timedelta(days=n) for n in range((last - first).days + 1)]


class Group:
    """One row while it is added up."""

    __slots__ = ("models", "sessions", "values")

    def __init__(self) -> None:
        self.values = [0] * WIDTH
        self.sessions: set[int] = set()
        self.models: set[str] = set()

    @property
    def sum(self) -> Sum:
        return Sum._make(self.values)


def figures(s: Sum) -> dict[str, Any]:
    """A sum as every report shows it; money in USD, not rounded, so that the rows add up to the total."""
    return published(s, usd)


def usd(cost: int) -> float:
    """Picodollars as USD. An exact half of a millionth is given as the next number above it, since the nearest
    one may lie below: who rounds to six decimals then gets the half rounded up.
    """
    value = cost / PICO
    return math.nextafter(value, math.inf) if cost % 1_000_000 == 500_000 else value


def project(cwd: str | None) -> str:
    """A folder's own name."""
    return os.path.basename((cwd or "").replace("\\", "/").rstrip("/")) or (cwd or "(no folder)")


def _label(name: str, day: date) -> str:
    if name == "week":
        return (day - timedelta(days=day.weekday())).isoformat()
    return day.isoformat()[:7] if name == "month" else day.isoformat()


def _fold(found: Iterable[Cell], key: Callable[[Cell], Any]) -> tuple[dict[Any, Group], Sum]:
    groups: dict[Any, Group] = {}
    for cell in found:
        name = key(cell)
        group = groups.get(name)
        if group is None:
            group = groups[name] = Group()
        group.values = list(map(add, group.values, cell.sum))
        group.sessions.add(cell.session)
        group.models.add(cell.model)
    groups = {name: group for name, group in groups.items() if any(group.values)}
    return groups, _total(group.sum for group in groups.values())


def _total(sums: Iterable[Sum]) -> Sum:
    return Sum._make(map(sum, zip(*sums, strict=True))) if (sums := list(sums)) else ZERO


def _dearest(groups: dict[Any, Group]) -> list[tuple[Any, Group]]:
    return sorted(groups.items(), key=lambda item: (-item[1].sum.cost, str(item[0])))


def _distinct(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Folders of one name show the folder above too."""
    names = [row["project"] for row in rows]
    for row in rows:
        if names.count(row["project"]) > 1 and row["cwd"]:
            parts = row["cwd"].replace("\\", "/").rstrip("/").split("/")
            row["project"] = "/".join(parts[-2:])
    return rows
