"""A report beside a listener: how long it waits for what was just written."""

import itertools
import time

import pytest

from aitop import state as published
from aitop.reports import catchup

UNTIL = 1_790_000_000.0


@pytest.fixture
def wait(monkeypatch):
    """`wait(until, *states)`: the state that the wait ended with. A state: (when it was published, complete)."""

    def waiting(until, *states):
        seen = []

        def read():
            at, complete = states[min(len(seen), len(states) - 1)]
            seen.append(at)
            return {"written_at": at, "scan": {"complete": complete, "done_bytes": 0, "total_bytes": 1},
                    "coverage": {"clients": {}}}  # fmt: skip

        clock = itertools.count(0.0, 0.1)
        monkeypatch.setattr(published, "read", read)
        monkeypatch.setattr(time, "time", lambda: UNTIL)
        monkeypatch.setattr(time, "sleep", lambda _: None)
        monkeypatch.setattr(time, "monotonic", lambda: next(clock))
        assert catchup._wait_for_listener("/no/lock", lambda *_: None, until) == {}
        return seen[-1]

    return waiting


def test_a_report_takes_a_listener_at_its_word_that_everything_is_read(wait):
    assert wait(0.0, (UNTIL - 5, False), (UNTIL - 4, True), (UNTIL + 9, True)) == UNTIL - 4


def test_what_was_written_until_a_moment_is_read_one_whole_second_after_it(wait):
    states = [(UNTIL + after, True) for after in (-1.2, -0.2, 0.8, 0.8, 1.8, 2.8)]
    assert wait(UNTIL, *states) == UNTIL + 1.8


def test_a_listener_that_still_reads_is_waited_for(wait):
    states = [(UNTIL + after, after > 2) for after in (0.8, 1.8, 2.8, 3.8)]
    assert wait(UNTIL, *states) == UNTIL + 2.8


def test_a_clock_that_was_set_back_holds_no_report_up(wait):
    assert wait(UNTIL, (UNTIL - 5, False), *[(UNTIL - 5, True)] * 200) == UNTIL - 5
