"""What is in the context and what it cost: prompts followed by hand, and parts that always add up to the whole."""

import json
import os
import subprocess
import sys

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st
from support.lines import (
    OTHER,
    SESSION,
    START,
    append,
    assistant,
    result,
    stamp,
    transcript,
    usage,
    use,
    user,
)

from aitop.history.query.doubts import Doubts
from aitop.model.events import Usage
from aitop.model.sums import PICO
from aitop.reports import context, context_report
from aitop.reports.context import OUTPUT, TALK, UNATTRIBUTED, Paid, Part, Put, Rates
from aitop.segments.money import Currency

RATES = Rates(5.0, 0.5, 6.25, 10.0)
GITHUB, BASH = Part("mcp", "github"), Part("tool", "Bash")
WHEN = ("--since", "2026-09-20", "--until", "2026-09-23", "--timezone", "UTC")


def paid(at, uncached=0, read=0, w5=0, w1=0, output=0, counted=True, rates=RATES):
    used = Usage(uncached, output, read, w5, w1)
    cost = 0
    if rates is not None:
        cost = int(uncached * rates.uncached + read * rates.read + w5 * rates.write_5m + w1 * rates.write_1h)
    return Paid(at, used, cost + 25 * output, rates, counted)


def call(at, part, tokens=None):
    return Put(at, {part: 1.0}, tokens, part if tokens is None else None)


def followed(turns, puts=()):
    total = {}
    context.thread(turns, puts, total)
    return total


def test_a_result_is_the_growth_without_the_answer_and_is_paid_again_with_each_request():
    turns = [
        paid(0, uncached=10, w5=1000, output=50),
        paid(10, read=1010, w5=1050, output=40),  # 50 of the answer, 1000 of the result
        paid(20, read=2060, uncached=60, output=5),  # 40 of the answer, 20 of the user's
    ]
    found = followed(turns, [call(1, GITHUB)])
    assert found[GITHUB][:3] == (1, 1000, 1000)
    assert found[GITHUB].cost == 1000 * 6.25 + 1000 * 0.5
    assert found[TALK][:3] == (0, 50 + 60, 50)
    assert found[TALK].cost == int(50 * 6.25) + int(50 * 0.5 + 60 * 5)
    assert found[context.START].cost == (10 * 5 + 1000 * 6.25) + 1010 * 0.5 * 2
    assert found[OUTPUT].tokens == 95
    assert sum(share.cost for share in found.values()) == sum(turn.cost for turn in turns)


def test_calls_side_by_side_share_the_growth():
    found = followed(
        [paid(0, w5=100), paid(10, read=100, w5=90)], [call(1, GITHUB), call(1, BASH), call(2, BASH)]
    )
    assert (found[GITHUB].tokens, found[BASH].tokens, found[BASH].calls) == (30, 60, 2)


def test_a_search_brings_what_its_tools_are():
    brought = Put(1, {GITHUB: 0.5, BASH: 0.5}, None, Part("tool", "ToolSearch"))
    found = followed([paid(0, w5=100), paid(10, read=100, w5=90)], [brought])
    assert (found[GITHUB][:2], found[BASH][:2]) == ((0, 45), (0, 45))
    assert found[Part("tool", "ToolSearch")][:4] == (1, 0.0, 0.0, 0)


def test_what_has_a_size_of_its_own_takes_it_from_the_beginning_or_the_growth():
    found = followed(
        [paid(0, w5=1000), paid(10, read=1000, w5=100)], [call(-1, GITHUB, 300), call(5, BASH, 500)]
    )
    assert found[context.START].tokens == 700
    assert (found[GITHUB].tokens, found[BASH].tokens) == (300, 100)  # never more than there is room for


def test_a_compaction_begins_anew():
    turns = [
        paid(0, w5=100_000),
        paid(10, read=100_000, w5=50_000),
        paid(20, w5=20_000),
        paid(30, read=20_000),
    ]
    found = followed(turns, [call(1, GITHUB)])
    assert found[GITHUB][:3] == (1, 50_000, 0)
    assert found[context.START][:3] == (0, 120_000, 120_000)


def test_a_prompt_that_lost_a_little_loses_it_at_the_end():
    found = followed([paid(0, w5=1000), paid(10, read=1000, w5=100), paid(20, read=1060)], [call(1, GITHUB)])
    assert found[GITHUB][:3] == (1, 100, 60)


def test_after_a_lost_cache_all_is_written_again_at_its_own_rate():
    found = followed([paid(0, w1=1000), paid(10, w1=1100)], [call(1, GITHUB)])
    assert found[GITHUB].cost == 1000
    assert found[context.START].cost == 20_000


def test_only_what_is_counted_is_paid_but_every_prompt_is_followed():
    turns = [paid(0, w5=1000, counted=False), paid(10, read=1000, w5=100, counted=False), paid(20, read=1100)]
    found = followed(turns, [call(1, GITHUB), call(21, GITHUB)])
    assert found[GITHUB][:4] == (1, 0.0, 100.0, 50)
    assert sum(share.cost for share in found.values()) == turns[2].cost


def test_a_cost_that_does_not_follow_from_tokens_is_not_attributed():
    found = followed([paid(0, w5=1000, output=3, rates=None)])
    assert found[UNATTRIBUTED].cost == 75
    assert found[context.START].cost == 0


LEAF = st.integers(0, 5_000)
TURNS = st.lists(st.tuples(LEAF, LEAF, LEAF, LEAF, LEAF, st.booleans(), st.booleans()), max_size=12)
PUTS = st.lists(
    st.tuples(st.integers(0, 130), st.sampled_from([GITHUB, BASH]), st.none() | LEAF), max_size=12
)


@given(TURNS, PUTS)
def test_the_parts_always_add_up_and_none_is_negative(leaves, given_puts):
    turns = [
        paid(10 * number, *tokens, counted, RATES if priced else None)
        for number, (*tokens, counted, priced) in enumerate(leaves)
    ]
    puts = sorted((call(*put) for put in given_puts), key=lambda put: put.at)
    found = followed(turns, puts)
    counted = [turn for turn in turns if turn.counted]
    assert sum(share.cost for share in found.values()) == sum(turn.cost for turn in counted)
    assert all(value >= 0 for share in found.values() for value in share[:4])
    prompts = sum(turn.usage.input_tokens for turn in counted)
    ours = sum(
        share.tokens + share.again for part, share in found.items() if part not in (OUTPUT, UNATTRIBUTED)
    )
    assert ours == pytest.approx(prompts)


# -- the report ------------------------------------------------------------------------------------------------


@pytest.fixture
def claude(tmp_path):
    return str(tmp_path / "user" / ".claude")


def report(*words, name="context"):
    environ = os.environ | {"PYTHONPATH": ROOT, "COLUMNS": "200"}
    done = subprocess.run([sys.executable, "-m", "aitop", "report", name, *WHEN, *words], env=environ,
                          capture_output=True, text=True, timeout=60)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(*words):
    return {row["part"]: row for row in json.loads(report("--json", *words))}


def spent(*words):
    return sum(row["cost_usd"] for row in json.loads(report("--json", *words, name="models")))


def turn(number, content, read, write, session=SESSION, **more):
    at = START + 10 * number
    return assistant(f"{session[:2]}{number}", at, request_id=f"q{session[:2]}{number}", session=session,
                     content=content, usage=usage(50, 0, read, write), **more)  # fmt: skip


def searched(identity, at, *tools):
    loaded = [{"type": "tool_reference", "tool_name": tool} for tool in tools]
    return result(identity, at, content=loaded)


def instructions(server, characters, at=START):
    return {"type": "attachment", "uuid": f"i-{server}", "timestamp": stamp(at), "sessionId": SESSION,
            "cwd": "/work/shop", "attachment": {"type": "mcp_instructions_delta", "addedNames": [server],
                                                "addedBlocks": ["x" * characters], "removedNames": []}}  # fmt: skip


def conversation(claude):
    return transcript(claude, [
        user(), instructions("idle", 400),
        turn(1, [use("t1", "mcp__github__get_issue", number=7)], 0, 10_000),
        result("t1", START + 11),
        turn(2, [use("t2", "Skill", skill="pdf")], 10_000, 3_050),  # 3,000 of github
        result("t2", START + 21),
        turn(3, [use("t3", "ToolSearch", query="x")], 13_050, 1_050),  # 1,000 of the skill
        searched("t3", START + 31, "mcp__linear__list", "mcp__linear__get"),
        turn(4, None, 14_100, 2_050),  # 2,000 of linear's descriptions
    ])  # fmt: skip


@pytest.mark.slow
def test_servers_skills_and_what_was_searched_have_rows_that_add_up(claude):
    conversation(claude)
    found = rows()
    assert {name: (row["kind"], row["calls"], row["tokens"]) for name, row in found.items()} == {
        "beginnings (system prompt, tools)": ("context", None, 9_900),
        "prompts and answers": ("context", None, 150),
        "written by the models": ("output", None, 200),
        "github": ("mcp", 1, 3_000),
        "linear": ("mcp", 0, 2_000),
        "idle": ("mcp", 0, 100),
        "pdf": ("skill", 1, 1_000),
        "ToolSearch": ("tool", 1, 0),
    }
    # written once and read twice: at 6.25 and 0.5 USD a million
    assert found["github"]["cost_usd"] == pytest.approx((3_000 * 6.25 + 2 * 3_000 * 0.5) / 1e6)
    assert found["github"]["sent_again"] == 2
    assert sum(round(row["cost_usd"] * PICO) for row in found.values()) == round(spent() * PICO)


@pytest.mark.slow
def test_without_its_transcript_a_call_stays_with_its_tool(claude):
    path = conversation(claude)
    rows()
    os.unlink(path)
    found = rows()
    assert (found["github"]["calls"], found["Skill"]["calls"], found["ToolSearch"]["tokens"]) == (1, 1, 2_000)
    assert "idle" not in found
    assert sum(row["cost_usd"] for row in found.values()) == pytest.approx(spent())


@pytest.mark.slow
def test_a_sub_agent_has_a_context_of_its_own(claude):
    conversation(claude)
    one = turn(1, [use("s1", "Bash")], 0, 1_000, isSidechain=True, agentId="a1") | {"uuid": "s1"}
    two = turn(2, None, 1_000, 4_050, isSidechain=True, agentId="a1") | {"uuid": "s2"}
    one["message"]["id"], two["message"]["id"] = "sub1", "sub2"
    one["requestId"], two["requestId"] = "sr1", "sr2"
    transcript(claude, [one, two], agent="a1")
    found = rows()
    assert (found["Bash"]["calls"], found["Bash"]["tokens"]) == (1, 4_000)
    assert found["github"]["tokens"] == 3_000
    assert sum(row["cost_usd"] for row in found.values()) == pytest.approx(spent())


@pytest.mark.parametrize(
    "words", [("--model", "haiku"), ("--project", "den"), ("--provider", "claude-code"), ()]
)
@pytest.mark.slow
def test_a_filter_leaves_what_it_leaves_in_other_reports(claude, words):
    conversation(claude)
    transcript(claude, [
        user(session=OTHER, cwd="/work/den"),
        turn(1, [use("o1", "Bash")], 0, 500, OTHER, cwd="/work/den", model="claude-haiku-4-5"),
        turn(2, None, 500, 700, OTHER, cwd="/work/den", model="claude-haiku-4-5"),
    ], session=OTHER)  # fmt: skip
    found = rows(*words)
    assert found
    assert sum(row["cost_usd"] for row in found.values()) == pytest.approx(spent(*words))


@pytest.mark.slow
def test_days_before_are_followed_and_not_paid(claude):
    at = START - START % 86_400 - 30  # half a minute before a midnight in UTC
    lines = [
        assistant("b1", at, request_id="b1", content=[use("b1", "Bash")], usage=usage(50, 0, 0, 1_000)),
        assistant("b2", at + 60, request_id="b2", usage=usage(50, 0, 1_000, 550)),
    ]
    transcript(claude, [user(at=at - 1), *lines])
    environ = os.environ | {"PYTHONPATH": ROOT}
    words = ["report", "context", "--since", "2026-09-21", "--timezone", "UTC", "--json"]
    done = subprocess.run([sys.executable, "-m", "aitop", *words], env=environ, capture_output=True, text=True,
                          timeout=60)  # fmt: skip
    found = {row["part"]: row for row in json.loads(done.stdout)}
    assert (found["Bash"]["tokens"], found["Bash"]["calls"]) == (500, 0)
    assert found["beginnings (system prompt, tools)"]["tokens"] == 0


@pytest.mark.slow
def test_people_read_marks_and_what_they_mean(claude):
    conversation(claude)
    shown = report()
    assert "≈ tokens" in shown
    assert "≈: a call's result is the growth of the next prompt" in shown
    assert "MCP server" in shown
    assert "! idle was never called in these days and cost ≈$0.00" in shown
    assert "! github" not in shown
    assert "| github | MCP server |" in report("--markdown")
    assert report("--csv").splitlines()[0].startswith("part,kind,of,calls,tokens")


@pytest.mark.slow
def test_without_any_use_it_says_so_like_every_report(claude):
    assert report() == report(name="models")


@pytest.mark.slow
def test_a_hostile_name_is_shown_and_not_run(claude):
    path = conversation(claude)
    append(path, turn(5, [use("t9", "mcp__\x1b[31m__x")], 16_150, 100), turn(6, None, 16_250, 100))
    assert "\x1b" not in report()


def test_a_part_of_a_lower_bound_is_one_too():
    first = paid(0, w5=100)._replace(doubts=Doubts(understated_requests=1))
    found = followed([first, paid(10, read=100, w5=90, output=5)], [call(1, BASH)])
    assert found[context.START].doubts == Doubts(0, 1, 0)
    assert found[BASH].doubts == Doubts()
    row = {"part": "github", "kind": "mcp", "calls": 0, "cost_usd": 1.5, "understated_requests": 1}
    (text,) = context_report.idle([row], Currency())
    assert "and cost ≥≈$1.50 by" in text


@pytest.mark.parametrize(
    ("usd", "shown"), [(0.0031, "≈$0.0031"), (0.00001, "less than $0.0001"), (1.5, "≈$1.50"), (0.0, "≈$0.00")]
)
def test_a_small_estimate_is_no_zero(usd, shown):
    rows = [{"part": "github", "kind": "mcp", "calls": 0, "cost_usd": usd}]
    for currency in (Currency(), Currency(subscription=True)):
        (text,) = context_report.idle(rows, currency)
        assert f"and cost {shown} by" in text
