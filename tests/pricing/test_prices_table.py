"""Where a price comes from (package, refreshed file, user), and when the history must price again."""

import os

import orjson
import pytest

from aitop.model.events import Usage
from aitop.pricing import cost, rows, table
from aitop.pricing.basis import Basis

NOW = rows.epoch("2026-11-21") + 7
MTOK = 1_000_000


def usd(prices, model, usage, at=NOW):
    return cost.price(prices, model, usage, at).cost / 1e12


def refreshed(tmp_path, models, **head):
    path = tmp_path / "prices.json"
    body = {"format": 1, "as_of": "2026-11-22", "source": "litellm", "checked_at": NOW, "models": models}
    path.write_bytes(orjson.dumps(body | head))
    return str(path)


def one(rows_, **more):
    return {"provider": "anthropic", "rows": rows_, **more}


def test_the_package_alone_prices_the_models_of_today():
    prices = table.load()
    assert prices.as_of >= "2026-11-21"
    assert prices.source.startswith("genai-prices")
    assert prices.problem is None
    assert usd(prices, "claude-opus-5-5", Usage(MTOK)) == 4


def test_the_package_keeps_the_licence_of_its_source():
    with open(os.path.join(os.path.dirname(table.SNAPSHOT), "NOTICE"), encoding="utf-8") as file:
        text = file.read()
    assert "MIT License" in text
    assert "Pydantic" in text


def test_the_package_file_is_small_sorted_and_one_model_a_line():
    with open(table.SNAPSHOT, "rb") as file:
        raw = file.read()
    names = list(orjson.loads(raw)["models"])
    assert len(raw) < 150_000
    assert names == sorted(names)
    assert raw.count(b"\n") == len(names) + 2


def test_the_package_file_is_written_back_byte_for_byte():
    with open(table.SNAPSHOT, "rb") as file:
        raw = file.read()
    data = orjson.loads(raw)
    models = rows.parse_models(data, "")
    head = {key: value for key, value in data.items() if key not in ("format", "models")}
    assert rows.encode(head, models.values()) == raw


def test_a_missing_refreshed_file_is_no_problem(tmp_path):
    prices = table.load({}, str(tmp_path / "none.json"))
    assert prices.problem is None
    assert prices.fingerprint == table.load().fingerprint


def test_a_refreshed_row_applies_from_its_day_and_leaves_the_past_alone(tmp_path):
    path = refreshed(tmp_path, {"claude-opus-5-5": one([{"from": "2026-11-22", "in": 3, "out": 15}])})
    prices = table.load({}, path)
    assert (prices.as_of, prices.source) == ("2026-11-22", "litellm")
    assert usd(prices, "claude-opus-5-5", Usage(MTOK)) == 4
    assert usd(prices, "claude-opus-5-5", Usage(MTOK), rows.epoch("2026-11-22")) == 3


def test_a_refreshed_row_of_the_same_day_wins_over_the_packages(tmp_path):
    path = refreshed(tmp_path, {"gemini-4-argon": one([{"from": "2026-12-01", "in": 5, "out": 25}])})
    assert usd(table.load({}, path), "gemini-4-argon", Usage(MTOK), rows.epoch("2026-12-02")) == 5


def test_announced_rows_of_the_package_stay_after_a_refresh(tmp_path):
    path = refreshed(tmp_path, {"gemini-4-argon": one([{"from": "2026-11-22", "in": 3, "out": 15}])})
    prices = table.load({}, path)
    assert usd(prices, "gemini-4-argon", Usage(MTOK), rows.epoch("2026-11-25")) == 3
    assert usd(prices, "gemini-4-argon", Usage(MTOK), rows.epoch("2026-12-02")) == 4


def test_a_refreshed_file_can_bring_a_new_model(tmp_path):
    path = refreshed(
        tmp_path, {"claude-opus-6": one([{"from": "2026-11-22", "in": 3, "out": 15}], context=7)}
    )
    prices = table.load({}, path)
    assert cost.price(prices, "claude-opus-6", Usage(MTOK), NOW) == (3 * 10**12, Basis.LISTED)
    assert prices.context_window("claude-opus-6") == 7


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"{}", b'{"format":99,"models":{}}', b'{"format":1,"models":{"a":{"rows":[]}}}'],
)
def test_a_broken_refreshed_file_is_named_and_the_package_holds(tmp_path, content):
    path = tmp_path / "prices.json"
    path.write_bytes(content)
    prices = table.load({}, str(path))
    assert prices.problem.startswith(str(path))
    assert "aitop prices update --force" in prices.problem
    assert usd(prices, "claude-opus-5-5", Usage(MTOK)) == 4


def test_a_refreshed_file_without_a_date_is_not_used(tmp_path):
    path = refreshed(tmp_path, {}, as_of="soon")
    assert "as_of" in table.load({}, path).problem


def test_an_older_refreshed_file_does_not_make_the_table_look_old(tmp_path):
    path = refreshed(tmp_path, {}, as_of="2026-01-01")
    assert table.load({}, path).as_of == table.load().as_of


def test_the_users_own_price_wins_over_every_table(tmp_path):
    path = refreshed(tmp_path, {"claude-opus-5-5": one([{"from": "2026-11-20", "in": 3, "out": 15}])})
    own = {"claude-opus-5-5": {"input": 1.5, "output": 7.25, "cache_read": 0.5}}
    prices = table.load(own, path)
    for day in ("2025-01-01", "2026-11-21", "2030-01-01"):
        assert usd(prices, "claude-opus-5-5", Usage(MTOK, MTOK, MTOK), rows.epoch(day)) == 9.25


def test_the_users_own_price_can_begin_on_a_day():
    prices = table.load({"gemini-4-argon": {"input": 1, "output": 2, "from": "2026-11-01"}})
    assert usd(prices, "gemini-4-argon", Usage(MTOK), rows.epoch("2026-10-31")) == 2
    assert usd(prices, "gemini-4-argon", Usage(MTOK), rows.epoch("2026-11-01")) == 1
    assert usd(prices, "gemini-4-argon", Usage(MTOK), rows.epoch("2027-01-01")) == 1


def test_the_users_own_price_may_name_a_model_nobody_knows():
    prices = table.load({"my-model": {"input": 2, "output": 4}})
    assert cost.price(prices, "my-model", Usage(MTOK, MTOK, MTOK, MTOK, MTOK), NOW) == (
        12 * 10**12,
        Basis.LISTED,
    )


@pytest.mark.parametrize(
    "spelling", ["claude-opus-5.5", "claude-opus-5-5-20260922", "anthropic/claude-opus-5-5"]
)
def test_the_users_own_price_is_found_however_the_id_is_spelled(spelling):
    prices = table.load({spelling: {"input": 1, "output": 1}})
    assert usd(prices, "claude-opus-5-5", Usage(MTOK)) == 1


def test_the_users_own_price_for_an_alias_leaves_the_other_ids_alone():
    prices = table.load({"gpt-5-codex": {"input": 9, "output": 9}})
    assert usd(prices, "gpt-5-codex", Usage(MTOK)) == 9
    assert usd(prices, "gpt-5", Usage(MTOK)) == 1.25


def test_cache_rates_the_user_left_out_keep_their_listed_ratio():
    prices = table.load({"claude-opus-5-5": {"input": 2, "output": 10}})
    assert usd(prices, "claude-opus-5-5", Usage(0, 0, MTOK)) == pytest.approx(0.10)
    assert usd(prices, "claude-opus-5-5", Usage(0, 0, 0, MTOK)) == pytest.approx(2.5)
    assert usd(prices, "claude-opus-5-5", Usage(0, 0, 0, 0, MTOK)) == pytest.approx(4)


def test_cache_rates_of_an_unknown_claude_id_have_the_usual_ratios():
    prices = table.load({"claude-nova-1": {"input": 10, "output": 10}})
    assert usd(prices, "claude-nova-1", Usage(0, 0, MTOK, 0, MTOK)) == pytest.approx(1 + 20)


def test_the_fingerprint_changes_with_a_price_and_with_nothing_else(tmp_path):
    plain = table.load().fingerprint
    same = refreshed(tmp_path, {}, source="elsewhere")
    assert table.load({}, same).fingerprint == plain
    newer = refreshed(tmp_path, {"claude-opus-5-5": one([{"from": "2026-11-22", "in": 3, "out": 15}])})
    assert table.load({}, newer).fingerprint != plain
    assert table.load({"x": {"input": 1, "output": 1}}).fingerprint != plain
    assert (
        table.load({"x": {"input": 1, "output": 1}}).fingerprint
        != table.load({"x": {"input": 1, "output": 2}}).fingerprint
    )


def test_the_fingerprint_does_not_depend_on_the_order_of_anything():
    first = {"a": {"input": 1, "output": 1}, "b": {"output": 2, "input": 2}}
    second = {"b": {"input": 2, "output": 2}, "a": {"output": 1, "input": 1}}
    assert table.load(first).fingerprint == table.load(second).fingerprint


def test_prices_are_stale_after_ninety_days():
    prices = table.load()
    checked = rows.epoch(prices.as_of)
    assert not prices.stale(checked)
    assert not prices.stale(checked + 90 * 86_400)
    assert prices.stale(checked + 91 * 86_400)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"in": -1, "out": 1}, "not a price"),
        ({"in": "1", "out": 1}, "not a price"),
        ({"in": True, "out": 1}, "not a price"),
        ({"in": float("1e9"), "out": 1}, "not a price"),
        ({"in": 1}, "needs in and out"),
        ({"in": 1, "out": 1, "from": "tomorrow"}, "not a date"),
        ({"in": 1, "out": 1, "over": [{"tokens": 0, "in": 1, "out": 1}]}, "needs tokens"),
        ({"in": 1, "out": 1, "fast": 3}, "must be an object"),
    ],
)
def test_a_row_that_cannot_be_right_is_an_error_that_names_its_place(row, message):
    with pytest.raises(rows.PriceDataError, match=message) as caught:
        rows.parse_models({"format": 1, "models": {"m": {"rows": [row]}}}, "")
    assert str(caught.value).startswith("m.rows[0]")


def test_rows_out_of_order_are_an_error():
    twice = [{"from": "2026-02-01", "in": 1, "out": 1}, {"from": "2026-01-01", "in": 1, "out": 1}]
    with pytest.raises(rows.PriceDataError, match="oldest first"):
        rows.parse_models({"format": 1, "models": {"m": {"rows": twice}}}, "")
