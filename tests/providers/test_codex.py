"""Codex's rollouts: what one response is, whose it is, and what it cost."""

import json

import pytest
from support.codex_records import (
    CHILD,
    MODEL,
    PARENT,
    SIBLING,
    A,
    B,
    C,
    count,
    event,
    item,
    line,
    meta,
    path,
    record,
    tokens,
    turn,
)
from support.desk import Desk, write

from aitop.model.events import Place, Response
from aitop.providers.codex import provider, rollout


@pytest.fixture
def desk(tmp_path):
    return Desk(provider, *provider.folders([str(tmp_path)], {}))


def test_a_usage_record_is_one_response_with_the_cache_taken_out_of_its_input(tmp_path, desk):
    write(path(tmp_path), meta(), turn(), record("resp_1", tokens(900, 600, 50, 20, written=100)))
    total = desk.read().total(PARENT)
    assert (total.requests, total.uncached_input_tokens, total.cache_read_tokens) == (1, 200, 600)
    assert (total.cache_write_5m_tokens, total.output_tokens) == (100, 50)


def test_reasoning_is_a_part_of_the_output_and_not_paid_twice(tmp_path, desk):
    write(path(tmp_path), meta(), turn(), record("resp_1", A))
    assert desk.read().total(PARENT).output_tokens == 50
    assert desk.db.execute("SELECT reasoning FROM response").fetchone() == (20,)
    assert desk.cost(PARENT) == pytest.approx((300 * 1.25 + 600 * 0.125 + 50 * 10) / 1e6)


def test_a_token_count_beside_its_usage_record_counts_nothing(tmp_path, desk):
    write(path(tmp_path), meta(), turn(), record("r1", A), count(A), record("r2", B, A), count(B, A))
    total = desk.read().total(PARENT)
    assert (total.requests, total.input_tokens) == (2, 2400)


def test_a_token_count_in_front_of_its_usage_record_counts_once_with_it(tmp_path, desk):
    write(path(tmp_path), meta(), turn(), count(A), record("r1", A), count(B, A), record("r2", B, A))
    assert desk.read().total(PARENT).requests == 2


def test_a_rollout_begun_by_an_older_version_goes_on_with_records(tmp_path, desk):
    write(path(tmp_path), meta(), turn(), count(A), event("task_complete"), record("r2", B, A), count(B, A))
    assert desk.read().total(PARENT).input_tokens == 2400


def test_equal_response_ids_of_two_threads_are_two_responses(tmp_path, desk):
    write(path(tmp_path), meta(), turn(), record("r1", A))
    write(path(tmp_path, CHILD), meta(CHILD), turn(), record("r1", A, thread=CHILD))
    assert {name: total.requests for name, total in desk.read().totals().items()} == {PARENT: 1, CHILD: 1}


@pytest.mark.parametrize("name", ["resp_0", "resp_0123456789abcdef0123456789abcdef"])
def test_one_constant_id_of_a_relay_is_several_responses(tmp_path, desk, name):
    repeated = [record(name, A), record(name, A), record(name, B, A), record(name, C, A, B)]
    write(path(tmp_path), meta(), turn(), *repeated[:3])
    desk.read()
    write(path(tmp_path), repeated[3], grow=True)
    total = desk.read().total(PARENT)
    assert (total.requests, total.input_tokens) == (3, 4500)


def test_a_server_that_counts_its_ids_anew_after_a_restart_repeats_no_response(tmp_path, desk):
    write(
        path(tmp_path), meta(), turn(), record("resp_1", A), record("resp_2", B, A), record("resp_1", C, A, B)
    )
    assert desk.read().total(PARENT).input_tokens == 4500


def test_repeated_token_counts_are_one_response(tmp_path, desk):
    repeated = [count(A, at=n) for n in range(4)]
    empty = event("token_count", 5, info=None, rate_limits=None)
    write(path(tmp_path), meta(), turn(), empty, *repeated, empty, count(B, A, at=6))
    assert desk.read().total(PARENT).requests == 2


def test_a_token_count_without_the_last_usage_is_the_difference_of_the_totals(tmp_path, desk):
    first, second = count(A), count(B, A)
    del first["payload"]["info"]["last_token_usage"], second["payload"]["info"]["last_token_usage"]
    write(path(tmp_path), meta(), turn(), first, second)
    assert desk.read().total(PARENT).input_tokens == 2400


def test_a_total_that_begins_above_its_last_usage_counts_the_last_usage(tmp_path, desk):
    write(path(tmp_path), meta(), turn(), count(A, total=tokens(99_000, 600, 50, 20)))
    assert desk.read().total(PARENT).input_tokens == 900


@pytest.mark.parametrize("order", ["parent first", "child first"])
def test_a_replayed_parent_counts_once_and_for_the_parent(tmp_path, desk, order):
    """The child begins with its own meta, then copies its parent's with new times; its count starts at 0 again."""
    parent = [meta(), turn(), count(A), count(B, A)]
    child = [meta(CHILD, at=100), meta(PARENT, at=106), turn(106), count(A, at=106), count(B, A, at=106.1),
             turn(130), count(C, at=140)]  # fmt: skip
    files = [(path(tmp_path), parent), (path(tmp_path, CHILD), child)]
    for name, lines in files if order == "parent first" else reversed(files):
        write(name, *lines)
        desk.read()
    totals = desk.totals()
    assert (totals[PARENT].input_tokens, totals[CHILD].input_tokens) == (2400, 2100)


def test_a_fork_that_names_its_parent_counts_only_what_is_its_own(tmp_path, desk):
    write(path(tmp_path), meta(), turn(), count(A), count(B, A))
    write(path(tmp_path, CHILD), meta(CHILD, 50, forked_from_id=PARENT), turn(50), count(A, at=51), count(B, A, at=52),
          count(B, A, at=53), count(C, A, B, at=54))  # fmt: skip
    assert {n: t.input_tokens for n, t in desk.read().totals().items()} == {PARENT: 2400, CHILD: 2100}


def test_forks_of_forks_count_every_response_once(tmp_path, desk):
    write(path(tmp_path), meta(), turn(), count(A))
    write(
        path(tmp_path, CHILD),
        meta(CHILD, 50, forked_from_id=PARENT),
        turn(50),
        count(A, at=51),
        count(B, A, at=52),
    )
    write(path(tmp_path, SIBLING), meta(SIBLING, 90, forked_from_id=CHILD), turn(90), count(A, at=91), count(B, A, at=92),  # noqa: E501
          count(C, A, B, at=93))  # fmt: skip
    totals = {n: t.input_tokens for n, t in desk.read().totals().items()}
    assert totals == {PARENT: 900, CHILD: 1500, SIBLING: 2100}


def test_two_forks_of_a_parent_that_is_gone_share_its_history_once(tmp_path, desk):
    for thread, own in ((CHILD, B), (SIBLING, C)):
        write(
            path(tmp_path, thread),
            meta(thread, 50, forked_from_id=PARENT),
            turn(50),
            count(A, at=51),
            count(own, A, at=60),
        )
    assert sum(t.input_tokens for t in desk.read().totals().values()) == 900 + 1500 + 2100


def test_the_first_requests_of_unrelated_sessions_may_be_equal(tmp_path, desk):
    for thread in (PARENT, CHILD):
        write(path(tmp_path, thread), meta(thread), turn(), count(A))
    assert [t.requests for t in desk.read().totals().values()] == [1, 1]


def test_a_sub_agent_counts_to_the_session_that_started_it(tmp_path, desk):
    spawn = {"subagent": {"thread_spawn": {"parent_thread_id": PARENT, "depth": 1}}}
    write(path(tmp_path), meta(), turn(), record("r1", A))
    write(
        path(tmp_path, CHILD),
        meta(CHILD, source=spawn, cwd="/elsewhere"),
        turn(),
        record("r2", B, thread=CHILD),
        count(B),
    )
    session = desk.read().session(PARENT)
    assert list(desk.totals()) == [PARENT]
    assert (session.total.requests, session.agents, session.context_tokens, session.cwd) == (
        2,
        {CHILD},
        900,
        "/work/shop",
    )


def test_a_rollout_is_read_on_where_it_was_left(tmp_path, desk):
    name = path(tmp_path)
    write(name, meta(), turn(), count(A))
    desk.read()
    write(name, count(A, at=1), count(B, A, at=2), grow=True)
    total = desk.read().total(PARENT)
    assert (total.requests, total.unpriced_requests) == (2, 0)


@pytest.mark.parametrize("at_once", [True, False])
def test_a_turns_time_to_its_first_token_is_that_of_its_first_response(tmp_path, desk, at_once):
    begun = [meta(), turn(), event("task_started", 1), record("r1", A, at=2), record("r2", B, A, at=3)]
    done = event("task_complete", 4, time_to_first_token_ms=620, duration_ms=4100)
    write(path(tmp_path), *begun, *([done] if at_once else []))
    desk.read()
    if not at_once:
        write(path(tmp_path), done, grow=True)
        desk.read()
    found = desk.db.execute("SELECT cache_read, ttft_ms FROM response ORDER BY at").fetchall()
    assert found == [(600, 620), (1000, None)]


def test_a_turn_without_a_response_tells_nothing_of_the_one_before(tmp_path, desk):
    write(
        path(tmp_path), meta(), turn(), event("task_started", 1), record("r1", A, at=2), event("task_complete", 3),
        event("task_started", 4), event("turn_aborted", 5, time_to_first_token_ms=9),
    )  # fmt: skip
    desk.read()
    assert desk.db.execute("SELECT ttft_ms FROM response").fetchall() == [(None,)]


def test_a_model_nobody_named_is_unpriced_and_listed(tmp_path, desk):
    write(path(tmp_path), meta(), count(A))
    assert desk.read().total(PARENT).unpriced_requests == 1
    assert desk.changes.models == {("unknown", 2)}


def test_the_session_knows_its_folder_branch_model_and_gauge(tmp_path, desk):
    write(
        path(tmp_path),
        meta(),
        turn(),
        event("task_started"),
        count(A),
        count(B, A, at=3),
        event("task_complete", 4),
    )
    s = desk.read().session(PARENT)
    assert (s.cwd, s.branch, s.model, s.status) == ("/work/shop", "trunk", MODEL, "idle")
    assert (s.context_tokens, s.context_limit) == (1570, 258_400)


def test_tool_calls_end_fail_and_take_their_time(tmp_path, desk):
    write(path(tmp_path), meta(), turn(), item("function_call", 1, name="shell", call_id="call_1"),
          item("function_call_output", 3, call_id="call_1", output='{"output":"","metadata":{"exit_code":2}}'),
          item("custom_tool_call", 4, name="apply_patch", call_id="call_2"),
          item("custom_tool_call_output", 5, call_id="call_2", output="Exit code: 0\nSuccess"),
          item("web_search_call", 6, id="ws_1"))  # fmt: skip
    desk.read()
    assert desk.tools() == [("shell", 1), ("apply_patch", 0), ("web_search", 0)]
    assert [latency[2] for latency in desk.changes.latencies] == [2000, 1000]


def test_a_call_that_ends_in_a_later_reading_is_one_call(tmp_path, desk):
    name = path(tmp_path)
    write(name, meta(), turn(), item("function_call", 1, name="shell", call_id="call_1"))
    desk.read()
    write(
        name,
        item("function_call_output", 3, call_id="call_1", output="Process exited with code 1"),
        grow=True,
    )
    desk.read()
    assert desk.tools() == [("shell", 1)]


def test_failed_requests_and_compactions_are_counted(tmp_path, desk):
    write(path(tmp_path), meta(), turn(), event("error", 1, message="x", codex_error_info="usage_limit_exceeded"),
          line("compacted", {"message": ""}, 2))  # fmt: skip
    session = desk.read().session(PARENT)
    assert (session.total.errors, session.compactions) == (1, 1)


def test_lines_that_are_no_json_are_counted_and_skipped(tmp_path, desk):
    write(path(tmp_path), meta(), b"{broken\n", turn(), record("r1", A))
    assert desk.read().total(PARENT).requests == 1
    assert desk.history.bad_lines == 1


@pytest.mark.parametrize(
    "odd", [{}, {"info": []}, {"info": {"total_token_usage": 7}}, {"rate_limits": {"primary": 3}}]
)
def test_odd_token_counts_are_nothing(tmp_path, desk, odd):
    write(path(tmp_path), meta(), turn(), event("token_count", **odd))
    assert desk.read().total(PARENT).requests == 0


def settings(at=0.0, **more):
    return event("thread_settings_applied", at, thread_settings={"model": MODEL, **more})


@pytest.mark.parametrize(
    ("told", "tier"),
    [("priority", "priority"), ("fast", "priority"), ("flex", "flex"), ("default", ""), (None, "")],
)
def test_a_service_tier_is_that_of_the_settings(tmp_path, told, tier):
    lines = [meta(), turn(), settings(service_tier=told), record("r1", A)]
    data = b"".join(json.dumps(one).encode() + b"\n" for one in lines)
    (found,) = (
        one for one in rollout.parse(data, 0, rollout.identify("x")).events if isinstance(one, Response)
    )
    assert found.usage.tier == tier


def test_a_tier_costs_its_own_price_until_a_later_setting_takes_it_back(tmp_path, desk):
    begun = [meta(), turn(model="gpt-5.4"), settings(service_tier="priority"), record("r1", A)]
    write(path(tmp_path), *begun)
    fast = desk.read().cost(PARENT)
    write(path(tmp_path), record("r2", B, A), grow=True)
    both = desk.read().cost(PARENT)
    write(path(tmp_path), settings(), record("r3", B, A, B), grow=True)
    standard = desk.read().cost(PARENT) - both
    assert both - fast == pytest.approx(2 * standard)


def test_a_response_keeps_its_tier_when_its_turn_ends(tmp_path, desk):
    write(path(tmp_path), meta(), turn(model="gpt-5.4"), event("task_started"), settings(service_tier="flex"),
          record("r1", A))  # fmt: skip
    flex = desk.read().cost(PARENT)
    write(path(tmp_path), settings(), event("task_complete", 3, time_to_first_token_ms=300), grow=True)
    assert desk.read().cost(PARENT) == flex


@pytest.mark.parametrize("name", ["ollama", "lmstudio"])
def test_a_model_on_this_machine_costs_nothing(tmp_path, desk, name):
    write(path(tmp_path), meta(model_provider=name), turn(), record("r1", A))
    total = desk.read().total(PARENT)
    assert (total.requests, total.input_tokens, total.cost, total.unpriced_requests) == (1, 900, 0, 0)


def test_a_session_may_leave_the_model_on_this_machine(tmp_path, desk):
    write(path(tmp_path), meta(model_provider="ollama"), turn(), record("r1", A),
          settings(model_provider_id="openai"), record("r2", B, A))  # fmt: skip
    assert desk.read().cost(PARENT) == pytest.approx((500 * 1.25 + 1000 * 0.125 + 70 * 10) / 1e6)


def test_a_response_belongs_to_the_folder_of_its_own_turn():
    elsewhere = line("turn_context", {"model": MODEL, "cwd": "/work/lab"})
    lines = [meta(), turn(), record("r1", A), elsewhere, record("r2", B, A)]
    data = b"".join(json.dumps(one).encode() + b"\n" for one in lines)
    parsed = rollout.parse(data, 0, rollout.identify("x"))
    places = [one.place for one in parsed.events if isinstance(one, Response)]
    assert places == [Place("/work/shop", "trunk"), Place("/work/lab", None)]


def test_the_notes_of_a_rollout_stay_short_however_many_threads_it_descends_from(tmp_path):
    many = [meta(f"01990000-aaaa-7000-8000-{n:012d}", at=n) for n in range(100)]
    lines = [*many, turn(), event("task_started"), count(A)]
    data = b"".join(json.dumps(one).encode() + b"\n" for one in lines)
    assert len(rollout.parse(data, 0, rollout.identify("x")).pending) < 4096


def test_a_rollout_without_a_meta_belongs_to_the_thread_of_its_name():
    found = rollout.parse(json.dumps(count(A)).encode() + b"\n", 0, rollout.identify(path_of(PARENT)))
    assert found.session == PARENT


def path_of(thread):
    return f"/x/sessions/rollout-2026-09-21T12-00-00-{thread}.jsonl"
