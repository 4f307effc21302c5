"""What a setting really saved: examples worked out by hand, and how often the interval holds the truth."""

import random
from datetime import date, timedelta

import pytest

from aitop.advice import measured
from aitop.advice.record import Call, Record
from aitop.model.events import Usage
from aitop.model.sums import PICO

DAY = measured.DAY
APPLIED = 1_792_022_400.0
NOW = APPLIED + 8 * DAY
FIRST = date(2026, 9, 1)


def call(at, cost=1.0, output=1000, model="claude-opus-5-5", agent=None, priced=True):
    return Call(at, model, Usage(0, output, 0, 0, 0), int(cost * PICO), priced, agent)


def session(*calls):
    return Record("s", "shop", list(calls), [], [], "claude-code")


def halves(rule, *records, start=APPLIED - 28 * DAY):
    return measured.days(measured.UNITS[rule], records, start, APPLIED, NOW)


def series(*costs, kind="", units=1.0, first=FIRST):
    """A day for each cost in USD."""
    return {first + timedelta(days=n): {kind: (int(cost * PICO), units)} for n, cost in enumerate(costs)}


def usd(picodollars):
    return picodollars / PICO


def test_the_saving_is_what_the_new_work_would_have_cost_less_what_it_cost():
    found = measured.measure(series(2, 2, 2, 2), series(1, 1, 1, 1, 1))
    # five units at 2 USD would have cost 10 and cost 5; without any scatter the interval is a point
    assert [usd(value) for value in found[2:7]] == [5, 10, 5, 5, 5]
    assert (found.days_before, found.days_after, found.left_out) == (4, 5, 0)


def test_a_busy_week_is_no_dear_one():
    quiet, busy = series(2, 2, 2, 2), series(6, 6, 6, 6, units=3.0)
    assert measured.measure(quiet, busy).saving == pytest.approx(0)


def test_the_interval_is_worked_out_by_hand():
    before, after = series(1, 2, 3, 4), series(1, 1, 1, 1)
    found = measured.measure(before, after)
    # R = 2.5 a unit. Leaving out 1, 2, 3, 4 leaves R = 3, 8/3, 7/3, 2; share = 1 - 1/R: 2/3, 5/8, 4/7, 1/2.
    shares = [2 / 3, 5 / 8, 4 / 7, 1 / 2]
    mean = sum(shares) / 4
    variance = 3 / 4 * sum((share - mean) ** 2 for share in shares)
    margin = 10 * 3.182 * variance**0.5  # 3 degrees of freedom: only the days before scatter
    assert usd(found.saving) == pytest.approx(6)
    assert usd(found.low) == pytest.approx(6 - margin)
    assert usd(found.high) == pytest.approx(6 + margin)


def test_each_model_is_compared_with_itself():
    def days(**kinds):
        return {
            FIRST + timedelta(days=n): {kind: (int(c * PICO), u) for kind, (c, u) in kinds.items()}
            for n in range(4)
        }

    # all the work moved to the cheap model, which costs what it cost before
    before, after = days(dear=(10, 1), cheap=(1, 1)), days(cheap=(2, 2))
    assert measured.measure(before, after).saving == pytest.approx(0)
    found = measured.measure(days(dear=(10, 1)), days(dear=(5, 1), new=(3, 1)))
    assert usd(found.saving) == pytest.approx(20)
    assert usd(found.left_out) == pytest.approx(12)
    assert measured.measure(days(dear=(10, 1)), days(new=(3, 1))) is None


@pytest.mark.parametrize(("old", "new"), [(3, 9), (9, 3), (0, 9), (9, 0)])
def test_with_few_days_it_says_nothing(old, new):
    assert measured.measure(series(*[2] * old), series(*[1] * new)) is None


def test_days_without_cost_before_say_nothing():
    assert measured.measure(series(0, 0, 0, 0), series(1, 1, 1, 1)) is None


@pytest.mark.parametrize(("effect", "days"), [(0.0, 7), (0.3, 7), (0.0, 28), (-0.5, 14)])
def test_the_interval_holds_the_true_saving_nearly_nineteen_times_of_twenty(effect, days):
    """Days of log-normal cost a unit and uneven work, as real ones are."""
    dice = random.Random(7)

    def side(count, level):
        out = {}
        for n in range(count):
            units = dice.randint(1, 20)
            out[FIRST + timedelta(days=n)] = {
                "": (int(level * dice.lognormvariate(0, 0.5) * units * PICO), units)
            }
        return out

    held = 0
    tries = 400
    for _ in range(tries):
        found = measured.measure(side(28, 1.0), side(days, 1.0 - effect))
        held += found.low <= effect * found.expected <= found.high
    assert 0.90 <= held / tries <= 0.99


def test_a_run_of_a_sub_agent_is_one_unit_on_the_day_it_began():
    late = APPLIED - 2 * DAY + 3600 * 12
    record = session(call(late, agent="a"), call(late + 60, agent="a"), call(late, agent="b"), call(late))
    before, after = halves("subagent-model", record)
    assert [list(day.values()) for day in before.values()] == [[(3 * PICO, 2.0)]]
    assert after == {}


def test_a_run_with_an_unpriced_request_and_the_client_s_own_agents_are_left_out():
    at = APPLIED + 60
    record = session(call(at, agent="a"), call(at, agent="a", priced=False), call(at, agent="acompact-1"))
    assert halves("subagent-model", record) == ({}, {})


def test_the_main_thread_is_counted_by_output_and_model():
    record = session(
        call(APPLIED + 60, output=500), call(APPLIED + 70, output=1500), call(APPLIED + 80, agent="a")
    )
    _, after = halves("short-cache", record)
    assert list(after.values()) == [{"claude-opus-5-5": (2 * PICO, 2.0)}]
    _, after = halves("older-model", record)
    assert [list(day) for day in after.values()] == [["opus"]]


def test_a_session_that_was_open_when_it_was_applied_counts_for_neither_side():
    assert halves("short-cache", session(call(APPLIED - 60), call(APPLIED + 60))) == ({}, {})


def test_days_beyond_either_end_are_left_out():
    far = session(call(APPLIED - 29 * DAY)), session(call(NOW))
    assert halves("short-cache", *far) == ({}, {})


SURE = measured.Measured(9, 9, 1, 2.0, 1.0, 0.5, 1.5, 0)


@pytest.mark.parametrize(
    ("found", "age", "said"),
    [
        (SURE, 6.9, "waiting"),
        (SURE, 7, "saved"),
        (None, 7, "too few days"),
        (SURE._replace(low=-0.1), 7, "unclear"),
        (SURE._replace(low=-0.1), 28, "nothing"),
        (SURE._replace(saving=-1.0, low=-2.0, high=0.1), 7, "nothing"),
        (SURE._replace(saving=0.0, low=0.0, high=0.0), 7, "nothing"),
    ],
)
def test_the_verdict(found, age, said):
    assert measured.verdict(found, APPLIED, APPLIED + age * DAY) == said
