"""Copilot CLI's session events: calls where they are told, else shutdown's sums, never both."""

import pytest
from support.copilot_records import MODEL, OTHER, SESSION, call, event, path, shutdown, start
from support.desk import START, Desk, write

from aitop.providers.copilot import provider


@pytest.fixture
def desk(tmp_path):
    return Desk(provider, *provider.folders([str(tmp_path)], {}))


def test_each_call_is_one_response_and_the_shutdown_adds_nothing(tmp_path, desk):
    write(path(tmp_path), start(), call(1), call(2, 3), shutdown(2, given=18_000))
    total = desk.read().total(SESSION)
    assert (total.requests, total.uncached_input_tokens, total.cache_read_tokens) == (2, 6000, 12_000)
    assert total.output_tokens == 100


def test_a_resumed_session_goes_on_counting_its_calls(tmp_path, desk):
    write(path(tmp_path), start(), call(1), shutdown(1))
    desk.read()
    write(path(tmp_path), event("session.resume", 20), call(2, 21), shutdown(2, 30), grow=True)
    assert desk.read().total(SESSION).requests == 2


def test_without_calls_the_sums_of_every_shutdown_are_added(tmp_path, desk):
    write(path(tmp_path), start(), shutdown(2, given=18_001), shutdown(1, 60, START + 50))
    total = desk.read().total(SESSION)
    assert (total.requests, total.input_tokens) == (3, 27_001)


def test_a_shutdown_that_tells_of_the_same_start_replaces_the_earlier(tmp_path, desk):
    write(path(tmp_path), start(), shutdown(2, given=18_000), shutdown(3, 60, given=27_000))
    total = desk.read().total(SESSION)
    assert (total.requests, total.input_tokens) == (3, 27_000)


def test_sums_are_priced_as_requests_of_their_average_size(tmp_path, desk):
    write(path(tmp_path), start(), shutdown(2, given=1_000_001, cached=0))
    desk.read()
    sizes = desk.db.execute("SELECT uncached FROM response ORDER BY uncached").fetchall()
    assert sizes == [(500_000,), (500_001,)]


def answer(output=700, at=2.0, **more):
    return event("assistant.message", at, messageId=f"m{at}", content="x", outputTokens=output, **more)


def test_answers_of_a_session_that_has_not_ended_are_a_lower_bound(tmp_path, desk):
    write(path(tmp_path), start(), answer(700), answer(300, 4))
    total = desk.read().total(SESSION)
    assert (total.requests, total.output_tokens, total.input_tokens) == (2, 1000, 0)
    assert (total.incomplete_requests, total.understated_requests) == (2, 2)
    assert desk.cost(SESSION) == pytest.approx(1000 * 10 / 1e6)


@pytest.mark.parametrize("number", [1, 2, 5])
def test_a_shutdown_replaces_the_answers_of_its_run(tmp_path, desk, number):
    write(path(tmp_path), start(), answer(700), answer(300, 4))
    desk.read()
    write(path(tmp_path), shutdown(number, given=18_000, output=1000), grow=True)
    total = desk.read().total(SESSION)
    assert (total.requests, total.input_tokens, total.output_tokens) == (max(2, number), 18_000, 1000)
    assert (total.incomplete_requests, total.understated_requests) == (0, 0)


def test_the_answers_of_a_resumed_session_are_a_run_of_their_own(tmp_path, desk):
    write(
        path(tmp_path),
        start(),
        answer(700),
        shutdown(1, output=700),
        event("session.resume", 20),
        answer(300, 25),
    )
    total = desk.read().total(SESSION)
    assert (total.requests, total.output_tokens, total.understated_requests) == (2, 1000, 1)
    write(path(tmp_path), shutdown(1, 30, START + 20, output=300), grow=True)
    assert desk.read().total(SESSION).understated_requests == 0


def test_answers_beside_usage_records_count_nothing(tmp_path, desk):
    write(path(tmp_path), start(), call(1), answer(50), shutdown(1))
    assert desk.read().total(SESSION).requests == 1


def test_a_call_copied_into_another_session_counts_for_the_one_that_made_it(tmp_path, desk):
    write(path(tmp_path), start(), call(1))
    write(path(tmp_path, OTHER), start(), call(1, 1), call(1, 50, OTHER))
    assert {n: t.requests for n, t in desk.read().totals().items()} == {SESSION: 1, OTHER: 1}


def test_the_session_knows_its_folder_branch_model_status_and_window(tmp_path, desk):
    write(path(tmp_path), start(), event("user.message", 1), call())
    session = desk.read().session(SESSION)
    assert (session.cwd, session.branch, session.model) == ("/work/shop", "trunk", MODEL)
    assert (session.status, session.context_tokens, session.context_limit) == ("working", 9000, 128_000)
    write(path(tmp_path), shutdown(), grow=True)
    assert desk.read().session(SESSION).status == "ended"


def test_tools_errors_and_compactions_are_told(tmp_path, desk):
    write(path(tmp_path), start(), event("tool.execution_start", 1, toolCallId="c1", toolName="bash"),
          event("tool.execution_complete", 3, toolCallId="c1", success=False),
          event("session.error", 4, errorType="rate_limit"), event("session.compaction_complete", 5))  # fmt: skip
    session = desk.read().session(SESSION)
    assert (session.total.errors, session.compactions) == (1, 1)
    assert desk.tools() == [("bash", 1)]


def test_odd_lines_are_nothing(tmp_path, desk):
    write(path(tmp_path), start(), b"{broken\n", b"broken\n", event("session.usage_record", usage=[]),
          event("session.shutdown", modelMetrics={MODEL: 3, "": {}, "x": {"usage": {"inputTokens": "9"}}}), call())  # fmt: skip  # noqa: E501
    assert desk.read().total(SESSION).requests == 1
