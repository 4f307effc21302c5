"""Forecasts with an interval, by the method that erred least on the user's own past. Pure, in USD.

`test` takes moments of the past, forecasts with what was known then, and compares with the real outcome.
The method with the smallest error is chosen. Its misses at similar moments give the interval, from their 10th
to their 90th percentile.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from aitop.live.money import methods
from aitop.live.money.limits import quantile
from aitop.live.money.methods import BLOCK_SLOTS, DAY_SLOTS, Month, Running

DAY_CUTS = (36, 48, 60, 72, 84)  # 9, 12, 15, 18 and 21 o'clock
BLOCK_CUTS = (4, 8, 12, 16)
MONTH_CUTS = (5, 10, 15, 20, 25)
TESTED_DAYS = 60
TESTED_BLOCKS = 60
TESTED_MONTHS = 6
WARM_UP = 7  # whole days known before the first tested day, so that every method can answer
MONTH_WARM_UP = 28
LEAST_TESTS = 5


class Past(NamedTuple):
    """The costs of earlier days and blocks, in USD, oldest first."""

    first: date  # of `days`
    days: Sequence[float]  # each whole local day up to yesterday; a day without use is 0
    slots: Sequence[Sequence[float]]  # the newest of these days by quarter hour of the local clock
    blocks: Sequence[Sequence[float]]  # finished blocks by quarter hour


class Miss(NamedTuple):
    """One tested moment: the elapsed share of the period (0 to 1), and the outcome minus the forecast in USD."""

    elapsed: float
    miss: float


class Score(NamedTuple):
    """The result of one method: the sum of its absolute errors as percent of the sum of the outcomes."""

    method: str
    error_percent: float
    tested: int
    misses: tuple[Miss, ...]


class Forecast(NamedTuple):
    """What a period will have cost. The interval is None while there are fewer than LEAST_TESTS tests."""

    usd: float
    low_usd: float | None
    high_usd: float | None
    method: str
    error_percent: float | None
    tested: int


class PeriodForecast(NamedTuple):
    """A forecast with the end of its period, in the published names and units."""

    usd: float
    low_usd: float | None
    high_usd: float | None
    method: str
    error_percent: float | None
    tested: int
    ends_at: float


Scores = dict[str, list[Score]]  # day, block, month → best method first


def test(past: Past) -> Scores:
    """Test every method on the user's own past."""
    return {name: try_all(past) for name, try_all in TESTS.items()}


def day(past: Past, today: date, slots: Sequence[float], elapsed: float, scores: list[Score]) -> Forecast:
    """What today will have cost at midnight."""
    running = Running(slots, elapsed, DAY_SLOTS, past.slots, today.weekday(), _weekdays(past))
    return _forecast(methods.DAY, running, scores, elapsed, sum(slots))


def block(past: Past, slots: Sequence[float], elapsed: float, scores: list[Score]) -> Forecast:
    """What the running block will have cost at its end."""
    running = Running(slots, elapsed, BLOCK_SLOTS, past.blocks)
    return _forecast(methods.BLOCK, running, scores, elapsed, sum(slots))


def month(past: Past, today: date, spent_today: float, elapsed: float, scores: list[Score]) -> Forecast:
    """What this month will have cost at its end."""
    first, length = today.replace(day=1), _length(today)
    before = days_of_month(past, today)
    days = [*[0.0] * (today.day - 1 - len(before)), *before, spent_today]
    running = Month(first, days, elapsed, length, past.days[: len(past.days) - len(before)])
    return _forecast(methods.MONTH, running, scores, (today.day - 1 + elapsed) / length, sum(days))


def days_of_month(past: Past, today: date) -> Sequence[float]:
    """The whole days of the month under way, as far as they are known."""
    count = min(today.day - 1, len(past.days))
    return past.days[len(past.days) - count :]


def at_least(one: Forecast, usd: float) -> Forecast:
    """The forecast, raised to `usd`: the forecast of a shorter period inside it, which another method may have made."""
    if usd <= one.usd:
        return one
    return one._replace(usd=usd, high_usd=None if one.high_usd is None else max(usd, one.high_usd))


def _forecast(
    ways: dict[str, Callable[..., float | None]], running: object, scores: list[Score], elapsed: float,
    spent: float,
) -> Forecast:  # fmt: skip
    """The forecast of the best method that gives an answer; never less than is spent already."""
    for score in scores:
        value = ways[score.method](running)
        if value is not None and score.tested >= LEAST_TESTS:
            usd = max(spent, value)
            low, high = _interval(usd, spent, elapsed, score.misses)
            return Forecast(usd, low, high, score.method, score.error_percent, score.tested)
    value = ways["pace"](running)
    return Forecast(max(spent, value or 0.0), None, None, "pace", None, 0)


def _interval(
    usd: float, spent: float, elapsed: float, misses: Sequence[Miss]
) -> tuple[float | None, float | None]:
    near = [m.miss for m in misses if abs(m.elapsed - elapsed) <= 0.15]
    used = near if len(near) >= LEAST_TESTS else [m.miss for m in misses]
    if len(used) < LEAST_TESTS:
        return None, None
    low, high = usd + quantile(used, 0.1), usd + quantile(used, 0.9)
    return max(spent, min(usd, low)), max(usd, high)


Trial = tuple[object, float, float]  # (what was known, elapsed share, outcome in USD)


def _rank(ways: dict[str, Callable[..., float | None]], trials: list[Trial]) -> list[Score]:
    """Score every method on the moments that all of them can answer, so that their errors compare."""
    answers = [
        ({name: way(moment) for name, way in ways.items()}, elapsed, came) for moment, elapsed, came in trials
    ]
    fair = [
        (forecasts, elapsed, came) for forecasts, elapsed, came in answers if None not in forecasts.values()
    ]
    total = sum(came for _, _, came in fair)
    scores = []
    for name in ways:
        misses = tuple(Miss(elapsed, came - (forecasts[name] or 0.0)) for forecasts, elapsed, came in fair)
        error = 100 * sum(abs(m.miss) for m in misses) / total if total > 0 else 0.0
        scores.append(Score(name, error, len(misses), misses))
    return sorted(scores, key=lambda score: score.error_percent)


def _day_trials(past: Past) -> list[Trial]:
    weekdays = _weekdays(past)
    trials: list[Trial] = []
    # days without use are not tested: they say nothing about how a day of work ends
    used = [number for number in range(WARM_UP, len(past.slots)) if sum(past.slots[number]) > 0]
    for number in used[-TESTED_DAYS:]:
        whole = past.slots[number]
        for cut in DAY_CUTS:
            running = Running(whole[:cut], cut / DAY_SLOTS, DAY_SLOTS, past.slots[:number], weekdays[number],
                              weekdays[:number])  # fmt: skip
            trials.append((running, cut / DAY_SLOTS, sum(whole)))
    return trials


def _block_trials(past: Past) -> list[Trial]:
    trials: list[Trial] = []
    for number in range(max(3, len(past.blocks) - TESTED_BLOCKS), len(past.blocks)):
        whole = past.blocks[number]
        for cut in BLOCK_CUTS:
            elapsed = cut / BLOCK_SLOTS
            running = Running(whole[:cut], elapsed, BLOCK_SLOTS, past.blocks[:number])
            trials.append((running, elapsed, sum(whole)))
    return trials


def _month_trials(past: Past) -> list[Trial]:
    trials: list[Trial] = []
    for begin, first, length in _whole_months(past)[-TESTED_MONTHS:]:
        came = sum(past.days[begin : begin + length])
        for cut in MONTH_CUTS:
            moment = Month(first, past.days[begin : begin + cut], 1.0, length, past.days[:begin])
            trials.append((moment, cut / length, came))
    return trials


def _whole_months(past: Past) -> list[tuple[int, date, int]]:
    """(index of the first day, that day, length in days) of each month known as a whole, after the warm-up."""
    months = []
    for number in range(MONTH_WARM_UP, len(past.days)):
        day_ = date.fromordinal(past.first.toordinal() + number)
        if day_.day == 1:
            length = _length(day_)
            if number + length <= len(past.days):
                months.append((number, day_, length))
    return months


def _length(day_: date) -> int:
    """The length of the month of this day, in days."""
    first = day_.replace(day=1)
    return ((first + timedelta(days=32)).replace(day=1) - first).days


def _weekdays(past: Past) -> list[int]:
    first = past.first.toordinal() + len(past.days) - len(past.slots)
    return [date.fromordinal(first + number).weekday() for number in range(len(past.slots))]


TESTS: dict[str, Callable[[Past], list[Score]]] = {
    "day": lambda past: _rank(methods.DAY, _day_trials(past)),
    "block": lambda past: _rank(methods.BLOCK, _block_trials(past)),
    "month": lambda past: _rank(methods.MONTH, _month_trials(past)),
}
