"""The benchmarks' own ground: a made-up history holds what it says it holds."""

import json
import os
import subprocess
import sys

import pytest
from golden.home import ROOT, environment

MADE = "import sys, json; from benchmarks import history; print(json.dumps(history.make(sys.argv[1], 0.4, now=1.79e9)))"


@pytest.fixture
def made(tmp_path):
    claude = tmp_path / "claude"
    call = [sys.executable, "-c", MADE, str(claude)]
    found = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=True)
    return claude, json.loads(found.stdout)


def test_a_made_up_history_is_counted_as_it_was_made(made, tmp_path):
    claude, truth = made
    environ = environment(tmp_path, CLAUDE_CONFIG_DIR=str(claude), AITOP_HOME=str(tmp_path / "home"))
    call = [sys.executable, "-m", "aitop", "report", "models", "--json"]
    models = json.loads(subprocess.run(call, env=environ, capture_output=True, check=True, timeout=50).stdout)
    assert sum(model["requests"] for model in models) == truth["responses"]
    for ours, theirs in (
        ("input_tokens", "input"),
        ("output_tokens", "output"),
        ("cache_read_tokens", "cache_read"),
    ):
        assert sum(model[ours] for model in models) == truth[theirs]


def test_the_same_seed_makes_the_same_history(made, tmp_path):
    claude, truth = made
    again = tmp_path / "again"
    subprocess.run([sys.executable, "-c", MADE, str(again)], cwd=ROOT, capture_output=True, check=True)
    for folder, _, names in os.walk(claude):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as one, open(str(again) + path.removeprefix(str(claude)), "rb") as other:
                assert one.read() == other.read()
    assert truth["files"] > 0


YEAR = "import sys, json; from benchmarks import year; print(json.dumps(year.make(sys.argv[1], 1200)))"


def test_a_made_up_year_is_reported_as_it_was_made(tmp_path):
    home = tmp_path / "home"
    made = subprocess.run([sys.executable, "-c", YEAR, str(home)], cwd=ROOT, capture_output=True, check=True)
    truth = json.loads(made.stdout)
    assert truth["responses"] == 1200
    environ = environment(tmp_path, CLAUDE_CONFIG_DIR=str(tmp_path / "none"), AITOP_HOME=str(home))
    call = [sys.executable, "-m", "aitop", "report", "sessions", "--json"]
    sessions = json.loads(
        subprocess.run(call, env=environ, capture_output=True, check=True, timeout=50).stdout
    )
    assert len(sessions) == truth["sessions"]
    for ours, made in (("requests", "responses"), ("input_tokens", "input"), ("tool_calls", "tools")):
        assert sum(session[ours] for session in sessions) == truth[made]
    first, last = (pick(session["started_at"] for session in sessions) for pick in (min, max))
    assert last - first > 250 * 86_400
