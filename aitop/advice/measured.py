"""What a setting really saved: the days since it was applied against the days before. Pure.

It compares the cost of one unit of work, so that a busy week does not look dear. A unit is a run of a sub-agent, or a
thousand output tokens of the main thread at one model. `expected` is what the work since then would have cost at the
unit costs of the days before; the share saved is 1 - cost / expected. Its variance is a jackknife over days, which
are taken as independent, on either side alone; the interval is Student's with the degrees of freedom of Welch and
Satterthwaite (B. L. Welch, "The generalization of Student's problem", Biometrika 34, 1947). Work at a
model that was not used before has nothing to be compared with and is left out.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Literal, NamedTuple

from aitop.advice.record import Call, Record
from aitop.pricing import normalise

DAY = 86_400.0
BEFORE_DAYS = 28
AFTER_DAYS = 28  # later days are another time with other work
WEEK = 7
LEAST_DAYS = 4  # with use, on either side
# Two-sided 95 % points of Student's distribution for 1, 2, … degrees of freedom.
_STUDENT = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
_NORMAL = 1.960

Used = Mapping[str, tuple[int, float]]  # kind of work → (picodollars, units)
Days = Mapping[date, Used]
Verdict = Literal["waiting", "too few days", "saved", "unclear", "nothing"]


class Unit(NamedTuple):
    """The work a setting changes. `split` books one session's requests: (moment, kind of work, picodollars, units)."""

    what: str
    split: Callable[[Record], Iterable[tuple[float, str, int, float]]]


class Measured(NamedTuple):
    """Money in picodollars; `low` and `high` are the ends of the 95 % interval of `saving`."""

    days_before: int  # with use
    days_after: int
    cost: int
    expected: float
    saving: float
    low: float
    high: float
    left_out: int  # picodollars of work without the like before


def _runs(record: Record) -> Iterable[tuple[float, str, int, float]]:
    """Each sub-agent's run on the day it began; a run with an unpriced request is left out."""
    runs: dict[str, list[Call]] = {}
    for call in record.agents():
        runs.setdefault(call.agent or "", []).append(call)
    for calls in runs.values():
        if all(call.priced for call in calls):
            yield calls[0].at, "", sum(call.cost for call in calls), 1.0


def _main_thread(kind: Callable[[str], str]) -> Callable[[Record], Iterable[tuple[float, str, int, float]]]:
    def split(record: Record) -> Iterable[tuple[float, str, int, float]]:
        for call in record.main():
            if call.priced:
                yield call.at, kind(call.model), call.cost, call.usage.output_tokens / 1000

    return split


_OUTPUT = "1,000 output tokens"
UNITS = {
    "subagent-model": Unit("a sub-agent's run", _runs),
    "older-model": Unit(_OUTPUT, _main_thread(lambda model: normalise.family(model) or model)),
    "short-cache": Unit(_OUTPUT, _main_thread(lambda model: model)),
    "hour-cache": Unit(_OUTPUT, _main_thread(lambda model: model)),
}


def days(
    unit: Unit, records: Iterable[Record], start: float, applied_at: float, until: float
) -> tuple[Days, Days]:
    """The work from `start` to when it was applied, and since, without sessions that were open at that moment.

    The client reads its settings at a session's start, so such a session went on as before.
    """
    before: dict[date, dict[str, tuple[int, float]]] = {}
    after: dict[date, dict[str, tuple[int, float]]] = {}
    for record in records:
        if record.calls[0].at < applied_at <= record.calls[-1].at:
            continue
        for at, kind, cost, units in unit.split(record):
            if not start <= at < until:
                continue
            side = before if at < applied_at else after
            day = side.setdefault(datetime.fromtimestamp(at).date(), {})  # noqa: DTZ006 - the user's own days
            earlier = day.get(kind, (0, 0.0))
            day[kind] = (earlier[0] + cost, earlier[1] + units)
    return before, after


def measure(before: Days, after: Days) -> Measured | None:
    """What was saved; None with too few days of comparable work to say."""
    kinds = _kinds(before.values()) & _kinds(after.values())
    old, new = _comparable(before.values(), kinds), _comparable(after.values(), kinds)
    if len(old) < LEAST_DAYS or len(new) < LEAST_DAYS:
        return None
    cost, expected = _sums(old, new)
    if expected <= 0:
        return None
    old_variance = _jackknife([_share(_but(old, number), new) for number in range(len(old))])
    new_variance = _jackknife([_share(old, _but(new, number)) for number in range(len(new))])
    variance = old_variance + new_variance
    margin = 0.0
    if variance > 0:
        freedom = variance**2 / (old_variance**2 / (len(old) - 1) + new_variance**2 / (len(new) - 1))
        margin = expected * _student(freedom) * math.sqrt(variance)
    saving = expected - cost
    whole = sum(money for day in after.values() for money, _ in day.values())
    return Measured(
        len(old), len(new), cost, expected, saving, saving - margin, saving + margin, whole - cost
    )


def verdict(measured: Measured | None, applied_at: float, now: float) -> Verdict:
    """What to say of it: "nothing" where the estimate says so after a week, or where four weeks show no saving."""
    age = now - applied_at
    if age < WEEK * DAY:
        return "waiting"
    if measured is None:
        return "too few days"
    if measured.low > 0:
        return "saved"
    return "nothing" if measured.saving <= 0 or age >= AFTER_DAYS * DAY else "unclear"


def _kinds(used: Iterable[Used]) -> set[str]:
    return {kind for day in used for kind, (_, units) in day.items() if units > 0}


def _comparable(used: Iterable[Used], kinds: set[str]) -> list[Used]:
    kept = ({kind: value for kind, value in day.items() if kind in kinds} for day in used)
    return [day for day in kept if day]


def _share(old: Sequence[Used], new: Sequence[Used]) -> float | None:
    """The share saved; None where no cost can be expected."""
    cost, expected = _sums(old, new)
    return 1 - cost / expected if expected > 0 else None


def _sums(old: Sequence[Used], new: Sequence[Used]) -> tuple[int, float]:
    """(cost, expected cost) of the new days' work, without kinds that the old days lack."""
    before, after = _total(old), _total(new)
    expected, cost = 0.0, 0
    for kind, (money, units) in after.items():
        old_money, old_units = before.get(kind, (0, 0.0))
        if old_units > 0:
            expected += old_money / old_units * units
            cost += money
    return cost, expected


def _total(used: Iterable[Used]) -> dict[str, tuple[int, float]]:
    total: dict[str, tuple[int, float]] = {}
    for day in used:
        for kind, (money, units) in day.items():
            earlier = total.get(kind, (0, 0.0))
            total[kind] = (earlier[0] + money, earlier[1] + units)
    return total


def _but(used: Sequence[Used], number: int) -> list[Used]:
    return [*used[:number], *used[number + 1 :]]


def _jackknife(values: Sequence[float | None]) -> float:
    """The variance of a value from the values with each of its observations left out."""
    measured = [value for value in values if value is not None]
    mean = math.fsum(measured) / len(measured) if measured else 0.0
    return (
        (len(measured) - 1) / len(measured) * math.fsum((value - mean) ** 2 for value in measured)
        if measured
        else 0.0
    )


def _student(freedom: float) -> float:
    return _STUDENT[max(int(freedom), 1) - 1] if freedom < len(_STUDENT) + 1 else _NORMAL
