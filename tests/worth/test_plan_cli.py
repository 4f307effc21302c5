"""`aitop plan` over a history: what it prints, and what a program reads."""

import json
import os
import sqlite3
import time
from datetime import date

import pytest
from click.testing import CliRunner
from support.lines import assistant, encode, usage

from aitop.reports import catchup
from aitop.worth import plan_cli
from aitop.worth.plan import Allowance, Fit
from aitop.worth.plan_cli import plan

DAY = 86_400.0


@pytest.fixture
def spent(tmp_path, monkeypatch):
    """Three working days of Claude Code, a month ago to yesterday."""
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / ".claude" / "projects" / "-w"
    folder.mkdir(parents=True)
    noon = time.time() // DAY * DAY - DAY + 12 * 3600
    lines = [
        assistant(f"m{n}", noon - days * DAY, request_id=f"r{n}", usage=usage(output=200_000))
        for n, days in enumerate((1, 1, 8, 20))
    ]
    (folder / "11111111-2222-4333-8444-555555555555.jsonl").write_bytes(encode(lines))


def run(*words, code=0):
    done = CliRunner().invoke(plan, words)
    assert done.exit_code == code, done.output
    return done.output


def test_without_use_it_says_so(tmp_path, monkeypatch, home):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert "nothing to compare" in run()
    assert json.loads(run("--json"))["value_usd"] == 0


def test_the_value_is_that_of_the_report(spent, home):
    found = json.loads(run("--plan", "max20", "--json"))
    db = catchup.catch_up(lambda *_: None).db
    cost = db.execute("SELECT sum(cost) FROM response").fetchone()[0] / 1e12
    assert found["value_usd"] == pytest.approx(cost)
    assert found["multiple"] == pytest.approx(cost / (200 * 30 * 12 / 365.25))
    assert found["blocks"] == 3


def test_a_value_of_understated_requests_is_a_lower_bound(tmp_path, monkeypatch, home):
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / ".claude" / "projects" / "-w"
    folder.mkdir(parents=True)
    long = [{"type": "text", "text": "word and word " * 300}]
    line = assistant(
        "m", time.time() - 2 * DAY, request_id="r", stop=None, content=long, usage=usage(output=5)
    )
    (folder / "11111111-2222-4333-8444-555555555555.jsonl").write_bytes(encode([line]))
    assert json.loads(run("--json"))["understated_requests"] == 1
    assert run().startswith("≥$")


def test_a_named_plan_s_value_is_marked_as_what_is_not_paid(spent, home):
    assert run().startswith("$")
    assert run("--plan", "max20").startswith("≈$")


def test_the_own_limit_measures_what_a_plan_allows(spent, home):
    catchup.catch_up(lambda *_: None)
    now = time.time()
    db = sqlite3.connect(os.path.join(home, "history.db"))
    db.execute(
        "INSERT INTO usage_limit VALUES ('claude-code', '', 'seven_day', 10080, 40.0, ?, 'statusline', ?)",
        (now + DAY, now),
    )
    db.commit()
    db.close()
    found = json.loads(run("--plan", "max5", "--json"))
    (one,) = found["one_percent"]
    assert one["name"] == "weekly limit"
    assert one["usd"] > 0


def test_for_people_it_names_the_plan_that_would_have_sufficed(spent, home):
    text = run("--plan", "pro")
    assert "times what the plan costs ($20.00 a month)" in text
    assert "would" in text.splitlines()[-1]


@pytest.mark.parametrize("words", [("--days", "3"), ("--plan", "gold"), ("--price", "0")])
def test_wrong_options_are_refused(words, home):
    run(*words, code=2)


@pytest.mark.parametrize(
    ("blocks", "verdict"),
    [
        ([(0, 0), (0, 0), (0, 0)], "pro would have sufficed"),
        ([(0, 2), (0, 1), (0, 0)], "max20 would have sufficed; pro perhaps too (DAY); max5 perhaps too (DAY)"),
        ([(1, 2), (0, 1), (0, 0)], "max20 would have sufficed; max5 perhaps too (DAY)"),
        ([(1, 1), (0, 1), (0, 1)], "max5 would perhaps have sufficed (DAY); max20 perhaps too (DAY)"),
        ([(1, 1), (1, 1), (1, 1)], "no plan would have sufficed without a wait"),
    ],
)  # fmt: skip
def test_the_verdict_names_each_plan_that_perhaps_sufficed(blocks, verdict):
    day = (date(2026, 1, 2),)
    allowance = Allowance(1.0, 2.0, measured=False)
    fits = [
        Fit(name, 1.0, allowance, low, high, (), day, None, None)
        for name, (low, high) in zip(("pro", "max5", "max20"), blocks, strict=True)
    ]
    assert plan_cli._verdict(fits).replace("over on 2026-01-02", "DAY") == verdict
