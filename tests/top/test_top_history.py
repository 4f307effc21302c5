"""What the full table asks the history: one session from near, sub-agents, rates, mixes; and the comparison."""

import pytest

from aitop.history import schema
from aitop.history.query import session_detail
from aitop.history.store import History
from aitop.model.events import ApiError, Compaction, Response, SessionInfo, ToolResult, ToolUse, Usage
from aitop.pricing import table
from aitop.top import compare, past, questions
from aitop.top.choices import Choices
from aitop.top.view_model import Answers, World

NOW = 1_795_000_000.0
OPUS, HAIKU = "claude-opus-5-5", "claude-haiku-5-5"
CODE = "claude-code"


def response(number, at, usage, model=OPUS, session="s", agent=None):
    return Response(session, at, model, usage, f"m{number}", f"r{number}", "", "tool_use", agent=agent)


@pytest.fixture
def db(home):
    db = schema.connect(f"{home}/history.db")
    history = History(db, table.load())
    file = history.file(CODE, "/x/s.jsonl")
    file.session = "s"
    events = [
        SessionInfo("s", NOW - 4000, cwd="/home/ada/shop"),
        response(1, NOW - 4000, Usage(10, 100, 0, 5_000)),
        response(2, NOW - 200, Usage(10, 200, 5_000, 3_000)),
        Compaction("s", NOW - 190, "c1", "auto"),
        response(3, NOW - 59, Usage(10, 300, 2_000, 1_000)),
        response(4, NOW - 30, Usage(7, 50, 0, 400), HAIKU, agent="a1"),
        ToolUse("s", NOW - 50, "t1", "Bash"),
        ToolResult("s", NOW - 48, "t1", "Bash", True, 1900.0),
        ToolUse("s", NOW - 40, "t2", "Read"),
        ApiError("s", NOW - 20, "e1", "overloaded", False),
    ]
    history.touch(file)
    history.apply(CODE, events, NOW, file)
    history.apply(
        CODE, [response(9, NOW - 10, Usage(1, 1), session="other")], NOW, history.file(CODE, "/x/o.jsonl")
    )
    history.commit()
    yield db
    db.close()


def test_the_windows_of_a_session_are_its_own(db):
    one, five, fifteen = session_detail.session(db, CODE, "s", NOW).windows
    assert (one.requests, five.requests, fifteen.requests) == (2, 3, 3)
    assert (one.output_tokens, one.tool_calls, one.tool_failures, one.errors) == (350, 2, 1, 1)
    assert one.input_tokens == 3_010 + 407


def test_the_context_over_time_is_that_of_the_main_thread(db):
    found = session_detail.session(db, CODE, "s", NOW)
    assert [point.tokens for point in found.context] == [5_010, 8_010, 3_010]
    assert [trigger for _, trigger in found.compactions] == ["auto"]


def test_cost_by_sub_agent_and_model_adds_up_to_the_session(db):
    found = session_detail.session(db, CODE, "s", NOW)
    total = db.execute("SELECT cost FROM session WHERE name = 's'").fetchone()[0]
    assert {agent.name: agent.sum.requests for agent in found.agents} == {"": 3, "a1": 1}
    assert sum(agent.sum.cost for agent in found.agents) == total
    assert sum(value.cost for _, value in found.models) == total
    assert sum(cost for _, cost in found.quarters) == total


def test_the_last_tools_come_newest_first(db):
    found = session_detail.session(db, CODE, "s", NOW)
    assert [(call.name, call.took, call.failed) for call in found.calls] == [
        ("Read", None, False),
        ("Bash", 1900.0, True),
    ]
    assert [(tool.name, tool.calls, tool.failures) for tool in found.tools] == [
        ("Bash", 1, 1),
        ("Read", 1, 0),
    ]


def test_the_transcript_is_the_sessions_own(db):
    assert session_detail.transcript(db, CODE, "s") == "/x/s.jsonl"
    assert session_detail.transcript(db, CODE, "nobody") is None


def test_an_unknown_session_has_no_detail(db):
    assert session_detail.session(db, CODE, "nobody", NOW) is None


def test_rates_are_of_the_last_five_minutes(db):
    rates = session_detail.hourly(db, NOW)
    cost = db.execute(
        "SELECT sum(cost) FROM response WHERE at >= ? AND session = 1", (NOW - 299,)
    ).fetchone()[0]
    assert rates[(CODE, "s")] == pytest.approx(cost * 12 / 1e12)


def test_sub_agents_are_named_without_the_main_thread(db):
    assert [a.name for a in session_detail.agents(db, [(CODE, "s")])[(CODE, "s")]] == ["a1"]


def test_the_same_tokens_elsewhere_are_priced_part_by_part(db):
    prices = table.load()
    mixes = session_detail.mixes(db, 0.0, compare.steps(prices))
    day = "2026-11-20"
    total = compare.together(compare.by_model(mixes))
    assert (total.uncached, total.cache_read, total.cache_write, total.output) == (38, 7_000, 9_400, 651)
    found = {
        other.model: other for other in compare.alternatives(prices, mixes, [OPUS, "claude-sonnet-5-5"], day)
    }
    # opus 5.5: 4, 20, 0.2 read, 5 written; sonnet 5.5: 2, 10, 0.1, 2.5 USD a million
    assert found[OPUS].cost == 38 * 4_000_000 + 651 * 20_000_000 + 7_000 * 200_000 + 9_400 * 5_000_000
    assert found["claude-sonnet-5-5"].cost == found[OPUS].cost // 2
    assert found[OPUS].used
    assert not found["claude-sonnet-5-5"].used


def test_a_long_prompt_is_priced_at_its_own_step(home):
    db = schema.connect(f"{home}/long.db")
    prices = table.load()
    history = History(db, prices)
    events = [response(1, NOW - 9, Usage(90_000, 10)), response(2, NOW - 8, Usage(110_000, 10))]
    history.apply(CODE, events, NOW, history.file(CODE, "/x/l.jsonl"))
    history.commit()
    mixes = session_detail.mixes(db, 0.0, compare.steps(prices))
    haiku = compare.alternatives(prices, mixes, [HAIKU], "2026-11-20")[0]
    assert haiku.cost == 90_000 * 100_000 + 10 * 500_000 + 110_000 * 500_000 + 10 * 2_500_000
    db.close()


def test_a_model_compared_with_itself_costs_what_was_counted(db):
    prices = table.load()
    mixes = [mix for mix in session_detail.mixes(db, 0.0, compare.steps(prices)) if mix.model == OPUS]
    assert compare.alternatives(prices, mixes, [OPUS], "2026-11-20")[0].cost == sum(mix.cost for mix in mixes)


def test_candidates_are_the_recent_ones_and_the_used_ones(db):
    prices = table.load()
    some = compare.candidates(prices, ["claude-3-haiku-20240307"], "2026-11-20", everyone=False)
    assert OPUS in some
    assert "claude-3-haiku" in some
    assert "claude-2" not in some
    assert len(compare.candidates(prices, [], "2026-11-20", everyone=True)) > 100


@pytest.mark.parametrize(
    "kind",
    [
        ("hourly", ()),
        ("agents", ((CODE, "s"),)),
        ("detail", (CODE, "s")),
        ("mixes", ("all",)),
        ("past", ("a year",)),
        ("costs", ("week",)),
    ],
)
def test_every_question_has_an_answer(db, home, kind):
    found = questions.answer(questions.Question(*kind), Answers(), NOW)
    assert found != Answers()
    assert found.problem == ""


def test_a_missing_history_is_an_answer_too(home):
    found = questions.answer(questions.Question("hourly"), Answers(), NOW)
    assert "aitop doctor" in found.problem


def test_a_newer_history_is_an_answer_too(db, home):
    db.execute("PRAGMA user_version = 99")
    assert "version 99" in questions.answer(questions.Question("hourly"), Answers(), NOW).problem


def test_nothing_is_asked_again_before_the_numbers_moved_on():
    asked, one = questions.Asked(), questions.Question("detail", (CODE, "s"))
    assert asked.due(one, 1, 100.0)
    asked.at[one] = (1, 100.0)
    assert not asked.due(one, 1, 999.0)
    assert not asked.due(one, 2, 100.5)
    assert asked.due(one, 2, 102.0)


def test_a_view_asks_only_for_what_it_shows():
    assert questions.wanted(World(), Choices()) == []
    state = {"version": 1, "windows": {"15m": {"requests": 0}}}
    assert questions.wanted(World(state=state), Choices()) == []
    state["windows"]["15m"]["requests"] = 1
    assert [q.kind for q in questions.wanted(World(state=state), Choices())] == ["hourly"]
    assert [q.about for q in questions.wanted(World(state=state), Choices(view="models", span="week"))] == [
        ("week",)
    ]


def test_a_past_is_the_days_of_the_history_and_what_they_went_for(db):
    found = past.read(db, "30 days", NOW)
    whole = sum(value.cost for _, value in found.days)
    assert whole == db.execute("SELECT sum(cost) FROM response").fetchone()[0]
    for group in ("project", "model", "client", "branch"):
        assert sum(row.sum.cost for row in past.grouped(found, group)) == whole, group
    assert past.read(db, "30 days", NOW, "no-such-client").groups["project"] == ()


@pytest.mark.parametrize("chart", ["day", "week", "month", "year"])
def test_every_chart_holds_what_the_history_holds(db, chart):
    bars = past.costs(db, chart, NOW)
    whole = db.execute("SELECT sum(cost) FROM response").fetchone()[0] / 1e12
    assert sum(bars) == pytest.approx(whole)
