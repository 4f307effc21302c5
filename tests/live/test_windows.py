"""Rolling sums against a plain list of everything that was ever added."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from support.examples import examples

from aitop.live.windows import SPARKLINE_MINUTES, TICKS, WINDOW_SECONDS, Minutes, Total, Windows
from aitop.model.sums import ZERO, Sum

START = 1_790_000_000.0


def value(n):
    return Sum(requests=n, output_tokens=3 * n, cost=10**12 * n + 1, untracked=7 * n)


class Rolling(RuleBasedStateMachine):
    """Additions up to 20 minutes late, corrections of them, ticks up to half an hour apart."""

    def __init__(self):
        super().__init__()
        self.now = START
        self.windows = Windows(self.now)
        self.minutes = Minutes()
        self.all = []

    def add(self, at, one):
        self.windows.add(at, one)
        self.minutes.add(at, one)
        self.all.append((at, one))

    @rule(lag=st.floats(0, 1200), n=st.integers(1, 9))
    def happens(self, lag, n):
        self.add(self.now - lag, value(n))

    @precondition(lambda self: self.all)
    @rule(data=st.data(), n=st.integers(1, 9))
    def is_corrected(self, data, n):
        at, old = data.draw(st.sampled_from(self.all))
        if old.requests > 0:
            self.add(at, Sum(*[-v for v in old]))
            self.all.remove((at, old))
            self.all.remove((at, Sum(*[-v for v in old])))
            self.add(at, value(n))

    @rule(seconds=st.floats(0, 2000))
    def passes(self, seconds):
        self.now += seconds
        self.windows.advance(self.now)

    @rule(seconds=st.floats(0, 100))
    def is_set_back(self, seconds):
        self.windows.advance(self.now - seconds)

    @invariant()
    def holds_what_is_younger_than_the_window_and_nothing_older(self):
        for name, seconds in WINDOW_SECONDS.items():
            certain = [one.requests for at, one in self.all if self.now - at <= seconds]
            possible = [one.requests for at, one in self.all if self.now - at < seconds + 2 / TICKS]
            found = self.windows.sum(name)
            assert sum(certain) <= found.requests <= sum(possible)
            assert found.output_tokens == 3 * found.requests

    @invariant()
    def a_shorter_window_never_holds_more(self):
        sums = [self.windows.sum(name) for name in ("1m", "5m", "15m")]
        assert sums == sorted(sums, key=lambda one: one.requests)

    @invariant()
    def minutes_equal_the_list(self):
        cost, spent, tokens = self.minutes.values(self.now)
        last = int(self.now) // 60
        assert len(cost) == len(tokens) == SPARKLINE_MINUTES
        for back in range(SPARKLINE_MINUTES):
            inside = [one for at, one in self.all if int(at) // 60 == last - back]
            assert cost[-1 - back] == sum(one.cost for one in inside)
            assert spent[-1 - back] == sum(one.spent for one in inside)
            assert tokens[-1 - back] == sum(one.output_tokens for one in inside)


TestRolling = Rolling.TestCase
TestRolling.settings = examples(40, stateful_step_count=30)


def test_at_rest_every_window_runs_empty():
    windows = Windows(START)
    windows.add(START, value(1))
    for name, seconds in WINDOW_SECONDS.items():
        windows.advance(START + seconds)
        assert windows.sum(name) == value(1)
        windows.advance(START + seconds + 2 / TICKS)
        assert windows.sum(name) == ZERO


LENGTHS = {"1m": 60, "5m": 300, "15m": 900}  # seconds


def test_each_window_is_as_long_as_its_name_says():
    assert WINDOW_SECONDS == LENGTHS, "live/windows.py"


@pytest.mark.parametrize("part", [0.0, 0.05, 0.5, 0.95])
@pytest.mark.parametrize(("name", "seconds"), LENGTHS.items())
def test_a_response_stays_until_it_is_as_old_as_the_window_is_long(part, name, seconds):
    windows = Windows(START + 2)
    at = START + part
    windows.add(at, value(1))
    windows.advance(at + seconds - 0.001)
    assert windows.sum(name) == value(1)
    windows.advance(at + seconds + 0.2)
    assert windows.sum(name) == ZERO


def test_a_second_of_the_future_is_the_present_one():
    windows = Windows(START)
    windows.add(START + 500, value(1))
    windows.advance(START + 60)
    assert windows.sum("1m") == value(1)
    windows.advance(START + 60.2)
    assert windows.sum("1m") == ZERO


def test_memory_does_not_grow_with_the_event_rate():
    windows = Windows(START)
    for second in range(3000):
        windows.advance(START + second)
        for _ in range(5):
            windows.add(START + second, value(1))
    assert len(windows._rolling._ring) <= 900 * TICKS + 1


def test_a_total_begins_at_its_moment():
    total = Total(START, value(2))
    total.add(START - 1, value(50))
    total.add(START, value(3))
    assert total.sum() == Sum(*[a + b for a, b in zip(value(2), value(3), strict=True)])
