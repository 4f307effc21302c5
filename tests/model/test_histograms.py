"""How long responses take: percentiles from counts, windows that forget, and what the history keeps of it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.lines import START, assistant
from support.worlds import NOW, SESSIONS, Book

from aitop.history.query import recent
from aitop.live.windows import TimingWindows
from aitop.model.events import Response, Timing, Usage
from aitop.model.histograms import Timings, steps, unpacked
from aitop.model.sums import PICO

A = SESSIONS[0]
FILE = f"/p/-w/{A}.jsonl"
MEASURED = st.builds(
    Timing, st.none() | st.floats(0, 1e7), st.none() | st.floats(0, 1e6), st.integers(0, 100_000)
)


def told(*timings):
    found = Timings()
    for timing in timings:
        found.add(steps(timing), 1)
    return found


@given(st.lists(st.floats(0.01, 1e7), min_size=1, max_size=60), st.sampled_from([0.01, 0.5, 0.95, 1.0]))
def test_a_percentile_is_within_its_step_of_the_true_one(durations, part):
    true = sorted(durations)[max(0, math.ceil(part * len(durations)) - 1)]
    found = told(*(Timing(value, None, 0) for value in durations)).percentile(0, part)
    assert found == pytest.approx(true, rel=0.0222)


@given(st.lists(MEASURED), st.lists(MEASURED))
def test_what_is_taken_back_was_never_there(kept, gone):
    found = told(*kept, *gone)
    for timing in gone:
        found.add(steps(timing), -1)
    assert found.counts == told(*kept).counts


@given(st.lists(MEASURED), st.lists(MEASURED), st.sampled_from([0.5, 0.95]), st.sampled_from([0, 1, 2]))
def test_a_percentile_that_was_asked_for_before_follows_what_is_added_and_taken_away(
    some, more, part, metric
):
    found = told(*some)
    found.percentile(metric, part)
    for timing in more:
        found.add(steps(timing), 1)
    assert found.percentile(metric, part) == told(*some, *more).percentile(metric, part)
    found.take_away(told(*more))
    assert found.percentile(metric, part) == told(*some).percentile(metric, part)


@given(st.lists(MEASURED))
def test_packed_and_unpacked_is_the_same(timings):
    found = told(*timings)
    assert unpacked(found.packed()).counts == found.counts


@given(st.lists(st.tuples(st.integers(0, 1200), MEASURED), max_size=30), st.integers(0, 2500))
def test_a_window_holds_what_happened_in_its_seconds(happened, later):
    windows = TimingWindows(START)
    for ago, timing in happened:
        windows.add(START - ago - 0.5, timing, 1)
    windows.advance(START + later)
    for name, span in (("1m", 60), ("5m", 300), ("15m", 900)):
        inside = [timing for ago, timing in happened if ago + 0.5 + later < span]
        assert windows.window(name).counts == told(*inside).counts


def test_speed_is_tokens_by_the_time_they_streamed_in():
    assert told(Timing(3000, 1000, 100)).percentile(2, 0.5) == pytest.approx(50, rel=0.0222)
    assert told(Timing(2000, None, 100)).percentile(2, 0.5) == pytest.approx(50, rel=0.0222)
    assert told(Timing(None, 500, 100)).percentile(2, 0.5) is None
    assert told(Timing(500, 500, 100)).percentile(2, 0.5) is None


def test_odd_numbers_are_nobodys_measurement():
    assert steps(Timing(math.nan, -1.0, 5)) == (None, None, None)
    assert told(Timing(math.inf, 0.0, 0)).timed() == 1


# -- the history --------------------------------------------------------


@pytest.fixture
def book(tmp_path):
    found = Book(tmp_path / "history.db")
    yield found
    found.db.close()


def measured(**more):
    """A request as telemetry tells it: whole, timed and billed, with the request's id only."""
    whole = {"duration_ms": 2000.0, "ttft_ms": 400.0, "billed_usd": 0.5}
    return Response(A, START + 2, "claude-opus-4-6", Usage(10, 80), None, "r1", **(whole | more))


def line(**more):
    return assistant("m1", START + 1, request_id="r1", **more)


@pytest.mark.parametrize("first", ["telemetry", "transcript"])
def test_telemetry_and_transcript_tell_of_one_response(book, first):
    deeds = [lambda: book.apply(measured()), lambda: book.feed(FILE, [line()])]
    for deed in deeds if first == "telemetry" else deeds[::-1]:
        deed()
        book.commit()
    total = book.totals()[A]
    assert (total.requests, total.cost) == (1, PICO // 2)
    assert recent.timed(book.db, 0.0)[0][0] == START + 1
    assert recent.timed(book.db, 0.0)[0][2][:2] == (2000.0, 400.0)
    assert book.history.session("claude-code", A).timings.timed() == 1


def test_a_transcript_has_the_word_on_tokens(book):
    book.apply(measured())
    book.feed(FILE, [line()])
    book.commit()
    alone = Book()
    alone.feed(FILE, [line()])
    alone.commit()
    assert book.totals()[A].output_tokens == alone.totals()[A].output_tokens != 80
    alone.db.close()


def test_telemetry_has_the_word_where_a_transcript_stops_half_way(book):
    book.feed(FILE, [line(stop=None)])
    book.apply(measured())
    book.commit()
    assert book.totals()[A].output_tokens == 80


def test_a_call_that_only_telemetry_tells_of_costs_what_it_says(book):
    book.apply(measured(agent=""))
    book.commit()
    session = book.history.session("claude-code", A)
    assert (book.totals()[A].cost, session.agents, session.context_tokens) == (PICO // 2, set(), None)


def test_the_same_request_told_again_counts_once(book):
    book.apply(measured())
    book.commit()
    book.apply(measured(), measured())
    book.commit()
    assert book.totals()[A].requests == 1
    assert book.history.session("claude-code", A).timings.timed() == 1


@pytest.mark.parametrize("usd", [-1.0, 1e9, math.nan])
def test_an_absurd_bill_is_not_believed(book, usd):
    book.apply(measured(billed_usd=usd))
    book.commit()
    assert 0 < book.totals()[A].cost < PICO // 10


def test_new_prices_leave_alone_what_the_client_billed(book):
    book.apply(measured())
    book.commit()
    book.adopt()
    assert book.history.reprice(0, 10, NOW) is None
    book.commit()
    assert book.totals()[A].cost == PICO // 2


def test_latencies_survive_a_restart(book):
    book.apply(measured())
    book.commit()
    book.restart()
    assert book.history.session("claude-code", A).timings.percentile(1, 0.5) == pytest.approx(400, rel=0.03)
