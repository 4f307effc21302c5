"""Each client's telemetry as events, as its real versions send it, and by the GenAI conventions anyone's."""

import json

import pytest
from support import otlp_bodies as bodies
from support.otlp_bodies import SESSION, START, log, logs, span, traces
from support.worlds import Book, stamp

from aitop import otlp
from aitop.model.events import ApiError, Response, ToolResult, ToolUse, Usage
from aitop.otlp import JSON
from aitop.providers import Source, claude_code, codex, copilot, gemini, qwen
from aitop.providers.otel import WAIT, OpenTelemetry

NOW = float(START + 100)


def told(provider, signal, tree, now=NOW):
    return provider.telemetry(otlp.decode(signal, bodies.as_json(tree), JSON), now)


def claude(*records):
    return told(claude_code.provider, "logs", logs(*records))


# -- Claude Code -------------------------------------------------------------------------------------------------


def test_an_api_request_is_a_response_with_its_split_its_cost_and_its_times():
    (found,) = claude(bodies.request(START + 2))
    assert found == Response(
        SESSION, START + 2, "claude-opus-5-5", Usage(273, 383, 5000, 500, 1500), request_id="req_1",
        record_id=f"{SESSION}:4:{START + 2}.000", stop_reason="", duration_ms=1930, ttft_ms=312, billed_usd=0.024252,
    )  # fmt: skip


def test_older_versions_tell_neither_the_split_nor_the_first_token():
    (found,) = claude(
        log("api_request", START, session__id=SESSION, model="m", input_tokens="3", output_tokens="5",
            cache_read_tokens="0", cache_creation_tokens="70", cost_usd="0.5", duration_ms="41")
    )  # fmt: skip
    assert found.usage == Usage(3, 5, 0, 70)
    assert (found.billed_usd, found.duration_ms, found.ttft_ms) == (0.5, 41, None)


@pytest.mark.parametrize(
    ("attributes", "agent"),
    [
        ({"query_source": "repl_main_thread"}, None), ({"query_source": "repl_main_thread:outputStyle:x"}, None),
        ({"query_source": "sdk"}, None), ({"query_source": "compact"}, ""),
        ({"query_source": "generate_session_title"}, ""),
        ({"query_source": "agent:builtin:general-purpose", "agent_id": "a1b2"}, "a1b2"),
        ({"query_source": "agent:builtin:general-purpose"}, ""), ({"query_source": ""}, ""),
    ],
)  # fmt: skip
def test_who_made_a_call_is_told_by_its_source(attributes, agent):
    (found,) = claude(bodies.request(**attributes))
    assert found.agent == agent


def test_a_tool_result_tells_how_long_the_tool_took():
    tool = {"session__id": SESSION, "tool_name": "Bash", "tool_use_id": "toolu_1", "duration_ms": "291"}
    for success, failed in (("true", False), ("false", True)):
        found = claude(log("tool_result", START, success=success, **tool))
        assert found == [ToolResult(SESSION, START, "toolu_1", "Bash", failed, 291)]


def test_a_failure_of_a_hidden_call_is_an_error_and_others_are_the_transcripts_to_tell():
    more = {"session__id": SESSION, "status_code": "529", "event__sequence": 7}
    found = claude(
        log("api_error", START, query_source="compact", **more),
        log("api_error", START, query_source="repl_main_thread", **more),
        log("api_error", START, query_source="agent:builtin:general-purpose", **more),
        log("api_error", START, **more),
    )
    assert found == [ApiError(SESSION, START, f"{SESSION}:7:{START}.000", "529", final=False)]


def test_what_is_no_event_of_ours_is_passed_over():
    assert claude(log("user_prompt", START, session__id=SESSION), log("api_request", START, model="m")) == []


# -- Codex, Gemini CLI, Copilot CLI ------------------------------------------------------------------------------


def test_codex_tells_of_a_finished_response_once():
    of = {"conversation__id": "th1", "event__timestamp": "2026-11-21T20:00:05.235Z", "model": "gpt-5.1-codex",
          "event__kind": "response.completed"}  # fmt: skip
    numbers = {"input_token_count": "9000", "output_token_count": "50", "cached_token_count": "6000",
               "cache_write_token_count": "0", "reasoning_token_count": "20", "ttft_ms": "620"}  # fmt: skip
    tree = logs(log("codex.sse_event", 0, duration_ms="0", **of), log("codex.sse_event", 0, **of, **numbers))
    (found,) = told(codex.provider, "logs", tree)
    assert found.usage == Usage(3000, 50, 6000, 0, 0, 20)
    assert (found.session, found.at, found.ttft_ms) == ("th1", 1795291205.235, 620)
    assert (found.message_id, found.request_id) == (None, None)


def test_codex_tells_how_long_a_tool_took():
    call = "call_0123456789abcdef01234567"
    tree = logs(
        log("codex.tool_result", START, conversation__id="th1", call_id=call, tool_name="exec_command",
            duration_ms="44", success="true")
    )  # fmt: skip
    assert told(codex.provider, "logs", tree) == [ToolResult("th1", START, call, "exec_command", False, 44)]


def gemini_response(**more):
    known = {
        "session__id": "g1", "model": "gemini-2.5-flash", "duration_ms": 395, "input_token_count": 9000,
        "output_token_count": 50, "cached_content_token_count": 6000, "thoughts_token_count": 20, "role": "main",
    }  # fmt: skip
    return log("gemini_cli.api_response", START, **(known | more))


def test_gemini_bills_thoughts_beside_the_output():
    (found,) = told(gemini.provider, "logs", logs(gemini_response()))
    assert found.usage == Usage(3000, 70, 6000, 0, 0, 20)
    assert (found.session, found.duration_ms, found.agent) == ("g1", 395, None)


def test_geminis_results_of_built_in_tools_are_input_in_telemetry_too():
    (found,) = told(gemini.provider, "logs", logs(gemini_response(tool_token_count=480)))
    assert found.usage == Usage(3480, 70, 6000, 0, 0, 20)


def test_a_call_that_chooses_the_model_is_geminis_own():
    (found,) = told(gemini.provider, "logs", logs(gemini_response(role="utility_router")))
    assert found.agent == ""


QWEN_ID = "chatcmpl-0123456789abcdef"


def qwen_response(**more):
    known = {
        "session__id": "q1", "model": "qwen3-coder-plus", "duration_ms": 395, "input_token_count": 9000,
        "output_token_count": 50, "cached_content_token_count": 6000, "thoughts_token_count": 20,
        "total_token_count": 9050, "response_id": QWEN_ID,
    }  # fmt: skip
    return log("qwen-code.api_response", START, **(known | more))


def test_qwens_thoughts_are_a_part_of_the_output_unless_its_total_says_otherwise():
    (plain,) = told(qwen.provider, "logs", logs(qwen_response()))
    (beside,) = told(qwen.provider, "logs", logs(qwen_response(total_token_count=9070)))
    assert (plain.usage, beside.usage) == (Usage(3000, 50, 6000, 0, 0, 20), Usage(3000, 70, 6000, 0, 0, 20))


@pytest.mark.parametrize("identity", [QWEN_ID, "7"], ids=["by its id", "by its numbers"])
@pytest.mark.parametrize("first", ["chat", "telemetry"])
def test_a_response_of_qwens_telemetry_is_the_one_of_its_chat(tmp_path, identity, first):
    book = Book(tmp_path / "history.db", now=NOW)
    (sent,) = told(qwen.provider, "logs", logs(qwen_response(response_id=identity)))
    record = {
        "uuid": "u1", "sessionId": "q1", "timestamp": stamp(START + 5), "type": "system",
        "subtype": "ui_telemetry", "systemPayload": {"uiEvent": {
            "event.name": "qwen-code.api_response", "model": "qwen3-coder-plus", "input_token_count": 9000,
            "output_token_count": 50, "cached_content_token_count": 6000, "thoughts_token_count": 20,
            "total_token_count": 9050, "response_id": identity, "duration_ms": 395}},
    }  # fmt: skip
    file = book.history.file("qwen", "/h/.qwen/projects/p/chats/q1.jsonl")
    file.session, file.first_at = "q1", START
    book.history.touch(file)
    written = qwen.provider.parse(json.dumps(record).encode() + b"\n", 0, Source("q1", None)).events
    for source in (first, "telemetry" if first == "chat" else "chat"):
        if source == "chat":
            book.history.apply("qwen", written, NOW, file)
        else:
            book.history.apply("qwen", [sent], NOW)
        book.commit()
    total = book.history.session("qwen", "q1").total
    book.db.close()
    assert (total.requests, total.input_tokens, total.output_tokens) == (1, 9000, 50)


def codex_response(**more):
    known = {"conversation__id": "th1", "model": "gpt-5.1-codex", "event__kind": "response.completed",
             "input_token_count": 9000, "output_token_count": 50}  # fmt: skip
    return log("codex.sse_event", START, **(known | more))


BARE = pytest.mark.parametrize(
    ("client", "of"),
    [(qwen, lambda **more: qwen_response(response_id="7", total_token_count=0, **more)),
     (gemini, gemini_response), (codex, codex_response)],
    ids=["qwen", "gemini", "codex"],
)  # fmt: skip


@BARE
@pytest.mark.parametrize("number", ["input_token_count", "output_token_count"])
def test_two_responses_of_one_moment_without_an_id_are_two_where_a_number_differs(
    tmp_path, client, of, number
):
    """The telemetry of the client makes `record_id` of all the numbers that it has."""
    book = Book(tmp_path / "history.db", now=NOW)
    sent = told(client.provider, "logs", logs(of(), of(**{number: 8000}), of()))
    book.history.apply(client.provider.name, sent, NOW)
    book.commit()
    (stored,) = book.db.execute("SELECT count(*) FROM response").fetchone()
    book.db.close()
    assert stored == 2, f"record_id leaves a number out: {[one.record_id for one in sent]}"


def test_what_else_qwen_sends_counts_nothing():
    others = ("qwen-code.tool_call", "qwen-code.api_error", "qwen-code.config")
    assert told(qwen.provider, "logs", logs(*(log(name, START, session__id="q1") for name in others))) == []


CHAT = {
    "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-5",
    "gen_ai.response.model": "gpt-5-2026", "gen_ai.response.id": "chatcmpl-1", "gen_ai.conversation.id": "c1",
    "gen_ai.usage.input_tokens": 9000, "gen_ai.usage.output_tokens": 50, "gen_ai.usage.cache_read.input_tokens": 6000,
    "gen_ai.usage.reasoning.output_tokens": 20, "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.response.time_to_first_chunk": 0.25,
}  # fmt: skip


def test_copilots_session_events_know_no_response_ids():
    (found,) = told(
        copilot.provider, "traces", traces(span(1, START, START + 2, CHAT), service="github-copilot")
    )
    assert (found.session, found.message_id, found.ttft_ms, found.duration_ms) == ("c1", None, 250, 2000)


# -- the GenAI conventions ---------------------------------------------------------------------------------------


@pytest.fixture
def anyones():
    return OpenTelemetry()


def test_a_span_of_an_inference_is_a_response(anyones):
    (found,) = told(anyones, "traces", traces(span(1, START, START + 2, CHAT)))
    assert found == Response(
        "my-service:c1", START + 2, "gpt-5-2026", Usage(3000, 50, 6000, 0, 0, 20), message_id="chatcmpl-1",
        record_id=f"5b8efff798038103d269b633813fc60c:{1:016x}", stop_reason="stop", duration_ms=2000, ttft_ms=250,
    )  # fmt: skip


def test_older_names_are_read_too(anyones):
    old = {"gen_ai.system": "openai", "gen_ai.request.model": "gpt-5", "gen_ai.usage.prompt_tokens": 10,
           "gen_ai.usage.completion_tokens": 5}  # fmt: skip
    (found,) = told(anyones, "traces", traces(span(1, START, START + 1, old)))
    assert (found.session, found.model, found.usage[:2]) == ("my-service:run-1", "gpt-5", (10, 5))


@pytest.mark.parametrize("name", ["cache_write", "cache_creation"])
def test_both_names_of_cache_writes_are_read(anyones, name):
    own = CHAT | {f"gen_ai.usage.{name}.input_tokens": 700}
    (found,) = told(anyones, "traces", traces(span(1, START, START + 1, own)))
    assert found.usage[:4] == (2300, 50, 6000, 700)


@pytest.mark.parametrize(("name", "billed"), [("ollama", 0.0), ("openai", None)])
def test_a_model_on_this_machine_is_billed_nothing(anyones, name, billed):
    (found,) = told(
        anyones, "traces", traces(span(1, START, START + 1, CHAT | {"gen_ai.provider.name": name}))
    )
    assert found.billed_usd == billed


def test_an_input_smaller_than_its_cache_leaves_the_cache_out(anyones):
    own = CHAT | {"gen_ai.usage.input_tokens": 3, "gen_ai.usage.cache_creation.input_tokens": 100}
    (found,) = told(anyones, "traces", traces(span(1, START, START + 1, own)))
    assert found.usage[:4] == (3, 50, 6000, 100)


def test_what_only_sums_up_or_wraps_other_calls_is_none(anyones):
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 18_000}
    tree = traces(
        span(1, START, START + 9, agent), span(2, START, START + 3, CHAT, parent=1),
        span(3, START + 1, START + 2, CHAT | {"gen_ai.response.id": "inner"}, parent=2),
    )  # fmt: skip
    assert [one.message_id for one in told(anyones, "traces", tree)] == ["inner"]


def test_an_event_of_an_inference_is_a_response_too(anyones):
    made = log("gen_ai.client.inference.operation.details", START) | {"attributes": bodies.attributes(CHAT)}
    (found,) = told(anyones, "logs", logs(made, service="my-service"))
    assert (found.message_id, found.at, found.duration_ms) == ("chatcmpl-1", START, None)


def test_a_tools_span_is_a_tool_call(anyones):
    tool = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "search",
        "gen_ai.tool.call.id": "call_1",
    }
    assert told(anyones, "traces", traces(span(1, START, START + 2, tool, code=2))) == [
        ToolUse("my-service:run-1", START, "my-service:run-1:call_1", "search", None, START + 2, True)
    ]


# -- metrics -----------------------------------------------------------------------------------------------------

MODEL = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-5"}


def usage(begin, end, given, made, calls, temporality=1):
    points = [
        (begin, end, MODEL | {"gen_ai.token.type": "input"}, float(given), calls),
        (begin, end, MODEL | {"gen_ai.token.type": "output"}, float(made), calls),
    ]
    took = [(begin, end, MODEL, 3.0, calls)]
    return bodies.metrics(
        bodies.histogram("gen_ai.client.token.usage", points, temporality),
        bodies.histogram("gen_ai.client.operation.duration", took, temporality),
    )


def later(provider, now=NOW):
    return provider.telemetry([], now + WAIT + 1)


def test_metrics_count_where_nobody_tells_of_the_calls_themselves(anyones):
    assert told(anyones, "metrics", usage(START, START + 60, 1001, 10, 2)) == []
    found = later(anyones)
    assert [one.usage[:2] for one in found] == [(501, 5), (500, 5)]
    assert {(one.session, one.model, one.at, one.duration_ms) for one in found} == {
        ("my-service:run-1", "gpt-5", START + 60, 1500)
    }
    assert later(anyones) == []


def test_metrics_of_a_service_that_tells_its_calls_are_the_same_calls_again(anyones):
    told(anyones, "metrics", usage(START, START + 60, 9000, 50, 1))
    assert len(told(anyones, "traces", traces(span(1, START, START + 2, CHAT)), NOW + 5)) == 1
    assert later(anyones) == []


COUNTS = {"input_tokens": 1000, "output_tokens": 30, "cache_read.input_tokens": 200,
          "cache_write.input_tokens": 700, "reasoning.output_tokens": 10}  # fmt: skip
NEWER = Usage(100, 30, 200, 700, 0, 10)


def newer(counts=COUNTS, temporality=1, end=START + 60, **more):
    """The counters of the newer conventions."""
    return [
        bodies.counter(
            f"gen_ai.client.inference.usage.{name}", [(START, end, MODEL | more, value)], temporality
        )
        for name, value in counts.items()
    ]


def test_newer_metrics_name_each_kind_of_token_and_parts_are_not_added(anyones):
    told(anyones, "metrics", bodies.metrics(*newer()))
    assert [one.usage for one in later(anyones)] == [NEWER]


def test_a_service_that_sends_both_generations_is_counted_once(anyones):
    points = [(START, START + 60, MODEL | {"gen_ai.token.type": kind}, value, 1)
              for kind, value in (("input", 1000.0), ("output", 30.0))]  # fmt: skip
    older = bodies.histogram("gen_ai.client.token.usage", points)
    told(anyones, "metrics", bodies.metrics(older, *newer()))
    assert [one.usage for one in later(anyones)] == [NEWER]


def test_histograms_of_the_same_tokens_only_tell_the_number_of_calls(anyones):
    sizes = bodies.histogram(
        "gen_ai.client.inference.operation.input_tokens", [(START, START + 60, MODEL, 1000.0, 2)]
    )
    told(anyones, "metrics", bodies.metrics(sizes, *newer()))
    found = later(anyones)
    assert len(found) == 2
    assert tuple(map(sum, zip(*(one.usage[:6] for one in found), strict=True))) == NEWER[:6]


def test_tokens_that_come_apart_by_modality_are_one_call(anyones):
    parts = [
        *newer({"input_tokens": 900}, **{"gen_ai.token.modality": "text"}),
        *newer({"input_tokens": 100}, **{"gen_ai.token.modality": "image"}),
        *newer({"output_tokens": 30}),
    ]
    told(anyones, "metrics", bodies.metrics(*parts))
    assert [one.usage[:2] for one in later(anyones)] == [(1000, 30)]


def test_a_running_counter_counts_by_what_it_grew(anyones):
    anyones.telemetry([], START - 10)
    more = {name: 2 * value for name, value in COUNTS.items()}
    for counts, end in ((COUNTS, START + 60), (more, START + 120), (more, START + 180)):
        told(anyones, "metrics", bodies.metrics(*newer(counts, 2, end)))
    assert [one.usage for one in later(anyones)] == [NEWER, NEWER]


def test_the_same_metrics_again_are_the_same_responses(anyones):
    for _ in range(2):
        told(anyones, "metrics", usage(START, START + 60, 1000, 10, 2))
    names = [one.record_id for one in later(anyones)]
    assert len(names) == 4
    assert len(set(names)) == 2


def test_series_that_differ_in_any_attribute_are_counted_apart(anyones):
    points = [
        (START, START + 60, MODEL | {"gen_ai.token.type": kind, "server.address": server}, value, 1)
        for kind, value in (("input", 100.0), ("output", 10.0))
        for server in ("a", "b")
    ]
    told(anyones, "metrics", bodies.metrics(bodies.histogram("gen_ai.client.token.usage", points)))
    assert [one.usage[:2] for one in later(anyones)] == [(100, 10), (100, 10)]


def test_a_running_total_counts_by_what_it_grew(anyones):
    anyones.telemetry([], START - 10)  # listening begins
    told(anyones, "metrics", usage(START, START + 60, 1000, 10, 2, 2), START - 5)
    told(anyones, "metrics", usage(START, START + 120, 1600, 17, 3, 2), START + 1)
    told(anyones, "metrics", usage(START, START + 180, 1600, 17, 3, 2), START + 2)
    found = later(anyones)
    assert [one.usage[:2] for one in found] == [(500, 5), (500, 5), (600, 7)]


def test_a_running_total_that_began_before_we_listened_counts_from_its_first_look_on(anyones):
    told(anyones, "metrics", usage(START, NOW - 60, 1000, 10, 2, 2))
    told(anyones, "metrics", usage(START, NOW, 1600, 17, 3, 2))
    assert [one.usage[:2] for one in later(anyones)] == [(600, 7)]


def test_a_running_total_that_begins_anew_counts_whole(anyones):
    told(anyones, "metrics", usage(START, NOW - 60, 1000, 10, 2, 2))
    told(anyones, "metrics", usage(NOW - 30, NOW, 600, 7, 1, 2))
    assert [one.usage[:2] for one in later(anyones)] == [(600, 7)]
