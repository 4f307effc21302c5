"""The script that prints what other price tables say otherwise."""

import json
import os
import subprocess
import sys
import tomllib

from aitop.pricing import rows, table

SCRIPT = os.path.join(os.path.dirname(__file__), "..", "..", "scripts", "compare_prices.py")


def entry(name, **other):
    model = table.load().find(name)
    rates = model.rows[-1].standard[0].rates
    usd = {rate: rows.to_usd(value) for rate, value in zip(rates._fields, rates, strict=True)}
    usd |= other
    return {"cost": {"input": usd["input"], "output": usd["output"], "cache_read": usd["cache_read"]}}


def compared(tmp_path, models, *more, litellm=None):
    file = tmp_path / "api.json"
    file.write_text(json.dumps({"openai": {"models": models}}))
    other = tmp_path / "litellm.json"
    other.write_text(json.dumps(litellm or {}))
    done = subprocess.run(
        [sys.executable, SCRIPT, "--models-dev", file, "--litellm", other, *more],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if "genai-prices" not in line]
    return done, lines


def test_a_rate_that_differs_is_printed_with_both_values(tmp_path):
    _, lines = compared(tmp_path, {"gpt-5.5": entry("gpt-5.5", input=99)})
    (line,) = lines
    assert line.split()[:2] == ["gpt-5.5", "input"]
    assert line.endswith("models.dev 99")


def test_a_model_that_we_lack_is_printed(tmp_path):
    _, lines = compared(tmp_path, {"gpt-99": {"cost": {"input": 1, "output": 2}}})
    (line,) = lines
    assert line.startswith("gpt-99")
    assert "missing; models.dev: input 1, output 2" in line


def test_equal_prices_print_nothing(tmp_path):
    _, lines = compared(tmp_path, {"gpt-5.5": entry("gpt-5.5")})
    assert lines == []


def tiny(read):
    price = {
        "input_cost_per_token": 0.25e-6,
        "output_cost_per_token": 0.25e-6,
        "cache_read_input_token_cost": read,
    }
    return {"mistral/mistral-tiny": {"litellm_provider": "mistral", "mode": "chat", **price}}


def test_what_is_settled_is_printed_with_its_reason_on_request_alone(tmp_path):
    done, lines = compared(tmp_path, {}, litellm=tiny(0.025e-6))
    assert lines == []
    assert "settled" in done.stderr
    _, lines = compared(tmp_path, {}, "--all", litellm=tiny(0.025e-6))
    (line,) = (line for line in lines if line.startswith("mistral-tiny"))
    assert line.endswith("(retired before cached prompts had a price)")


def test_what_was_settled_is_printed_again_once_the_source_states_another_value(tmp_path):
    done, lines = compared(tmp_path, {}, litellm=tiny(0.026e-6))
    assert [line.split()[:2] for line in lines] == [["mistral-tiny", "cache_read"]]
    assert done.returncode == 1


def test_a_kind_of_model_that_is_left_out_on_purpose_is_not_missing(tmp_path):
    _, lines = compared(tmp_path, {"gpt-audio-9": {"cost": {"input": 1, "output": 2}}})
    assert lines == []


def test_each_settled_difference_has_a_reason():
    with open(os.path.join(os.path.dirname(SCRIPT), "price_reviewed.toml"), "rb") as file:
        read = tomllib.load(file)
    assert all(len(one["reason"]) > 20 for one in (*read["kind"], *read["model"]))
    named = [(one["source"], one["id"]) for one in read["model"]]
    assert len(named) == len(set(named)) > 0
