"""A stretch of the history as a page shows it: its periods, what they were spent on, its total. Pure but for questions.

The pages of `aitop web` and the file of `aitop report --html` are made from this. Every number comes from the same
sums as the other reports, so a page and `aitop report --json` cannot differ.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta

from aitop.history.query import spans, stacks
from aitop.history.query.stacks import Cut
from aitop.model import periods
from aitop.model.json_types import JsonObject
from aitop.model.sums import PICO
from aitop.reports import framing, groupings
from aitop.reports.ask import Asker
from aitop.reports.filters import Filter, Period
from aitop.reports.rows import Row, figures, project_names

LAYERS = 7  # of a stack; what is left over is one more
REST = "everything else"
NO_NAME = {"model": "(no model)", "provider": "(no client)"}
HEAT_DAYS = 7 * 53

Key = tuple[str, ...]


def overview(asker: Asker, period: Period, by: str, most: int) -> JsonObject:
    """Periods oldest first, groups dearest first (at most so many), the total of all, and the notes to it."""
    in_periods = groupings.by_period(asker, period)
    groups = groupings.grouped(asker, by)
    sums = {row[period]: row for row in in_periods.rows}
    labels = asker.period_spans(period)
    return {
        "unit": period,
        "by": by,
        "days": [asker.days[0].isoformat(), asker.days[-1].isoformat()] if asker.days else None,
        "periods": [
            {
                "label": label,
                "since": _day(start, asker),
                "until": _day(end - 1, asker),
                **sums.get(label, {}),
            }
            for label, (start, end) in labels.items()
        ],
        "stack": stack(asker, list(labels.values()), by) if labels else {"names": [], "values": []},
        "groups": groups.rows[:most],
        "group_count": len(groups.rows),
        "group_total": figures(groups.total),
        "total": asker.figures(in_periods.total),
        "notes": [line.strip() for line in framing.notes(in_periods.total)],
    }


def heat(asker: Asker) -> list[list[str | float | int]]:
    """[day, USD spent, requests] of every day in use, oldest first."""
    sums_by_day = zip(asker.days, spans.sums(asker.db, asker.day_spans(), asker.only), strict=True)
    return [[day.isoformat(), value.spent / PICO, value.requests] for day, value in sums_by_day if any(value)]


def year(wanted: Filter, today: date) -> Filter:
    """The last 53 weeks of a filter, whatever its days."""
    return wanted._replace(since=today - timedelta(days=HEAT_DAYS - 1), until=today)


def sessions(asker: Asker, most: int) -> JsonObject:
    """The dearest sessions, and how many there are."""
    rows, count = groupings.dearest(asker, most)
    return {"rows": rows, "count": count}


def stack(asker: Asker, parts: list[spans.Span], by: str) -> JsonObject:
    """USD by layer and period: the dearest layers first, each with a number for every period; the rest is the last."""
    borders = [parts[0][0], *(end for _, end in parts)]
    ask: dict[str, Callable[[], list[Cut]]] = {
        "model": lambda: stacks.by_model(asker.db, borders, asker.only),
        "provider": lambda: stacks.by_provider(asker.db, borders, asker.only),
    }
    cuts = ask.get(by, lambda: stacks.by_place(asker.db, borders, asker.only))()
    layers: dict[Key, list[int]] = {}
    for cut in cuts:
        key = (cut.key,) if isinstance(cut.key, str) else cut.key if by == "branch" else cut.key[:1]
        values = layers.setdefault(key, [0] * len(parts))
        values[cut.number] += cut.spent
    dearest = sorted(layers, key=lambda key: (-sum(layers[key]), key))
    shown, rest = dearest[:LAYERS], dearest[LAYERS:]
    names = _described(by, shown)
    sums = [[spent / PICO for spent in layers[key]] for key in shown]
    if rest:
        names.append({"label": REST})
        sums.append([sum(column) / PICO for column in zip(*(layers[key] for key in rest), strict=True)])
    return {"names": names, "values": sums}


def _described(by: str, keys: Iterable[Key]) -> list[Row]:
    """The layers as a page names and links them."""
    keys = list(keys)
    if by in NO_NAME:
        return [{"label": key[0] or NO_NAME[by], by: key[0]} for key in keys]
    names = project_names({key[0] for key in keys})
    if by == "project":
        return [{"label": names[key[0]], "cwd": key[0] or None} for key in keys]
    return [
        {"label": f"{names[key[0]]}: {key[1] or '(none)'}", "cwd": key[0] or None, "branch": key[1] or None}
        for key in keys
    ]


def _day(moment: float, asker: Asker) -> str:
    if asker.wanted.zone is None:
        return periods.date_of(moment).isoformat()
    return datetime.fromtimestamp(moment, asker.wanted.zone).date().isoformat()
