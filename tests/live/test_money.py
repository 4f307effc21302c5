"""Blocks, limits, budgets and forecasts: pure arithmetic on made-up days."""

from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aitop.config import budgets_and_tags
from aitop.config.budgets_and_tags import Budget, TagRule
from aitop.live.money import blocks, budgets, forecast, limits, methods
from aitop.live.money.budgets import Spender, Spent
from aitop.model.events import Limit
from aitop.model.sums import PICO

HOUR = 3600
T = 1_790_000_000 // HOUR * HOUR
FIRST = date(2026, 1, 5)  # a Monday


def row(at, cost=PICO, tokens=100, requests=1, provider="claude-code"):
    return (at, provider, cost, tokens, requests)


# -- blocks --------------------------------------------------------------------------------------------------


def test_a_block_begins_at_the_full_hour_of_its_first_request_and_lasts_five_hours():
    (block,) = blocks.split([row(T + 2700)])
    assert (block.start, block.end) == (T, T + 5 * HOUR)


def test_a_request_at_the_end_of_a_block_begins_the_next():
    found = blocks.split([row(T + 900), row(T + 5 * HOUR - 900), row(T + 5 * HOUR)])
    assert [b.requests for b in found] == [2, 1]
    assert found[1].start == T + 5 * HOUR


def test_two_clients_have_blocks_of_their_own():
    found = blocks.split([row(T), row(T + HOUR, provider="codex"), row(T + 5 * HOUR)])
    assert [(b.provider, b.start - T) for b in found] == [
        ("claude-code", 0),
        ("codex", HOUR),
        ("claude-code", 5 * HOUR),
    ]


@given(st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 10**15)), max_size=60))
def test_blocks_hold_everything_once_and_never_overlap(quarters):
    rows = [row(T + at * 900, cost) for at, cost in sorted(dict(quarters).items())]
    found = blocks.split(rows)
    assert sum(b.spent for b in found) == sum(r[2] for r in rows)
    assert all(a.end <= b.start for a, b in zip(found, found[1:], strict=False))
    assert all(any(b.start <= r[0] < b.end for b in found) for r in rows)


@given(st.sets(st.integers(0, 4000), max_size=60))
def test_a_list_of_borders_is_that_of_the_blocks(quarters):
    ats = sorted(T + at * 900 for at in quarters)
    found = blocks.borders(lambda since: next((at for at in ats if at >= since), None))
    assert list(found) == [(b.start, b.end) for b in blocks.split(row(at) for at in ats)]


# -- limits --------------------------------------------------------------------------------------------------


def limit(used, resets_in, now, minutes=300, seen=None, **more):
    return Limit(
        "claude-code", None, "five_hour", minutes, used, now + resets_in, "client", seen or now
    )._replace(**more)


def test_the_pace_is_used_percent_against_elapsed_percent():
    (found,) = limits.judge([limit(60, 2.5 * HOUR, T)], [], "none", T)
    assert found.elapsed_percent == pytest.approx(50)
    assert found.pace_points == pytest.approx(10)
    assert found.estimated is False


def test_exhaustion_is_told_only_where_it_comes_before_the_reset():
    (fast,) = limits.judge([limit(80, 2.5 * HOUR, T)], [], "none", T)
    assert fast.exhausts_at == pytest.approx(T + 0.625 * HOUR)  # 80 % in 2.5 h: 100 % after 3.125 h
    (slow,) = limits.judge([limit(40, 2.5 * HOUR, T)], [], "none", T)
    assert slow.exhausts_at is None


def test_a_rate_is_measured_to_when_the_number_was_seen():
    (found,) = limits.judge([limit(50, 2 * HOUR, T, seen=T - HOUR)], [], "none", T)
    assert found.exhausts_at == pytest.approx(T + HOUR)  # 50 % in 2 h, so 100 % after 4 h of 5, 3 h are gone


@pytest.mark.parametrize("used", [-1.0, 1000.5, 1_790_000_000.0, float("nan")])
def test_absurd_percentages_are_refused(used):
    assert limits.judge([limit(used, HOUR, T)], [], "none", T) == []


def test_a_limit_that_was_reset_is_dropped():
    assert limits.judge([limit(50, -1, T)], [], "none", T) == []


def test_a_plan_stands_in_only_while_no_official_number_is_known():
    running = blocks.split([row(T, cost=9 * PICO, tokens=1900)])
    (found,) = limits.judge([], running, "pro", T + HOUR)
    assert (found.used_percent, found.estimated, found.resets_at) == (50.0, True, T + 5 * HOUR)
    (official,) = limits.judge([limit(10, HOUR, T)], running, "pro", T)
    assert official.estimated is False
    assert limits.judge([], running, "none", T + HOUR) == []


def test_p90_never_goes_beyond_the_busiest_block_and_needs_five():
    many = [blocks.Block("claude-code", 0, 1, 0, n * PICO, n * 10_000, 1) for n in range(1, 11)]
    found = limits.allowance("p90", many)
    assert found.usd == pytest.approx(9.1)
    assert found.tokens == 91_000
    assert limits.allowance("p90", many[:4]) is None


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=40), st.floats(0, 1))
def test_a_quantile_lies_between_the_smallest_and_the_largest(values, part):
    assert min(values) <= limits.quantile(values, part) <= max(values) * (1 + 1e-12)


# -- budgets -------------------------------------------------------------------------------------------------


def spender(name, usd, cwd="/w/shop", tag=None, active=True):
    spent = Spent(int(usd * PICO))
    return Spender(name, cwd, tag, active, True, {"day": spent, "session": spent})


@pytest.mark.parametrize(
    ("usd", "level", "over"),
    [(7.99, "ok", False), (8.0, "warning", False), (9.99, "warning", False), (10.0, "critical", True)],
)
def test_a_budget_warns_at_its_threshold_and_is_over_when_reached(usd, level, over):
    found = budgets.judge(Budget("b", "day", 10.0), [spender("a", usd)], {"day": 5.0})
    assert (found.level, found.over, found.resets_at) == (level, over, 5.0)


def test_a_project_budget_counts_its_folder_and_what_lies_in_it():
    budget = Budget("b", "day", 10.0, "project", "/w/shop")
    found = budgets.judge(
        budget, [spender("a", 1), spender("b", 2, "/w/shop/sub"), spender("c", 4, "/w/shops")], {}
    )
    assert (found.used_usd, found.session_ids) == (3.0, ["a", "b"])


def test_a_tag_budget_counts_its_tag():
    found = budgets.judge(
        Budget("b", "day", 10.0, "tag", "client*"), [spender("a", 1, tag="client-a"), spender("b", 2)], {}
    )
    assert found.used_usd == 1.0


def test_a_session_budget_speaks_of_the_dearest_active_session_and_names_all_that_are_over():
    found = budgets.judge(
        Budget("b", "session", 2.0), [spender("a", 3), spender("b", 5, active=False), spender("c", 1)], {}
    )
    assert (found.session, found.used_usd, found.session_ids) == ("a", 3.0, ["a", "b"])


def test_a_budget_knows_how_many_of_its_requests_are_understated():
    some = [Spender(str(n), None, None, True, True, {"day": Spent(1, understated=n)}) for n in (1, 2)]
    assert budgets.judge(Budget("b", "day", 1.0), some, {}).understated_requests == 3


@given(st.lists(st.tuples(st.sampled_from(["/a", "/b"]), st.integers(0, 10**14)), max_size=20))
def test_the_budgets_of_all_folders_add_up_to_that_of_everything(spent):
    everyone = [
        Spender(str(n), cwd, None, True, True, {"day": Spent(cost)}) for n, (cwd, cost) in enumerate(spent)
    ]
    parts = [
        budgets.judge(Budget("p", "day", 1.0, "project", cwd), everyone, {}).used_usd for cwd in ("/a", "/b")
    ]
    assert budgets.judge(Budget("b", "day", 1.0), everyone, {}).used_usd == pytest.approx(sum(parts))


# -- tags ----------------------------------------------------------------------------------------------------


def test_a_tag_given_by_hand_beats_the_environment_and_that_a_rule():
    some = (TagRule("rule", ("/w",)),)
    assert budgets_and_tags.tag_of("hand", "env", "/w/x", None, some) == "hand"
    assert budgets_and_tags.tag_of(None, "env", "/w/x", None, some) == "env"
    assert budgets_and_tags.tag_of(None, None, "/w/x", None, some) == "rule"
    assert budgets_and_tags.tag_of(None, None, "/v", None, some) is None
    assert budgets_and_tags.tag_of("", "env", "/w/x", None, some) is None


def test_a_rule_of_folder_and_branch_needs_both():
    rule = TagRule("r", ("/w/*",), ("release/*",))
    assert rule.fits("/w/a", "release/1")
    assert not rule.fits("/w/a", "main")
    assert not rule.fits("/v", "release/1")


# -- forecasts -----------------------------------------------------------------------------------------------


def working_day(usd, first=36, last=76):
    return [usd / (last - first) if first <= n < last else 0.0 for n in range(96)]


def steady(days=120, weekend=0.0):
    slots = [working_day(10.0 if (FIRST + timedelta(days=n)).weekday() < 5 else weekend) for n in range(days)]
    return forecast.Past(FIRST, [sum(s) for s in slots], slots[-60:], [[1.0] * 20] * 30)


def test_a_steady_life_is_forecast_to_the_cent_and_the_best_method_is_used():
    past = steady()
    scores = forecast.test(past)
    today = FIRST + timedelta(days=120)
    assert today.weekday() == 1
    found = forecast.day(past, today, working_day(10.0)[:48], 0.5, scores["day"])
    assert found.usd == pytest.approx(10.0)
    assert found.method == scores["day"][0].method != "pace"
    assert found.error_percent == min(s.error_percent for s in scores["day"])
    assert found.low_usd <= found.usd <= found.high_usd


def test_a_month_knows_its_weekends():
    past = steady()
    scores = forecast.test(past)
    today = FIRST + timedelta(days=120)  # 5 May 2026
    found = forecast.month(past, today, 10.0, 1.0, scores["month"])
    assert found.method == "weekday_mean"
    assert found.usd == pytest.approx(21 * 10.0)  # May 2026 has 21 weekdays


def test_without_a_past_the_pace_is_said_without_an_interval():
    past = forecast.Past(FIRST, [], [], [])
    scores = forecast.test(past)
    found = forecast.day(past, FIRST, [1.0] * 48, 0.5, scores["day"])
    assert found == forecast.Forecast(96.0, None, None, "pace", None, 0)


def test_what_is_spent_is_never_undone():
    past = steady()
    scores = forecast.test(past)
    found = forecast.day(past, FIRST + timedelta(days=120), [50.0] * 80, 80 / 96, scores["day"])
    assert found.usd >= 4000
    assert found.low_usd >= 4000


def test_a_test_knows_nothing_of_what_came_later():
    past = steady()
    changed = past._replace(days=[*past.days[:-1], 999.0], slots=[*past.slots[:-1], working_day(999.0)])
    before, after = (forecast._day_trials(p) for p in (past, changed))
    assert [t[0] for t in before[:-5]] == [t[0] for t in after[:-5]]


def test_every_method_is_tested_on_the_same_moments():
    for scores in forecast.test(steady(60)).values():
        assert len({score.tested for score in scores}) == 1


@given(st.integers(), st.integers(1, 96))
def test_forecasts_of_any_day_are_finite_and_at_least_what_is_spent(seed, cut):
    random = Random(seed)
    today, *earlier = [[random.choice((0.0, random.random() * 1000)) for _ in range(96)] for _ in range(10)]
    past = forecast.Past(FIRST, [sum(s) for s in earlier], earlier, [])
    scores = forecast.test(past)
    found = forecast.day(past, FIRST + timedelta(days=9), today[:cut], cut / 96, scores["day"])
    assert sum(today[:cut]) <= found.usd < 1e9
    if found.low_usd is not None:
        assert found.low_usd <= found.usd <= found.high_usd


def test_the_recent_rate_of_a_quarter_hour_just_begun_is_that_of_what_is_over():
    slots = [1.0] * 8 + [0.0]  # a dollar each quarter hour; the ninth has just begun
    running = methods.Running(slots, 8.001 / 20, 20, [])
    assert methods.recent_rate(running) == pytest.approx(20.0, rel=1e-3)


def test_the_recent_rate_is_that_of_the_last_hour():
    running = methods.Running([9.0] * 4 + [1.0] * 4, 0.4, 20, [])
    assert methods.recent_rate(running) == pytest.approx(40 + 12)
