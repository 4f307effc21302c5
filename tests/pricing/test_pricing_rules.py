"""The modifiers: fast, US inference, batch, flex, priority, searches, side calls; ids and families."""

import dataclasses
import datetime as dt

import pytest

from aitop.model.events import Usage
from aitop.pricing import cost, normalise, rows, table
from aitop.pricing.basis import Basis

TODAY = rows.epoch("2026-11-21") + 100
SOME = Usage(1_000, 2_000, 30_000, 400, 500)


@pytest.fixture(scope="module")
def prices():
    return table.load()


def pico(prices, model, usage=SOME, at=TODAY):
    return cost.price(prices, model, usage, at).cost


def basis(prices, model, at=TODAY):
    return cost.price(prices, model, SOME, at).basis


def test_inference_in_the_us_costs_a_tenth_more_on_tokens_and_nothing_on_searches(prices):
    plain = pico(prices, "claude-opus-5-5")
    assert 10 * pico(prices, "claude-opus-5-5", SOME._replace(geo="us")) == 11 * plain
    searched = pico(prices, "claude-opus-5-5", SOME._replace(geo="us", web_searches=3))
    assert 10 * (searched - 3 * 10**10) == 11 * plain


def test_a_web_search_costs_one_cent(prices):
    assert pico(prices, "claude-sonnet-5", Usage(web_searches=7)) == 7 * 10**10


@pytest.mark.parametrize("tier", ["batch", "flex"])
def test_batch_and_flex_halve_the_tokens_and_leave_searches_alone(prices, tier):
    assert 2 * pico(prices, "claude-opus-5-5", SOME._replace(tier=tier)) == pico(prices, "claude-opus-5-5")
    assert pico(prices, "gpt-5.5", Usage(web_searches=1, tier=tier)) == 10**10


def test_modifiers_multiply_and_are_exact(prices):
    everything = SOME._replace(speed="fast", geo="us", tier="batch")
    assert 20 * pico(prices, "claude-opus-5-5", everything) == 11 * 2 * pico(prices, "claude-opus-5-5")


def test_a_long_batch_prompt_takes_the_long_rate_halved(prices):
    usage = Usage(150_000, 1_000)
    halved = pico(prices, "claude-haiku-5-5", usage._replace(tier="batch"))
    assert 2 * halved == pico(prices, "claude-haiku-5-5", usage)


@pytest.mark.parametrize(("model", "times"), [("gpt-6.1-sol", 2.0), ("gpt-5.5", 2.5), ("gpt-5-mini", 1.8)])
def test_priority_of_an_openai_model_costs_what_the_table_says(prices, model, times):
    usage = Usage(1_000, 2_000, 30_000)
    assert pico(prices, model, usage._replace(tier="priority")) == round(times * pico(prices, model, usage))


def test_openai_calls_priority_fast_as_well(prices):
    usage = Usage(1_000, 2_000, 30_000)
    fast = pico(prices, "gpt-5.5", usage._replace(speed="fast"))
    assert fast == pico(prices, "gpt-5.5", usage._replace(tier="priority"))


def test_priority_keeps_its_factor_at_prices_of_the_past(prices):
    usage, then = Usage(1_000, 2_000, 30_000), rows.epoch("2026-08-01")
    assert pico(prices, "gpt-5.6-sol", usage._replace(tier="priority"), then) == 2 * pico(
        prices, "gpt-5.6-sol", usage, then
    )


def test_priority_of_a_claude_model_is_no_list_price_and_changes_nothing(prices):
    assert pico(prices, "claude-opus-5-5", SOME._replace(tier="priority")) == pico(prices, "claude-opus-5-5")


def test_an_unknown_speed_geo_or_tier_changes_nothing(prices):
    odd = SOME._replace(speed="standard", geo="global", tier="standard")
    assert pico(prices, "claude-opus-5-5", odd) == pico(prices, "claude-opus-5-5")


def test_reasoning_is_a_part_of_the_output_and_never_priced_again(prices):
    assert pico(prices, "gpt-5.5", SOME._replace(reasoning_tokens=999)) == pico(prices, "gpt-5.5")


def test_a_side_call_is_priced_at_its_own_model(prices):
    side = ("claude-opus-5-5", 100, 20, 3_000, 40, 50)
    total = cost.price(prices, "claude-sonnet-5-5", SOME._replace(advisor=(side, side)), TODAY)
    alone = pico(prices, "claude-opus-5-5", Usage(100, 20, 3_000, 40, 50))
    assert total == (pico(prices, "claude-sonnet-5-5") + 2 * alone, Basis.LISTED)


def test_a_side_call_is_not_fast_but_runs_where_its_request_runs(prices):
    usage = SOME._replace(speed="fast", geo="us", advisor=(("claude-opus-5-5", 1_000, 0, 0, 0, 0),))
    fast = pico(prices, "claude-opus-5-5", usage._replace(advisor=()))
    assert pico(prices, "claude-opus-5-5", usage) - fast == 1_000 * 4_400_000


def test_a_side_call_does_not_lengthen_the_prompt_of_its_request(prices):
    usage = Usage(90_000, advisor=(("claude-opus-5-5", 50_000, 0, 0, 0, 0),))
    assert pico(prices, "claude-haiku-5-5", usage) == 90_000 * 100_000 + 50_000 * 4_000_000


def test_a_side_call_without_a_price_makes_the_sum_a_lower_bound(prices):
    usage = SOME._replace(advisor=(("somebody-1", 100, 20, 0, 0, 0),))
    assert cost.price(prices, "claude-opus-5-5", usage, TODAY) == (
        pico(prices, "claude-opus-5-5"),
        Basis.UNPRICED,
    )


def test_an_estimated_side_call_makes_the_sum_an_estimate(prices):
    usage = SOME._replace(advisor=(("claude-opus-77", 100, 20, 0, 0, 0),))
    assert cost.price(prices, "claude-opus-5-5", usage, TODAY).basis == Basis.FAMILY


@pytest.mark.parametrize(
    "spelling",
    [
        "claude-sonnet-4-5",
        "claude-sonnet-4-5-20250929",
        "claude-sonnet-4-5[1m]",
        "claude-sonnet-4-5-20250929[1m]",
        "claude-sonnet-4.5",
        "Claude-Sonnet-4-5",
        "anthropic/claude-sonnet-4.5",
        "openrouter/anthropic/claude-sonnet-4.5",
        "anthropic.claude-sonnet-4-5-20250929-v1:0",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "eu.anthropic.claude-sonnet-4-5-20250929-v1:0[1m]",
        "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "apac.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "anthropic.claude-sonnet-4-5-v1",
        "claude-sonnet-4-5@20250929",
        "vertex_ai/claude-sonnet-4-5@20250929",
        "claude-4-5-sonnet",
        "claude-4.5-sonnet-latest",
        "claude-sonnet-4-5-latest",
        "claude-sonnet-4-5-thinking",
        " claude-sonnet-4-5 ",
    ],
)
def test_every_spelling_of_a_claude_id_is_the_same_model(prices, spelling):
    assert normalise.normalise(spelling) == "claude-sonnet-4-5"
    assert basis(prices, spelling) == Basis.LISTED
    assert pico(prices, spelling) == pico(prices, "claude-sonnet-4-5")


@pytest.mark.parametrize(
    ("spelling", "listed"),
    [
        ("gpt-5-2025-08-07", "gpt-5"),
        ("openai/gpt-5.5", "gpt-5.5"),
        ("gpt-5.1-codex-max", "gpt-5.1"),
        ("models/gemini-2.5-pro", "gemini-2.5-pro"),
        ("gemini-2.5-pro-preview-06-05", "gemini-2.5-pro"),
        ("gemini-3-flash", "gemini-3-flash-preview"),
        ("claude-opus-4-0", "claude-opus-4"),
        ("claude-opus-4-20250514", "claude-opus-4"),
        ("claude-3-5-haiku-latest", "claude-3-5-haiku"),
        ("claude-3.5-haiku-20241022", "claude-3-5-haiku"),
        ("x-ai/grok-4", "grok-4-0709"),
        ("zai/GLM-4.6", "glm-4.6"),
    ],
)
def test_other_spellings_and_aliases_find_their_model(prices, spelling, listed):
    model = prices.find(spelling)
    assert model is not None, f"no model of prices.json is called {spelling}: run scripts/make_prices.py"
    assert model.name == listed


def test_an_id_with_a_price_of_its_own_is_not_taken_for_its_undated_sibling(prices):
    assert pico(prices, "gpt-4o-2024-05-13", Usage(1_000)) == 1_000 * 5_000_000
    assert pico(prices, "gpt-4o-2024-11-20", Usage(1_000)) == 1_000 * 2_500_000


def test_opus_5_is_not_opus_5_5_though_one_id_begins_with_the_other(prices):
    assert prices.find("claude-opus-5").name == "claude-opus-5"
    assert prices.find("claude-opus-5-5").name == "claude-opus-5-5"
    assert pico(prices, "claude-opus-5") != pico(prices, "claude-opus-5-5")


def test_no_id_is_matched_by_its_beginning(prices):
    assert basis(prices, "gpt-5.5-something") == Basis.UNPRICED
    assert basis(prices, "claude-opus-5-5-5") == Basis.FAMILY


def test_a_gateway_id_that_ends_in_fast_is_fast_mode(prices):
    fast = pico(prices, "claude-opus-4-8", SOME._replace(speed="fast"))
    assert pico(prices, "anthropic/claude-opus-4.8-fast") == fast


@pytest.mark.parametrize(
    ("model", "day", "priced_as"),
    [
        ("claude-opus-6", "2026-11-21", "claude-opus-5-5"),
        ("claude-opus-6", "2026-09-21", "claude-opus-5"),
        ("claude-opus-6", "2026-06-10", "claude-opus-4-8"),
        ("claude-opus-6", "2026-02-20", "claude-opus-4-6"),
        ("claude-opus-6", "2024-01-01", "claude-3-opus"),
        ("claude-sonnet-latest", "2026-10-01", "claude-sonnet-5-5"),
        ("us.anthropic.claude-haiku-6-v1:0", "2026-11-21", "claude-haiku-5-5"),
        ("claude-haiku-6", "2026-10-06", "claude-haiku-4-5"),
        ("claude-fable-6-preview", "2026-11-21", "claude-fable-5-2"),
        ("claude-mythos-9", "2026-11-21", "claude-mythos-5-2"),
    ],
)
def test_an_unknown_claude_id_takes_the_newest_row_of_its_family_at_that_time(prices, model, day, priced_as):
    at = rows.epoch(day) + 5
    assert cost.price(prices, model, SOME, at) == (pico(prices, priced_as, SOME, at), Basis.FAMILY)


def test_a_family_price_follows_the_dated_rows_and_long_prompts_of_its_model(prices):
    read = Usage(cache_read_tokens=1_000_000)
    before, after = rows.epoch("2026-10-06"), rows.epoch("2026-10-08")
    assert pico(prices, "claude-sonnet-99", read, before) == 2 * pico(prices, "claude-sonnet-99", read, after)
    assert pico(prices, "claude-haiku-99", Usage(100_001)) == 100_001 * 500_000


@pytest.mark.parametrize(
    "model",
    [
        "opus",
        "my-opus-model",
        "claude",
        "claude-opusculum",
        "claude-next",
        "llama",
        "",
        "/",
        "[1m]",
    ],
)
def test_any_other_unknown_id_costs_nothing_and_says_so(prices, model):
    assert cost.price(prices, model, SOME._replace(web_searches=2), TODAY) == (0, Basis.UNPRICED)


@pytest.mark.parametrize(
    ("model", "tokens"),
    [
        ("claude-opus-5-5", 1_000_000),
        ("claude-opus-4-8", 1_000_000),
        ("claude-opus-4-7", 1_000_000),
        ("claude-fable-5", 1_000_000),
        ("claude-mythos-5-1", 1_000_000),
        ("claude-haiku-5-5", 1_000_000),
        ("claude-haiku-4-5-20251001", 200_000),
        ("claude-opus-4-5", 200_000),
        ("claude-sonnet-4-5", 200_000),
        ("claude-opus-4-6", 200_000),
        ("claude-sonnet-4-6", 200_000),
        ("claude-sonnet-4-6[1m]", 1_000_000),
        ("claude-opus-99", 1_000_000),
        ("gpt-6.2-sol", 1_050_000),
        ("somebody-99", None),
    ],
)
def test_the_context_window_is_the_one_claude_code_gives_a_model(prices, model, tokens):
    assert prices.context_window(model) == tokens


def test_a_flood_of_invented_ids_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(cost, "MANY_MODELS", 50)
    fresh = table.load()
    for number in range(120):
        cost.price(fresh, f"made-up-{number}", SOME, TODAY)
    assert 0 < len(fresh.compiled) <= 50


@pytest.mark.parametrize(
    ("model", "listed"),
    [
        ("claude-haiku-4-5:thinking", "claude-haiku-4-5"),
        ("haiku-4-5:thinking", "claude-haiku-4-5"),
        ("claude-haiku-4-5-high", "claude-haiku-4-5"),
        ("claude-4.5-opus-high-thinking", "claude-opus-4-5"),
        ("databricks-claude-sonnet-4-5", "claude-sonnet-4-5"),
        ("claude-sonnet-4-5:200k", "claude-sonnet-4-5"),
        ("gpt-5.5-xhigh", "gpt-5.5"),
        ("copilot/gpt-5.5:beta", "gpt-5.5"),
    ],
)
def test_a_version_that_can_be_read_in_an_id_wins_over_its_family(prices, model, listed):
    assert cost.price(prices, model, SOME, TODAY) == (pico(prices, listed), Basis.LISTED)


@pytest.mark.parametrize(
    ("model", "nearest"),
    [
        ("gpt-6.2-sol", "gpt-6.1-sol"),
        ("gpt-6.05-sol", "gpt-6.1-sol"),
        ("openai/gpt-7-sol-high", "gpt-6.1-sol"),
        ("glm-4.9-flashx", "glm-4.7-flashx"),
        ("gpt-5.3-codex-spark", "gpt-5.3-codex"),
        ("codex-auto-review", "gpt-5.3-codex"),
    ],
)
def test_a_new_model_of_a_known_family_is_priced_as_the_nearest_one_and_says_so(prices, model, nearest):
    assert cost.price(prices, model, SOME, TODAY) == (pico(prices, nearest), Basis.FAMILY)


def test_a_number_of_parameters_is_no_version(prices):
    assert basis(prices, "gpt-oss-999b") == Basis.UNPRICED
    assert basis(prices, "gpt-oss:20b") == Basis.LISTED


@pytest.mark.parametrize(
    "model",
    ["lmstudio/openai/gpt-oss-20b", "ollama/llama3:8b", "deepseek/deepseek-chat-v3.1:free", "glm-4.7-flash"],
)
def test_a_model_on_this_machine_or_given_away_costs_nothing_and_is_known(prices, model):
    assert cost.price(prices, model, SOME, TODAY) == (0, Basis.LISTED)


HOURS = {"utc": "16:30-00:30"}
AT_NIGHT = {"in": 2, "out": 4, "off_peak": {"hours": [HOURS], "in": 1, "out": 2}}


def at_hours(row):
    model = rows.parse_model("night", {"rows": [row]}, "here")
    return dataclasses.replace(table.load(), models={"night": model}, compiled={})


@pytest.mark.parametrize(
    ("clock", "usd"), [("16:29", 2), ("16:30", 1), ("23:59", 1), ("00:00", 1), ("00:29", 1), ("00:30", 2)]
)
def test_off_peak_hours_have_rates_of_their_own_past_midnight(clock, usd):
    hour, minute = map(int, clock.split(":"))
    at = rows.epoch("2026-11-25") + hour * 3600 + minute * 60
    assert cost.price(at_hours(AT_NIGHT), "night", Usage(1_000_000), at).cost == usd * 10**12


@pytest.mark.parametrize(
    ("day", "usd"), [("2026-11-27", 2), ("2026-11-28", 1), ("2026-11-29", 1), ("2026-11-30", 2)]
)
def test_off_peak_hours_may_be_those_of_some_weekdays(day, usd):
    row = AT_NIGHT | {"off_peak": {"hours": [{"utc": "00:00-00:00", "weekdays": [6, 7]}], "in": 1, "out": 2}}
    at = rows.epoch(day) + 43_200
    assert cost.price(at_hours(row), "night", Usage(1_000_000), at).cost == usd * 10**12


def test_off_peak_hours_come_back_from_the_file_they_are_written_to():
    model = rows.parse_model("night", {"rows": [AT_NIGHT]}, "here")
    written = rows.orjson.loads(rows.encode({}, [model]))
    assert rows.parse_models(written, "here")["night"].rows == model.rows


@pytest.mark.parametrize(
    "hours", [[], "16:30-00:30", [{"utc": "25:00-01:00"}], [{"utc": "1-2"}], [HOURS | {"weekdays": [8]}]]
)
def test_off_peak_hours_that_cannot_be_read_are_an_error(hours):
    with pytest.raises(rows.PriceDataError, match="off_peak"):
        rows.parse_model(
            "night", {"rows": [{"in": 1, "out": 1, "off_peak": {"hours": hours, "in": 1, "out": 1}}]}, "x"
        )


@pytest.mark.parametrize(
    ("moment", "usd"),
    [
        ("2026-08-12T02:00", 0.435),  # before there were hours
        ("2026-08-19T00:59", 0.66),
        ("2026-08-19T01:00", 1.32),
        ("2026-08-22T02:00", 1.32),  # a Saturday, before weekends were cheaper
        ("2026-11-25T03:59", 1.32),
        ("2026-11-25T04:00", 0.66),
        ("2026-11-25T06:00", 1.32),
        ("2026-11-25T10:00", 0.66),
        ("2026-11-28T02:00", 0.66),  # a Saturday
        ("2026-11-30T00:30", 0.66),
    ],
)
def test_deepseeks_hours_are_those_of_the_responses_own_utc_time(prices, moment, usd):
    at = dt.datetime.fromisoformat(f"{moment}+00:00").timestamp()
    assert cost.price(prices, "deepseek-v4-pro", Usage(1_000_000), at).cost == round(usd * 10**12)


@pytest.mark.parametrize(
    ("day", "usd"), [("2025-08-01", 1.1), ("2025-09-10", 1.68), ("2025-10-01", 0.42), ("2026-11-01", 0.42)]
)
def test_a_price_of_deepseek_chat_is_that_of_its_day(prices, day, usd):
    at = rows.epoch(day) + 43_200
    assert cost.price(prices, "deepseek-chat", Usage(0, 1_000_000), at).cost == round(usd * 10**12)
