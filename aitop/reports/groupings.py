"""The rows of each report: by period, block, tool, and by whatever a cell of the history can be grouped by."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import NamedTuple

from aitop.history.query import grouped as by_database
from aitop.history.query import spans
from aitop.history.query.spans import Cell
from aitop.live.money.blocks import borders
from aitop.model.sums import ZERO, Sum, plus, total
from aitop.providers import credit_rates
from aitop.reports.ask import Asker
from aitop.reports.filters import Period
from aitop.reports.rows import Answer, Row, figures, project, project_names

Key = tuple[str | int, ...]


class Group:
    """One row while it is added up."""

    __slots__ = ("_sum", "by_model", "providers", "sessions")

    def __init__(self) -> None:
        self.sessions: set[int] = set()
        self.providers: set[str] = set()  # where the database grouped
        self.by_model: dict[str, Sum] = {}
        self._sum: Sum | None = None  # once it was asked for: a row asks for it five times

    def add(self, cell: Cell) -> None:
        """One cell of a session."""
        self.sessions.add(cell.session)
        self.add_model(cell.model, cell.sum)

    def add_model(self, model: str, value: Sum) -> None:
        """What a model adds."""
        self._sum = None
        before = self.by_model.get(model)
        self.by_model[model] = plus(before, value) if before else value

    @property
    def sum(self) -> Sum:
        if self._sum is None:
            self._sum = total(self.by_model.values())
        return self._sum

    @property
    def models(self) -> list[str]:
        return sorted(name for name, value in self.by_model.items() if name and any(value))


class Grouping(NamedTuple):
    """How cells become rows: what they are grouped by, what names a row, and what else it says."""

    key: Callable[[Asker, Cell], Key]
    naming: Callable[[Asker, Key], Row]
    details: Callable[[Asker, Key, Group], Row]
    keeps: Callable[[Cell], bool] = lambda _: True
    worth: Callable[[Sum], bool] = any


def _described(asker: Asker, _: Key, group: Group) -> Row:
    return {
        "sessions": len(group.sessions),
        "models": group.models,
        "providers": sorted(group.providers or {asker.facts[session].provider for session in group.sessions}),
    }


def credits_by_provider(asker: Asker) -> dict[str, float | None]:
    """Client that is billed in credits → its own credits of what the filter lets through; None: unknown."""
    totals: dict[str, Sum] = {}
    for cell in asker.cells():
        provider = cell.provider or asker.facts[cell.session].provider
        if provider in credit_rates.RATES:
            totals[provider] = plus(totals.get(provider, ZERO), cell.sum)
    return {provider: credit_rates.of(provider, value) for provider, value in sorted(totals.items())}


def _session(asker: Asker, key: Key, group: Group) -> Row:
    f = asker.facts[int(key[0])]
    return {
        "cwd": f.cwd, "branch": f.branch, "model": f.model, "models": group.models, "tag": asker.tags[f.id],
        "started_at": f.started_at, "last_activity_at": f.last_at, "client_cost_usd": f.client_cost,
        "compactions": f.compactions, "credits": credit_rates.of(f.provider, group.sum),
    }  # fmt: skip


def _session_name(asker: Asker, key: Key) -> Row:
    f = asker.facts[int(key[0])]
    return {"session": f.name, "provider": f.provider}


GROUPINGS = {
    "model": Grouping(
        key=lambda asker, cell: (cell.model, cell.provider or asker.facts[cell.session].provider),
        naming=lambda _, key: {"model": key[0], "provider": key[1]},
        details=lambda _asker, key, group: {"credits": credit_rates.of(key[1], group.sum)},
        keeps=lambda cell: bool(cell.model),
        worth=lambda value: bool(value.requests or value.untracked),
    ),
    "provider": Grouping(
        key=lambda asker, cell: (cell.provider or asker.facts[cell.session].provider,),
        naming=lambda _, key: {"provider": key[0]},
        details=lambda _asker, key, group: {"credits": credit_rates.of(key[0], group.sum)},
    ),
    "session": Grouping(
        key=lambda _, cell: (cell.session,),
        naming=_session_name,
        details=_session,
        worth=lambda value: bool(value.requests or value.errors or value.untracked),
    ),
    "project": Grouping(
        key=lambda asker, cell: (asker.cwd(cell),),
        naming=lambda _, key: {"project": project(str(key[0])), "cwd": key[0] or None},
        details=_described,
    ),
    "tag": Grouping(
        key=lambda asker, cell: (asker.tags[cell.session] or "",),
        naming=lambda _, key: {"tag": key[0] or None},
        details=_described,
    ),
    "branch": Grouping(
        key=lambda asker, cell: (asker.cwd(cell), asker.branch(cell)),
        naming=lambda _, key: {
            "branch": key[1] or None,
            "project": project(str(key[0])),
            "cwd": key[0] or None,
        },
        details=_described,
    ),
}  # fmt: skip


def grouped(asker: Asker, name: str, *, breakdown: bool = False) -> Answer:
    """One row for each group, the dearest first."""
    grouping = GROUPINGS[name]
    if name in ("project", "branch"):
        groups = _by_place(asker, by_branch=name == "branch")
    else:
        groups = _fold(
            asker, grouping, asker.cells_by_model() if name in ("model", "provider") else asker.cells()
        )
    rows = [_row(asker, grouping, key, group, breakdown=breakdown) for key, group in _dearest(groups)]
    return Answer(name, _distinct(rows), total(group.sum for group in groups.values()))


def dearest_sessions(asker: Asker, offset: int, limit: int, *, cheapest: bool) -> Answer | None:
    """Some rows of `grouped` by session, found by an index; None where a filter asks for sums that have none."""
    if not asker.asks_everything():
        return None
    in_order = by_database.dearest(asker.db, offset, limit, cheapest=cheapest)
    asker.facts = by_database.facts_of(asker.db, in_order.sessions)
    rows = []
    for number, parts in by_database.models_of(asker.db, in_order.sessions).items():
        group = Group()
        for model, value in parts:
            group.add_model(model, value)
        group.add_model("", by_database.tool_calls_of(asker.db, number))
        rows.append(_row(asker, GROUPINGS["session"], (number,), group, breakdown=False))
    return Answer("session", rows, in_order.total, of=in_order.used)


def _by_place(asker: Asker, *, by_branch: bool) -> dict[Key, Group]:
    """The groups by folder, or by folder and branch."""
    groups: dict[Key, Group] = {}
    span = asker.whole()
    if span is None:
        return groups
    for cell in by_database.by_place(asker.db, span, asker.only):
        group = groups.setdefault((cell.cwd, cell.branch) if by_branch else (cell.cwd,), Group())
        group.add_model(cell.model, cell.sum)
        group.providers.add(cell.provider)
    for cwd, branch, session in by_database.sessions_by_place(asker.db, span, asker.only):
        groups[(cwd, branch) if by_branch else (cwd,)].sessions.add(session)
    return {key: group for key, group in groups.items() if any(group.sum)}


def dearest(asker: Asker, most: int) -> tuple[list[Row], int]:
    """The first rows of `grouped` by session, and how many it has: a year has thousands, and few are looked at."""
    span, grouping = asker.whole(), GROUPINGS["session"]
    if span is None:
        return [], 0
    numbers, count = by_database.dearest_of(asker.db, span, asker.only, most)
    some = asker.of_sessions(numbers)
    groups = _fold(some, grouping, some.cells(span))
    return [_row(some, grouping, key, group, breakdown=False) for key, group in _dearest(groups)], count


def crossed(asker: Asker, name: str, period: Period) -> Answer:
    """One row for each group and period: the periods oldest first, in each the dearest group first."""
    grouping, rows, sums = GROUPINGS[name], [], []
    for label, span in asker.period_spans(period).items():
        groups = _fold(asker, grouping, asker.cells(span))
        sums += [group.sum for group in groups.values()]
        rows += [
            {period: label, **_row(asker, grouping, key, group, breakdown=False)}
            for key, group in _dearest(groups)
        ]
    return Answer(name, _distinct(rows), total(sums), by_time=True)


def by_period(asker: Asker, period: Period, *, breakdown: bool = False) -> Answer:
    """One row for each day, week or month in use, the oldest first; `period` is the key of its label."""
    labels = asker.period_spans(period)
    rows, sums = [], []
    for (label, span), value in zip(labels.items(), _sums(asker, labels), strict=True):
        if any(value):
            sums.append(value)
            rows.append({period: label, **asker.figures(value), **_breakdown(asker, span, breakdown)})
    return Answer(period, rows, total(sums), by_time=True)


def _sums(asker: Asker, labels: dict[str, spans.Span]) -> Iterable[Sum]:
    return spans.sums(asker.db, labels.values(), asker.only)


def blocks(asker: Asker, now: float, *, breakdown: bool = False) -> Answer:
    """Five-hour blocks that begin on the days asked for; what is filtered out moves no border."""
    start, end = asker.wanted.span()
    providers = sorted({f.provider for f in asker.facts.values()})
    rows, sums = [], []
    for provider in providers:
        spans_of_blocks = [
            (begins, ends)
            for begins, ends in borders(partial(spans.first_use, asker.db, provider=provider))
            if (start is None or begins >= start) and (end is None or begins < end)
        ]
        only = asker.only
        if len(providers) > 1:
            asker.let_through(i for i in asker.allowed if asker.facts[i].provider == provider)
            only = only._replace(provider=provider)
        for block, value in zip(spans_of_blocks, spans.sums(asker.db, spans_of_blocks, only), strict=True):
            if any(value):
                sums.append(value)
                more = _broken_down(spans.cells(asker.db, block, only)) if breakdown else {}
                rows.append(_block(asker, provider, block, value, now) | more)
    rows.sort(key=lambda row: (row["started_at"], row["provider"]))
    return Answer("block", rows, total(sums), by_time=True)


def tools(asker: Asker) -> Answer:
    """Calls and failures of each tool, the most used first."""
    calls: dict[str, int] = {}
    failures: dict[str, int] = {}
    span = asker.whole()
    for tool in spans.tools(asker.db, span, asker.only) if span else ():
        calls[tool.name] = calls.get(tool.name, 0) + tool.calls
        failures[tool.name] = failures.get(tool.name, 0) + tool.failures
    rows = [
        {
            "tool": name,
            "tool_calls": count,
            "tool_failures": failures[name],
            "failure_rate": failures[name] / count if count else None,
        }
        for name, count in sorted(calls.items(), key=lambda item: (-item[1], item[0]))
    ]
    everything = ZERO._replace(tool_calls=sum(calls.values()), tool_failures=sum(failures.values()))
    return Answer("tool", rows, everything)


def _fold(asker: Asker, grouping: Grouping, cells: Iterable[Cell]) -> dict[Key, Group]:
    groups: dict[Key, Group] = {}
    for cell in cells:
        if grouping.keeps(cell):
            groups.setdefault(grouping.key(asker, cell), Group()).add(cell)
    return {key: group for key, group in groups.items() if grouping.worth(group.sum)}


def _dearest(groups: dict[Key, Group]) -> list[tuple[Key, Group]]:
    return sorted(groups.items(), key=lambda item: (-item[1].sum.spent, str(item[0])))


def _row(asker: Asker, grouping: Grouping, key: Key, group: Group, *, breakdown: bool) -> Row:
    row = grouping.naming(asker, key) | asker.figures(group.sum) | grouping.details(asker, key, group)
    return row | ({"breakdown": _by_model(group)} if breakdown else {})


def _block(asker: Asker, provider: str, block: tuple[int, int], value: Sum, now: float) -> Row:
    began = datetime.fromtimestamp(block[0], asker.wanted.zone)
    return {
        "block": began.isoformat(timespec="minutes"), "provider": provider,
        "started_at": block[0], "ends_at": block[1], "active": block[1] > now,
        **asker.figures(value),
    }  # fmt: skip


def _breakdown(asker: Asker, span: spans.Span, wanted: bool) -> Row:
    return _broken_down(asker.cells(span)) if wanted else {}


def _broken_down(cells: Iterable[Cell]) -> Row:
    group = Group()
    for cell in cells:
        group.add(cell)
    return {"breakdown": _by_model(group)}


def _by_model(group: Group) -> list[Row]:
    """The models of a row, the dearest first."""
    parts = [(name, value) for name, value in group.by_model.items() if name and any(value)]
    parts.sort(key=lambda item: (-item[1].spent, item[0]))
    return [{"model": name, **figures(value)} for name, value in parts]


def _distinct(rows: list[Row]) -> list[Row]:
    """Folders of one name show the folder above too."""
    if rows and "project" in rows[0]:
        names = project_names({row["cwd"] or "" for row in rows})
        for row in rows:
            row["project"] = names[row["cwd"] or ""]
    return rows
