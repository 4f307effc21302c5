"""What the history and the published state hold now, as plain samples. Reads only; no clock, no network.

Money stays in picodollars here, so that sums are exact; the exposition divides.
"""

import sqlite3
from collections.abc import Callable, Iterable
from typing import NamedTuple

from aitop.fleet import names
from aitop.fleet.labels import Shape
from aitop.fleet.names import Metric
from aitop.history import columns
from aitop.history.query import spans, sums_since
from aitop.model import histograms
from aitop.model.json_types import JsonObject
from aitop.model.sums import Sum

DAY = 86_400
Labels = tuple[str, ...]  # in the order of `Metric.labels`, without the origin
Counted = dict[tuple[str, Labels], int]  # (metric's name, labels) → tokens, requests, picodollars
Admit = Callable[[tuple[str, str, str]], tuple[str, str, str]]


class Gauge(NamedTuple):
    metric: Metric
    labels: Labels
    value: float


def rows(db: sqlite3.Connection) -> list[tuple[str, str, str, Sum]]:
    """(provider, model, folder's name, sum) over the whole history; "" for what belongs to no model."""
    models = dict(db.execute("SELECT id, name FROM model"))
    sums: dict[tuple[str, str, str], list[int]] = {}
    for provider, model, cwd, *values in db.execute(
        f"SELECT s.provider, q.model, coalesce(p.cwd, s.cwd, ''), {columns.SUMS} FROM session_sum q "  # noqa: S608
        "JOIN (SELECT id AS owner, provider, cwd FROM session) s ON s.owner = q.session "
        "LEFT JOIN (SELECT id AS number, cwd FROM place) p ON p.number = q.place GROUP BY 1, 2, 3"
    ):
        key = provider, models.get(model, ""), folder_name(cwd)
        before = sums.get(key)
        sums[key] = values if before is None else [a + b for a, b in zip(before, values, strict=True)]
    return [(*key, columns.from_by_model(values)) for key, values in sums.items()]


def folder_name(cwd: str) -> str:
    """A folder's own name, as reports and displays have it."""
    return cwd.replace("\\", "/").rstrip("/").rpartition("/")[2]


def counted(counted_rows: Iterable[tuple[str, str, str, Sum]], shape: Shape, admit: Admit) -> Counted:
    """The counters by their labels. `admit` names the label set under which a set is shown."""
    total: Counted = {}

    def add(metric: Metric, labels: Labels, value: int) -> None:
        if value:
            key = metric.name, labels
            total[key] = total.get(key, 0) + value

    dearest = sorted(counted_rows, key=lambda row: (-row[3].spent, row[:3]))
    for provider, model, project, value in dearest:
        shown = admit(
            (
                shape.value("provider", provider),
                shape.value("model", model) if model else "",
                shape.value("project", project),
            )
        )
        add(names.COST, (*shown, "counted"), value.cost)
        add(names.COST, (*shown, "untracked"), value.untracked)
        for kind, attribute in names.TOKEN_TYPES.items():
            add(names.TOKENS, (*shown, kind), getattr(value, attribute))
        add(names.REQUESTS, shown, value.requests)
        add(names.UNPRICED, shown, value.unpriced_requests)
        add(names.CREDITS, shown, value.credits)
        add(names.ERRORS, (shown[0], shown[2]), value.errors)
    return total


class Timings:
    """How long responses took, by provider, cumulative by upper bound.

    Sessions that ended before yesterday are added up once a day: reading every session's counts at each scrape
    would cost more than all else together.
    """

    def __init__(self) -> None:
        self._day = -1
        self._old: dict[str, histograms.Timings] = {}

    def read(self, db: sqlite3.Connection, now: float) -> dict[tuple[str, str], list[int]]:
        """(metric's name, provider) → responses by bucket, the last one without an upper bound."""
        day = int(now) // DAY - 1
        if day != self._day:
            self._old = _summed(db, "ifnull(last_at, 0) < ?", day * DAY)
            self._day = day
        recent = _summed(db, "last_at >= ?", day * DAY)
        buckets: dict[tuple[str, str], list[int]] = {}
        for part in (self._old, recent):
            for provider, timings in part.items():
                for metric, counts in zip(names.HISTOGRAMS, timings.counts[:2], strict=True):
                    _add(buckets, (metric.name, provider), counts)
        return buckets


def _summed(db: sqlite3.Connection, where: str, moment: float) -> dict[str, histograms.Timings]:
    timings: dict[str, histograms.Timings] = {}
    for provider, text in db.execute(
        f"SELECT provider, timings FROM session WHERE timings IS NOT NULL AND {where}",  # noqa: S608
        (moment,),
    ):
        mine = timings.setdefault(provider, histograms.Timings())
        for counts, more in zip(mine.counts, histograms.unpacked(text).counts, strict=True):
            for step, times in more.items():
                counts[step] = counts.get(step, 0) + times
    return timings


def _add(
    buckets_by_key: dict[tuple[str, str], list[int]], key: tuple[str, str], counts: dict[int, int]
) -> None:
    if not counts:
        return
    buckets = buckets_by_key.setdefault(key, [0] * (len(names.BUCKETS) + 1))
    for step, times in counts.items():
        seconds = 2 ** ((step + 0.5) / histograms.STEPS) / 1000
        for number, bound in enumerate(names.BUCKETS):
            if seconds <= bound:
                buckets[number] += times
        buckets[-1] += times


def gauges(state: JsonObject | None, shape: Shape, now: float, version: str) -> list[Gauge]:
    """What the published state says. Without one, or with an old one, only its age and the version."""
    made = [Gauge(names.BUILD, (version,), 1)]
    written = _number(state.get("written_at")) if state else None
    if state is None or written is None:
        return made
    age = max(0.0, now - written)
    made.append(Gauge(names.STATE_AGE, (), round(age, 3)))
    if age > 10:
        return made
    for row in _rows(state, "limits"):
        used, resets = _number(row.get("used_percent")), _number(row.get("resets_at"))
        if used is None or resets is None or row.get("estimated"):
            continue
        account = str(row["account"]) if row.get("account") else ""
        labels = (
            shape.value("provider", str(row.get("provider", ""))),
            shape.value("account", account) if account else "",
            str(row.get("name", "")),
        )
        made += [Gauge(names.LIMIT_USED, labels, used / 100), Gauge(names.LIMIT_RESETS, labels, resets)]
    return made + _of_sessions(state, shape) + _of_budgets(state, shape)


def _of_sessions(state: JsonObject, shape: Shape) -> list[Gauge]:
    contexts: dict[str, float] = {}
    statuses = dict.fromkeys(("working", "waiting", "idle", "ended"), 0)
    for row in _rows(state, "sessions"):
        status, percent = row.get("status"), _number(row.get("context_percent"))
        if status in statuses:
            statuses[status] += 1
        if row.get("active") and percent is not None:
            project = shape.value("project", str(row.get("project") or ""))
            contexts[project] = max(contexts.get(project, 0.0), percent / 100)
    levels = dict.fromkeys(("warning", "critical"), 0)
    for row in _rows(state, "alerts"):
        if row.get("level") in levels:
            levels[row["level"]] += 1
    return [
        *(Gauge(names.CONTEXT, (project,), value) for project, value in sorted(contexts.items())),
        *(Gauge(names.SESSIONS, (status,), number) for status, number in statuses.items()),
        *(Gauge(names.ALERTS, (level,), number) for level, number in levels.items()),
    ]


def _of_budgets(state: JsonObject, shape: Shape) -> list[Gauge]:
    used: dict[Labels, float] = {}
    for row in _rows(state, "budgets"):
        percent = _number(row.get("percent"))
        if percent is not None:
            key = shape.value("budget", str(row.get("name") or "")), str(row.get("period") or "")
            used[key] = max(used.get(key, 0.0), percent / 100)
    return [Gauge(names.BUDGET, labels, value) for labels, value in used.items()]


def born(db: sqlite3.Connection) -> tuple[str, float | None]:
    """(what tells this history from another one, when its first counted thing happened)."""
    first = spans.bounds(db)
    return sums_since.meta(db, "born") or "", first[0] if first else None


def _rows(state: JsonObject, name: str) -> list[JsonObject]:
    listed = state.get(name)
    return [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
