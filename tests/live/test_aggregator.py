"""What one commit's changes do to the day, the windows and the tools."""

import pytest
from support.history_changes import changes

from aitop.live.aggregator import KEPT_LATENCIES, MAX_TOOLS, Aggregator, Day, Tool
from aitop.model.events import Limit
from aitop.model.sums import Sum

NOW = 1_790_000_000.0
DAY = NOW - 3600


def provider_of(session):
    return "codex" if session == 1 else "gemini"


@pytest.fixture
def aggregator():
    found = Aggregator(NOW)
    starts = {"today": DAY, "week": DAY - 86_400, "month": DAY - 5 * 86_400}
    found.begin_day(
        Day(
            starts=starts, sums={"month": Sum(requests=7)}, by_provider={"codex": {"month": Sum(requests=3)}},
            tools=[("Bash", 3, 1, [5.0, 7.0])], stop_reasons={"end_turn": 2}, compactions=1,
        )
    )  # fmt: skip
    return found


def test_a_day_begins_from_the_history_s_own_sums(aggregator):
    assert aggregator.whole.periods["month"].sum().requests == 7
    assert aggregator.whole.periods["today"].sum().requests == 0
    assert (aggregator.tools["Bash"].calls, aggregator.tools["Bash"].failures) == (3, 1)
    assert (aggregator.stop_reasons, aggregator.compactions) == ({"end_turn": 2}, 1)


def test_a_change_reaches_the_windows_and_the_periods_it_lies_in(aggregator):
    one = Sum(requests=1, cost=5)
    aggregator.fold(
        changes(sums=[(NOW - 30, 1, one), (DAY - 5, 1, one), (NOW - 100, 1, one)]), provider_of, NOW
    )
    assert [aggregator.window(name).requests for name in ("1m", "5m", "15m")] == [1, 2, 2]
    assert {n: t.sum().requests for n, t in aggregator.whole.periods.items()} == {
        "today": 2,
        "week": 3,
        "month": 10,
    }


def test_since_start_holds_only_records_dated_after_it(aggregator):
    aggregator.fold(
        changes(sums=[(NOW - 1, 1, Sum(requests=1)), (NOW, 1, Sum(requests=2))]), provider_of, NOW + 5
    )
    assert aggregator.whole.since_start.sum().requests == 2


def test_what_the_history_knew_fills_the_windows_but_not_the_day(aggregator):
    aggregator.recall([("codex", NOW - 10, Sum(requests=4))])
    assert aggregator.window("1m").requests == 4
    assert aggregator.whole.periods["today"].sum().requests == 0
    assert aggregator.whole.since_start.sum().requests == 0


def test_yesterday_s_tools_stops_and_compactions_are_not_today_s(aggregator):
    old = DAY - 1
    aggregator.fold(
        changes(stops=[(old, "end_turn", 1, 1)], tools=[(old, "Read", 1, 1, 1)], latencies=[(old, "Read", 3.0, None)],
                compactions=[(old, 1)]), provider_of, NOW,
    )  # fmt: skip
    assert (aggregator.stop_reasons, aggregator.compactions, "Read" in aggregator.tools) == (
        {"end_turn": 2},
        1,
        False,
    )


def test_a_corrected_tool_call_leaves_the_name_it_had(aggregator):
    aggregator.fold(changes(tools=[(NOW, "unknown", 1, 0, 1)]), provider_of, NOW)
    aggregator.fold(changes(tools=[(NOW, "unknown", -1, 0, 1), (NOW, "Read", 1, 1, 1)]), provider_of, NOW)
    assert (aggregator.tools["unknown"].calls, aggregator.tools["Read"].failures) == (0, 1)


def test_a_corrected_latency_replaces_the_one_before(aggregator):
    aggregator.fold(
        changes(latencies=[(NOW, "Bash", 900.0, None), (NOW, "Bash", 41.0, 900.0)]), provider_of, NOW
    )
    assert list(aggregator.tools["Bash"].latencies) == [5.0, 7.0, 41.0]
    aggregator.fold(changes(latencies=[(NOW, "Bash", 9.0, 12345.0)]), provider_of, NOW)
    assert list(aggregator.tools["Bash"].latencies) == [5.0, 7.0, 41.0, 9.0]


@pytest.mark.parametrize(("part", "rank"), [(0.5, 50), (0.95, 95), (1.0, 100), (0.001, 1)])
def test_percentiles_are_nearest_rank(part, rank):
    tool = Tool()
    tool.latencies.extend(float(n) for n in range(100, 0, -1))
    assert tool.percentile(part) == rank


def test_a_tool_without_latencies_has_no_percentile():
    assert Tool().percentile(0.5) is None


def test_memory_is_bounded_however_many_names_and_calls(aggregator):
    aggregator.fold(changes(tools=[(NOW, f"tool{n}", 1, 0, 1) for n in range(1000)],
                            latencies=[(NOW, "Bash", 1.0, None)] * 5000), provider_of, NOW)  # fmt: skip
    assert len(aggregator.tools) <= MAX_TOOLS + 1
    assert sum(tool.calls for tool in aggregator.tools.values()) == 1003
    assert len(aggregator.tools["Bash"].latencies) == KEPT_LATENCIES


def test_the_limit_that_the_history_handed_out_last_holds(aggregator):
    limits = [
        Limit("claude-code", None, "five_hour", 300, used, NOW + 60, "client", NOW) for used in (40.0, 42.0)
    ]
    aggregator.fold(changes(limits=limits, models={("x", 2), ("y", 1)}), provider_of, NOW)
    assert [limit.used_percent for limit in aggregator.limits.values()] == [42.0]
    assert (aggregator.unpriced, aggregator.estimated) == ({"x"}, {"y"})
