"""Qwen Code's chats: every call is a telemetry record, and an answer's own usage is the same again."""

import pytest
from support.desk import START, Desk, write
from support.lines import stamp

from aitop.providers.qwen import provider

SESSION, FORK = "85c0792e-f721-41e7-bef5-cebbbf30eb10", "95c0792e-f721-41e7-bef5-cebbbf30eb10"
MODEL = "qwen3-coder-plus"


def record(number, kind, at=0.0, session=SESSION, **more):
    return {"uuid": f"a5f33eb5-15cf-4470-bd80-{number:012d}", "sessionId": session, "timestamp": stamp(START + at),
            "type": kind, "cwd": "/work/shop", "gitBranch": "trunk", "version": "0.15.10", **more}  # fmt: skip


def telemetry(number, name, at=0.0, session=SESSION, **event):
    payload = {"uiEvent": {"event.name": f"qwen-code.{name}", **event}}
    return record(number, "system", at, session, subtype="ui_telemetry", systemPayload=payload)


def call(number, at=1.0, given=9000, cached=6000, output=50, thoughts=20, total=None, **more):
    return telemetry(
        number, "api_response", at, model=MODEL, response_id="chat-1", duration_ms=70, input_token_count=given,
        cached_content_token_count=cached, output_token_count=output, thoughts_token_count=thoughts,
        total_token_count=given + output if total is None else total, **more,
    )  # fmt: skip


def answer(number, at=1.1, calls=False):
    part = {"functionCall": {"id": "call_1", "name": "x", "args": {}}} if calls else {"text": "Hi."}
    usage = {"promptTokenCount": 9000, "candidatesTokenCount": 50, "totalTokenCount": 9050}
    return record(number, "assistant", at, message={"parts": [part]}, usageMetadata=usage, model=MODEL)


def path(tmp_path, session=SESSION):
    return str(tmp_path / "projects" / "-work-shop" / "chats" / f"{session}.jsonl")


@pytest.fixture
def desk(tmp_path):
    return Desk(provider, *provider.folders([str(tmp_path)], {}))


def test_each_call_is_one_response_and_its_answer_adds_nothing(tmp_path, desk):
    write(path(tmp_path), record(1, "user"), call(2), answer(3, calls=True), call(4, 5), answer(5, 5.1))
    total = desk.read().total(SESSION)
    assert (total.requests, total.uncached_input_tokens, total.cache_read_tokens) == (2, 6000, 12_000)
    assert total.output_tokens == 100


def test_a_call_without_an_answer_counts_and_a_sub_agents_does_not_move_the_session(tmp_path, desk):
    write(path(tmp_path), call(1, given=500, cached=0), call(2, 2, subagent_name="explorer"))
    assert desk.read().total(SESSION).requests == 2
    assert desk.db.execute("SELECT count(*) FROM response WHERE agent IS NOT NULL").fetchone() == (1,)


@pytest.mark.parametrize(("total", "output"), [(9050, 50), (9070, 70)])
def test_thoughts_are_inside_the_output_unless_the_total_says_otherwise(tmp_path, desk, total, output):
    write(path(tmp_path), call(1, total=total))
    assert desk.read().total(SESSION).output_tokens == output


def test_a_fork_repeats_the_calls_of_its_source(tmp_path, desk):
    original = [call(1), call(2, 3)]
    forked = {"sessionId": FORK, "forkedFrom": {"sessionId": SESSION, "messageUuid": "x"}}
    write(path(tmp_path, FORK), *(one | forked for one in original), call(3, 9) | {"sessionId": FORK})
    desk.read()
    write(path(tmp_path), *original)
    assert {name: total.requests for name, total in desk.read().totals().items() if total.requests} == {
        SESSION: 2,
        FORK: 1,
    }


def test_a_server_that_numbers_its_responses_anew_repeats_none(tmp_path, desk):
    write(path(tmp_path), call(1), call(2), call(3))
    assert desk.read().total(SESSION).requests == 3


def test_a_chat_that_grows_in_unaligned_steps_counts_the_same(tmp_path, desk):
    lines = [record(1, "user"), call(2), answer(3), call(4, 5)]
    whole = write(tmp_path / "whole", *lines)
    with open(whole, "rb") as file:
        data = file.read()
    for end in range(0, len(data), 151):
        write(path(tmp_path), data[end : end + 151], grow=end > 0)
        desk.read()
    assert desk.read().total(SESSION).requests == 2


def test_tools_errors_compactions_and_facts_of_the_session(tmp_path, desk):
    tool = {"function_name": "run_shell_command", "duration_ms": 7000, "success": False}
    error = {"model": MODEL, "error_type": "RateLimitError", "status_code": 429}
    write(path(tmp_path), record(1, "user"), call(2), telemetry(3, "tool_call", 9, **tool),
          telemetry(4, "api_error", 10, **error), record(5, "system", 11, subtype="chat_compression"))  # fmt: skip
    session = desk.read().session(SESSION)
    assert desk.tools() == [("run_shell_command", 1)]
    assert (session.cwd, session.branch, session.model, session.status) == (
        "/work/shop",
        "trunk",
        MODEL,
        "working",
    )
    assert (desk.total(SESSION).errors, session.compactions) == (1, 1)
    write(path(tmp_path), answer(6, 12), grow=True)
    assert desk.read().session(SESSION).status == "idle"


def test_odd_records_are_nothing(tmp_path, desk):
    odd = [b"{broken\n", record(1, "system", subtype="ui_telemetry", systemPayload=[]), record(2, "assistant"),
           telemetry(3, "api_response", input_token_count="9"), telemetry(4, 7), call(5)]  # fmt: skip
    write(path(tmp_path), *odd)
    assert desk.read().total(SESSION).requests == 1
