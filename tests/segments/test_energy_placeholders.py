"""`{energy}` and `{co2}`: a range with its unit, marked where a model is left out, empty where nothing is known."""

import pytest

from aitop.segments import humanize, placeholders

NOW = 1_790_000_000.0


def shown(name, energy):
    state = {"energy": energy} if energy is not None else {}
    return placeholders.Values(state, NOW)[name]


def estimate(energy=(0.012, 0.0234), carbon=(1.25, 3.0), unknown=()):
    return {"energy_kwh": list(energy), "carbon_kg": list(carbon), "unknown_models": list(unknown)}


@pytest.mark.parametrize(
    ("energy", "text"),
    [((0.012, 0.0234), "12–23 Wh"), ((0.4, 1.2), "0.4–1.2 kWh"), ((0.0000004, 0.0000012), "0.0004–0.0012 Wh"),
     ((0.05, 0.05), "50 Wh"), ((120.4, 3000.0), "120–3.0k kWh")],
)  # fmt: skip
def test_a_range_has_the_unit_of_its_upper_end(energy, text):
    assert shown("energy", estimate(energy)) == (text, "", False)


def test_greenhouse_gas_is_the_same_in_grams_and_kilograms():
    assert shown("co2", estimate())[0] == "1.2–3 kg"
    assert shown("co2", estimate(carbon=(0.0046, 0.0085)))[0] == "4.6–8.5 g"


def test_a_model_that_is_left_out_makes_it_at_least():
    assert shown("energy", estimate(unknown=["new"]))[0] == "≥12–23 Wh"


def test_a_day_without_output_has_nothing_to_say():
    assert shown("energy", estimate((0.0, 0.0))) == ("0 Wh", "", True)


@pytest.mark.parametrize(
    "energy", [None, {}, {"energy_kwh": None}, {"energy_kwh": [1]}, {"energy_kwh": ["a", 2]}, 7]
)
def test_what_is_not_known_is_empty_and_never_zero(energy):
    assert shown("energy", energy) == ("", "", True)
    assert shown("co2", energy) == ("", "", True)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.000012, "0.000012"), (0.0123, "0.012"), (9.96, "10"), (99.4, "99"), (99.6, "100"), (1234, "1.2k"),
     (None, "-"), (-1, "-"), (float("nan"), "-")],
)  # fmt: skip
def test_an_estimate_has_two_digits(value, text):
    assert humanize.rough(value) == text
