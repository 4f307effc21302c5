"""What holds for any usage at any time: costs add up, never fall, and do not depend on order."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.examples import examples

from aitop.model.events import Usage
from aitop.pricing import cost, rows, table
from aitop.pricing.rows import Model, PriceRow, Rates, Step

PRICES = table.load()
MODELS = (
    "claude-opus-5-5",
    "claude-sonnet-5-5",
    "claude-opus-4-6",
    "gpt-5.5",
    "gemini-4-argon",
    "claude-opus-99",
)
NOW = rows.epoch("2026-11-21")

tokens = st.integers(0, 15_000)  # ten parts of it stay below every long-prompt limit
usages = st.tuples(*[tokens] * 5).map(lambda leaves: Usage(*leaves))
long_usages = st.tuples(*[st.integers(0, 2_000_000)] * 5).map(lambda leaves: Usage(*leaves))
models = st.sampled_from(MODELS)
times = st.floats(rows.epoch("2024-01-01"), rows.epoch("2027-12-31"))
ways = st.fixed_dictionaries(
    {
        "speed": st.sampled_from(["", "fast"]),
        "geo": st.sampled_from(["", "us"]),
        "tier": st.sampled_from(["", "batch", "flex", "priority"]),
        "web_searches": st.integers(0, 5),
    }
)


def price(model, usage, at=NOW, prices=PRICES):
    return cost.price(prices, model, usage, at).cost


def together(first, second):
    """One usage with the tokens of both, made the same way."""
    added = {name: getattr(first, name) + getattr(second, name) for name in Usage._fields[:5]}
    return first._replace(**added, web_searches=first.web_searches + second.web_searches)


@given(models, usages, usages, ways, times)
def test_costs_add_up_as_long_as_no_prompt_is_long(model, first, second, way, at):
    first, second = first._replace(**way), second._replace(**way)
    whole = price(model, together(first, second), at)
    assert whole == price(model, first, at) + price(model, second, at)


@given(models, long_usages, ways, times, st.sampled_from(Usage._fields[:5]), st.integers(1, 500_000))
def test_more_tokens_never_cost_less(model, usage, way, at, field, more):
    usage = usage._replace(**way)
    assert price(model, usage._replace(**{field: getattr(usage, field) + more}), at) >= price(
        model, usage, at
    )


@given(models, ways, times)
def test_nothing_costs_nothing(model, way, at):
    assert price(model, Usage(**(way | {"web_searches": 0})), at) == 0


@given(models, long_usages, ways, times)
def test_a_cost_is_a_whole_number_and_never_negative(model, usage, way, at):
    priced = price(model, usage._replace(**way), at)
    assert type(priced) is int
    assert priced >= 0


@given(st.lists(st.tuples(models, long_usages, ways, times), max_size=20), st.randoms())
def test_sums_do_not_depend_on_the_order(requests, random):
    costs = [price(model, usage._replace(**way), at) for model, usage, way, at in requests]
    shuffled = list(requests)
    random.shuffle(shuffled)
    again = table.load()
    assert sum(price(m, u._replace(**w), at, again) for m, u, w, at in shuffled) == sum(costs)


@examples(50)
@given(st.sampled_from(MODELS[:5]), long_usages, ways, times, st.dates(), st.integers(1, 10**7))
def test_a_row_added_later_changes_no_cost_before_its_day(model, usage, way, at, day, rate):
    known = PRICES.find(model)
    start = day.isoformat() if day.isoformat() > known.rows[-1].start else "2028-01-01"
    later = known._replace(rows=(*known.rows, PriceRow(start, (Step(0, Rates(*[rate] * 5)),))))
    changed = dataclasses.replace(PRICES, models=dict(PRICES.models) | {known.name: later}, compiled={})
    usage = usage._replace(**way)
    expected = price(model, usage, at)
    if at < rows.epoch(start):
        assert price(model, usage, at, changed) == expected
    else:
        assert price(model, usage._replace(web_searches=0, geo="", tier=""), at, changed) == rate * sum(
            usage[:5]
        )


@given(st.integers(1, 10**6), usages)
def test_a_rate_that_a_multiplier_does_not_divide_is_rounded_once(rate, usage):
    odd = Model("odd", "", (PriceRow("", (Step(0, Rates(rate, rate, rate, rate, rate)),)),))
    prices = dataclasses.replace(PRICES, models={"odd": odd}, compiled={})
    exact = sum(usage[:5]) * rate * 11
    halved = price("odd", usage._replace(geo="us", tier="batch"), NOW, prices)
    assert abs(20 * halved - exact) <= 10


GIVEN_AWAY = {"glm-4.7-flash"}


@pytest.mark.parametrize("name", sorted({model.name for model in PRICES.models.values()}))
def test_every_row_of_the_package_can_be_priced_and_costs_something(name):
    model = PRICES.find(name)
    assert model.name == name
    for row in model.rows:
        at = rows.epoch(row.start) if row.start else 0.0
        assert (price(name, Usage(1, 1, 1, 1, 1), at) > 0) == (name not in GIVEN_AWAY)
        for schedule in (row.standard, row.fast, row.priority):
            for lower, higher in zip(schedule, schedule[1:], strict=False):
                assert lower.over < higher.over
                assert all(low <= high for low, high in zip(lower.rates, higher.rates, strict=True))
