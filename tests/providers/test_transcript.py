"""What a transcript's lines say: each rule of counting, one at a time, and nothing that can make it fail."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.examples import examples
from support.json_values import KEYS, values
from support.lines import (
    OTHER,
    SESSION,
    START,
    api_error,
    assistant,
    attempt,
    compact,
    cost_state,
    encode,
    gave_up,
    result,
    stamp,
    text,
    usage,
    use,
    user,
)

from aitop.model.events import (
    ApiError,
    ClientTotals,
    Compaction,
    Response,
    SessionInfo,
    Status,
    ToolResult,
    ToolUse,
)
from aitop.providers import Source
from aitop.providers.claude_code import provider, record_kind, tool_result, transcript

MAIN = Source(SESSION, None)


def read(*records, source=MAIN, start=0, spaces=False):
    return transcript.parse(encode(records, spaces=spaces), start, source)


def of(kind, *records, source=MAIN, **more):
    return [event for event in read(*records, source=source, **more).events if isinstance(event, kind)]


def one(kind, *records, **more):
    (found,) = of(kind, *records, **more)
    return found


# -- responses ---------------------------------------------


def test_a_response_of_several_equal_lines_is_told_once():
    found = one(Response, *[assistant(at=START + i, content=[text(), use(f"toolu_{i}")]) for i in range(3)])
    assert found.usage.output_tokens == 50
    assert (found.message_id, found.request_id, found.stop_reason) == ("msg_1", "req_1", "end_turn")


def test_the_last_line_wins_when_the_output_grows():
    lines = [assistant(at=START + i, usage=usage(n), stop=None) for i, n in enumerate((1, 8, 2))]
    found = one(Response, *lines, assistant(at=START + 3, usage=usage(1200), stop="tool_use"))
    assert (found.usage.output_tokens, found.stop_reason, found.at) == (1200, "tool_use", START)


def test_the_last_line_wins_even_when_it_reports_less():
    found = one(Response, assistant(usage=usage(900)), assistant(usage=usage(400)))
    assert found.usage.output_tokens == 400


def test_two_messages_with_one_request_id_stay_two():
    assert len(of(Response, assistant("msg_1"), assistant("msg_2"))) == 2


def test_without_a_request_id_the_time_of_the_first_line_is_a_part_of_the_name():
    found = one(Response, assistant(request_id=None), assistant(at=START + 2, request_id=None))
    assert (found.message_id, found.request_id) == (f"msg_1@{START * 1000:.0f}", None)


def test_lines_with_and_without_the_request_id_are_one_response():
    for lines in ([assistant(), assistant(request_id=None)], [assistant(request_id=None), assistant()]):
        found = one(Response, *lines)
        assert (found.message_id, found.request_id) == ("msg_1", "req_1")


def test_one_message_id_with_several_request_ids_is_several_responses():
    lines = [assistant(), assistant(request_id=None), assistant(request_id="req_2"), assistant()]
    found = of(Response, *lines)
    assert [(r.message_id, r.request_id) for r in found] == [("msg_1:req_2", "req_2"), ("msg_1", "req_1")]
    assert [r.end for r in found] == sorted(r.end for r in found)


def test_without_a_message_id_the_request_id_names_it():
    found = one(Response, assistant(None), assistant(None))
    assert (found.message_id, found.request_id) == (None, "req_1")


def test_without_any_id_the_record_s_own_names_it():
    lines = [assistant(None, request_id=None, uuid=name) for name in ("a", "b", "a")]
    assert sorted(r.record_id for r in of(Response, *lines)) == ["a", "b"]


def test_uncached_input_excludes_the_cache_and_total_input_includes_it():
    found = one(Response, assistant(usage=usage(5, 3, read=41_000, write=1200))).usage
    assert (found.uncached_input_tokens, found.input_tokens) == (3, 42_203)


def test_the_cache_writes_are_split_by_their_life():
    split = {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 1000}
    found = one(Response, assistant(usage=usage(write=1200, cache_creation=split))).usage
    assert (found.cache_write_5m_tokens, found.cache_write_1h_tokens) == (200, 1000)


def test_unsplit_cache_writes_and_what_a_split_leaves_out_are_5_minute_ones():
    assert one(Response, assistant(usage=usage(write=1200))).usage.cache_write_5m_tokens == 1200
    split = {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 1000}
    found = one(Response, assistant(usage=usage(write=1200, cache_creation=split))).usage
    assert (found.cache_write_5m_tokens, found.cache_write_1h_tokens) == (200, 1000)


def test_an_advisor_iteration_is_kept_with_its_own_model():
    side = {"type": "advisor_message", "model": "claude-haiku-4-5", "input_tokens": 7, "output_tokens": 2,
            "cache_read_input_tokens": 3, "cache_creation_input_tokens": 4}  # fmt: skip
    found = one(
        Response, assistant(usage=usage(iterations=[{"type": "message", "input_tokens": 9}, side]))
    ).usage
    assert found.advisor == (("claude-haiku-4-5", 7, 2, 3, 4, 0),)
    assert found.uncached_input_tokens == 10


def test_modifiers_of_the_price_are_kept():
    found = one(Response, assistant(usage=usage(speed="fast", inference_geo="us", service_tier="batch",
                                                server_tool_use={"web_search_requests": 3},
                                                output_tokens_details={"thinking_tokens": 8}))).usage  # fmt: skip
    assert (found.speed, found.geo, found.tier, found.web_searches, found.reasoning_tokens) == (
        "fast", "us", "batch", 3, 8,
    )  # fmt: skip


def test_a_copied_line_names_the_session_that_paid():
    assert one(Response, assistant(requestSessionId=OTHER)).paying_session == OTHER


def test_a_synthetic_message_is_no_request():
    assert of(Response, assistant(model="<synthetic>")) == []


@pytest.mark.parametrize(
    "odd", [usage(0, 0), {}, {"output_tokens": "many"}, {"output_tokens": -5}, [], 7, "x"]
)
def test_zero_or_meaningless_usage_is_no_request(odd):
    assert of(Response, assistant(usage=odd)) == []


def test_a_web_search_alone_is_a_request():
    assert (
        one(
            Response, assistant(usage=usage(0, 0, server_tool_use={"web_search_requests": 1}))
        ).usage.web_searches
        == 1
    )


def progress(message, **more):
    data = {"type": "agent_progress", "agentId": "a1", "message": message}
    return {"type": "progress", "timestamp": stamp(START), "sessionId": SESSION, "data": data} | more


def test_a_response_repeated_by_a_progress_line_has_the_names_it_has_in_the_agents_own_file():
    line = assistant(content=[use()])
    found = one(Response, progress(line))
    own = next(e for e in read(line, source=Source(SESSION, "a1")).events if isinstance(e, Response))
    assert found.agent == own.agent == "a1"
    assert (found.message_id, found.request_id, found.at, found.usage) == own[4:6] + own[1:2] + own[3:4]


def test_progress_lines_count_no_tool_call_and_no_error():
    failed = assistant(isApiErrorMessage=True)
    assert of(Response | ToolUse | ToolResult | ApiError, progress(result()), progress(failed)) == []


@pytest.mark.parametrize(
    "message", [None, "x", {}, {"type": "assistant"}, {"type": "assistant", "message": 5}]
)
def test_an_odd_progress_line_is_nothing(message):
    assert of(Response, progress(message, usage={})) == []


def relay(number, **more):
    """A relay's answer: always the same message id, no request id."""
    return assistant(
        "msg_relay", at=START + 60 * number, request_id=None, usage=usage(5, 1000 * number), **more
    )


def test_an_id_that_comes_again_behind_a_users_line_with_another_input_is_another_response():
    found = of(Response, user("a"), relay(1), user("b"), relay(2), user("c"), relay(3))
    assert [r.usage.uncached_input_tokens for r in found] == [1000, 2000, 3000]
    assert len({r.message_id for r in found}) == 3


def test_a_tool_result_between_two_lines_of_one_response_does_not_part_them():
    lines = [relay(1, content=[use()]), result(), relay(1, content=[text()])]
    assert len(of(Response, *lines)) == 1


def test_an_estimate_of_the_input_that_is_corrected_at_once_is_one_response():
    assert len(of(Response, user("a"), relay(9), relay(1))) == 1


def test_a_copy_in_another_file_has_the_same_names_and_another_sessions_answer_has_not():
    def names(late):
        lines = [line for n in (1, 2) for line in (user("go"), relay(n))]
        lines = [line | {"timestamp": stamp(START + 60 * i + late)} for i, line in enumerate(lines)]
        return [r.message_id for r in of(Response, *lines)]

    assert names(0) == names(0)
    assert not set(names(0)) & set(names(7))


def test_a_sidechain_line_belongs_to_its_agent():
    found = one(Response, assistant(isSidechain=True, agentId="a7"))
    assert (found.session, found.agent) == (SESSION, "a7")
    assert one(Response, assistant(isSidechain=True)).agent == "sidechain"


def test_a_response_told_on_the_main_thread_and_beside_it_is_the_main_thread_s():
    assert one(Response, assistant(isSidechain=True, agentId="a7"), assistant()).agent is None
    assert one(Response, assistant(), assistant(isSidechain=True, agentId="a7")).agent is None


@pytest.mark.parametrize("at", ["2026-09-21T14:13:20.000Z", "2026-09-21T14:13:20+00:00", "2026-09-21T14:13:20",
                                "2026-09-21T16:13:20+02:00", START, START * 1000])  # fmt: skip
def test_a_timestamp_is_read_however_it_is_written(at):
    assert one(Response, assistant(timestamp=at)).at == START


def test_a_record_without_a_time_has_that_of_the_one_before():
    assert of(Response, assistant(), assistant("msg_2", timestamp="soon"))[1].at == START


def test_visible_text_is_measured_only_where_the_output_may_be_a_placeholder():
    unfinished = assistant(
        stop=None, usage=usage(1), content=[text("a" * 100), {"type": "thinking", "thinking": "b" * 50}]
    )
    assert (
        one(Response, unfinished, assistant(stop=None, usage=usage(1), content=[text("c")])).visible_chars
        == 151
    )
    assert one(Response, assistant(content=[text("a" * 100)])).visible_chars == 0


# -- lines as they come ---------------------------------------------


def test_a_line_that_is_no_json_is_skipped_and_counted():
    found = read(
        b'{"type":"assistant","usage"\n',
        assistant(),
        b'"usage":nonsense}\n',
        b"plain words\n",
        b"\xff\xfe{\n",
    )
    assert found.bad_lines == 4
    assert sum(isinstance(event, Response) for event in found.events) == 1


def test_an_empty_line_is_nothing():
    assert read(b"\n", b"\n", assistant()).bad_lines == 0


def test_json_with_spaces_says_the_same():
    records = [
        user(),
        attempt(),
        assistant(content=[use()], stop="tool_use"),
        result(failed=True),
        compact(),
        cost_state(),
    ]
    assert read(*records, spaces=True).events == [
        event._replace(end=event.end) if isinstance(event, Response) else event
        for event in moved(read(*records).events, read(*records, spaces=True).events)
    ]


def moved(events, like):
    """The events with the byte offsets of the others."""
    return [
        e._replace(offset=o.offset, end=o.end) if isinstance(e, Response) else e
        for e, o in zip(events, like, strict=True)
    ]


def test_offsets_are_those_of_the_file():
    first, second = encode([assistant()]), encode([assistant("msg_2", request_id="req_2")])
    found = [e for e in transcript.parse(first + second, 1000, MAIN).events if isinstance(e, Response)]
    assert [(r.offset, r.end) for r in found] == [(1000, 1000), (1000 + len(first), 1000 + len(first))]


def test_half_an_emoji_in_a_text_costs_no_response():
    """Clients cut strings between the halves of a character; JSON then holds one half."""
    line = encode([assistant(content=[text("cut \ud83d")])])
    assert b"\\ud83d" in line
    assert one(Response, line).usage.output_tokens == 50
    assert read(line).bad_lines == 0


def test_text_that_looks_like_a_record_is_text():
    fake = json.dumps(assistant("msg_9")) + json.dumps(api_error()) + json.dumps(result())
    assert of(Response | ToolUse | ToolResult | ApiError, user(fake), result(content=fake)) == of(
        ToolResult, result()
    )


# -- tools ---------------------------------------------


def test_a_call_and_its_result_are_told_with_their_own_times():
    found = one(ToolUse, assistant(content=[use()]), result(at=START + 2.5))
    assert (found.tool_use_id, found.name, found.at, found.ended_at, found.failed) == (
        "toolu_1", "Bash", START, START + 2.5, False,
    )  # fmt: skip


def test_a_result_without_its_call_is_told_alone():
    assert one(ToolResult, result(failed=True)) == ToolResult(SESSION, START + 1, "toolu_1", "", True)


def test_a_call_repeated_on_a_later_line_is_one_call_at_its_first_time():
    assert one(ToolUse, assistant(content=[use()]), assistant(at=START + 9, content=[use()])).at == START


def test_parallel_results_on_one_line_each_count():
    blocks = [{"tool_use_id": f"toolu_{i}", "type": "tool_result", "is_error": i == 1} for i in range(3)]
    line = result() | {"message": {"role": "user", "content": blocks}}
    assert [(r.tool_use_id, r.failed) for r in of(ToolResult, line)] == [
        ("toolu_0", False), ("toolu_1", True), ("toolu_2", False),
    ]  # fmt: skip


def test_a_failure_elsewhere_in_the_line_is_not_the_tool_s():
    assert one(ToolResult, result(toolUseResult={"is_error": True})).failed is False


# -- errors ---------------------------------------------


def errors(*records, **more):
    return of(ApiError, *records, **more)


def test_each_failed_attempt_counts_once_however_it_is_told():
    """Print mode: an attempt, its error line, an attempt, its error line, an attempt, the shown error."""
    lines = [attempt("1"), api_error("e1"), attempt("2"), api_error("e2"), attempt("3"), gave_up()]
    assert [error.final for error in errors(*lines)] == [False, False, True]


def test_a_failed_attempt_without_an_error_line_is_told_by_the_next_attempt():
    assert [e.final for e in errors(attempt("1"), attempt("2"), attempt("3"), assistant())] == [False, False]
    assert [e.final for e in errors(attempt("1"), attempt("2"), gave_up())] == [False, True]


def test_an_answered_request_is_no_error():
    assert errors(attempt("1"), assistant(), result(), attempt("2"), assistant("msg_2")) == []


@pytest.mark.parametrize("spaces", [False, True])
def test_a_request_the_user_interrupted_is_no_error(spaces):
    lines = [attempt("1"), user("[Request interrupted by user]"), attempt("2"), assistant()]
    assert errors(*lines, spaces=spaces) == []


def test_a_shown_error_is_an_error_of_its_kind_and_no_request():
    found = one(ApiError | Response, gave_up(kind="overloaded"))
    assert (found.kind, found.final) == ("overloaded", True)


def test_an_attempt_under_way_is_told_to_the_next_run():
    first = read(attempt("1"))
    assert errors(source=MAIN) == []
    assert first.pending is not None
    answered = read(assistant(), source=Source(SESSION, None, first.pending))
    assert errors_in(answered) == []
    assert errors_in(read(attempt("3"), source=Source(SESSION, None, answered.pending))) == []
    assert len(errors_in(read(attempt("2"), source=Source(SESSION, None, first.pending)))) == 1


def errors_in(parsed):
    return [event for event in parsed.events if isinstance(event, ApiError)]


# -- how long it took -----------------------------------------------------------


def parts(*seconds, ref="ar-1"):
    """The lines of one response, each written when its block was whole."""
    return [assistant(at=START + at, uuid=f"u{at}", requestRef=ref) for at in seconds]


def took(*records, **more):
    return [
        response.duration_ms for response in read(*records, **more).events if isinstance(response, Response)
    ]


def test_a_response_took_from_its_request_to_its_last_line():
    assert took(attempt("ar-1"), *parts(2, 5)) == [5000]


def test_an_answer_in_two_runs_took_as_long_as_in_one():
    first = read(attempt("ar-1"), *parts(2))
    rest = took(*parts(5), source=Source(SESSION, None, first.pending))
    assert rest == [5000]


def test_a_retry_is_timed_from_its_own_request():
    assert took(attempt("ar-1"), attempt("ar-2", at=START + 3), *parts(5, ref="ar-2")) == [2000]


def test_without_its_request_nobody_knows_how_long_it_took():
    assert took(*parts(2)) == [None]
    assert took(attempt("ar-9"), *parts(2)) == [None]
    assert took(attempt("ar-1", at=START + 9), *parts(2)) == [None]
    assert took(assistant(), source=Source(SESSION, None, "=ar-1:tomorrow")) == [None]


# -- the client's own bookkeeping ---------------------------------------------


def test_a_compaction_is_told_once_with_its_trigger():
    assert one(Compaction, compact()) == Compaction(SESSION, START, "c-1", "auto", None)


def test_the_client_s_own_total_is_kept_beside_ours():
    assert one(ClientTotals, cost_state(0.4321)) == ClientTotals(SESSION, None, 0.4321, 5200.0)
    assert of(ClientTotals, cost_state(-1), cost_state("1.0"), cost_state(True)) == []


def test_the_last_record_says_where_the_session_is_and_whether_it_works():
    found = read(assistant(stop="tool_use", content=[use()])).events
    assert SessionInfo(SESSION, START, "/work/shop", "main") in found
    assert [e.status for e in found if isinstance(e, Status)] == ["working"]
    assert one(Status, assistant()).status == "idle"
    assert one(Status, user()).status == "working"
    assert one(Status, user("[Request interrupted by user]")).status == "idle"
    assert one(Status, api_error()).status == "working"


def test_a_sub_agent_says_nothing_of_the_session_s_place_or_status():
    assert of(Status | SessionInfo, assistant(cwd="/elsewhere"), source=Source(SESSION, "a7")) == []


# -- files ---------------------------------------------


@pytest.mark.parametrize(
    ("path", "source"),
    [(f"/p/-w/{SESSION}.jsonl", MAIN), (f"/p/-w/{SESSION}/subagents/agent-a7.jsonl", Source(SESSION, "a7")),
     (f"/p/-w/{SESSION}/subagents/workflows/wf_1/agent-b.jsonl", Source(SESSION, "b")),
     ("/p/-w/agent-a7.jsonl", Source(None, "a7")), ("/p/-w/notes.jsonl", Source(None, None))],
)  # fmt: skip
def test_the_path_tells_session_and_agent(path, source):
    assert provider.identify(path) == source


def test_an_older_agent_s_file_takes_its_session_from_its_lines():
    found = read(assistant(), source=Source(None, "a7"))
    assert found.session == SESSION
    assert (found.events[0].session, found.events[0].agent) == (SESSION, "a7")


def test_the_first_timestamp_is_that_of_the_first_line_that_has_one():
    assert read(cost_state(), user(at=START + 5), user(at=START)).first_at == START + 5


def test_a_workflow_s_journal_is_no_transcript():
    assert provider.wants("/p/a.jsonl")
    assert not provider.wants("/p/subagents/workflows/wf_1/journal.jsonl")
    assert not provider.wants("/p/a.meta.json")


# -- for any input ---------------------------------------------


def spoilt(record):
    """A record with some of its fields replaced by anything."""
    return st.dictionaries(st.sampled_from(KEYS), values, max_size=4).map(lambda more: record | more)


records = st.one_of(
    values,
    spoilt(assistant(content=[use()])),
    spoilt(result()),
    spoilt(cost_state()),
    spoilt(compact()),
    spoilt(attempt()),
    spoilt(api_error()),
    values.map(lambda v: assistant() | {"message": v}),
    values.map(lambda v: assistant(usage=v)),
    values.map(lambda v: assistant(content=v, stop=None)),
    values.map(lambda v: result() | {"message": {"content": v}}),
)


@examples(150)
@given(st.lists(records, max_size=6))
def test_no_json_value_whatsoever_makes_it_fail(found):
    data = b"".join(json.dumps(value).encode() + b"\n" for value in found)
    for source in (MAIN, Source(None, None), Source(SESSION, "a", "pending")):
        for event in transcript.parse(data, 0, source).events:
            if isinstance(event, Response):
                assert all(0 <= n < 1 << 40 for n in event.usage[:7])
                assert any(event.usage[:5]) or event.usage.web_searches or event.usage.advisor


@examples(200)
@given(
    st.lists(st.binary(max_size=60).map(lambda b: b.replace(b"\n", b"")) | st.just(b'{"usage":'), max_size=8)
)
def test_no_bytes_whatsoever_make_it_fail(found):
    data = b"".join(line + b"\n" for line in found)
    assert transcript.parse(data, 0, MAIN).bad_lines <= len(found)


def test_nesting_deeper_than_any_parser_goes_is_skipped():
    deep = b'{"type":"assistant","usage":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"
    assert read(deep).bad_lines == 1
    nested = json.loads("[" * 300 + "]" * 300)
    unfinished = assistant(stop=None, content=[use(given=nested)])
    assert one(Response, unfinished).usage.output_tokens == 50


blocks = st.fixed_dictionaries(
    {"type": st.sampled_from(["tool_result", "text"]), "content": values},
    optional={
        "tool_use_id": st.sampled_from(["toolu_1", 'to"ol', "é", ""]) | values,
        "is_error": st.booleans() | values,
    },
)
result_lines = st.fixed_dictionaries(
    {"type": st.sampled_from(["user", "progress", "attachment"]),
     "message": st.fixed_dictionaries({"content": st.lists(blocks, max_size=2) | blocks | st.text(max_size=5)})},
    optional={"timestamp": st.sampled_from([stamp(START), stamp(START + 7), "later"]), "toolUseResult": values,
              "nested": st.just({"type": "user", "tool_use_id": "toolu_2", "timestamp": stamp(START)}),
              "sibling": st.just({"is_error": True})},
)  # fmt: skip


@examples(200)
@given(st.one_of(result_lines, records.filter(lambda r: isinstance(r, dict))), st.randoms())
def test_a_kind_told_from_the_bytes_is_the_record_s_own(record, random):
    items = list(record.items())
    random.shuffle(items)
    line = json.dumps(dict(items), separators=(",", ":")).encode()
    found = record_kind.of(b"before\n" + line + b"\nafter", 7, 7 + len(line))
    if found is not None:
        assert json.loads(b'"' + found + b'"') == json.loads(line)["type"]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b'{"parentUuid":null,"type":"user","message":{"type":"message"}}', b"user"),
        (b'{"message":{"type":"message"},"requestId":"r","type":"assistant","uuid":"u"}', b"assistant"),
        (b'{"attachment":{"type":"hook"},"type":"attachment","cwd":"/a}b"}', None),
        (b'{"cwd":"/a{b","type":"user","message":{"type":"message"}}', None),
        (b'{"text":"\\"type\\":\\"user\\"","type":"system"}', b"system"),
        (b'{"message":{"type":"assistant"}}', None),
        (b'{"type": "user"}', None),
        (b"", None),
    ],
)
def test_a_line_s_kind_is_told_where_the_bytes_leave_no_doubt(line, kind):
    assert record_kind.of(line + b"\n", 0, len(line)) == kind


@examples(200)
@given(result_lines, st.randoms())
def test_a_result_cut_from_the_bytes_is_what_parsing_the_line_gives(record, random):
    items = list(record.items())
    random.shuffle(items)
    line = json.dumps(dict(items), separators=(",", ":")).encode()
    found = tool_result.cut(line)
    if found is not None:
        parsed = transcript._Run(MAIN)
        parsed._results(json.loads(line))
        events = parsed.calls.events(SESSION)
        assert [(r.tool_use_id, r.failed, r.at) for r in events] == [found]


@examples(100)
@given(st.integers(1, 6), st.data())
def test_however_a_file_is_split_into_runs_it_tells_the_same_errors_and_tools(count, data):
    always = [attempt("1"), attempt("2"), api_error(), result(), user("go")]
    relayed = [assistant(request_id=f"req_{n}") for n in (1, 2, 3)]
    names = data.draw(
        st.sampled_from([[assistant(content=[use()])], relayed, [relay(1), relay(2), relay(3)]])
    )
    lines = data.draw(st.lists(st.sampled_from(always + names), min_size=count, max_size=12))
    lines = [line | {"timestamp": stamp(START + i)} for i, line in enumerate(lines)]
    whole = read(*lines).events
    source, split = MAIN, []
    for line in lines:
        parsed = transcript.parse(encode([line]), 0, source)
        split += parsed.events
        source = Source(parsed.session, None, parsed.pending)
    assert [e for e in split if isinstance(e, ApiError)] == [e for e in whole if isinstance(e, ApiError)]
    assert {e.message_id for e in split if isinstance(e, Response)} == {
        e.message_id for e in whole if isinstance(e, Response)
    }


# -- damaged lines -----------------------------------------------------------------------------------------------

RECORDS = [
    assistant("msg_a"), result(), user("go"), assistant("msg_b", at=START + 1),
    {"type": "summary", "summary": "x", "leafUuid": "y"}, progress(user("x")),
]  # fmt: skip


@pytest.mark.parametrize("broken", range(len(RECORDS)))
@pytest.mark.parametrize("how", ["torn", "no newline", "zeros", "mark"])
def test_a_response_counts_behind_whatever_is_damaged_on_its_line(how, broken):
    whole = encode([RECORDS[broken]])
    behind = encode([{"parentUuid": None} | assistant("msg_behind", at=START + 5)])
    data = {
        "torn": whole[:120] + behind, "no newline": whole[:-1] + behind, "zeros": b"\0" * 512 + behind,
        "mark": b"\xef\xbb\xbf" + behind,
    }[how]  # fmt: skip
    parsed = transcript.parse(encode([assistant()]) + data, 0, MAIN)
    assert "msg_behind" in {e.message_id for e in parsed.events if isinstance(e, Response)}


def test_what_is_left_of_a_damaged_line_is_counted_once():
    whole = encode([assistant()])
    parsed = transcript.parse(whole[:50] + whole[:60] + whole, 0, MAIN)
    assert parsed.bad_lines == 1


CLEAR = "<command-name>/clear</command-name>\n            <command-message>clear</command-message>"


@pytest.mark.parametrize(
    ("content", "began"),
    [
        (CLEAR, ["clear"]),
        ("what does <command-name>/clear</command-name> do?", []),
        ("<command-name>/compact", []),
    ],
)
def test_a_session_that_clear_began_says_so_in_its_first_prompt(content, began):
    events = read(user(content, at=START), assistant("m1", START + 1)).events
    assert [one.began_by for one in events if isinstance(one, SessionInfo) and one.began_by] == began
