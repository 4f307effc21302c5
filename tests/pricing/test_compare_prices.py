"""The script that prints what other price tables say otherwise."""

import json
import os
import subprocess
import sys

from aitop.pricing import rows, table

SCRIPT = os.path.join(os.path.dirname(__file__), "..", "..", "scripts", "compare_prices.py")


def entry(name, **other):
    model = table.load().find(name)
    rates = model.rows[-1].standard[0].rates
    usd = {rate: rows.to_usd(value) for rate, value in zip(rates._fields, rates, strict=True)}
    usd |= other
    return {"cost": {"input": usd["input"], "output": usd["output"], "cache_read": usd["cache_read"]}}


def compared(tmp_path, models):
    file = tmp_path / "api.json"
    file.write_text(json.dumps({"openai": {"models": models}}))
    empty = tmp_path / "litellm.json"
    empty.write_text("{}")
    done = subprocess.run(
        [sys.executable, SCRIPT, "--models-dev", file, "--litellm", empty],
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
    done, lines = compared(tmp_path, {"gpt-5.5": entry("gpt-5.5")})
    assert [line for line in lines if line != "No difference."] == []
    assert done.stderr == ""
