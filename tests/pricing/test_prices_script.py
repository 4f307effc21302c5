"""The package's price file is what its script makes of its sources."""

import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib

import orjson
import pytest

from aitop.pricing import table

SCRIPTS = os.path.join(
    os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "scripts"
)


def corrections():
    with open(os.path.join(SCRIPTS, "price_corrections.toml"), "rb") as file:
        return tomllib.load(file)


def test_every_corrected_row_names_its_source_and_the_day_it_was_checked():
    found = [row for model in corrections()["model"] for row in model.get("row", ())]
    assert found
    for row in found:
        assert row["source"]
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", row["checked"])


def test_every_correction_is_in_the_package():
    prices = table.load()
    for model in corrections()["model"]:
        listed = prices.find(model["id"])
        assert listed.name == model["id"]
        assert len(listed.rows) >= len(model.get("row", ()))
        assert listed.released == model.get("released", "")


def test_the_script_makes_the_same_bytes_again():
    with open(table.SNAPSHOT, "rb") as file:
        wanted = orjson.loads(file.read())["source"]
    try:
        have = f"genai-prices {importlib.metadata.version('genai-prices')}"
    except importlib.metadata.PackageNotFoundError:
        have = "no genai-prices"
    if have != wanted:
        pytest.skip(f"{have} is installed; pip install {wanted.replace(' ', '==')}")
    script = os.path.join(SCRIPTS, "make_prices.py")
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
