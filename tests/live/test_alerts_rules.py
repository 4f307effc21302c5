"""The alerts of sessions, limits, budgets and days: for each one where it fires, must not, holds and falls."""

import time

import pytest

from aitop.config import KEYS, Config
from aitop.live import alerts
from aitop.live.alerts import Evidence, SessionEvidence, days
from aitop.live.money.budgets import BudgetView
from aitop.live.money.burn import BurnThresholds
from aitop.model.events import Limit
from aitop.model.sums import PICO, ZERO, Sum
from aitop.publish.notify.memory import Memory, decide

NOW = 1_790_000_000.0


def config(**more):
    return Config({key.path: key.default for key in KEYS} | {f"alerts.{k}": v for k, v in more.items()})


NOTHING = Evidence()


def raised(more=NOTHING, five=ZERO, before=(), now=NOW, **options):
    return alerts.evaluate(before, config(**options), now, more._replace(five_minutes=five))


def ids(*args, **more):
    return [alert.id for alert in raised(*args, **more)]


def test_every_rule_says_its_name_before_the_colon():
    more = Evidence(
        sessions=(near(1_000),), limits=(limit(96, 50),), budgets=(budget(85, "warning"),), cut_off=2
    )
    found = {alert.id.partition(":")[0] for alert in raised(more)}
    assert found == {"compaction", "limit", "pace", "budget", "max-tokens"}
    assert found <= {rule.name for rule in alerts.RULES}


# -- failures --------------------------------------------------------------------------------------------------


def failing(errors, requests=0):
    return Sum(errors=errors, requests=requests, output_tokens=9999)


def test_a_burst_of_api_errors_is_noticed_held_and_let_go():
    first = raised(five=failing(5))
    assert [(a.id, a.text) for a in first] == [
        ("errors", "5 of 5 API requests failed in 5 minutes: see the client's message or its status page")
    ]
    assert ids(five=failing(5, 22), before=first) == ["errors"]  # 18.5 percent: held
    assert ids(five=failing(5, 22)) == []  # but not raised
    assert ids(five=failing(4), before=first) == []


def test_a_few_errors_among_many_requests_are_no_burst():
    assert ids(five=failing(4)) == []
    assert ids(five=failing(5, 200)) == []
    assert ids(five=failing(50), errors=0) == []


CUT_OFF = "responses cut off at their output limit in 15 minutes: ask for smaller steps, or raise the client's limit"


def test_responses_cut_off_at_their_output_limit_are_noticed_and_let_go():
    first = raised(Evidence(cut_off=2))
    assert [(a.id, a.text) for a in first] == [
        (
            "max-tokens",
            f"2 {CUT_OFF}",
        )
    ]
    assert ids(Evidence(cut_off=1), before=first) == []
    assert ids(Evidence(cut_off=1)) == []
    assert ids(Evidence(cut_off=9), max_tokens=0) == []


def test_a_threshold_of_many_cut_off_responses_is_held_a_tenth_below():
    first = raised(Evidence(cut_off=10), max_tokens=10)
    assert ids(Evidence(cut_off=9), before=first, max_tokens=10) == ["max-tokens"]
    assert ids(Evidence(cut_off=8), before=first, max_tokens=10) == []


# -- sessions --------------------------------------------------------------------------------------------------


def running(cost=6.0, requests=20, output=20_000, still=1000.0, told=10.0, lines=0, **more):
    quarter = Sum(requests=requests, output_tokens=output, cost=int(cost * PICO))
    return SessionEvidence(
        "s1",
        "shop",
        recent=quarter,
        lines_changed=lines,
        lines_since=NOW - still,
        lines_told=NOW - told,
        **more,
    )


def of(session, **options):
    return ids(Evidence(sessions=(session,)), **options)


def test_a_session_that_spends_and_changes_no_line_is_running_away():
    found = raised(Evidence(sessions=(running(),)))
    assert [(a.id, a.level, a.text) for a in found] == [
        ("runaway:s1", "warning", "shop: $6.00 in 15 minutes and no line changed: check whether it loops")
    ]
    assert of(running(cost=4.6), before=found) == ["runaway:s1"]
    assert of(running(cost=4.4), before=found) == []
    assert of(running(still=5), before=found) == []  # a line was changed


@pytest.mark.parametrize(
    "harmless",
    [
        running(cost=4.9),
        running(still=899),
        running(told=400),  # the client went silent: nothing is known
        running(lines=None),  # it never said
        running(requests=9),  # few dear requests
        running(status="idle"),
        running(status="ended"),
    ],
)
def test_a_session_without_all_the_evidence_is_not_running_away(harmless):
    assert of(harmless) == []


def test_many_requests_with_next_to_no_output_are_running_away():
    looping = running(cost=1, requests=30, output=590, lines=None)
    found = raised(Evidence(sessions=(looping,)))
    assert [a.text for a in found] == [
        "shop: 30 requests in 15 minutes with next to no output: check whether it loops"
    ]
    assert of(running(cost=1, requests=27, output=500, lines=None), before=found) == ["runaway:s1"]
    assert of(running(cost=1, requests=26, output=500, lines=None), before=found) == []


def test_many_requests_that_say_something_or_say_not_how_much_are_not():
    assert of(running(cost=1, requests=300, output=6000)) == []
    quarter = Sum(requests=40, output_tokens=40, cost=PICO, incomplete_requests=1)
    assert of(SessionEvidence("s1", "shop", recent=quarter)) == []
    assert of(SessionEvidence("s1", "shop", recent=Sum(requests=40))) == []  # costs nothing


def near(left, limit=200_000, **more):
    return SessionEvidence("s1", "shop", context_tokens=limit - 33_000 - left, context_limit=limit, **more)


def test_a_context_close_to_its_compaction_is_noticed_held_and_let_go():
    found = raised(Evidence(sessions=(near(10_000),)))
    assert [(a.id, a.text) for a in found] == [
        (
            "compaction:s1",
            "shop: will compact its context in 10K tokens. Use /compact now to choose what it keeps",
        )
    ]
    assert of(near(11_000), before=found) == ["compaction:s1"]
    assert of(near(12_000), before=found) == []
    assert of(near(11_000, compactions=1), before=found) == []  # it was compacted: another context
    assert of(near(9_000, limit=1_000_000)) == ["compaction:s1"]


def test_a_context_with_room_at_rest_or_of_another_client_is_not():
    assert of(near(10_001)) == []
    assert of(near(5_000, status="idle")) == []
    assert of(near(5_000, provider="codex")) == []
    assert of(SessionEvidence("s1", "shop")) == []
    assert of(near(5_000), compaction_tokens=0) == []


def resting(left, tokens=120_000, status="idle"):
    return SessionEvidence("s1", "shop", status=status, context_tokens=tokens, cache_expires_at=NOW + left)


def test_a_cache_about_to_expire_is_noticed_until_it_has():
    found = raised(Evidence(sessions=(resting(45),)))
    assert [(a.id, a.text) for a in found] == [
        ("cache-expiry:s1", "shop: its cache of 120K tokens expires in 45 s: answer before then")
    ]
    assert of(resting(45, status="waiting")) == ["cache-expiry:s1"]
    held = raised(Evidence(sessions=(resting(45),)), now=NOW - 20)  # 65 s left: not raised, but held
    assert held == ()
    assert ids(Evidence(sessions=(resting(45),)), now=NOW - 20, before=found) == ["cache-expiry:s1"]
    assert of(resting(0), before=found) == []


def test_a_cache_that_is_used_small_far_from_its_end_or_unknown_is_not():
    assert of(resting(45, status="working")) == []
    assert of(resting(45, tokens=49_999)) == []
    assert of(resting(61)) == []
    assert of(SessionEvidence("s1", "shop", status="idle", context_tokens=120_000)) == []
    assert of(resting(45), cache_expiry_seconds=0) == []


def test_a_context_that_is_full_says_what_comes_next():
    (found,) = raised(Evidence(sessions=(near(-500),)))
    assert (
        found.text
        == "shop: will compact its context at its next response. Use /compact now to choose what it keeps"
    )


def waiting(seconds, status="waiting"):
    return SessionEvidence("s1", "shop", status=status, status_since=NOW - seconds)


def test_a_session_that_waits_for_its_user_is_noticed_until_it_goes_on():
    (found,) = raised(Evidence(sessions=(waiting(150),)))
    assert (found.id, found.level, found.session) == ("waiting:s1", "warning", "s1")
    assert found.text == "shop: has waited for you for 2 min"
    assert of(waiting(59)) == []
    assert of(waiting(150, "idle")) == of(waiting(150, "working")) == []
    assert of(waiting(150), waiting_seconds=0) == []
    assert of(waiting(10), waiting_seconds=5) == ["waiting:s1"]


# -- limits and budgets ----------------------------------------------------------------------------------------


def limit(used, elapsed, seen=0.0, minutes=300, name="five_hour"):
    """A limit used and elapsed by so many percent, as reported `seen` seconds ago."""
    left = minutes * 60 * (1 - elapsed / 100)
    return Limit("claude-code", None, name, minutes, used, NOW - seen + left, "client", NOW - seen)


def levels(found):
    return {a.id.partition(":")[0]: a.level for a in found}


def test_a_limit_rises_holds_and_falls():
    assert levels(raised(Evidence(limits=(limit(79.9, 90),)))) == {}
    first = raised(Evidence(limits=(limit(80, 90),)))
    assert levels(first) == {"limit": "warning"}
    assert first[0].id == "limit:claude-code//five_hour"
    assert first[0].text == "5-hour limit 80% used, resets in 30 min"
    assert levels(raised(Evidence(limits=(limit(73, 90),)), before=first)) == {"limit": "warning"}
    assert levels(raised(Evidence(limits=(limit(71, 90),)), before=first)) == {}
    assert levels(raised(Evidence(limits=(limit(95, 90),)), before=first)) == {"limit": "critical"}


def test_a_reset_told_as_a_wait_is_one_cause_however_it_wavers():
    memory, told, before = Memory({}), 0, ()
    for minute in range(120):
        used = 80 if minute < 40 else 74  # held by hysteresis
        wavering = limit(used, 50)._replace(resets_at=NOW + 9000 + (minute % 3) * 0.7)
        before = raised(Evidence(limits=(wavering,)), before=before, now=NOW + 60 * minute, pace_points=0)
        assert levels(before) == {"limit": "warning"}
        if minute == 100:
            before = raised(
                Evidence(limits=(wavering._replace(used_percent=81),)), now=NOW + 60 * minute, pace_points=0
            )
        news, memory = decide(memory, before, "warning", (), 1800, NOW + 60 * minute)
        told += len(news)
    assert told == 1


def test_a_limit_that_was_reset_is_judged_anew():
    first = raised(Evidence(limits=(limit(96, 90),)))
    assert (
        levels(raised(Evidence(limits=(limit(75, 80),)), before=first)) == {}
    )  # another window: nothing is held
    over = limit(96, 90)
    assert raised(Evidence(limits=(over,)), now=over.resets_at) == ()


def test_a_limit_that_was_used_up_is_named_once_it_is_back():
    used_up = limit(100, 90)
    back = raised(Evidence(limits=(used_up,)), now=used_up.resets_at + 60)
    assert [(a.id, a.level, a.text) for a in back] == [
        ("limit-back:claude-code//five_hour", "ok", "5-hour limit is back: it was reset 1 min ago")
    ]
    assert raised(Evidence(limits=(used_up,)), now=used_up.resets_at + 601) == ()
    assert raised(Evidence(limits=(limit(90, 90),)), now=used_up.resets_at + 60) == ()
    assert raised(Evidence(limits=(used_up,)), now=used_up.resets_at + 60, limit_back=False) == ()


def test_a_limit_of_a_second_account_names_its_account():
    (found,) = raised(Evidence(limits=(limit(85, 90)._replace(account="/home/me/.claude-work"),)))
    assert found.text == "5-hour limit (.claude-work) 85% used, resets in 30 min"


def test_a_limit_used_ahead_of_its_time_says_when_it_ends():
    (found,) = raised(Evidence(limits=(limit(60, 40),)))
    # two of five hours for 60 percent: the other 40 last 80 minutes, 100 before the reset
    assert (found.id, found.level) == ("pace:claude-code//five_hour", "warning")
    assert found.text == "5-hour limit: used up in 1 h 20 min at this pace, 1 h 40 min before its reset"
    assert levels(raised(Evidence(limits=(limit(54, 40),)), before=(found,))) == {"pace": "warning"}
    assert levels(raised(Evidence(limits=(limit(53, 40),)), before=(found,))) == {}


@pytest.mark.parametrize(
    "even",
    [
        limit(54, 40),  # 14 points ahead
        limit(30, 9),  # too early to tell
        limit(19, 2, minutes=10_080, name="seven_day"),
        limit(60, 40, seen=901),  # an old report
    ],
)
def test_an_even_an_early_or_an_old_pace_is_not(even):
    assert raised(Evidence(limits=(even,))) == ()


def test_a_limit_used_up_has_no_pace():
    assert levels(raised(Evidence(limits=(limit(100, 50),)))) == {"limit": "critical"}
    assert levels(raised(Evidence(limits=(limit(60, 40),)), pace_points=0)) == {}


def budget(percent, level, name="daily", period="day", session=None, understated=0):
    return BudgetView(name, "all", None, period, 20.0, percent / 5, 0.0, percent, level, percent >= 100, None, session,
                      None, 0, 0, understated)  # fmt: skip


def budgeted(percent, level, **more):
    return raised(Evidence(budgets=(budget(percent, level),)), **more)


def test_a_budget_rises_with_its_level_and_falls_with_it():
    (first,) = budgeted(85, "warning")
    assert (first.id, first.level, first.text) == (
        "budget:daily", "warning", "budget daily: $17.00 of $20.00 (85%) spent"
    )  # fmt: skip
    (over,) = budgeted(101, "critical", before=(first,))
    assert (over.level, over.since) == ("critical", first.since)
    assert levels(budgeted(98.5, "warning", before=(over,))) == {"budget": "critical"}  # a correction: held
    assert levels(budgeted(97, "warning", before=(over,))) == {"budget": "warning"}
    assert levels(budgeted(98.5, "warning")) == {"budget": "warning"}
    assert budgeted(10, "ok", before=(over,)) == ()


def test_a_budget_of_a_lower_bound_says_at_least():
    (found,) = raised(Evidence(budgets=(budget(85, "warning", understated=1),)))
    assert found.text == "budget daily: ≥$17.00 of $20.00 (≥85%) spent"


def test_a_budget_of_a_new_period_is_another_cause():
    assert time.tzname[0] == "UTC"
    (today,) = budgeted(85, "warning")
    (tomorrow,) = budgeted(85, "warning", now=NOW + 86_400)
    assert today.cause != tomorrow.cause
    (project,) = raised(Evidence(budgets=(budget(85, "warning", period="total"),)))
    assert project.cause == "total"


def test_an_anomaly_names_the_dearest_session():
    evidence = Evidence(
        day_started=NOW - 3600, today_spent=17 * PICO, past_days=USUAL, dearest_today=("s1", 12 * PICO),
        sessions=(SessionEvidence("s1", "shop"),),
    )  # fmt: skip
    (found,) = raised(evidence)
    assert found.text == "today cost $17.00 so far, a usual day $10.25; dearest session: shop, $12.00"
    assert found.session == "s1"


def test_a_session_budget_is_news_for_each_session():
    of_session = budget(85, "warning", name="each", period="session")
    found = [
        raised(Evidence(budgets=(of_session._replace(session=session),)))[0] for session in ("s1", "s2", "s1")
    ]
    assert [alert.id for alert in found] == ["budget:each/s1", "budget:each/s2", "budget:each/s1"]
    memory, told = Memory({}), []
    for hour, alert in enumerate(found):
        news, memory = decide(memory, [alert], "warning", (), 1800, NOW + 3600 * hour)
        told += [one.id for one in news]
    assert told == ["budget:each/s1", "budget:each/s2"]


def test_a_budget_without_a_level_we_know_says_nothing():
    assert raised(Evidence(budgets=(budget(50, "odd"), budget(50, "ok")))) == ()


# -- days ------------------------------------------------------------------------------------------------------

USUAL = tuple(
    int(usd * PICO) for usd in (8, 9, 9.5, 10, 10, 10.5, 11, 11, 12, 13)
)  # median 10.25, deviation 1


def today(usd, past=USUAL, **more):
    return raised(Evidence(day_started=NOW - 3600, today_spent=int(usd * PICO), past_days=past), **more)


def test_a_day_far_above_the_usual_is_an_anomaly():
    (found,) = today(17)
    assert (found.id, found.level, found.text) == (
        "anomaly",
        "warning",
        "today cost $17.00 so far, a usual day $10.25",
    )
    assert levels(today(15.38, before=(found,))) == {"anomaly": "warning"}
    assert levels(today(14, before=(found,))) == {}


def test_the_score_is_that_of_the_median_deviation():
    deviations = sorted(abs(usd - 10.25) for usd in (8, 9, 9.5, 10, 10, 10.5, 11, 11, 12, 13))
    assert (deviations[4] + deviations[5]) / 2 == 0.75
    assert days.score(int(17 * PICO), USUAL) == pytest.approx(0.6745 * 6.75 / 0.75)


def test_a_usual_day_a_short_history_and_cents_are_no_anomaly():
    assert today(13) == ()
    assert today(14, anomaly_score=5.5) == ()
    assert today(99, USUAL[:9]) == ()
    assert today(0.9, tuple(day // 100 for day in USUAL)) == ()
    assert today(17, anomaly_score=0) == ()


def test_one_wild_day_does_not_hide_the_next():
    assert levels(today(60, (*USUAL, 80 * PICO, 90 * PICO))) == {"anomaly": "warning"}


def test_days_that_hardly_vary_leave_room_for_a_little_more():
    assert today(11, (10 * PICO,) * 20) == ()
    assert levels(today(16, (10 * PICO,) * 20)) == {"anomaly": "warning"}
    assert days.score(5, (0,) * 20) is None


# -- all of them -----------------------------------------------------------------------------------------------

JUST_RESET = limit(100, 90)._replace(resets_at=NOW - 60)
# A rule's name → facts that raise it. A new rule gets its own here: one that nothing calls is found by this alone.
RAISED_BY = {
    "burn": Evidence(
        five_minutes=Sum(requests=9, cost=PICO, output_tokens=9999), burn=BurnThresholds(warning=5)
    ),
    "context": Evidence(context_percent=85.0),
    "silent": Evidence(five_minutes=Sum(requests=3, cost=PICO // 10, output_tokens=3)),
    "cache": Evidence(five_minutes=Sum(requests=5, uncached_input_tokens=100_000, output_tokens=9999)),
    "limit": Evidence(limits=(limit(85, 90),)),
    "limit-back": Evidence(limits=(JUST_RESET,)),
    "pace": Evidence(limits=(limit(60, 40),)),
    "budget": Evidence(budgets=(budget(85, "warning"),)),
    "anomaly": Evidence(day_started=NOW - 3600, today_spent=17 * PICO, past_days=USUAL),
    "runaway": Evidence(sessions=(running(),)),
    "compaction": Evidence(sessions=(near(1_000),)),
    "cache-expiry": Evidence(sessions=(resting(45),)),
    "waiting": Evidence(sessions=(waiting(150),)),
    "max-tokens": Evidence(cut_off=2),
    "errors": Evidence(five_minutes=failing(5)),
}


@pytest.mark.parametrize("rule", [rule.name for rule in alerts.RULES])
def test_every_rule_is_raised_by_an_example(rule):
    assert rule in RAISED_BY, (
        f"`{rule}` needs facts that raise it in `RAISED_BY` of tests/live/test_alerts_rules.py"
    )
    found = {alert.rule for alert in alerts.evaluate((), config(), NOW, RAISED_BY[rule])}
    assert rule in found, (
        "its function is not called by `evaluate` of its file, or its example in `RAISED_BY` does not suffice"
    )
    assert rule not in {alert.rule for alert in alerts.evaluate((), config(), NOW, NOTHING)}
