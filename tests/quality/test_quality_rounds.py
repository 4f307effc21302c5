"""A round of judgements: sampling, the cap, failures, and what is kept."""

import pathlib
import random
import sqlite3

import pytest

from aitop.model.sums import PICO
from aitop.pricing import table
from aitop.providers.gateway.entry import Tokens
from aitop.quality import run, store
from aitop.quality.judge import Answer, Judge, JudgeError
from aitop.quality.turns import Turn

NOW = 1_795_000_000.0
REMOTE = Judge("https://judge.example/v1", "claude-haiku-4-5", "key")
LOCAL = Judge("http://127.0.0.1:11434/v1", "llama3", None)
PRICES = table.load()
GOOD = '{"groundedness": {"score": 4, "confidence": 1}, "relevance": {"score": 4, "confidence": 1}}'


def turns(count):
    return [
        Turn(f"k{n}", "s", "claude-opus-5-5", NOW - 60, NOW - 30, "ask " * 50, "say " * 50, "")
        for n in range(count)
    ]


@pytest.fixture
def db(home):
    found = store.connect()
    yield found
    found.close()


def go(db, ask, *, judge=REMOTE, turns_a_day=1000, usd=1.0, found=None, seed=1):
    return run.round_of(db, found or turns(50), judge, run.Wanted(turns_a_day, usd), PRICES, NOW, ask, seed)


def answers(output=100, text=GOOD):
    return lambda judge, messages: Answer(text, Tokens(1000, output))


def test_scores_are_kept_with_judge_and_version_of_the_prompt(db):
    assert go(db, answers(), turns_a_day=3).judged == 3
    found = store.judged(db, 0.0)
    assert len(found) == 3
    assert found[0].scores == {"groundedness": 1.0, "relevance": 1.0}
    assert (found[0].judge, found[0].prompt) == ("claude-haiku-4-5", 1)


def test_no_more_turns_a_day_than_wanted_over_all_rounds(db):
    assert go(db, answers(), turns_a_day=3).judged == 3
    assert go(db, answers(), turns_a_day=5).judged == 2
    assert go(db, answers(), turns_a_day=5).judged == 0


def test_a_thousand_random_prices_and_failures_never_pass_the_cap_by_more_than_one_call(home, monkeypatch):
    monkeypatch.setattr(run.journal, "append", lambda *_: None)  # 20,000 lines would be the test's whole time
    chance = random.Random(7)
    for seed in range(1000):
        db = sqlite3.connect(":memory:", isolation_level=None)
        db.executescript(store.TABLES)
        usd = chance.choice([0.001, 0.01, 0.05])
        dearest = 0

        def ask(judge, messages):
            nonlocal dearest
            if chance.random() < 0.3:
                raise JudgeError("the judge cannot be reached (TimeoutError)")
            tokens = (
                Tokens(chance.randrange(20_000), chance.randrange(5000)) if chance.random() < 0.8 else None
            )
            if tokens:
                dearest = max(dearest, run._cost(PRICES, judge, tokens, NOW))
            return Answer(GOOD if chance.random() < 0.8 else "nonsense", tokens)

        go(db, ask, usd=usd, found=turns(20), seed=seed)
        most = max(dearest, run.cost_at_most(PRICES, REMOTE, turns(1)[0], NOW))
        assert store.spent(db, 0.0)[0] < round(usd * PICO) + most
        db.close()


def test_a_failed_request_counts_with_the_most_it_can_have_cost(db):
    def ask(judge, messages):
        raise JudgeError("the judge answered 500")

    outcome = go(db, ask)
    assert outcome.failed == run.FAILURES_IN_A_ROW
    assert outcome.spent_usd * PICO == pytest.approx(3 * run.cost_at_most(PRICES, REMOTE, turns(1)[0], NOW))
    assert "three times" in outcome.why


def test_a_judge_without_a_price_is_not_asked(db):
    outcome = go(db, answers(), judge=REMOTE._replace(model="made-up-1"))
    assert (outcome.judged, outcome.spent_usd) == (0, 0.0)
    assert "has no price" in outcome.why


def test_a_judge_on_this_machine_costs_nothing_and_needs_no_cap(db):
    outcome = go(db, answers(), judge=LOCAL, usd=0.0, turns_a_day=4)
    assert (outcome.judged, outcome.spent_usd) == (4, 0.0)


def test_each_request_is_a_line_of_the_journal(db, home):
    go(db, answers(), turns_a_day=2)
    (path,) = (pathlib.Path(home) / "gateway" / "judge").glob("*.jsonl")
    lines = path.read_text().splitlines()
    assert len(lines) == 2
    assert "ask" not in lines[0].replace("task", "")
