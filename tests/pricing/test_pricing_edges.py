"""Each rate at its own place and each border at its own number: what the mutation check found nobody watched."""

import pytest

from aitop.model.events import Usage
from aitop.pricing import cost, rows, table
from aitop.pricing.basis import Basis

PRICES = table.load()
IN_2026_FEBRUARY = rows.epoch("2026-02-20")
# claude-opus-4-6 in February 2026, picodollars a token: up to 200,000 tokens of prompt, and beyond
SHORT = {
    "uncached_input_tokens": 5_000_000, "output_tokens": 25_000_000, "cache_read_tokens": 500_000,
    "cache_write_5m_tokens": 6_250_000, "cache_write_1h_tokens": 10_000_000,
}  # fmt: skip
LONG = {
    "uncached_input_tokens": 10_000_000, "output_tokens": 37_500_000, "cache_read_tokens": 1_000_000,
    "cache_write_5m_tokens": 12_500_000, "cache_write_1h_tokens": 20_000_000,
}  # fmt: skip
PROMPT = [name for name in SHORT if name != "output_tokens"]


def pico(**tokens):
    return cost.price(PRICES, "claude-opus-4-6", Usage(**tokens), IN_2026_FEBRUARY).cost


@pytest.mark.parametrize("kind", SHORT)
def test_each_kind_of_token_has_its_own_rate(kind):
    assert pico(**{kind: 7}) == 7 * SHORT[kind]


@pytest.mark.parametrize("kind", PROMPT)
def test_a_prompt_is_long_from_one_token_above_the_limit_on_whatever_it_is_made_of(kind):
    assert pico(**{kind: 200_000}) == 200_000 * SHORT[kind]
    assert pico(**{kind: 200_001}) == 200_001 * LONG[kind]


@pytest.mark.parametrize("kind", LONG)
def test_beyond_the_limit_every_kind_of_token_has_its_own_long_rate(kind):
    filler = "cache_read_tokens" if kind != "cache_read_tokens" else "uncached_input_tokens"
    assert pico(**{filler: 300_000, kind: 9}) == 300_000 * LONG[filler] + 9 * LONG[kind]


def test_the_parts_of_a_prompt_are_added_up_for_its_length():
    parts = dict.fromkeys(PROMPT, 50_000)
    assert pico(**parts) == sum(50_000 * SHORT[kind] for kind in PROMPT)
    parts["cache_write_1h_tokens"] += 1
    assert pico(**parts) == sum(parts[kind] * LONG[kind] for kind in PROMPT)


def test_a_thousand_dollars_is_the_most_that_one_response_can_cost():
    a_thousand = Usage(output_tokens=40_000_000)
    at_most = cost.price(PRICES, "claude-opus-5", a_thousand, IN_2026_FEBRUARY)
    assert (at_most.cost, at_most.basis) == (10**15, Basis.LISTED)
    beyond = a_thousand._replace(output_tokens=40_000_001)
    assert cost.price(PRICES, "claude-opus-5", beyond, IN_2026_FEBRUARY) == (0, Basis.UNPRICED)


def test_inference_elsewhere_than_in_the_us_costs_nothing_more():
    plain = Usage(1000, 100)
    other = plain._replace(geo="zz")
    assert cost.price(PRICES, "claude-opus-4-6", other, IN_2026_FEBRUARY) == cost.price(
        PRICES, "claude-opus-4-6", plain, IN_2026_FEBRUARY
    )
