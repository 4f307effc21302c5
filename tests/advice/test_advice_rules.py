"""Every rule of advice: an example where it speaks, with the saving worked out by hand, and where it must not."""

import pytest

from aitop.advice import all_rules
from aitop.advice.record import Call, Record, ToolCall
from aitop.model.events import Usage
from aitop.model.sums import PICO
from aitop.pricing import cost, table
from aitop.pricing.basis import Basis

PRICES = table.load()
AT = 1_792_022_400.0  # 2026-10-15: opus-5-5 and sonnet-5-5 are out
# USD per million: input, output, cache read, 5-minute write, 1-hour write
# opus-5 5/25/0.5/6.25/10 · opus-5-5 4/20/0.2/5/8 · sonnet-5-5 2/10/0.1/2.5/4
# haiku-5-5 0.1/0.5/0.01, five times as much beyond 100K
OPUS, NEWER, SONNET, HAIKU = "claude-opus-5", "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"


def call(at=0.0, model=NEWER, uncached=0, output=0, read=0, w5=0, w1=0, agent=None, stop="end_turn", **more):
    usage = Usage(uncached, output, read, w5, w1, **more)
    priced = cost.price(PRICES, model, usage, AT + at)
    return Call(AT + at, model, usage, priced.cost, priced.basis != Basis.UNPRICED, agent, stop)


def work(**more):
    """10K input, 2K output, 100K read, 10K written."""
    return call(uncached=10_000, output=2_000, read=100_000, w5=10_000, **more)


def session(*calls, tools=(), compactions=(), name="s1"):
    return Record(name, "shop", list(calls), list(tools), [AT + at for at in compactions])


def said(rule, *records, least=0.0):
    """What one rule says of some sessions: its saving in USD, None when it is silent."""
    found = all_rules.findings(records, PRICES, [all_rules.BY_ID[rule]], least)
    return found[0].saving / PICO if found else None


def words(rule, *records):
    (found,) = all_rules.findings(records, PRICES, [all_rules.BY_ID[rule]], 0)
    return found.words


def test_every_rule_has_examples_here():
    with open(__file__, encoding="utf-8") as file:
        source = file.read()
    for rule in all_rules.RULES:
        assert source.count(f'"{rule.id}"') >= 2, rule.id


# -- models ----------------------------------------------------------------------------------------------------


def test_an_older_model_whose_successor_cost_less_that_day():
    # opus-5: 0.05 + 0.05 + 0.05 + 0.0625 = 0.2125; opus-5-5: 0.04 + 0.04 + 0.02 + 0.05 = 0.15
    assert said("older-model", session(work(model=OPUS))) == pytest.approx(0.0625)
    evidence = words("older-model", session(work(model=OPUS))).evidence
    assert evidence.endswith("claude-opus-5 (claude-opus-5-5 would have cost less)")


@pytest.mark.parametrize(
    "fine",
    [
        work(model=NEWER),
        work(model=OPUS, at=-30 * 86_400),  # the successor was not out yet
        work(model="claude-opus-4-8", at=-60 * 86_400),  # opus-5 was out, at the same price
        work(model=OPUS, speed="fast"),
        work(model="somebody-else"),
        work(model="claude-opus-99"),
    ],
)
def test_a_model_without_a_cheaper_successor_that_day_is_fine(fine):
    assert said("older-model", session(fine)) is None


def test_sub_agents_on_a_large_model():
    # opus-5-5 0.15, sonnet-5-5 0.02 + 0.02 + 0.01 + 0.025 = 0.075
    assert said("subagent-model", session(work(agent="a1"), work(agent="a2"))) == pytest.approx(0.15)


@pytest.mark.parametrize(
    "fine",
    [work(), work(agent="a1", model=SONNET), work(agent="acompact-1"), work(agent="aprompt_suggestion-1"),
     work(agent="a1", model="somebody-else")],
)  # fmt: skip
def test_the_main_thread_small_models_and_the_client_s_own_agents_are_not_sub_agents_on_a_large_one(fine):
    assert said("subagent-model", session(fine)) is None


def question(name, **more):
    return session(call(uncached=10_000, output=100), call(9, uncached=10_000, output=100, **more), name=name)


def test_several_sessions_of_short_answers_on_a_large_model():
    # a request: 0.04 + 0.002 = 0.042 at opus-5-5, 0.021 at sonnet-5-5
    assert said("larger-model", question("a"), question("b"), question("c")) == pytest.approx(6 * 0.021)


def test_few_sessions_long_answers_edits_many_tools_and_placeholders_are_no_small_work():
    two = [question("a"), question("b")]
    assert said("larger-model", *two) is None
    edited = question("c")._replace(tools=[ToolCall(AT, "Edit", False)])
    busy = question("c")._replace(tools=[ToolCall(AT, "Read", False)] * 6)
    for large in (edited, busy, question("c", stop=None), session(call(uncached=9, output=2_001), name="c")):
        assert said("larger-model", *two, large) is None
    sonnet = session(call(uncached=10_000, output=100, model=SONNET), name="c")
    assert said("larger-model", *two, sonnet) is None


# -- the cache -------------------------------------------------------------------------------------------------


def written_again(gap, model=OPUS, before=OPUS, **more):
    """100K tokens in the cache, and after `gap` seconds 101K written again."""
    return session(call(model=before, w5=100_000), call(gap, model=model, w5=101_000), **more)


def test_a_five_minute_cache_that_ran_out_in_a_pause():
    # written for an hour: 100K dearer by 3.75 = 0.375; then 100K read and 1K written for an hour instead of
    # 101K written: 0.63125 - 0.05 - 0.01 = 0.57125
    assert said("short-cache", written_again(600)) == pytest.approx(0.57125 - 0.375)


def test_a_five_minute_cache_that_held_or_would_not_have_held_an_hour_either_is_fine():
    steady = session(call(w5=100_000), call(60, read=100_000, w5=1_000))
    assert said("short-cache", steady) is None
    assert said("short-cache", written_again(4000)) is None
    assert said("short-cache", written_again(600, model=SONNET)) is None
    many = [steady._replace(name=str(n)) for n in range(5)]
    assert (
        said("short-cache", written_again(600), *many) is None
    )  # dearer writes everywhere outweigh one pause


def test_an_hour_s_cache_that_was_not_needed():
    # 101K written for 3.75 less
    needless = session(call(model=OPUS, w1=100_000), call(60, model=OPUS, read=100_000, w1=1_000))
    assert said("hour-cache", needless) == pytest.approx(0.37875)


def test_an_hour_s_cache_that_was_read_after_a_pause_or_by_a_later_session_was_worth_it():
    paused = session(call(model=OPUS, w1=100_000), call(600, model=OPUS, read=100_000, w1=1_000))
    assert said("hour-cache", paused) is None  # 0.575 for writing again against 0.37875
    later = session(call(model=OPUS, read=100_000, w1=10_000))
    assert said("hour-cache", later) is None
    assert said("hour-cache", session(call(model=OPUS, w5=100_000))) is None


def test_a_change_of_model_in_mid_conversation():
    # 100K at sonnet-5-5 written for 2.5 instead of read for 0.1
    assert said("model-switch", written_again(60, model=SONNET)) == pytest.approx(0.24)
    assert (
        "claude-opus-5 to claude-sonnet-5-5"
        in words("model-switch", written_again(60, model=SONNET)).evidence
    )


def test_a_change_of_model_at_the_start_after_a_pause_or_a_compaction_costs_nothing_more():
    assert said("model-switch", session(call(w5=15_000), call(60, model=SONNET, w5=16_000))) is None
    assert said("model-switch", written_again(600, model=SONNET)) is None  # the cache had run out anyway
    assert said("model-switch", written_again(60, model=SONNET, compactions=[30])) is None
    assert said("model-switch", written_again(60)) is None


def test_a_cache_that_had_not_run_out_and_was_written_again():
    # 100K written for 6.25 instead of read for 0.5
    assert said("cache-lost", written_again(60)) == pytest.approx(0.575)
    assert words("cache-lost", written_again(60)).evidence.endswith(
        "The system prompt was not read from the cache any more"
    )
    kept = session(call(model=OPUS, w5=100_000), call(60, model=OPUS, read=20_000, w5=81_000))
    assert said("cache-lost", kept) == pytest.approx(0.46)
    assert "The system prompt was still read from the cache each time" in words("cache-lost", kept).evidence
    both = words("cache-lost", written_again(60), kept).evidence
    assert both.endswith("The system prompt was still read from the cache 1 of 2 times")


@pytest.mark.parametrize(
    "explained",
    [
        written_again(0),  # copied lines: their times say nothing
        written_again(280),  # nearly five minutes: nobody can tell
        written_again(600),
        written_again(60, model=SONNET),
        written_again(60, compactions=[30]),
        session(call(w5=100_000), call(60, w5=50_000)),  # a shorter conversation: rewound or cleared
        session(call(w5=100_000), call(60, read=100_000, w5=50_000)),
        session(call(w5=100_000), call(60, w5=101_000, agent="a1")),  # another thread
        session(call(w5=15_000), call(60, w5=16_000)),
    ],
)
def test_a_cache_written_again_for_a_reason_is_not_lost(explained):
    assert said("cache-lost", explained) is None


def test_an_hour_s_cache_lives_an_hour():
    def hour(gap):
        return session(call(model=OPUS, w1=100_000), call(gap, model=OPUS, w1=101_000))

    assert said("cache-lost", hour(600)) == pytest.approx(0.95)  # 100K written for 10 instead of read for 0.5
    assert said("cache-lost", hour(3300)) is None
    assert said("cold-return", hour(3700)) == pytest.approx(0.8)


def test_an_old_context_carried_over_a_long_pause():
    # 80K of the 100K not written for 6.25
    assert said("cold-return", written_again(7200)) == pytest.approx(0.5)


def test_a_short_pause_a_small_context_and_a_fresh_start_carry_nothing():
    assert said("cold-return", written_again(3000)) is None
    assert said("cold-return", session(call(w5=39_000), call(7200, w5=39_500))) is None
    assert said("cold-return", session(call(w5=100_000), call(7200, w5=20_000))) is None
    assert said("cold-return", written_again(7200, compactions=[7100])) is None


# -- surcharges ------------------------------------------------------------------------------------------------


def test_fast_mode_s_surcharge():
    assert said("fast-mode", session(work(model=OPUS, speed="fast"))) == pytest.approx(
        0.2125
    )  # twice the price


def test_plain_speed_and_a_model_without_fast_prices_have_none():
    assert said("fast-mode", session(work(model=OPUS))) is None
    assert said("fast-mode", session(work(model=SONNET, speed="fast"))) is None
    assert said("fast-mode", session(work(model="somebody-else", speed="fast"))) is None


def test_the_surcharge_of_inference_kept_in_the_us():
    assert said("us-only", session(work(model=OPUS, geo="us"))) == pytest.approx(0.02125)


def test_inference_anywhere_has_none():
    assert said("us-only", session(work(model=OPUS))) is None


def long(read, **more):
    return session(call(model=HAIKU, uncached=50_000, output=2_000, read=read, **more))


def test_a_prompt_beyond_the_length_where_a_model_charges_more():
    # 0.025 + 0.005 + 0.005 = 0.035 beside 0.005 + 0.001 + 0.001 = 0.007
    assert said("long-prompt", long(100_000)) == pytest.approx(0.028)


def test_a_prompt_up_to_that_length_and_a_model_without_one_charge_no_more():
    assert said("long-prompt", long(50_000)) is None
    assert said("long-prompt", session(call(model=NEWER, uncached=900_000))) is None
    assert said("long-prompt", session(call(model="somebody-else", uncached=900_000))) is None


# -- tools -----------------------------------------------------------------------------------------------------


def failing(name, *outcomes, together=False):
    """One request and one tool call after it for each outcome."""
    calls = [work(at=0.0 if together else 10.0 * n) for n in range(len(outcomes))]
    tools = [ToolCall(AT + 10.0 * n * (not together) + 1, name, failed) for n, failed in enumerate(outcomes)]
    return session(*(calls[:1] if together else calls), tools=tools)


def test_a_tool_that_fails_again_and_again():
    assert said("failing-tool", failing("mcp__db__query", *[True] * 4)) == pytest.approx(3 * 0.15)
    assert said("failing-tool", failing("Read", True, *[True] * 5, False, True)) == pytest.approx(5 * 0.15)


@pytest.mark.parametrize(
    "fine",
    [
        failing("Read", True, True, True),
        failing("Read", True, True, False, True, True),
        failing("Read", *[True] * 9, together=True),  # one request asked for all of them
        failing("Bash", *[True] * 9),  # a failing test is an answer
        failing("Read", *[False] * 9),
    ],
)
def test_few_failures_good_calls_between_and_a_shell_s_answers_are_fine(fine):
    assert said("failing-tool", fine) is None


# -- all of them -----------------------------------------------------------------------------------------------


def test_no_dollar_of_a_rebuilt_cache_is_claimed_by_two_rules():
    rules = ("cache-lost", "model-switch", "cold-return", "short-cache")
    for gap in (0, 60, 280, 600, 3000, 7200):
        for model in (OPUS, SONNET):
            spoke = [rule for rule in rules if said(rule, written_again(gap, model=model)) is not None]
            assert len(spoke) <= 1, (gap, model)


def test_findings_worth_less_than_asked_for_are_not_told():
    assert said("fast-mode", session(work(model=OPUS, speed="fast")), least=0.22) is None


def test_the_dearest_finding_comes_first_and_an_empty_history_says_nothing():
    records = [written_again(60), session(work(model=OPUS, speed="fast"), name="s2")]
    found = all_rules.findings(records, PRICES, all_rules.RULES, 0)
    assert [one.rule.id for one in found] == ["cache-lost", "older-model", "fast-mode"]
    assert all_rules.findings([], PRICES, all_rules.RULES, 0) == []
