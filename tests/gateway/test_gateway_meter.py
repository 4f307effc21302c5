"""What is read of an answer as it passes: the same numbers however the network cuts it into pieces."""

import gzip
import json
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.lines import START

from aitop.gateway import extract
from aitop.gateway.exchange import Exchange
from aitop.gateway.meter import Meter
from aitop.gateway.programs import program
from aitop.gateway.upstreams import Upstreams, upstream
from aitop.providers.gateway.entry import Tokens
from aitop.system.loopback import web_origin

SSE, JSON, NDJSON = "text/event-stream; charset=utf-8", "application/json", "application/x-ndjson"


def sse(*records, end=b"\n"):
    lines = [record if isinstance(record, bytes) else json.dumps(record).encode() for record in records]
    return b"".join(b"data: " + line + end + end for line in lines)


def chat(delta=None, reason=None, **more):
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": reason}]
    return {"id": "chatcmpl-1", "model": "gpt-5-2025-08-07", "choices": choices, **more}


USAGE = {"prompt_tokens": 900, "completion_tokens": 40, "prompt_tokens_details": {"cached_tokens": 600},
         "completion_tokens_details": {"reasoning_tokens": 30}}  # fmt: skip
TOKENS = Tokens(900, 40, 600, 0, 30)
CHAT = sse(chat({"role": "assistant", "content": ""}, usage=None), chat({"content": "hel"}, usage=None),
           chat({"content": '"usage": {"prompt_tokens": 1}'}, usage=None), chat({}, "stop", usage=None),
           chat(usage=USAGE, service_tier="flex"), b"[DONE]")  # fmt: skip


def read(data, kind=SSE, encoding="", size=None):
    meter = Meter(kind, encoding)
    size = size or len(data)
    for number, start in enumerate(range(0, len(data), size)):
        meter.feed(data[start : start + size], float(number + 1))
    return meter.answer()


def test_a_chat_tells_its_usage_in_its_last_chunk():
    found = read(CHAT)
    assert found.tokens == TOKENS._replace(tier="flex")
    assert (found.model, found.response_id, found.stop_reason) == ("gpt-5-2025-08-07", "chatcmpl-1", "stop")


@given(cuts=st.lists(st.integers(0, len(CHAT)), max_size=12))
def test_any_cut_of_the_stream_tells_the_same(cuts):
    meter = Meter(SSE, "")
    edges = [0, *sorted(cuts), len(CHAT)]
    for start, end in zip(edges, edges[1:], strict=False):
        meter.feed(CHAT[start:end], 1.0)
    assert meter.answer() == read(CHAT)


@given(st.binary(max_size=400), st.sampled_from([SSE, JSON, NDJSON, "text/html", ""]),
       st.sampled_from(["", "gzip", "br", "zstd", "deflate", "x"]))  # fmt: skip
def test_no_answer_can_disturb_the_reading(data, kind, encoding):
    read(b"data: " + data + b"\n\n" + data, kind, encoding, size=7)


KEYS = st.sampled_from(
    [
        "id",
        "model",
        "usage",
        "choices",
        "delta",
        "finish_reason",
        "response",
        "status",
        "type",
        "error",
        "code",
        "message",
        "content",
        "done",
        "eval_count",
        "prompt_tokens",
        "prompt_tokens_details",
        "cached_tokens",
        "completion_tokens",
        "service_tier",
        "incomplete_details",
    ]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["stop", "response.completed", "x y"])
)
ODD = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5)
)


@given(st.lists(ODD, min_size=1, max_size=4), st.sampled_from([SSE, JSON, NDJSON]))
def test_no_value_in_an_answer_can_disturb_the_reading(records, kind):
    lines = [json.dumps(record).encode() for record in records]
    found = read(sse(*lines) if kind == SSE else b"\n".join(lines), kind)
    assert found.tokens is None or found.tokens.input >= found.tokens.cache_read + found.tokens.cache_write


def test_the_first_token_is_the_first_word_and_not_the_announcement():
    meter = Meter(SSE, "")
    meter.feed(sse(chat({"role": "assistant", "content": ""})), 1.0)
    meter.feed(sse(chat({"content": "hel"})), 2.5)
    meter.feed(sse(chat({"content": "lo"})), 4.0)
    assert meter.answer().first_at == 2.5


@pytest.mark.parametrize(
    "delta", [{"reasoning_content": "so"}, {"tool_calls": [{"index": 0}]}, {"refusal": "no"}]
)
def test_thinking_and_calling_tools_are_first_tokens_too(delta):
    assert read(sse(chat(delta))).first_at == 1.0


def test_events_ended_by_carriage_returns_are_read():
    assert read(sse(chat({"content": "a"}), chat(usage=USAGE), end=b"\r\n")).tokens == TOKENS


def test_usage_in_every_chunk_is_the_last_ones():
    rising = [chat({"content": "a"}, usage={"prompt_tokens": 9, "completion_tokens": n}) for n in (1, 2, 3)]
    assert read(sse(*rising)).tokens == Tokens(9, 3)


def test_without_usage_there_are_no_tokens():
    found = read(sse(chat({"content": "a"}), chat({}, "length"), b"[DONE]"))
    assert (found.tokens, found.stop_reason) == (None, "length")


RESPONSE = {"id": "resp_1", "object": "response", "status": "completed", "model": "gpt-5", "service_tier": "default",
            "usage": {"input_tokens": 700, "input_tokens_details": {"cached_tokens": 200, "cache_write_tokens": 100},
                      "output_tokens": 20, "output_tokens_details": {"reasoning_tokens": 5}}}  # fmt: skip


def responses(**more):
    begun = {**RESPONSE, "status": "in_progress", "usage": None}
    return sse({"type": "response.created", "response": begun}, {"type": "response.output_text.delta", "delta": "hi"},
               {"type": "response.completed", "response": {**RESPONSE, **more}})  # fmt: skip


def test_a_response_tells_its_usage_when_it_is_completed():
    found = read(responses())
    assert (found.tokens, found.stop_reason) == (Tokens(700, 20, 200, 100, 5), "completed")
    assert (found.response_id, found.unfinished) == ("resp_1", False)


def test_a_response_that_is_cut_off_says_why():
    assert read(
        responses(status="incomplete", incomplete_details={"reason": "max_output_tokens"})
    ).stop_reason == ("max_output_tokens")


def test_a_stream_of_a_response_that_breaks_off_is_unfinished():
    assert read(responses()[: responses().index(b"data: " + b'{"type": "response.completed"')]).unfinished


def test_a_failed_response_is_an_error_by_its_code():
    found = read(responses(status="failed", usage=None, error={"code": "server_error", "message": "no"}))
    assert (found.error, found.tokens) == ("server_error", None)


def test_an_error_in_the_middle_of_a_stream_is_known_by_its_kind():
    assert (
        read(sse(chat({"content": "a"}), {"error": {"message": "full", "type": "overloaded"}})).error
        == "overloaded"
    )
    assert (
        read(sse({"type": "error", "code": "rate_limit_exceeded", "message": "x"})).error
        == "rate_limit_exceeded"
    )


@pytest.mark.parametrize("path", ["message", "response"])
def test_ollamas_last_line_has_the_tokens_and_its_own_times(path):
    said = {"message": {"role": "assistant", "content": "hi"}} if path == "message" else {"response": "hi"}
    last = {"model": "qwen3", "done": True, "done_reason": "stop", "total_duration": 5000000000,
            "load_duration": 800000000, "prompt_eval_count": 26, "prompt_eval_duration": 130000000,
            "eval_count": 259, "eval_duration": 4000000000}  # fmt: skip
    lines = b"".join(
        json.dumps(one).encode() + b"\n" for one in ({"model": "qwen3", "done": False, **said}, last)
    )
    found = read(lines, NDJSON)
    assert (found.tokens, found.stop_reason, found.model) == (Tokens(26, 259), "stop", "qwen3")
    assert (found.first_at, found.ttft_ms) == (1.0, 930.0)
    whole = read(json.dumps({**said, **last}).encode(), JSON)
    assert (whole.tokens, whole.first_at, whole.ttft_ms) == (Tokens(26, 259), None, 930.0)


def test_a_prompt_in_ollamas_own_cache_has_no_count():
    assert read(json.dumps({"model": "q", "done": True, "eval_count": 9}).encode(), JSON).tokens == Tokens(
        0, 9
    )


def test_embeddings_have_tokens_too():
    told = {"object": "list", "data": [], "model": "text-embedding-3-small", "usage": {"prompt_tokens": 8}}
    assert read(json.dumps(told).encode(), JSON).tokens == Tokens(8)
    embedded = {"model": "embeddinggemma", "embeddings": [[0.1]], "prompt_eval_count": 5}
    assert read(json.dumps(embedded).encode(), JSON).tokens == Tokens(5)


PACKED = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda data: pytest.importorskip("brotli").compress(data),
    "zstd": lambda data: zstd().compress(data),
}


def zstd():
    try:
        from compression import zstd as module
    except ImportError:
        module = pytest.importorskip("backports.zstd")
    return module


@pytest.mark.parametrize("encoding", PACKED)
@pytest.mark.parametrize("size", [1, 13, None])
def test_packed_answers_are_read_as_they_come(encoding, size):
    assert read(PACKED[encoding](CHAT), SSE, encoding, size).tokens == TOKENS._replace(tier="flex")


def test_damaged_packing_costs_the_numbers_and_nothing_else():
    packed = gzip.compress(CHAT)
    assert read(packed[:20] + b"\0\0\0" + packed[23:], SSE, "gzip").tokens is None


def large(usage):
    """An embeddings answer of 8 MB, with the counted fields at its end."""
    data = json.dumps({"object": "list", "data": [{"embedding": [0.123456789] * 600_000}]})
    return (
        data[:-1].encode()
        + b', "model": "text-embedding-3-large", "usage": '
        + json.dumps(usage).encode()
        + b"}"
    )


def test_an_answer_of_megabytes_is_read_by_its_end():
    found = read(large({"prompt_tokens": 77, "total_tokens": 77}), JSON, size=60_000)
    assert (found.tokens, found.model) == (Tokens(77), "text-embedding-3-large")


def test_a_last_event_of_megabytes_is_read_by_its_ends():
    text = {"type": "output_text", "text": 'say "usage": {"input_tokens": 1} ' * 60_000}
    body = {"id": "resp_1", "object": "response", "status": "completed", "model": "gpt-5",
            "output": [{"type": "message", "id": "msg_1", "content": [text]}], "usage": RESPONSE["usage"]}  # fmt: skip
    found = read(sse({"type": "response.completed", "response": body}), size=60_000)
    assert found.tokens == Tokens(700, 20, 200, 100, 5)
    assert (found.model, found.response_id, found.stop_reason) == ("gpt-5", "resp_1", "completed")


def test_memory_stays_small_however_long_an_answer_is():
    meter = Meter(JSON, "")
    piece = b'"x", ' * 20_000
    tracemalloc.start()
    for _ in range(300):
        meter.feed(piece, 1.0)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 4 * extract.WHOLE


def test_counts_that_are_none_are_nothing_and_parts_are_never_larger_than_their_whole():
    usage = {"prompt_tokens": 5, "completion_tokens": -3, "prompt_tokens_details": {"cached_tokens": 9},
             "completion_tokens_details": {"reasoning_tokens": "7"}}  # fmt: skip
    assert read(json.dumps({"model": "m", "usage": usage}).encode(), JSON).tokens == Tokens(5, 0, 5)


CACHED = Tokens(1000, 50, 600, 100, 20)
BASE = {"prompt_tokens": 1000, "completion_tokens": 50, "completion_tokens_details": {"reasoning_tokens": 20}}


@pytest.mark.parametrize(
    "spelling",
    [
        {"prompt_tokens_details": {"cached_tokens": 600, "cache_write_tokens": 100}},
        {"prompt_cache_hit_tokens": 600, "prompt_cache_miss_tokens": 400, "cache_write_tokens": 100},
        {"cached_tokens": 600, "cache_creation_input_tokens": 100},
        {"cache_read_input_tokens": 600, "cache_creation_input_tokens": 100},
        {"prompt_tokens_details": {"cached_tokens": 600, "cache_creation_tokens": 100}},
        {"prompt_tokens_details": {"cached_tokens": 0}, "cache_read_input_tokens": 600,
         "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 0}},
    ],
)  # fmt: skip
def test_every_name_of_the_cache_is_read(spelling):
    assert read(json.dumps({"model": "m", "usage": BASE | spelling}).encode(), JSON).tokens == CACHED


@pytest.mark.parametrize(
    "spelling",
    [
        {"cache_creation_input_tokens": 100,
         "cache_creation": {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 70}},
        {"prompt_tokens_details": {"cache_creation_tokens": 100, "cache_creation_token_details": {
            "ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 70}}},
        {"claude_cache_creation_5_m_tokens": 30, "claude_cache_creation_1_h_tokens": 70},
    ],
)  # fmt: skip
def test_writes_for_an_hour_are_told_apart(spelling):
    found = read(json.dumps({"model": "m", "usage": BASE | spelling}).encode(), JSON).tokens
    assert (found.cache_write, found.cache_write_1h) == (100, 70)


def test_an_input_told_without_its_cache_is_made_whole():
    own = {"input_tokens": 300, "output_tokens": 50, "cache_read_input_tokens": 600,
           "cache_creation_input_tokens": 100}  # fmt: skip
    assert read(json.dumps({"model": "m", "usage": own}).encode(), JSON).tokens == Tokens(1000, 50, 600, 100)
    small = own | {"cache_read_input_tokens": 200, "cache_creation_input_tokens": 0}
    for total, whole in ((350, 300), (550, 500)):
        found = read(
            json.dumps({"model": "m", "usage": small | {"total_tokens": total}}).encode(), JSON
        ).tokens
        assert (found.input, found.cache_read) == (whole, 200)


@pytest.mark.parametrize(
    ("told", "usd"),
    [
        ({"cost": 0.0125}, 0.0125),
        ({"cost": 0}, None),
        ({"cost": 0.001, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.02}}, 0.021),
        ({"cost": 0.001, "is_byok": True, "cost_details": {"upstream_inference_cost": None}}, None),
        ({"cost_in_usd_ticks": 125_000_000}, 0.0125),
        ({"cost": "much"}, None),
        ({}, None),
    ],
)
def test_a_cost_told_by_the_api_is_kept(told, usd):
    found = read(json.dumps({"model": "m", "usage": BASE | told}).encode(), JSON).billed_usd
    assert found == (usd if usd is None else pytest.approx(usd))


@pytest.mark.parametrize(
    "last",
    [
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": USAGE}]},
        {"choices": [], "x_groq": {"id": "req_1", "usage": USAGE}},
    ],
)
def test_a_stream_may_tell_its_usage_in_a_place_of_its_own(last):
    assert read(sse(chat({"content": "x"}), {"id": "c", "model": "m", **last})).tokens == TOKENS


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ("/lab/v1/chat?x=%20", "https://lab.example/base/v1/chat?x=%20"),
        ("/lab", "https://lab.example/base"),
        ("/v1/models", "https://api.openai.com/v1/models"),
        ("/laboratory/v1", "https://api.openai.com/laboratory/v1"),
    ],
)
def test_the_first_part_of_a_path_names_an_upstream_and_the_rest_goes_on_as_it_is(target, url):
    route = Upstreams(
        {"lab": upstream("https://lab.example/base/", "lab")}, upstream("https://api.openai.com")
    )
    assert route.find(target)[1] == url


def test_a_target_that_is_no_path_goes_nowhere():
    assert Upstreams({}, upstream("https://api.openai.com")).find("http://elsewhere/") is None


@pytest.mark.parametrize("url", ["ftp://x", "https://", "https://me:pw@x", "https://x?key=1", "x"])
def test_what_is_no_upstream_is_refused_without_repeating_it(url):
    with pytest.raises(ValueError, match="upstream") as refused:
        upstream(url)
    assert "pw" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "name", "provider"),
    [
        ("https://api.openai.com", "openai", "openai"),
        ("https://openrouter.ai/api", "openrouter.ai", "openai"),
        ("http://127.0.0.1:11434", "ollama", "ollama"),
        ("http://box:11434", "ollama", "ollama"),
        ("http://localhost:8000/v1", "localhost:8000", "openai"),
    ],
)
def test_an_upstream_is_named_as_people_know_it(url, name, provider):
    found = upstream(url)
    assert (found.name, found.provider) == (name, provider)


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:4330", "127.0.0.1:1", "[::1]:4330", "a.localhost", "127.1.2.3"]
)
def test_this_machines_names_are_let_in(host):
    assert web_origin.is_local_host(host)


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1:4330", "", "localhost.evil", "[::2]"]
)
def test_other_names_are_not(host):
    assert not web_origin.is_local_host(host)


def test_a_program_is_known_by_a_closed_list():
    assert program("AsyncOpenAI/Python 3.57.0") == "openai-python"
    assert program("ollama-python/0.6.3 (x86_64 linux) Python/3.11") == "ollama-python"
    assert program("SECRET/1.0") == "other"


def exchange(path="/v1/chat/completions", method="POST", url="https://api.openai.com"):
    return Exchange(upstream(url), method, path, "OpenAI/Python 3.57.0", 100.0)


def test_first_token_and_end_are_counted_from_the_request():
    one = exchange()
    one.answered(200, SSE, "")
    one.passed(sse(chat({"role": "assistant", "content": ""})), 100.2)
    one.passed(sse(chat({"content": "hel"})), 100.5)
    one.passed(sse(chat({"content": "lo"}, "stop"), chat(usage=USAGE)), 103.0)
    one.complete = True
    told = one.entry(START, 103.5)
    assert (told.ttft_ms, told.duration_ms, told.at) == (500.0, 3500.0, START)
    assert (told.tokens, told.stop_reason, told.error) == (TOKENS, "stop", None)


def test_tokens_that_were_told_are_paid_however_the_request_ended():
    one = exchange()
    one.answered(200, SSE, "")
    one.passed(sse(chat({"content": "a"}), chat(usage=USAGE)), 101.0)
    one.fault = "broken_off"
    told = one.entry(START, 102.0)
    assert (told.tokens, told.error, told.stop_reason) == (TOKENS, None, None)


def test_a_response_that_goes_on_in_the_background_has_not_ended():
    one = exchange("/v1/responses")
    one.answered(200, JSON, "")
    one.passed(json.dumps({**RESPONSE, "status": "queued", "usage": None}).encode(), 101.0)
    one.complete = True
    assert one.entry(START, 102.0).stop_reason is None


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/models"), ("POST", "/v1/files"), ("POST", "/v1/messages")]
)
def test_what_is_no_request_to_a_model_is_no_line(method, path):
    one = exchange(path, method)
    one.answered(200, JSON, "")
    one.passed(json.dumps({"model": "m", "usage": {"input_tokens": 3}}).encode(), 101.0)
    assert one.entry(START, 102.0) is None
