"""What a plan was worth and which one would have sufficed, on blocks with known sums."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aitop.history.query.doubts import Doubts
from aitop.live.money import plan as value
from aitop.live.money.blocks import LENGTH, Block
from aitop.model import periods
from aitop.model.sums import PICO
from aitop.worth import plan
from aitop.worth.plan import Allowance, Use

FIRST, LAST = date(2026, 9, 1), date(2026, 9, 30)


def block(day, usd, tokens=1000):
    start = int(periods.midnight(FIRST + timedelta(days=day))) + 9 * 3600
    return Block(value.CLIENT, start, start + LENGTH, start, round(usd * PICO), tokens, 5)


def fits(*blocks, measured=None):
    return {fit.plan: fit for fit in plan.fits(blocks, FIRST, LAST, measured or {})}


def test_the_multiple_is_the_value_over_the_price_of_these_days():
    assert value.multiple(610 * PICO, 365.25 / 12, 200.0) == pytest.approx(3.05)
    assert value.multiple(100 * PICO, 7, 200.0) == pytest.approx(100 / (200 * 7 * 12 / 365.25))


def test_one_percent_of_a_limit_is_what_its_window_spent_by_its_percent():
    (one,) = plan.percents([Use("5-hour limit", 40.0, 20 * PICO, 8000), Use("weekly limit", 2.0, PICO, 9)])
    assert (one.usd, one.tokens) == (0.5, 200.0)


def test_the_own_limit_measures_every_plan():
    found = plan.allowances("max5", Use("5-hour limit", 50.0, 25 * PICO, 1))
    assert found["max5"].low == pytest.approx(2500 / 50.5)
    assert found["max5"].high == pytest.approx(2500 / 49.5)
    assert found["max20"].low == pytest.approx(4 * found["max5"].low)
    assert found["pro"].high == pytest.approx(found["max5"].high / 5)


@pytest.mark.parametrize(
    ("own", "use"),
    [
        (None, Use("x", 50.0, PICO, 1)),
        ("max5", None),
        ("max5", Use("x", 4.0, PICO, 1)),
        ("max5", Use("x", 50.0, 0, 0)),
    ],
)
def test_without_a_plan_or_a_limit_far_enough_nothing_is_measured(own, use):
    assert plan.allowances(own, use) == {}


def test_a_block_above_the_upper_end_was_over_and_one_above_the_lower_end_perhaps():
    measured = {"pro": Allowance(10.0, 12.0, measured=True)}
    found = fits(block(0, 9.9), block(1, 11), block(2, 12.5), block(2, 13), measured=measured)["pro"]
    assert (found.blocks_low, found.blocks_high) == (2, 3)
    assert found.days_low == (date(2026, 9, 3),)
    assert found.days_high == (date(2026, 9, 2), date(2026, 9, 3))


def test_without_a_measure_both_of_the_users_numbers_must_be_passed_to_be_sure():
    found = fits(block(0, 19, 18_000), block(1, 17, 20_000), block(2, 19, 20_000))["pro"]
    assert (found.blocks_low, found.blocks_high) == (1, 3)


def test_the_cheapest_plan_without_a_block_over_it_sufficed():
    found = list(fits(block(0, 20, 20_000), block(1, 30, 80_000)).values())
    assert plan.sufficient(found, surely=True).plan == "max5"
    heavy = list(fits(block(0, 500, 500_000)).values())
    assert plan.sufficient(heavy, surely=False) is None


def test_a_month_of_equal_weeks_has_their_days():
    blocks = [block(day, 500, 500_000) for day in range(30) if day % 7 == 3]
    found = fits(*blocks)["max20"]
    assert found.month_low == found.month_high == pytest.approx(4 * value.MONTH_DAYS / 28)


def test_too_few_weeks_say_nothing_of_a_month():
    found = plan.fits([block(0, 500, 500_000)], FIRST, FIRST + timedelta(days=19), {})
    assert found[0].month_low is None


@given(st.lists(st.tuples(st.integers(0, 29), st.floats(0.01, 900), st.integers(1, 10**6)), max_size=40))
def test_what_is_sure_is_never_more_than_what_is_possible_and_a_larger_plan_is_never_worse(rows):
    found = plan.fits([block(*row) for row in rows], FIRST, LAST, {})
    for fit in found:
        assert fit.blocks_low <= fit.blocks_high
        assert set(fit.days_low) <= set(fit.days_high)
        assert fit.month_low <= fit.month_high or not fit.days_high
    for smaller, larger in zip(found, found[1:], strict=False):
        assert smaller.blocks_low >= larger.blocks_low
        assert smaller.blocks_high >= larger.blocks_high


# -- as it is published ------------------------------------------------------------------------------------------


def test_a_plan_is_published_with_its_multiple_and_without_a_name_with_none():
    until = FIRST
    named = value.view(610 * PICO, until, "max20", Doubts(1, 2, 3))
    assert named == (
        "max20",
        200.0,
        30,
        until.isoformat(),
        610.0,
        pytest.approx(610 / (200 * 30 * 12 / 365.25)),
        1,
        2,
        3,
    )
    unnamed = value.view(610 * PICO, until, "p90", Doubts())
    assert unnamed == (None, None, 30, until.isoformat(), 610.0, None, 0, 0, 0)
    assert value.view(0, until, "max20", Doubts()) is None
