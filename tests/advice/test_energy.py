"""`aitop energy`: ranges with their method from the real EcoLogits, and nothing of it anywhere else."""

import json
import os
import subprocess
import sys

import pytest
from conftest import ROOT
from support.lines import START, assistant, transcript, usage, user

from aitop.energy import cli
from aitop.energy.estimate import Estimator, Impact, MissingError, Span


def real(zone=None):
    try:
        return Estimator(zone)
    except MissingError:
        message = "ecologits is missing: pip install ecologits"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)


def run(*words, **more):
    environ = os.environ | {"PYTHONPATH": ROOT} | more
    return subprocess.run([sys.executable, "-m", "aitop", *words], env=environ, capture_output=True, text=True,
                          timeout=50)  # fmt: skip


@pytest.fixture
def claude(tmp_path):
    root = str(tmp_path / "user" / ".claude")
    transcript(root, [
        user(at=START),
        assistant("a", START + 1, request_id="ra", usage=usage(1000)),
        assistant("b", START + 2, request_id="rb", usage=usage(50), model="claude-3-opus-latest"),
    ])  # fmt: skip
    return root


@pytest.mark.slow
def test_a_known_model_has_a_range_of_both(claude):
    real()
    found = json.loads(run("energy", "--json").stdout)
    (model,) = found["models"]
    assert (model["model"], model["as_model"], model["output_tokens"]) == (
        "claude-opus-4-6",
        "claude-opus-4-6",
        1000,
    )
    assert 0 < model["energy_kwh"][0] < model["energy_kwh"][1] < 1
    assert 0 < model["carbon_kg"][0] < model["carbon_kg"][1] < 1
    assert found["energy_kwh"] == model["energy_kwh"]
    assert found["unknown_models"] == [{"model": "claude-3-opus-latest", "requests": 1, "output_tokens": 50}]
    assert "EcoLogits" in found["method"]
    assert found["source"].startswith("https://ecologits.ai/")


@pytest.mark.slow
def test_a_person_reads_ranges_method_and_what_is_left_out(claude):
    real()
    shown = run("energy", "--zone", "FRA").stdout
    assert " to " in shown
    assert "Method: EcoLogits" in shown
    assert "Electricity: FRA" in shown
    assert "EcoLogits does not know these models, so they are left out: claude-3-opus-latest" in shown


def test_the_estimate_is_that_of_the_mean_request_times_their_number():
    estimator = real()
    one, ten = estimator.impact("claude-opus-4-6", 1, 400), estimator.impact("claude-opus-4-6", 10, 4000)
    assert ten.energy.most == pytest.approx(10 * one.energy.most)
    both = estimator.impact("claude-opus-4-6", 2, 800 + 200)
    other = estimator.impact("claude-opus-4-6", 1, 600)
    assert both.energy.least == pytest.approx(
        one.energy.least + other.energy.least
    )  # 400 and 600: as 500 twice


def test_another_electricity_is_another_carbon_and_an_unknown_one_is_refused():
    french = real("FRA").impact("claude-opus-4-6", 1, 1000)
    world = real("WOR").impact("claude-opus-4-6", 1, 1000)
    assert french.carbon.most < world.carbon.most
    with pytest.raises(ValueError, match="no zone of EcoLogits"):
        Estimator("NOWHERE")


def test_a_model_nobody_knows_and_no_request_at_all_have_no_estimate():
    estimator = real()
    assert estimator.impact("somebody-else", 1, 100) is None
    assert estimator.impact("claude-opus-4-6", 0, 0) is None


def test_without_the_extra_it_says_how_to_get_it(tmp_path):
    (tmp_path / "ecologits.py").write_text("raise ImportError('not here')\n")
    found = run("energy", PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}")
    assert found.returncode == 1
    assert "energy needs EcoLogits: " in found.stderr


@pytest.mark.slow
def test_no_other_command_loads_it(tmp_path, claude):
    (tmp_path / "ecologits.py").write_text("raise SystemExit('loaded')\n")
    for words in (["report", "models"], ["advise"], ["--help"], ["energy", "--help"]):
        assert run(*words, PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}").returncode == 0


class Fixed:
    """Estimates anybody can check."""

    method, zone = "by hand", None

    def impact(self, model, requests, output_tokens):
        return Impact(Span(1.0, 2.5), Span(0.2, 0.4), model) if model != "unknown" else None


def test_sums_are_of_the_known_models_and_small_numbers_have_small_units():
    found = cli.estimated(Fixed(), [("a", 1, 10), ("b", 2, 20), ("unknown", 1, 5)])
    assert found["energy_kwh"] == [2.0, 5.0]
    shown = cli.shown(found)
    assert "1 to 2.5 kWh" in shown
    assert "200 to 400 g" in shown
    assert "EcoLogits does not know these models, so they are left out: unknown" in shown
