"""The forecast methods for a day, a block or a month: plain functions of what is known. Pure, in USD.

A forecast and its test call the same functions. The test passes them only what was known at its moment.
A method returns None where it has too little data.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from aitop.model.median import median

DAY_SLOTS = 96
BLOCK_SLOTS = 20
RECENT = 28  # days or blocks that make the usual course
WEEKS = 8
LEAST_DAYS = 7


class Running(NamedTuple):
    """A running day or block: its cost by quarter hour so far, and the whole earlier ones, oldest first."""

    slots: Sequence[float]  # quarter hours that have begun
    elapsed: float  # of the whole, 0 to 1
    length: int  # slots of the whole
    earlier: Sequence[Sequence[float]]
    weekday: int | None = None
    weekdays: Sequence[int] = ()  # of the earlier ones


class Month(NamedTuple):
    """A running month: its days so far (the last is today, of which the share `elapsed` is over), and earlier days."""

    first: date
    days: Sequence[float]
    elapsed: float
    length: int
    earlier: Sequence[float]  # daily costs up to the day before `first`, oldest first


def pace(running: Running) -> float | None:
    """The mean rate so far goes on to the end."""
    spent = sum(running.slots)
    return spent / running.elapsed if running.elapsed > 0 else None


def usual_rest(running: Running) -> float | None:
    """What is spent, plus the median of what followed after this time in earlier days or blocks."""
    return _rest(running, running.earlier[-RECENT:])


def weekday_rest(running: Running) -> float | None:
    """The same as `usual_rest`, over the earlier days of this weekday."""
    same = [
        slots for slots, day in zip(running.earlier, running.weekdays, strict=True) if day == running.weekday
    ]
    return _rest(running, same[-WEEKS:]) if len(same) >= 3 else None


def recent_rate(running: Running) -> float | None:
    """The rate of the last hour goes on to the end. The hour ends now, within the running quarter hour."""
    gone = running.elapsed * running.length
    if len(running.slots) < 2 or gone <= 0:
        return None
    before = running.slots[-5] * (len(running.slots) - gone) if len(running.slots) > 4 else 0.0
    rate = (before + sum(running.slots[-4:])) / min(4.0, gone)
    return sum(running.slots) + rate * (running.length - gone)


def month_pace(month: Month) -> float | None:
    """Every day of the month costs the mean of the days so far."""
    gone = len(month.days) - 1 + month.elapsed
    return sum(month.days) / gone * month.length if gone > 0 else None


def month_weekday(month: Month) -> float | None:
    """What is spent, plus for each coming day the mean of its weekday over eight weeks."""
    costs = _known(month)
    if len(costs) < LEAST_DAYS:
        return None
    start = month.first + timedelta(days=len(month.days) - 1 - len(costs))
    return _with_rest(month, _weekday_means(costs, start))


def month_trend(month: Month) -> float | None:
    """The weekday pattern on a robust trend line over eight weeks. Its slope is the median of all slopes."""
    costs = _known(month)
    if len(costs) < 2 * LEAST_DAYS:
        return None
    start = month.first + timedelta(days=len(month.days) - 1 - len(costs))
    overall = fmean(costs)
    if overall <= 0:
        return sum(month.days)
    means = _weekday_means(costs, start)
    weeks = [fmean(costs[i : i + 7]) for i in range(len(costs) % 7, len(costs), 7)]
    slopes = [(weeks[j] - weeks[i]) / (j - i) for i in range(len(weeks)) for j in range(i + 1, len(weeks))]
    slope = median(slopes) if slopes else 0.0
    middle = (len(weeks) - 1) / 2
    base = median([week - slope * (i - middle) for i, week in enumerate(weeks)])

    def usual(ahead: int, weekday: int) -> float:
        level = base + slope * (len(weeks) - 1 - middle + (ahead + 3.5) / 7)
        return max(0.0, level) * means[weekday] / overall

    return _with_rest(month, usual)


def fmean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


Running_ = Callable[[Running], float | None]
DAY: dict[str, Running_] = {"pace": pace, "usual_rest": usual_rest, "weekday_rest": weekday_rest}
BLOCK: dict[str, Running_] = {"pace": pace, "recent_rate": recent_rate, "usual_rest": usual_rest}
MONTH: dict[str, Callable[[Month], float | None]] = {
    "pace": month_pace,
    "weekday_mean": month_weekday,
    "robust_trend": month_trend,
}


def _rest(running: Running, earlier: Sequence[Sequence[float]]) -> float | None:
    if len(earlier) < 3:
        return None
    at = running.elapsed * running.length
    whole = int(at)
    rests = []
    for slots in earlier:
        part = slots[whole] * (1 - (at - whole)) if whole < len(slots) else 0.0
        rests.append(part + sum(slots[whole + 1 :]))
    return sum(running.slots) + median(rests)


def _known(month: Month) -> list[float]:
    """The daily costs of the last eight weeks before today, oldest first."""
    before = [*month.earlier, *month.days[:-1]]
    return before[-7 * WEEKS :]


def _weekday_means(daily_costs: Sequence[float], start: date) -> list[float]:
    by_day: list[list[float]] = [[] for _ in range(7)]
    for number, cost in enumerate(daily_costs):
        by_day[(start.weekday() + number) % 7].append(cost)
    overall = fmean(daily_costs)
    return [fmean(costs) if costs else overall for costs in by_day]


def _with_rest(month: Month, usual: Callable[[int, int], float] | list[float]) -> float:
    """The sum of what is spent, the rest of today, and every coming day."""

    def of(ahead: int, weekday: int) -> float:
        return usual[weekday] if isinstance(usual, list) else usual(ahead, weekday)

    today = month.first + timedelta(days=len(month.days) - 1)
    total = sum(month.days) + of(0, today.weekday()) * (1 - month.elapsed)
    for ahead in range(1, month.length - len(month.days) + 1):
        total += of(ahead, (today.weekday() + ahead) % 7)
    return total
