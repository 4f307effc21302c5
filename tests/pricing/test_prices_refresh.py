"""A refresh changes prices from today on, refuses what cannot be right, and never leaves a torn file."""

import os

import orjson
import pytest

from aitop.model.events import Usage
from aitop.pricing import cost, refresh, rows, table
from aitop.pricing.basis import Basis

NOW = rows.epoch("2026-11-22") + 3_600.0
DAY = 86_400.0
MTOK = 1_000_000


def entry(price_in, price_out, provider="anthropic", **more):
    """One entry in LiteLLM's form, from USD per million tokens."""
    body = {"input_cost_per_token": price_in / MTOK, "output_cost_per_token": price_out / MTOK}
    return body | {"litellm_provider": provider, "mode": "chat"} | more


def claude(price_in, price_out, read, **more):
    return entry(
        price_in,
        price_out,
        cache_read_input_token_cost=read / MTOK,
        cache_creation_input_token_cost=1.25 * price_in / MTOK,
        cache_creation_input_token_cost_above_1hr=2 * price_in / MTOK,
        **more,
    )


def published(**changes):
    """A file as LiteLLM publishes it, at today's prices, with some entries changed (None: removed)."""
    long = {
        f"{name}_above_100k_tokens": value / MTOK
        for name, value in {
            "input_cost_per_token": 0.5,
            "output_cost_per_token": 2.5,
            "cache_read_input_token_cost": 0.05,
            "cache_creation_input_token_cost": 0.625,
            "cache_creation_input_token_cost_above_1hr": 1,
        }.items()
    }
    data = {
        "sample_spec": {"mode": "one of chat, embedding"},
        "claude-opus-4-5": claude(5, 25, 0.5),
        "claude-opus-4-5-20251101": claude(5, 25, 0.5),
        "claude-opus-4-7": claude(5, 25, 0.5),
        "claude-opus-4-8": claude(5, 25, 0.5, provider_specific_entry={"us": 1.1, "fast": 2}),
        "claude-opus-5": claude(5, 25, 0.5, provider_specific_entry={"us": 1.1, "fast": 2}),
        "claude-opus-5-5": claude(4, 20, 0.2, provider_specific_entry={"us": 1.1, "fast": 2}),
        "claude-sonnet-4-5": claude(3, 15, 0.3),
        "claude-sonnet-4-6": claude(3, 15, 0.3),
        "claude-sonnet-5": claude(2, 10, 0.2),
        "claude-sonnet-5-5": claude(2, 10, 0.1),
        "claude-haiku-4-5": claude(1, 5, 0.1),
        "claude-haiku-5-5": claude(0.1, 0.5, 0.01, **long),
        "claude-fable-5": claude(10, 50, 1),
        "us.anthropic.claude-opus-5-5": claude(4.4, 22, 0.22, litellm_provider="bedrock"),
        "gpt-5.5": entry(
            5,
            30,
            "openai",
            cache_read_input_token_cost=5e-7,
            input_cost_per_token_above_272k_tokens=1e-5,
            output_cost_per_token_above_272k_tokens=4.5e-5,
            cache_read_input_token_cost_above_272k_tokens=1e-6,
        ),
        "text-embedding-3-large": {
            "input_cost_per_token": 1e-7,
            "litellm_provider": "openai",
            "mode": "embedding",
        },
    }
    data |= {name.replace("_", "-"): body for name, body in changes.items()}
    return {name: body for name, body in data.items() if body is not None}


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "published.json"

    def write(data):
        path.write_bytes(data if isinstance(data, bytes) else orjson.dumps(data))
        return str(path)

    return write


@pytest.fixture
def target(tmp_path):
    return str(tmp_path / "home" / "prices.json")


def price(prices, model, usage, at=NOW):
    return cost.price(prices, model, usage, at).cost / 1e12


def test_a_file_that_says_what_we_know_changes_nothing_but_the_day_of_checking(source, target):
    done = refresh.update(source(published()), target, now=NOW)
    assert (done.outcome, done.changed, done.added) == ("updated", (), ())
    prices = table.load({}, target)
    assert prices.as_of == "2026-11-22"
    assert prices.fingerprint == table.load().fingerprint


def test_a_changed_price_applies_from_today_and_never_to_the_past(source, target):
    path = source(published(**{"claude-opus-5-5": claude(3, 15, 0.15)}))
    assert refresh.update(path, target, now=NOW).changed == ("claude-opus-5-5",)
    prices = table.load({}, target)
    assert price(prices, "claude-opus-5-5", Usage(MTOK, MTOK, MTOK)) == pytest.approx(18.15)
    assert price(prices, "claude-opus-5-5", Usage(MTOK), rows.epoch("2026-11-22") - 1) == 4


def test_fast_mode_keeps_its_proportion_when_the_price_changes(source, target):
    refresh.update(source(published(**{"claude-opus-5-5": claude(3, 15, 0.15)})), target, now=NOW)
    prices = table.load({}, target)
    assert price(prices, "claude-opus-5-5", Usage(MTOK, MTOK, MTOK, speed="fast")) == pytest.approx(36.3)


def test_a_long_prompt_tier_that_the_source_leaves_out_stays(source, target):
    path = source(published(**{"claude-haiku-5-5": claude(0.2, 1, 0.02)}))
    refresh.update(path, target, now=NOW)
    prices = table.load({}, target)
    assert price(prices, "claude-haiku-5-5", Usage(100_000)) == pytest.approx(0.02)
    assert price(prices, "claude-haiku-5-5", Usage(200_000)) == pytest.approx(0.2)


def test_a_cache_price_that_the_source_leaves_out_keeps_its_ratio(source, target):
    path = source(published(**{"claude-opus-5-5": entry(2, 10)}))
    refresh.update(path, target, now=NOW)
    assert price(table.load({}, target), "claude-opus-5-5", Usage(0, 0, MTOK, MTOK, MTOK)) == pytest.approx(
        6.6
    )


def test_a_cache_price_that_the_source_leaves_out_is_no_reason_to_refuse(source, target):
    path = source(published(**{"claude-fable-5": entry(10, 50), "claude-fable-5-2": entry(8, 40)}))
    assert refresh.update(path, target, now=NOW).changed == ()


def test_a_changed_long_prompt_price_is_taken(source, target):
    data = published()
    data["gpt-5.5"]["input_cost_per_token_above_272k_tokens"] = 1.2e-5
    assert refresh.update(source(data), target, now=NOW).changed == ("gpt-5.5",)
    prices = table.load({}, target)
    assert price(prices, "gpt-5.5", Usage(300_000)) == pytest.approx(3.6)
    assert price(prices, "gpt-5.5", Usage(100_000)) == pytest.approx(0.5)


def test_a_new_model_is_priced_with_all_it_has(source, target):
    extra = {"provider_specific_entry": {"fast": 2.5}, "max_input_tokens": 2_000_000}
    path = source(published(**{"claude-opus-6-20261201": claude(6, 30, 0.3, **extra)}))
    assert refresh.update(path, target, now=NOW).added == ("claude-opus-6",)
    prices = table.load({}, target)
    assert cost.price(prices, "claude-opus-6", Usage(MTOK), NOW) == (6 * 10**12, Basis.LISTED)
    assert price(prices, "claude-opus-6", Usage(MTOK, speed="fast")) == 15
    assert prices.context_window("claude-opus-6") == 2_000_000


def test_a_new_model_is_the_newest_of_its_family_from_the_day_it_was_seen(source, target):
    refresh.update(source(published(**{"claude-opus-6": claude(6, 30, 0.3)})), target, now=NOW)
    prices = table.load({}, target)
    assert price(prices, "claude-opus-x", Usage(MTOK)) == 6
    assert price(prices, "claude-opus-x", Usage(MTOK), rows.epoch("2026-11-20")) == 4


def test_models_that_the_source_dropped_stay(source, target):
    path = source(published(claude_fable_5=None, claude_sonnet_5=None))
    refresh.update(path, target, now=NOW)
    prices = table.load({}, target)
    assert price(prices, "claude-sonnet-5", Usage(MTOK)) == 2
    assert price(prices, "claude-opus-4-1", Usage(MTOK)) == 15


def test_prices_of_clouds_and_embeddings_are_not_taken_for_the_vendors(source, target):
    refresh.update(source(published()), target, now=NOW)
    prices = table.load({}, target)
    assert price(prices, "us.anthropic.claude-opus-5-5", Usage(MTOK)) == 4
    assert prices.find("text-embedding-3-large") is None


def test_free_entries_are_not_taken_so_that_nothing_is_free_in_silence(source, target):
    done = refresh.update(source(published(**{"mistral-gift": entry(0, 0, "mistral")})), target, now=NOW)
    assert done.added == ()


def test_changes_add_up_over_several_refreshes(source, target):
    refresh.update(source(published(**{"claude-opus-5-5": claude(3, 15, 0.15)})), target, now=NOW)
    refresh.update(source(published(**{"claude-opus-5-5": claude(2, 10, 0.1)})), target, now=NOW + 2 * DAY)
    prices = table.load({}, target)
    days = ("2026-11-21", "2026-11-23", "2026-11-25")
    assert [price(prices, "claude-opus-5-5", Usage(MTOK), rows.epoch(day)) for day in days] == [4, 3, 2]


def test_a_second_refresh_of_the_same_file_changes_nothing(source, target):
    path = source(published(**{"claude-opus-5-5": claude(3, 15, 0.15), "claude-opus-6": claude(6, 30, 0.6)}))
    refresh.update(path, target, now=NOW)
    before = table.load({}, target).fingerprint
    again = refresh.update(path, target, now=NOW + 2 * DAY)
    assert (again.changed, again.added) == ((), ())
    assert table.load({}, target).fingerprint == before


def test_a_refresh_twice_on_one_day_keeps_the_last_price_of_that_day(source, target):
    refresh.update(source(published(**{"claude-opus-5-5": claude(3, 15, 0.15)})), target, now=NOW)
    refresh.update(source(published()), target, now=NOW + 60, force=True)
    assert price(table.load({}, target), "claude-opus-5-5", Usage(MTOK), NOW + 120) == 4


def test_a_file_in_our_own_form_brings_its_announced_rows_and_no_past(source, target):
    with open(table.SNAPSHOT, "rb") as file:
        ours = orjson.loads(file.read())
    ours["as_of"] = "2026-11-20"
    ours["models"]["claude-opus-5-5"]["rows"] = [
        {"in": 99, "out": 99},
        {"from": "2026-11-01", "in": 3, "out": 15, "cr": 0.15, "w5": 3.75, "w1": 6},
        {"from": "2027-01-01", "in": 2, "out": 10, "cr": 0.1, "w5": 2.5, "w1": 4},
    ]
    done = refresh.update(source(ours), target, now=NOW)
    assert (done.as_of, done.changed) == ("2026-11-20", ("claude-opus-5-5",))
    prices = table.load({}, target)
    days = ("2026-11-02", "2026-11-22", "2027-01-02")
    assert [price(prices, "claude-opus-5-5", Usage(MTOK), rows.epoch(day)) for day in days] == [4, 3, 2]
    assert price(prices, "claude-opus-5-5", Usage(MTOK, speed="fast"), NOW) == 3


def test_a_file_read_less_than_a_day_ago_is_not_read_again(source, target):
    path = source(published())
    refresh.update(path, target, now=NOW)
    os.unlink(path)
    assert refresh.update(path, target, now=NOW + DAY - 1).outcome == "fresh"
    assert not refresh.is_due(target, NOW + DAY - 1)
    assert refresh.is_due(target, NOW + DAY)
    with pytest.raises(refresh.RefreshError):
        refresh.update(path, target, now=NOW + DAY)


def test_force_and_another_source_read_at_once(source, target, tmp_path):
    path = source(published())
    refresh.update(path, target, now=NOW)
    other = tmp_path / "other.json"
    other.write_bytes(orjson.dumps(published()))
    assert refresh.update(str(other), target, now=NOW + 1).outcome == "updated"
    assert refresh.update(str(other), target, now=NOW + 2, force=True).outcome == "updated"


def test_a_clock_set_back_does_not_stop_refreshes(source, target):
    refresh.update(source(published()), target, now=NOW + 100 * DAY)
    assert refresh.is_due(target, NOW)


def test_a_broken_refreshed_file_is_replaced(source, target):
    os.makedirs(os.path.dirname(target))
    with open(target, "w", encoding="utf-8") as file:
        file.write("{broken")
    assert refresh.update(source(published()), target, now=NOW).outcome == "updated"
    assert table.load({}, target).problem is None


REFUSED = {
    "not JSON": (b"<html>404</html>", "is not JSON"),
    "no prices": (b'{"a": 1}', "not a price file"),
    "a list": (b"[]", "not a price file"),
    "no Claude": (published(**{n: None for n in published() if "claude" in n}), "no Claude opus and no"),
    "no haiku": (published(claude_haiku_4_5=None, claude_haiku_5_5=None), "no Claude haiku model"),
    "few Claude": (
        {n: published()[n] for n in ("claude-opus-5", "claude-sonnet-5", "claude-haiku-4-5")},
        "only 3 of the",
    ),
    "per million": (published(**{"claude-opus-5-5": entry(4e6, 2e7)}), "is not a price"),
    "negative": (published(**{"gpt-5.5": entry(-1, 30, "openai")}), "is not a price"),
    "text": (
        published(**{"gpt-5.5": entry(1, 30, "openai") | {"input_cost_per_token": "1"}}),
        "is not a price",
    ),
    "a jump": (
        published(**{"claude-opus-5-5": claude(400, 2000, 20)}),
        "claude-opus-5-5 input would go from",
    ),
    "a fall": (published(**{"claude-opus-5-5": claude(0.004, 0.02, 0.0002)}), "would go from"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_cannot_be_right_is_refused_whole(name, source, target):
    refresh.update(source(published(**{"claude-opus-5-5": claude(3, 15, 0.15)})), target, now=NOW)
    with open(target, "rb") as file:
        before = file.read()
    data, message = REFUSED[name]
    with pytest.raises(refresh.RefreshError, match=message):
        refresh.update(source(data), target, now=NOW + 2 * DAY)
    with open(target, "rb") as file:
        assert file.read() == before
    assert sorted(os.listdir(os.path.dirname(target))) == ["prices.json", "prices.json.lock"]
