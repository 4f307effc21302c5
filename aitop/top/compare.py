"""What the same tokens would have cost on another model: fresh, written and read tokens each at its rate.

Pure: mixes of tokens and a price table in, sums out. Standard list prices of a day, long prompts at
the step their own length falls into. Another model would have used other numbers of tokens for the
same work; this compares prices, not models.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from aitop.history.query.session_detail import Mix
from aitop.pricing import normalise, rows
from aitop.pricing.table import PriceTable

WEB_SEARCH = 10_000_000_000  # picodollars, $10 per 1,000, the same everywhere
RECENT_DAYS = 400


class Usage(NamedTuple):
    """What one model was used for, or all together."""

    model: str
    requests: int
    uncached: int
    output: int
    cache_read: int
    cache_write: int
    cost: int
    unpriced: int
    estimated: int

    @property
    def input(self) -> int:
        return self.uncached + self.cache_read + self.cache_write


class Alternative(NamedTuple):
    """The same tokens on one model: picodollars, and whether they were really used there."""

    model: str
    provider: str
    cost: int
    used: bool
    context: int | None


def by_model(mixes: Iterable[Mix]) -> list[Usage]:
    """Each model's sum, dearest first."""
    totals: dict[str, list[int]] = {}
    for mix in mixes:
        total = totals.setdefault(mix.model, [0] * 8)
        parts = (mix.requests, mix.uncached, mix.output, mix.cache_read, mix.write_5m + mix.write_1h, mix.cost,
                 mix.unpriced, mix.estimated)  # fmt: skip
        for place, value in enumerate(parts):
            total[place] += value
    usages = [Usage(model, *total) for model, total in totals.items()]
    return sorted(usages, key=lambda usage: (-usage.cost, usage.model))


def together(usages: Iterable[Usage]) -> Usage:
    """All models as one."""
    columns = list(zip(*(usage[1:] for usage in usages), strict=True))
    return Usage("", *(sum(column) for column in columns)) if columns else Usage("", *[0] * 8)


def steps(table: PriceTable) -> list[int]:
    """Every prompt length at which some model's price changes."""
    return sorted(
        {
            step.over
            for model in table.models.values()
            for row in model.rows
            for step in row.standard
            if step.over
        }
    )


def candidates(table: PriceTable, used: Iterable[str], today: str, *, everyone: bool) -> list[str]:
    """Models worth comparing with: Claude's of the last year or so and those used; or all there are."""
    names = {model.name: model for model in table.models.values()}
    used_names = {listed.name for name in used if (listed := table.find(name)) is not None}
    if everyone:
        return sorted(set(names) | used_names)
    since = rows.epoch(today) - RECENT_DAYS * 86_400
    recent = {
        name
        for name, model in names.items()
        if normalise.is_claude(name) and model.released and rows.epoch(model.released) >= since
    }
    return sorted(recent | used_names)


def alternatives(
    table: PriceTable, mixes: Iterable[Mix], models: Iterable[str], today: str
) -> list[Alternative]:
    """The same tokens on each of these models, cheapest first, at the prices of a day."""
    mixes = list(mixes)
    used = {listed.name for mix in mixes if (listed := table.find(mix.model)) is not None}
    others: list[Alternative] = []
    for name in models:
        model = table.find(name)
        if model is not None:
            schedule = rows.row_at(model, today).standard
            cost = sum(_price(schedule, mix) for mix in mixes)
            others.append(Alternative(name, model.provider, cost, model.name in used, model.context))
    return sorted(others, key=lambda other: (other.cost, other.model))


def _price(schedule: rows.Schedule, mix: Mix) -> int:
    """One class of prompts at the step it falls into; every step's bound is a bound of the classes."""
    rates = schedule[0].rates
    for step in schedule:
        if mix.longer_than >= step.over:
            rates = step.rates
    return (
        mix.uncached * rates.input
        + mix.output * rates.output
        + mix.cache_read * rates.cache_read
        + mix.write_5m * rates.cache_write_5m
        + mix.write_1h * rates.cache_write_1h
        + mix.searches * WEB_SEARCH
    )
