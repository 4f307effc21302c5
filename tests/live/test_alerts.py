"""Alerts of the last minutes: when each is raised, when it must not be, and that none flickers at its edge."""

import math
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from aitop.config import KEYS, Config
from aitop.live import alerts
from aitop.live.money.burn import CRITICAL_FLOOR, WARNING_FLOOR, BurnThresholds, configured, learn
from aitop.model.sums import PICO, ZERO, Sum

NOW = 1_790_000_000.0


def config(**more):
    return Config({key.path: key.default for key in KEYS} | {f"alerts.{k}": v for k, v in more.items()})


class Burning(NamedTuple):
    """A burn rate in USD an hour: over five minutes, and held over fifteen unless told otherwise."""

    five: float
    fifteen: float | None = None


def burning(per_hour, held=None):
    return Burning(per_hour, held)


def spent(per_hour, minutes):
    return Sum(requests=1, cost=math.ceil(per_hour * PICO * minutes / 60), output_tokens=500)


UNKNOWN = BurnThresholds()
FIXED = {"burn_warning": 5, "burn_critical": 20, "context_critical": 95}


def raised(burn=None, five=ZERO, percent=None, before=(), now=NOW, sessions=(), learned=UNKNOWN, **more):
    fifteen = ZERO
    if burn is not None:
        five = spent(burn.five, 5)
        fifteen = spent(burn.five if burn.fifteen is None else burn.fifteen, 15)
    options = config(**(FIXED | more))
    thresholds = configured(learned, options["alerts.burn_warning"], options["alerts.burn_critical"])
    evidence = alerts.Evidence(
        five_minutes=five,
        fifteen_minutes=fifteen,
        context_percent=percent,
        burn=thresholds,
        sessions=sessions,
    )
    return alerts.evaluate(before, options, now, evidence)


def levels(*args, **more):
    return {alert.id: alert.level for alert in raised(*args, **more)}


def test_nothing_happening_raises_nothing():
    assert raised() == ()
    assert alerts.level(()) == "ok"


def test_the_burn_rate_is_judged_by_the_hour():
    assert levels(burning(4.99)) == {}
    assert levels(burning(5)) == {"burn": "warning"}
    assert levels(burning(20)) == {"burn": "critical"}
    assert raised(burning(7.5))[0].text == "$7.50/h over 5 minutes"


def test_one_dear_turn_is_no_more_than_a_warning():
    assert levels(burning(200, held=19.9)) == {"burn": "warning"}
    assert levels(burning(200, held=20)) == {"burn": "critical"}


def test_the_burn_rate_is_judged_by_what_is_usual_for_this_user():
    usual = learn([2.5] * 60)  # quarter hours of $2.50: $10 an hour
    assert (usual.warning, usual.critical, usual.learned) == (15, 40, True)
    auto = {"burn_warning": "auto", "burn_critical": "auto"}
    assert levels(burning(14.9), learned=usual, **auto) == {}
    assert levels(burning(15), learned=usual, **auto) == {"burn": "warning"}
    assert levels(burning(40), learned=usual, **auto) == {"burn": "critical"}


def test_little_is_learned_from_few_quarter_hours_and_from_cents():
    assert learn([2.5] * 39) == BurnThresholds()
    assert learn([0.0] * 500) == BurnThresholds()
    assert learn([0.01] * 500) == (WARNING_FLOOR, CRITICAL_FLOOR, True)


def test_a_fixed_threshold_of_the_configuration_is_not_learned():
    assert configured(learn([2.5] * 60), 3.0, "auto") == BurnThresholds(3.0, 40, learned=False)


def test_the_burn_rate_names_the_session_that_spends_most():
    five = spent(9, 5)
    sessions = tuple(
        alerts.SessionEvidence(name, project, five_minutes=five._replace(cost=five.cost * part // 4))
        for name, project, part in (("a", "shop", 1), ("b", "docs", 3))
    )
    (alert,) = raised(burning(9), sessions=sessions)
    assert (alert.session, alert.provider) == ("b", "claude-code")
    assert alert.text == "docs: $9.00/h over 5 minutes, 75% of it in this session"


def test_the_context_is_judged_by_how_full_it_is():
    assert levels(percent=79.9) == {}
    assert levels(percent=80.0) == {"context": "warning"}
    assert levels(percent=95.0) == {"context": "critical"}


def quiet(requests=3, output=3, cost=10**11, incomplete=0):
    return Sum(requests=requests, output_tokens=output, cost=cost, incomplete_requests=incomplete)


def test_money_without_output_is_noticed():
    assert levels(five=quiet()) == {"silent": "warning"}


def test_silence_needs_several_requests_money_and_finished_responses():
    assert levels(five=quiet(requests=2)) == {}
    assert levels(five=quiet(output=4)) == {}
    assert levels(five=quiet(cost=0)) == {}
    assert levels(five=quiet(incomplete=1)) == {}  # a placeholder says nothing of the output


def test_silence_is_let_go_only_a_tenth_beyond_a_token_a_request():
    held = raised(five=quiet(requests=20, output=20))
    assert levels(five=quiet(requests=20, output=22), before=held) == {"silent": "warning"}
    assert levels(five=quiet(requests=20, output=23), before=held) == {}
    assert levels(five=quiet(requests=20, output=22)) == {}


def test_money_is_told_as_the_displays_show_it():
    euros = Config(
        config().values | {"billing": "subscription", "currency.symbol": "€", "currency.rate": 0.5}
    )
    evidence = alerts.Evidence(five_minutes=spent(7.5, 5), burn=BurnThresholds(warning=5))
    (alert,) = alerts.evaluate((), euros, NOW, evidence)
    assert alert.text == "≈€3.75/h over 5 minutes"


def cached(hit, requests=5, size=100_000):
    read = int(size * hit / 100)
    return Sum(
        requests=requests, uncached_input_tokens=size - read, cache_read_tokens=read, output_tokens=9999
    )


def test_a_cold_cache_is_noticed():
    assert levels(five=cached(29)) == {"cache": "warning"}
    assert levels(five=cached(30)) == {}


def test_a_cold_cache_and_a_full_context_are_held_to_a_tenth_beyond():
    cold, full = raised(five=cached(29)), raised(percent=80.0)
    assert levels(five=cached(33), before=cold) == {"cache": "warning"}
    assert levels(five=cached(34), before=cold) == {}
    assert levels(percent=72.0, before=full) == {"context": "warning"}
    assert levels(percent=71.9, before=full) == {}


def test_a_cold_cache_needs_evidence():
    assert levels(five=cached(0, requests=4)) == {}
    assert levels(five=cached(0, size=19_999)) == {}


def test_zero_switches_an_alert_off():
    assert levels(burning(99), burn_warning=0, burn_critical=0) == {}
    assert levels(burning(99), burn_warning=5, burn_critical=0) == {"burn": "warning"}
    assert levels(percent=99.0, context_warning=0, context_critical=0) == {}
    assert levels(five=quiet(), silent_requests=0) == {}
    assert levels(five=cached(0), cache_hit_warning=0) == {}


def test_an_alert_lets_go_only_a_tenth_below_its_threshold():
    held = raised(burning(5))
    assert [a.level for a in raised(burning(4.6), before=held)] == ["warning"]
    assert raised(burning(4.4), before=held) == ()
    critical = raised(burning(20))
    assert [a.level for a in raised(burning(18.5), before=critical)] == ["critical"]
    assert [a.level for a in raised(burning(17.5), before=critical)] == ["warning"]
    cold = raised(five=cached(29))
    assert levels(five=cached(32), before=cold) == {"cache": "warning"}
    assert levels(five=cached(34), before=cold) == {}


def test_an_alert_says_since_when():
    first = raised(burning(6))
    later = raised(burning(25), before=first, now=NOW + 60)
    assert [(a.level, a.since) for a in later] == [("critical", NOW)]
    assert raised(burning(6), before=(), now=NOW + 99)[0].since == NOW + 99


def test_the_level_is_the_worst_one():
    found = raised(burning(6), percent=96.0)
    assert [a.level for a in found] == ["warning", "critical"]
    assert alerts.level(found) == "critical"


@given(st.lists(st.floats(0, 40), min_size=2, max_size=40))
def test_a_value_that_stays_within_a_tenth_of_the_edge_changes_the_level_once_at_most(rates):
    before, seen = raised(burning(5)), []
    for rate in rates:
        before = raised(burning(4.51 + rate % 0.48), before=before)
        seen.append([a.level for a in before])
    assert all(level == ["warning"] for level in seen)
