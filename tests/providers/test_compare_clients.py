"""The comparison with ccusage: a reason explains the difference it is for, and no other one."""

import importlib.util
import os
import sys

import pytest
from conftest import ROOT
from support.client_samples import SAMPLES

SCRIPTS = os.path.join(ROOT, "scripts")


@pytest.fixture(scope="module")
def script():
    sys.path.insert(0, SCRIPTS)
    spec = importlib.util.spec_from_file_location(
        "compare_clients", os.path.join(SCRIPTS, "compare_clients.py")
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(SCRIPTS)


def ours(script, name, usd=0.0075875, reasoning=50):
    return script.Figures(*SAMPLES[name][1][1:], usd, reasoning)


def sampled(script):
    return [name for name, reason in script.WHY.items() if reason.theirs is not None]


def test_every_reason_explains_the_recorded_numbers_of_its_sample(script):
    names = sampled(script)
    assert len(names) >= 8
    for name in names:
        here, there = ours(script, name), script.WHY[name].theirs
        assert script.explained(name, here, there, sampled=True) == script.WHY[name].why


def test_one_token_more_or_less_than_recorded_is_not_explained(script):
    for name in sampled(script):
        here, there = ours(script, name), script.WHY[name].theirs
        for change in ({"output": there.output + 1}, {"fresh": there.fresh + 1}, {"usd": there.usd + 0.001}):
            assert script.explained(name, here, there._replace(**change), sampled=True) is None


@pytest.mark.parametrize(
    ("name", "theirs", "explains"),
    [
        ("pi", (100, 10, 0, 50, 9.0), True), ("pi", (100, 10, 0, 51, 1.0), False),
        ("kimi", (90, 10, 0, 40, 0.5), True), ("kimi", (101, 10, 0, 50, 1.0), False),
        ("kimi", (90, 10, 0, 40, 1.5), False),
        ("droid", (100, 10, 0, 50, 1.2), True), ("droid", (100, 10, 0, 50, 1.3), False),
        ("droid", (100, 10, 0, 50, 0.9), False), ("droid", (99, 10, 0, 50, 1.1), False),
        ("grok", (150, 20, 0, 50, 2.0), True), ("grok", (99, 10, 0, 50, 1.0), False),
        ("grok", (201, 10, 0, 50, 2.0), False),
        ("hermes", (90, 10, 0, 60, 1.0), True), ("hermes", (90, 10, 0, 61, 1.0), False),
        ("kilo", (150, 20, 0, 40, 2.0), True), ("kilo", (150, 20, 0, 39, 2.0), False),
        ("gemini", (100, 10, 0, 51, 1.0), False),
    ],
)  # fmt: skip
def test_in_a_home_a_reason_holds_for_its_direction_and_size(script, name, theirs, explains):
    here = script.Figures(100, 10, 0, 50, 1.0, 10)
    found = script.explained(name, here, script.Figures(*theirs), sampled=False)
    assert (found is not None) is explains
