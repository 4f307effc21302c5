"""Today's energy in the listener: its sums, the file of factors, and the real listener with the real EcoLogits."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from random import Random

import pytest
from conftest import ROOT
from support.lines import assistant, transcript, usage, user

from aitop import paths
from aitop.energy import factors
from aitop.energy.estimate import Estimator, MissingError
from aitop.listener import energy as listener_energy
from aitop.listener.energy import Energy
from aitop.live import energy

NOW = 1_790_000_000.0
OPUS, HAIKU = "claude-opus-4-6", "claude-haiku-4-5"
TWO = {
    "energy_request": [1, 2],
    "energy_token": [0.1, 0.2],
    "carbon_request": [3, 4],
    "carbon_token": [0, 0.5],
}


def aitop(*words):
    environ = os.environ | {"PYTHONPATH": ROOT}
    return subprocess.run([sys.executable, "-m", "aitop", *words], env=environ, capture_output=True, text=True,
                          timeout=60)  # fmt: skip


def estimator(zone=None):
    try:
        return Estimator(zone)
    except MissingError:
        message = "ecologits is missing: pip install ecologits"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(message)


def known(**models):
    return energy.Known("by hand", "here", None, models)


def of(**more):
    return energy.Factors(*(tuple(value) for value in (TWO | more).values()))


def test_it_is_a_sum_of_products_at_both_ends():
    found = energy.today(known(a=of(), b=of()), [("a", 2, 10), ("b", 1, 0)])
    assert found.energy_kwh == [2 + 1 + 1, 4 + 2 + 2]
    assert found.carbon_kg == [9, 8 + 5 + 4]
    assert (found.output_tokens, found.unknown_models) == (10, [])


def test_a_model_that_the_method_does_not_know_is_named_and_left_out():
    found = energy.today(known(a=of(), odd=None), [("a", 1, 10), ("odd", 1, 10), ("new", 1, 10)])
    assert (found.unknown_models, found.output_tokens) == (["new", "odd"], 10)
    assert found.energy_kwh == [2, 4]


@pytest.mark.parametrize("zone", [None, "FRA"])
def test_the_factors_give_what_the_library_says(zone):
    library, dice = estimator(zone), Random(7)
    table = {name: factors.of(library, name) for name in (OPUS, HAIKU, "gpt-5")}
    assert all(table.values())
    for name, of_model in table.items():
        made = known(**{name: energy.Factors(*(tuple(value) for value in of_model.values()))})
        for _ in range(20):
            requests, tokens = dice.randint(1, 500), dice.randint(0, 10**6)
            said, found = (
                library.impact(name, requests, tokens),
                energy.today(made, [(name, requests, tokens)]),
            )
            assert found.energy_kwh == pytest.approx(list(said.energy))
            assert found.carbon_kg == pytest.approx(list(said.carbon))


# -- the file -------------------------------------------------------------------------------------------------


@pytest.fixture
def db():
    made = sqlite3.connect(":memory:")
    made.executescript(
        "CREATE TABLE model (id INTEGER, name TEXT); INSERT INTO model VALUES (1, 'a');"
        "CREATE TABLE quarter_all (at INTEGER, model INTEGER, requests INTEGER, output INTEGER, cost INTEGER);"
        f"INSERT INTO quarter_all VALUES ({int(NOW)}, 1, 2, 10, 5);"
    )
    yield made
    made.close()


@pytest.fixture
def path(home):
    os.makedirs(home, exist_ok=True)
    return os.path.join(home, paths.ENERGY)


def put(path, models, at=NOW, **more):
    data = {"method": "m", "source": "s", "zone": None, "models": models} | more
    with open(path, "w", encoding="utf-8") as file:
        file.write(models if isinstance(models, str) else json.dumps(data))
    os.utime(path, (at, at))


def test_without_the_file_nothing_is_known_and_nothing_is_zero(home, db):
    assert Energy(home).view(db, NOW, 1, NOW) is None


def test_it_is_asked_for_when_something_was_counted_and_not_each_second(home, db, path):
    put(path, {"a": TWO})
    one = Energy(home)
    assert one.view(db, NOW, 1, NOW).energy_kwh == [3, 6]
    db.execute("UPDATE quarter_all SET requests = 3")
    assert one.view(db, NOW, 1, NOW + 60).energy_kwh == [3, 6]  # nothing was counted
    assert one.view(db, NOW, 2, NOW + 61).energy_kwh == [4, 8]
    db.execute("UPDATE quarter_all SET requests = 4")
    assert one.view(db, NOW, 3, NOW + 62).energy_kwh == [4, 8]
    assert one.view(db, NOW, 3, NOW + 67).energy_kwh == [5, 10]


@pytest.mark.parametrize(
    "damage",
    ["{", "[]", '{"models": {}}', "\x00", "[" * 100_000, {"a": {}}, {"a": 1}, {"a": TWO | {"energy_token": [2, 1]}},
     {"a": TWO | {"energy_token": [-1, 1]}}, {"a": TWO | {"energy_token": [1]}},
     {"a": TWO | {"carbon_request": ["x", None]}}],
)  # fmt: skip
def test_a_damaged_file_is_no_knowledge(home, db, path, damage):
    put(path, damage)
    assert Energy(home).view(db, NOW, 1, NOW) is None


def test_factors_are_due_when_one_is_missing_old_or_of_another_zone(home, db, path, monkeypatch):
    monkeypatch.setattr(listener_energy, "find_spec", lambda _: object())

    def due(models, zone="", now=NOW):
        put(path, models)
        one = Energy(home)
        one.view(db, NOW, 1, NOW)
        return one, one.are_factors_due(now, zone)

    assert not due({"a": TWO})[1]
    assert not due({"a": None})[1]  # it is known that the method does not know it
    assert due({"b": TWO})[1]
    assert due({"a": TWO}, zone="FRA")[1]
    assert due({"a": TWO}, now=NOW + 86_401)[1]
    one, _ = due({"b": TWO})
    assert not one.are_factors_due(NOW + 60, "")
    assert one.are_factors_due(NOW + 3601, "")
    monkeypatch.setattr(listener_energy, "find_spec", lambda _: None)
    assert not due({"b": TWO})[1]


# -- the real listener ----------------------------------------------------------------------------------------


@pytest.fixture
def claude(tmp_path):
    root, at = str(tmp_path / "user" / ".claude"), time.time() - 5
    transcript(root, [
        user(at=at),
        assistant("a", at, request_id="ra", usage=usage(1000), model=OPUS),
        assistant("b", at + 1, request_id="rb", usage=usage(50), model="claude-3-opus-latest"),
    ])  # fmt: skip
    return root


@pytest.mark.timeout(120)
def test_the_listener_publishes_what_the_command_says_and_never_loads_the_library(listener, claude):
    estimator()
    listener.start()
    state = listener.wait_for(lambda state: state["energy"] is not None, 60)
    said = json.loads(aitop("energy", "--json", "--since", "today").stdout)
    assert state["energy"]["energy_kwh"] == pytest.approx(said["energy_kwh"])
    assert state["energy"]["carbon_kg"] == pytest.approx(said["carbon_kg"])
    assert state["energy"]["unknown_models"] == ["claude-3-opus-latest"]
    with open(f"/proc/{listener.pid}/maps", encoding="utf-8") as maps:
        assert "pydantic" not in maps.read()  # what EcoLogits is made of
    shown = aitop("tmux", "--format", "{energy} {co2}").stdout
    assert shown.startswith("≥3.")
    assert "Wh ≥" in shown


@pytest.mark.timeout(120)
def test_without_the_extra_the_state_says_null_and_displays_are_empty(listener, claude, tmp_path):
    (tmp_path / "ecologits.py").write_text("raise ImportError('not here')\n")
    listener.start(PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}")
    state = listener.wait_for(lambda state: state["today"]["requests"] == 2, 60)
    listener.wait_log("energy failed")
    assert listener.state()["energy"] is None
    assert state["energy"] is None
    assert aitop("tmux", "--format", "[{energy}{co2}]").stdout.strip() == "[]"
