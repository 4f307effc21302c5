"""`aitop prices` shows what applies and why; `aitop prices update` says what happened."""

import orjson
import pytest
from click.testing import CliRunner

from aitop.pricing import cli, litellm_prices, table


@pytest.fixture
def home(tmp_path, monkeypatch):
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("AITOP_HOME", str(folder))
    monkeypatch.setenv("AITOP_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setattr(cli.time, "time", lambda: table.rows.epoch("2026-11-22") + 60)
    return folder


def run(*words, code=0):
    result = CliRunner().invoke(cli.prices, words)
    assert result.exit_code == code, result.output
    return result.output


def published(**prices):
    """A small file in LiteLLM's form with the given input prices, USD per million tokens."""
    known = {model.name: model for model in table.load().models.values() if model.provider == "anthropic"}
    data = {}
    for name, model in known.items():
        rates = table.rows.row_at(model, "2026-11-22").standard[0].rates
        price = prices.get(name.replace("-", "_"), rates.input / 1e6)
        data[name] = {
            "litellm_provider": "anthropic",
            "input_cost_per_token": price / 1e6,
            "output_cost_per_token": rates.output / rates.input * price / 1e6,
        }
    return orjson.dumps(data)


def test_the_table_shows_a_models_rates_tier_and_source(home):
    prices = table.load()
    row = table.rows.row_at(prices.models["claude-haiku-5-5"], "2026-11-22")
    first, above = ([f"{table.rows.to_usd(rate):g}" for rate in step.rates] for step in row.standard)
    assert len(set(first)) == len(first)  # rates in each other's columns would show
    lines = run("--model", "haiku-5-5").splitlines()
    assert lines[0].split()[:4] == ["model", "from", "in", "out"]
    assert lines[1].split()[:7] == ["claude-haiku-5-5", row.start or "start", *first]
    assert lines[1].rstrip().endswith(row.source)
    assert lines[2].split() == [*above, f">{row.standard[1].over:,}"]
    assert f"Checked {prices.as_of}" in lines[-1]


def test_only_the_row_that_applies_is_shown_unless_all_are_asked_for(home):
    assert run("--model", "opus-4-6").count("claude-opus-4-6") == 1
    everything = run("--model", "opus-4-6", "--all")
    assert everything.count("claude-opus-4-6") == 3
    assert "past" in everything
    assert "announced" in run("--model", "argon", "--all")


def test_a_filter_finds_other_ids_of_a_model_and_says_when_it_finds_none(home):
    assert "gpt-5 " in run("--model", "gpt-5-codex")
    assert "No model's id contains that." in run("--model", "nothing-of-the-kind")


def test_json_is_for_programs_with_numbers_as_numbers(home):
    data = orjson.loads(run("--json", "--model", "claude-opus-5-5"))
    assert (data["as_of"], data["stale"], data["problem"]) == ("2026-11-21", False, None)
    plain, fast = data["rows"]
    assert (plain["model"], plain["input"], plain["cache_write_1h"], plain["mode"]) == (
        "claude-opus-5-5",
        4,
        8,
        None,
    )
    assert (fast["mode"], fast["output"], fast["context_window"]) == ("fast", 40, 1_000_000)


def test_the_users_own_price_is_shown_as_theirs(home, tmp_path):
    (tmp_path / "config.toml").write_text('[prices.models."my-model"]\ninput = 1.5\noutput = 3\n')
    assert run("--model", "my-model").splitlines()[1].rstrip().endswith("your configuration")


def test_a_wrong_configuration_is_an_error_that_names_the_key(home, tmp_path):
    (tmp_path / "config.toml").write_text('[prices.models."my-model"]\ninput = 1.5\n')
    assert "prices.models.my-model" in run(code=1)


def test_models_that_were_seen_without_a_price_are_listed_with_a_remedy(home):
    state = {"prices": {"unpriced_models": ["glm-9"], "estimated_models": ["claude-opus-6"]}}
    (home / "state.json").write_bytes(orjson.dumps(state))
    output = run("--model", "opus-5-5")
    assert "Seen without a price: glm-9. Run `aitop prices update`" in output
    assert "Estimated from their family (~): claude-opus-6." in output
    assert orjson.loads(run("--json"))["unpriced_models"] == ["glm-9"]


@pytest.mark.parametrize("state", [b"", b"[]", b"{}", b'{"prices": 3}', b'{"prices": {}}'])
def test_a_state_that_cannot_be_read_is_left_out(home, state):
    (home / "state.json").write_bytes(state)
    assert orjson.loads(run("--json"))["unpriced_models"] == []


def test_a_broken_refreshed_file_is_reported_and_the_package_shown(home):
    (home / "prices.json").write_text("{")
    output = run("--model", "opus-5-5")
    assert "Not used:" in output
    assert "claude-opus-5-5" in output


def test_an_update_says_what_changed_and_the_table_shows_it(home, tmp_path):
    source = tmp_path / "new.json"
    source.write_bytes(published(claude_opus_5_5=3))
    output = run("update", "--source", str(source))
    assert "1 changed from today on: claude-opus-5-5" in output
    assert run("--model", "opus-5-5").splitlines()[1].split()[:4] == [
        "claude-opus-5-5",
        "2026-11-22",
        "3",
        "15",
    ]


def test_an_update_without_news_says_so_and_a_second_one_waits(home, tmp_path):
    source = tmp_path / "new.json"
    source.write_bytes(published())
    assert "No price differs" in run("update", "--source", str(source))
    assert "nothing done (--force reads again)" in run("update", "--source", str(source))
    assert "No price differs" in run("update", "--source", str(source), "--force")


def test_an_update_takes_its_source_from_the_configuration(home, tmp_path, monkeypatch):
    source = tmp_path / "new.json"
    source.write_bytes(published())
    (tmp_path / "config.toml").write_text(f'[prices]\nsource = "{source}"\n')
    assert str(source) in run("update")
    monkeypatch.setattr(litellm_prices, "URL", str(source))
    assert f"LiteLLM ({source})" in run("update", "--source", "litellm")


def test_an_update_that_fails_says_why_and_exits_with_1(home, tmp_path):
    output = run("update", "--source", str(tmp_path / "missing.json"), code=1)
    assert output.startswith("Prices not updated.")
    assert "missing.json: cannot be read" in output


def test_a_wrong_option_exits_with_2(home):
    run("update", "--nonsense", code=2)
    run("--nonsense", code=2)
