"""Every published price and every rule for applying it, checked against what the package ships."""

import pytest

from aitop.model.events import Usage
from aitop.pricing import cost, rows, table
from aitop.pricing.basis import Basis

MICRO = 1_000_000  # picodollars in a micro-dollar
MTOK = 1_000_000
ALL = Usage(MTOK, MTOK, MTOK, MTOK, MTOK)
NOON = 43_200
TODAY = rows.epoch("2026-11-21") + NOON


@pytest.fixture(scope="module")
def prices():
    return table.load()


def on(day):
    return rows.epoch(day) + NOON


def usd(prices, model, usage, at=TODAY):
    priced = cost.price(prices, model, usage, at)
    assert priced.basis == Basis.LISTED
    return priced.cost / 1e12


def rates(prices, model, at=TODAY, *, prompt=0, **how):
    """USD per million tokens of each leaf, in a request whose prompt has at least `prompt` tokens."""
    filler = Usage(uncached_input_tokens=prompt, **how)
    base = cost.price(prices, model, filler, at).cost
    leaves = [
        Usage(prompt + 1, **how),
        Usage(prompt, 1, **how),
        Usage(prompt, 0, 1, **how),
        Usage(prompt, 0, 0, 1, **how),
        Usage(prompt, 0, 0, 0, 1, **how),
    ]
    return tuple((cost.price(prices, model, leaf, at).cost - base) / MICRO for leaf in leaves)


# model, input, output, cache read, write 5m, write 1h: the price page of 2026-11-21
ANTHROPIC = [
    ("claude-3-5-haiku", 0.80, 4, 0.08, 1.00, 1.60),
    ("claude-3-7-sonnet", 3, 15, 0.30, 3.75, 6),
    ("claude-opus-4", 15, 75, 1.50, 18.75, 30),
    ("claude-opus-4-1", 15, 75, 1.50, 18.75, 30),
    ("claude-opus-4-5", 5, 25, 0.50, 6.25, 10),
    ("claude-opus-4-6", 5, 25, 0.50, 6.25, 10),
    ("claude-opus-4-7", 5, 25, 0.50, 6.25, 10),
    ("claude-opus-4-8", 5, 25, 0.50, 6.25, 10),
    ("claude-opus-5", 5, 25, 0.50, 6.25, 10),
    ("claude-opus-5-5", 4, 20, 0.20, 5, 8),
    ("claude-sonnet-4", 3, 15, 0.30, 3.75, 6),
    ("claude-sonnet-4-5", 3, 15, 0.30, 3.75, 6),
    ("claude-sonnet-4-6", 3, 15, 0.30, 3.75, 6),
    ("claude-sonnet-5", 2, 10, 0.20, 2.50, 4),
    ("claude-sonnet-5-5", 2, 10, 0.10, 2.50, 4),
    ("claude-haiku-4-5", 1, 5, 0.10, 1.25, 2),
    ("claude-haiku-5-5", 0.10, 0.50, 0.01, 0.125, 0.20),
    ("claude-fable-5", 10, 50, 1.00, 12.50, 20),
    ("claude-mythos-5", 10, 50, 1.00, 12.50, 20),
    ("claude-fable-5-1", 10, 50, 0.25, 12.50, 20),
    ("claude-mythos-5-1", 10, 50, 0.25, 12.50, 20),
    ("claude-fable-5-2", 8, 40, 0.20, 10, 16),
    ("claude-mythos-5-2", 8, 40, 0.20, 10, 16),
]


@pytest.mark.parametrize(("model", "expected"), [(row[0], row[1:]) for row in ANTHROPIC])
def test_a_claude_model_costs_what_the_price_page_says(prices, model, expected):
    assert rates(prices, model) == pytest.approx(expected, abs=0)


# model, prompt, input, cache read, cache write (None: as input), output
OTHERS = [
    ("gpt-6.1-sol", 0, 2, 0.10, 2.50, 10),
    ("gpt-6.1-sol", 272_001, 4, 0.20, 5, 15),
    ("gpt-6.1-terra", 0, 1, 0.05, 1.25, 5),
    ("gpt-6.1-terra", 272_001, 2, 0.10, 2.50, 7.50),
    ("gpt-6-astra", 0, 10, 1, 12.50, 50),
    ("gpt-6-astra", 272_001, 20, 2, 25, 75),
    ("gpt-6-sol", 0, 2, 0.20, 2.50, 10),
    ("gpt-6-luna", 0, 0.10, 0.01, 0.125, 0.50),
    ("gpt-5.6-sol", 0, 4, 0.40, 5, 20),
    ("gpt-5.6-terra", 0, 2, 0.20, 2.50, 12),
    ("gpt-5.6-luna", 0, 0.20, 0.02, 0.25, 1.20),
    ("gpt-5.5", 0, 5, 0.50, None, 30),
    ("gpt-5.5", 272_001, 10, 1, None, 45),
    ("gpt-5.4", 0, 2.50, 0.25, None, 15),
    ("gpt-5.4", 272_001, 5, 0.50, None, 22.50),
    ("gpt-5.4-mini", 0, 0.75, 0.075, None, 4.50),
    ("gpt-5.3-codex", 0, 1.75, 0.175, None, 14),
    ("gpt-5.2", 0, 1.75, 0.175, None, 14),
    ("gpt-5.2-codex", 0, 1.75, 0.175, None, 14),
    ("gpt-5", 0, 1.25, 0.125, None, 10),
    ("gpt-5-codex", 0, 1.25, 0.125, None, 10),
    ("gpt-5.1-codex", 0, 1.25, 0.125, None, 10),
    ("gpt-5-mini", 0, 0.25, 0.025, None, 2),
    ("gpt-5-nano", 0, 0.05, 0.005, None, 0.40),
    ("codex-mini-latest", 0, 1.50, 0.375, None, 6),
    ("gemini-2.5-pro", 0, 1.25, 0.125, None, 10),
    ("gemini-2.5-pro", 200_001, 2.50, 0.25, None, 15),
    ("gemini-2.5-flash", 0, 0.30, 0.03, None, 2.50),
    ("gemini-2.5-flash-lite", 0, 0.10, 0.01, None, 0.40),
    ("gemini-3-pro", 0, 2, 0.20, None, 12),
    ("gemini-3.1-pro-preview", 200_001, 4, 0.40, None, 18),
    ("gemini-3-flash", 0, 0.50, 0.05, None, 3),
    ("gemini-3.5-flash", 0, 1.50, 0.15, None, 9),
    ("gemini-3.6-flash", 0, 0.75, 0.075, None, 3.75),
    ("gemini-3.7-flash", 0, 0.75, 0.075, None, 3.75),
    ("gemini-3.8-flash", 0, 0.75, 0.075, None, 3.75),
    ("gemini-4-argon", 0, 2, 0.10, None, 10),
]


@pytest.mark.parametrize(("model", "prompt", "expected"), [(row[0], row[1], row[2:]) for row in OTHERS])
def test_an_openai_or_google_model_costs_what_its_page_says(prices, model, prompt, expected):
    fresh, output, read, write, _ = rates(prices, model, prompt=prompt)
    per_input, per_read, per_write, per_output = expected
    assert (fresh, read, output) == pytest.approx((per_input, per_read, per_output), abs=0)
    assert write == pytest.approx(fresh if per_write is None else per_write, abs=0)


def test_the_worked_example_of_opus_5_5_comes_out_to_the_picodollar(prices):
    priced = cost.price(prices, "claude-opus-5-5", Usage(273, 383, 5000, 500, 1500), TODAY)
    assert priced == cost.Priced(24_252 * MICRO, Basis.LISTED)


def test_the_worked_example_of_sonnet_5_5_comes_out_to_the_picodollar(prices):
    priced = cost.price(prices, "claude-sonnet-5-5", Usage(10, 500, 40_000, 0, 2_000), TODAY)
    assert priced.cost == 17_020 * MICRO


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("claude-opus-5-5", 0.62),
        ("claude-sonnet-5-5", 0.31),
        ("claude-haiku-5-5", 0.016),
        ("claude-fable-5-2", 1.22),
        ("claude-sonnet-5", 0.32),
        ("claude-opus-5", 0.80),
        ("claude-fable-5-1", 1.525),
    ],
)
def test_two_requests_that_other_tools_get_wrong_cost_their_true_price(prices, model, expected):
    first = usd(prices, model, Usage(100_000, 10_000))
    second = usd(prices, model, Usage(cache_read_tokens=100_000))
    assert first + second == pytest.approx(expected, abs=1e-12)


def test_a_long_prompt_of_haiku_5_5_raises_the_price_of_its_whole_request(prices):
    first = usd(prices, "claude-haiku-5-5", Usage(150_000, 10_000))
    second = usd(prices, "claude-haiku-5-5", Usage(cache_read_tokens=150_000))
    assert first + second == pytest.approx(0.1075, abs=1e-12)


def test_the_haiku_limit_lies_between_100_000_and_100_001_tokens_of_prompt(prices):
    low = usd(prices, "claude-haiku-5-5", Usage(40_000, 1_000, 30_000, 20_000, 10_000))
    high = usd(prices, "claude-haiku-5-5", Usage(40_001, 1_000, 30_000, 20_000, 10_000))
    assert low == pytest.approx((40_000 * 0.1 + 1_000 * 0.5 + 30_000 * 0.01 + 20_000 * 0.125 + 2_000) / 1e6)
    assert high == pytest.approx((40_001 * 0.5 + 1_000 * 2.5 + 30_000 * 0.05 + 20_000 * 0.625 + 10_000) / 1e6)


def test_output_tokens_do_not_count_towards_the_length_of_the_prompt(prices):
    assert usd(prices, "claude-haiku-5-5", Usage(1_000, 200_000)) == pytest.approx(0.1001)


@pytest.mark.parametrize(
    ("day", "expected"), [("2026-10-06", 0.20), ("2026-10-07", 0.10), ("2026-09-29", 0.20)]
)
def test_the_cache_reads_of_sonnet_5_5_became_cheaper_on_7_october(prices, day, expected):
    assert rates(prices, "claude-sonnet-5-5", on(day))[2] == expected


def test_a_price_changes_with_the_first_second_of_its_day_in_utc(prices):
    change = rows.epoch("2026-10-07")
    assert rates(prices, "claude-sonnet-5-5", change - 0.001)[2] == 0.20
    assert rates(prices, "claude-sonnet-5-5", change)[2] == 0.10


@pytest.mark.parametrize("model", ["claude-opus-4-6", "claude-sonnet-4-6"])
def test_the_4_6_models_had_a_long_prompt_premium_until_13_march(prices, model):
    plain = rates(prices, model)
    doubled = tuple(rate * (1.5 if place == 1 else 2) for place, rate in enumerate(plain))
    assert rates(prices, model, on("2026-03-12"), prompt=200_000)[1] == plain[1]
    assert rates(prices, model, on("2026-03-12"), prompt=200_001) == doubled
    assert rates(prices, model, on("2026-03-13"), prompt=200_001) == plain


def test_opus_4_6_with_a_prompt_of_300_000_tokens_cost_3_dollars_in_february(prices):
    assert usd(prices, "claude-opus-4-6", Usage(300_000), on("2026-02-20")) == 3.0


@pytest.mark.parametrize("model", ["claude-sonnet-4-20250514", "claude-sonnet-4-5-20250929"])
def test_a_long_prompt_of_the_1m_beta_of_sonnet_4_costs_double_until_it_ended(prices, model):
    assert usd(prices, model, Usage(300_000), on("2026-04-29")) == pytest.approx(1.80)
    assert usd(prices, model, Usage(100_000, 0, 150_000), on("2025-12-01")) == pytest.approx(0.69)
    assert usd(prices, model, Usage(300_000), on("2026-05-02")) == pytest.approx(0.90)


@pytest.mark.parametrize(
    ("model", "day", "expected"),
    [
        ("claude-opus-4-6", "2026-03-20", (30, 150, 3, 37.5, 60)),
        ("claude-opus-4-6", "2026-07-01", (5, 25, 0.5, 6.25, 10)),
        ("claude-opus-4-7", "2026-07-23", (30, 150, 3, 37.5, 60)),
        ("claude-opus-4-7", "2026-07-25", (5, 25, 0.5, 6.25, 10)),
        ("claude-opus-4-8", "2026-11-29", (10, 50, 1, 12.5, 20)),
        ("claude-opus-4-8", "2026-12-01", (5, 25, 0.5, 6.25, 10)),
        ("claude-opus-5", "2026-11-21", (10, 50, 1, 12.5, 20)),
        ("claude-opus-5-5", "2026-11-21", (8, 40, 0.4, 10, 16)),
        ("claude-fable-5-2", "2026-11-21", (16, 80, 0.4, 20, 32)),
        ("claude-sonnet-5-5", "2026-11-21", (2, 10, 0.1, 2.5, 4)),
    ],
)
def test_fast_mode_has_its_own_prices_while_the_model_has_it(prices, model, day, expected):
    assert rates(prices, model, on(day), speed="fast") == expected


def test_fast_mode_of_opus_4_6_had_the_long_prompt_premium_too(prices):
    assert rates(prices, "claude-opus-4-6", on("2026-02-20"), prompt=200_001, speed="fast")[:2] == (60, 225)


def test_announced_prices_apply_from_their_day(prices):
    assert rates(prices, "gemini-4-argon", on("2026-11-30"))[:3] == (2, 10, 0.1)
    assert rates(prices, "gemini-4-argon", on("2026-12-01"))[:3] == (4, 20, 0.2)
    assert rates(prices, "gemini-3.8-flash", on("2027-01-01"))[:3] == (1.5, 7.5, 0.15)


def test_past_prices_of_openai_models_are_kept(prices):
    assert rates(prices, "gpt-5.6-sol", on("2026-08-20"))[:2] == (5, 30)
    assert rates(prices, "gpt-5.6-terra", on("2026-07-29"))[:2] == (2.5, 15)
    assert rates(prices, "gpt-5.6-luna", on("2026-07-29"))[:2] == (1, 6)
    assert rates(prices, "o3", on("2025-06-01"))[:2] == (10, 40)


def test_a_request_older_than_the_first_row_takes_the_first_row(prices):
    assert usd(prices, "claude-sonnet-5-5", ALL._replace(uncached_input_tokens=0), on("2020-01-01")) > 0
    assert rates(prices, "claude-sonnet-5-5", 0.0)[2] == 0.20
