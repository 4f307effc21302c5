"""What one API response cost, in whole picodollars, at the prices of its own moment.

Called for every response of a first scan, so a model's rows are looked up once for each
(model, speed, geo, tier) and kept as plain tuples. No floats: rates are whole numbers, a multiplier is
a fraction applied to the whole sum, and at most one rounding ends it.
"""

from bisect import bisect_right
from fractions import Fraction
from typing import NamedTuple

from aitop.model.events import Usage
from aitop.pricing import normalise, rows
from aitop.pricing.basis import Basis
from aitop.pricing.rows import Model, OffPeak, PriceRow, Schedule
from aitop.pricing.table import PriceTable

# Models that no page prices, and the one of their family that comes nearest; both are Codex's own.
ESTIMATED_AS = {"codex-auto-review": "gpt-5.3-codex", "gpt-5.3-codex-spark": "gpt-5.3-codex"}
WEB_SEARCH = 10_000_000_000  # $10 per 1,000 searches
US_ONLY = Fraction(11, 10)  # inference_geo "us"
HALF_PRICE = ("batch", "flex")
MANY_MODELS = 4096  # a gateway that invents ids must not fill the memory
ENDLESS = 1 << 62
MAX_COST = 10**15  # $1,000: beyond it the record is damaged, and sums of such would not fit the history


class Priced(NamedTuple):
    """A cost in picodollars and what it rests on."""

    cost: int
    basis: Basis


# (prompt limit, input, output, cache read, write 5m, write 1h, divisor, the next longer step or None)
_Step = tuple[int, int, int, int, int, int, int, "tuple[object, ...] | None"]
_Hours = tuple[OffPeak, _Step]
# (days on which the following steps begin, steps, basis, steps of certain hours or None)
_Entry = tuple[list[float], list[_Step], Basis, "list[_Hours | None] | None"]
_NOTHING = Priced(0, Basis.UNPRICED)
_FREE: _Step = (ENDLESS, 0, 0, 0, 0, 0, 1, None)  # on the user's own machine, or given away


def price(table: PriceTable, model: str, usage: Usage, at: float) -> Priced:
    """The cost of a response made at epoch second `at`.

    An unknown model costs 0 and is `Basis.UNPRICED`; so is what no single response can cost.
    """
    uncached, output, read, write_5m, write_1h, _, searches, speed, geo, tier, advisor = usage
    key = (model, speed, geo, tier)
    entry: _Entry | None = table.compiled.get(key)
    if entry is None:
        entry = _remember(table, key)
    days, steps, basis, by_hour = entry
    if not steps:
        cost = 0
    else:
        number = bisect_right(days, at) if days else 0
        step = steps[number]
        if by_hour is not None and (hours := by_hour[number]) is not None and hours[0].holds(at):
            step = hours[1]
        prompt = uncached + read + write_5m + write_1h
        while prompt > step[0]:
            step = step[7]  # type: ignore[assignment]
        _, p_input, p_output, p_read, p_5m, p_1h, divisor, _ = step
        cost = uncached * p_input + output * p_output + read * p_read + write_5m * p_5m + write_1h * p_1h
        if divisor != 1:
            cost = (2 * cost + divisor) // (2 * divisor)
        cost += searches * WEB_SEARCH
    if advisor:
        return _with_advisor(table, usage, at, Priced(cost, basis))
    return Priced(cost, basis) if steps and cost <= MAX_COST else _NOTHING


def _with_advisor(table: PriceTable, usage: Usage, at: float, own: Priced) -> Priced:
    """Add the side calls at their own models' prices; the basis is the weakest of all."""
    cost, bases = own.cost, {own.basis}
    for model, uncached, output, read, write_5m, write_1h in usage.advisor:
        side = Usage(uncached, output, read, write_5m, write_1h, geo=usage.geo, tier=usage.tier)
        priced = price(table, model, side, at)
        cost += priced.cost
        bases.add(priced.basis)
    if cost > MAX_COST:
        return _NOTHING
    return Priced(cost, max(bases))


def _remember(table: PriceTable, key: tuple[str, str, str, str]) -> _Entry:
    if len(table.compiled) >= MANY_MODELS:
        table.compiled.clear()
    entry = table.compiled[key] = _compile(table, *key)
    return entry


def _compile(table: PriceTable, model: str, speed: str, geo: str, tier: str) -> _Entry:
    if normalise.is_local(model) or normalise.is_free(model):
        return [], [_FREE], Basis.LISTED, None
    dated, basis = _dated_rows(table, model)
    factor = (US_ONLY if geo == "us" else Fraction(1)) * (Fraction(1, 2) if tier in HALF_PRICE else 1)
    fast = speed == "fast" or normalise.says_fast(model)
    steps = [_step(_schedule(row, fast=fast, priority=tier == "priority"), factor) for _, row in dated]
    by_hour = [
        (row.off_peak, _step(row.off_peak.schedule, factor)) if row.off_peak else None for _, row in dated
    ]
    return [rows.epoch(day) for day, _ in dated[1:]], steps, basis, by_hour if any(by_hour) else None


def _schedule(row: PriceRow, *, fast: bool, priority: bool) -> Schedule:
    if fast and row.fast:
        return row.fast
    if (fast or priority) and row.priority:  # OpenAI calls its priority tier "fast" as well
        return row.priority
    return row.standard


def _step(schedule: Schedule, factor: Fraction) -> _Step:
    step: _Step | None = None
    limit = ENDLESS
    for over, rates in reversed(schedule):
        scaled = [rate * factor.numerator for rate in rates]
        divisor = factor.denominator
        if all(rate % divisor == 0 for rate in scaled):
            scaled, divisor = [rate // divisor for rate in scaled], 1
        step = (limit, scaled[0], scaled[1], scaled[2], scaled[3], scaled[4], divisor, step)
        limit = over
    assert step is not None
    return step


def _dated_rows(table: PriceTable, model: str) -> tuple[list[tuple[str, PriceRow]], Basis]:
    """The rows of a model with the days they begin; those of its family where the table does not have it."""
    listed = table.find(model)
    if listed is not None:
        return [(row.start, row) for row in listed.rows], Basis.LISTED
    word = normalise.family(model)
    members = table.family(word) if word else ()
    if members:
        return _family_rows(members), Basis.FAMILY
    kin = table.find(ESTIMATED_AS.get(normalise.looser_spellings(model)[-1], ""))
    if kin is not None:
        return [(row.start, row) for row in kin.rows], Basis.FAMILY
    wanted = normalise.versioned_family(model)
    nearest = table.nearest_version(wanted) if wanted else None
    if nearest is None:
        return [], Basis.UNPRICED
    return [(row.start, row) for row in nearest.rows], Basis.FAMILY


def _family_rows(members: tuple[Model, ...]) -> list[tuple[str, PriceRow]]:
    """From each release on the newer model's rows, each where it is valid."""
    dated: list[tuple[str, PriceRow]] = []
    for number, member in enumerate(members):
        begins = member.released if number else ""
        ends = members[number + 1].released if number + 1 < len(members) else "9999"
        dated.append((begins, rows.row_at(member, begins)))
        dated += [(row.start, row) for row in member.rows if begins < row.start < ends]
    return [
        (day, row)
        for number, (day, row) in enumerate(dated)
        if number + 1 == len(dated) or dated[number + 1][0] > day
    ]
