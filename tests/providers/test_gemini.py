"""Gemini CLI's chats and hooks: one message is one response, whatever is written of it later."""

import json

import pytest
from support.desk import START, Desk, write
from support.gemini_records import MODEL, SESSION, call, header, message, path
from support.lines import stamp

from aitop.model.events import Status
from aitop.providers.gemini import provider


@pytest.fixture
def desk(tmp_path):
    return Desk(provider, *provider.folders([str(tmp_path)], {}))


def test_results_of_built_in_tools_are_billed_as_input(tmp_path, desk):
    tokens = {"input": 151, "output": 1089, "cached": 0, "thoughts": 1120, "tool": 18_329, "total": 20_689}
    write(path(tmp_path), header(), message(tokens=tokens))
    total = desk.read().total(SESSION)
    assert (total.input_tokens, total.output_tokens) == (18_480, 2209)


def test_thoughts_are_billed_beside_the_output_and_the_cache_inside_the_input(tmp_path, desk):
    write(path(tmp_path), header(), message())
    total = desk.read().total(SESSION)
    assert (total.requests, total.uncached_input_tokens, total.cache_read_tokens, total.output_tokens) == (
        1,
        400,
        800,
        70,
    )
    assert desk.cost(SESSION) == pytest.approx((400 * 0.3 + 800 * 0.03 + 70 * 2.5) / 1e6)


def test_a_message_written_again_is_the_same_response_and_its_last_line_stands(tmp_path, desk):
    write(path(tmp_path), header(), message(output=1), message(output=40, toolCalls=[call()]))
    assert (desk.read().total(SESSION).requests, desk.total(SESSION).output_tokens) == (1, 70)
    write(path(tmp_path), message(output=60, toolCalls=[call()]), grow=True)
    assert (desk.read().total(SESSION).requests, desk.total(SESSION).output_tokens) == (1, 90)


def test_what_is_rewound_stays_paid(tmp_path, desk):
    write(path(tmp_path), header(), message(), message("m2", 5), {"$rewindTo": "m1"}, message("m3", 9))
    assert desk.read().total(SESSION).requests == 3


def test_messages_set_all_at_once_count_too(tmp_path, desk):
    write(path(tmp_path), header(), {"$set": {"messages": [message(), message("m2")]}}, message("m2"))
    assert desk.read().total(SESSION).requests == 2


def test_a_sub_agent_counts_to_its_session_and_leaves_the_gauge_alone(tmp_path, desk):
    write(path(tmp_path), header(), message())
    write(
        path(tmp_path, f"{SESSION}/agent-7.jsonl"),
        header(sessionId="agent-7", kind="subagent"),
        message("m9", 5),
    )
    session = desk.read().session(SESSION)
    assert (list(desk.totals()), session.total.requests, session.agents) == ([SESSION], 2, {"agent-7"})
    assert session.context_at == START


def test_an_older_chat_in_one_document_counts_and_grows(tmp_path, desk):
    name = path(tmp_path, "session-2026-09-21T12-00-603114b0.json")
    write(name, json.dumps(header(messages=[message()]), indent=1).encode())
    assert desk.read().total(SESSION).requests == 1
    write(name, json.dumps(header(messages=[message(), message("m2", 4)]), indent=1).encode())
    assert desk.read().total(SESSION).requests == 2


def test_a_document_caught_half_written_is_read_again(tmp_path, desk):
    name = path(tmp_path, "session-2026-09-21T12-00-603114b0.json")
    whole = json.dumps(header(messages=[message()])).encode()
    write(name, whole[:-40])
    assert desk.read().totals() == {}
    write(name, whole)
    assert desk.read().total(SESSION).requests == 1
    assert desk.history.bad_lines == 0


def test_tools_failures_and_errors_are_told(tmp_path, desk):
    write(path(tmp_path), header(), message(toolCalls=[call(), call("c2", "error", 3)]),
          {"id": "e1", "timestamp": stamp(START + 4), "type": "error", "content": "secret"})  # fmt: skip
    assert desk.read().total(SESSION).errors == 1
    assert desk.tools() == [("read_file", 0), ("read_file", 1)]


def test_the_project_is_the_folder_that_stands_beside_the_chats(tmp_path, desk):
    name = write(path(tmp_path), header(), message())
    write(name.partition("/chats/")[0] + "/.project_root", b"/work/shop\n")
    session = desk.read().session(SESSION)
    assert (session.cwd, session.model) == ("/work/shop", MODEL)


def test_nothing_but_chats_is_read():
    assert not provider.wants("/h/.gemini/tmp/shop/logs.json")
    assert not provider.wants("/h/.gemini/tmp/shop/chats/notes.json")


def test_its_own_hooks_are_known_by_name_and_shared_ones_by_their_time():
    told = {
        "session_id": SESSION,
        "hook_event_name": "AfterAgent",
        "transcript_path": "/g/tmp/s/chats/x.jsonl",
    }
    found = provider.feed({}, told, START)
    assert Status(SESSION, START, "idle", "AfterAgent") in found.events
    assert found.paths == ["/g/tmp/s/chats/x.jsonl"]
    start = told | {"hook_event_name": "SessionStart"}
    assert provider.feed({}, start, START) is None
    assert provider.feed({}, start | {"timestamp": stamp(START)}, START).event == "SessionStart"
