"""The step for GitHub Actions: its script with a stand-in for aitop, its description as YAML."""

import json
import os
import subprocess

import pytest
from golden.home import ROOT

FOLDER = os.path.join(ROOT, "integrations", "github-actions")
RESULT = {
    "spent_usd": 1.25, "requests": 3, "input_tokens": 900, "output_tokens": 40, "at_least": False, "budget_usd": 1.0,
    "over": True, "stopped": True,
    "models": [{"model": "m", "spent_usd": 1.25, "requests": 3, "input_tokens": 900, "output_tokens": 40}],
}  # fmt: skip


@pytest.fixture
def step(tmp_path):
    """`step(result, code)`: the script's exit code, summary and outputs."""

    def run(result, code=0, **environ):
        aitop = tmp_path / "aitop"
        aitop.write_text(
            f'#!/bin/sh\nprintf %s "$*" >"{tmp_path}/words"\ncat "{tmp_path}/made" >"$3"\nexit {code}\n'
        )
        aitop.chmod(0o755)
        (tmp_path / "made").write_text(json.dumps(result))
        done = subprocess.run(
            [os.path.join(FOLDER, "run.sh"), str(aitop), str(tmp_path / "r.json")],
            env={"PATH": os.environ["PATH"], "COMMAND": "agent 'a b'", "GITHUB_OUTPUT": str(tmp_path / "out"),
                 "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"), **environ},
            capture_output=True, text=True, timeout=30,
        )  # fmt: skip
        assert done.stderr == ""
        return done.returncode, (tmp_path / "summary").read_text(), (tmp_path / "out").read_text()

    return run


def test_the_summary_says_what_was_spent_by_model(step):
    code, summary, outputs = step(RESULT, 11)
    assert code == 11
    assert "| $1.2500 | 3 | 900 | 40 | all |\n| $1.2500 | 3 | 900 | 40 | m |" in summary
    assert "over the budget of $1.00: stopped" in summary
    assert outputs == "spent_usd=1.25\n"


def test_what_is_unknown_is_no_zero(step):
    _, summary, outputs = step(RESULT | {"spent_usd": None, "budget_usd": None, "models": []})
    assert "| unknown |" in summary
    assert "$" not in summary
    assert outputs == "spent_usd=\n"


def test_a_lower_bound_is_marked(step):
    assert "| ≥ $1.2500 |" in step(RESULT | {"at_least": True})[1]


def test_the_budget_and_the_command_reach_aitop_as_one_word_each(step, tmp_path):
    step(RESULT, BUDGET="2")
    words = (tmp_path / "words").read_text()
    assert words.endswith("--budget 2 -- bash -c agent 'a b'")


def test_a_comment_is_off_by_default_and_never_made_in_a_public_repository():
    yaml = pytest.importorskip("yaml")
    with open(os.path.join(FOLDER, "action.yml"), encoding="utf-8") as file:
        action = yaml.safe_load(file)
    assert action["inputs"]["comment"]["default"] == "false"
    (comment,) = [step for step in action["runs"]["steps"] if step["name"] == "Comment"]
    assert "inputs.comment == 'true' && github.event.repository.private" in comment["if"]
