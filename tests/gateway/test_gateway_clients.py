"""Real client libraries through the gateway, before an API scripted with the vendors' formats.

Ollama's own program cannot be had here, so its client library talks to a server that answers in its formats.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import signal

import pytest

pytest.importorskip("aiohttp")
openai = pytest.importorskip("openai")
ollama = pytest.importorskip("ollama")
from support.desk import Desk  # noqa: E402
from support.upstream import Gateway, Upstream, always, answer, chunk, chunked_head, event  # noqa: E402

from aitop.providers.gateway import ollama as ollama_provider  # noqa: E402
from aitop.providers.gateway import openai as openai_provider  # noqa: E402

MODEL = "gpt-5"
CHAT = {
    "id": "chatcmpl-0123456789abcdefghij",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": MODEL,
}
USAGE = {"prompt_tokens": 900, "prompt_tokens_details": {"cached_tokens": 600}, "completion_tokens": 40,
         "completion_tokens_details": {"reasoning_tokens": 30}, "total_tokens": 940}  # fmt: skip
ASKED = [{"role": "user", "content": "hello"}]
STREAMS = 200


def words(text, reason=None):
    return {**CHAT, "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": reason}]}


async def chat(asked, write):
    """As the API: usage only for who asks for it."""
    request = json.loads(asked.body)
    pieces = [words(f"word {number} ") for number in range(20)] + [words("", "stop")]
    if (request.get("stream_options") or {}).get("include_usage"):
        pieces.append({**CHAT, "choices": [], "usage": USAGE})
    await write(chunked_head())
    for piece in pieces:
        await write(chunk(event(piece)))
        await asyncio.sleep(0)
    await write(chunk(event(b"[DONE]")) + b"0\r\n\r\n")


@pytest.fixture
def api():
    server = Upstream(chat)
    yield server
    server.close()


@pytest.fixture
def gateway(api, home):
    running = Gateway(home, "--upstream", api.url)
    yield running
    running.close()


def client(url):
    return openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)


def streaming(one, **more):
    return one.chat.completions.create(
        model=MODEL, messages=ASKED, stream=True, stream_options={"include_usage": True}, **more
    )


def test_the_sdk_gets_the_same_bytes_as_without_the_gateway(api, gateway):
    hashes = []
    for url in (api.url, gateway.url):
        with client(url) as one, one.chat.completions.with_streaming_response.create(
            model=MODEL, messages=ASKED, stream=True, stream_options={"include_usage": True}
        ) as response:  # fmt: skip
            hashes.append(hashlib.sha256(b"".join(response.iter_bytes())).hexdigest())
    assert hashes[0] == hashes[1]
    direct, relayed = api.asked
    assert direct.body == relayed.body
    assert [pair for pair in direct.headers if pair[0].lower() not in ("host", "connection")] == [
        pair for pair in relayed.headers if pair[0].lower() not in ("host", "connection")
    ]


def test_the_sdks_stream_is_counted_with_cached_and_reasoning_tokens(gateway):
    with client(gateway.url) as one:
        *_, last = streaming(one)
    assert last.usage.total_tokens == 940
    line = gateway.lines(1)[0]
    assert line["session"].startswith("openai-python/127.0.0.1:")
    assert 0 < line["ttft_ms"] <= line["duration_ms"]
    desk = Desk(openai_provider, *openai_provider.folders([], {"AITOP_HOME": gateway.home})).read()
    (total,) = desk.totals().values()
    assert (total.requests, total.uncached_input_tokens, total.cache_read_tokens, total.output_tokens) == (
        1,
        300,
        600,
        40,
    )
    assert total.cost == 300 * 1_250_000 + 600 * 125_000 + 40 * 10_000_000


def test_the_sdks_stream_that_asks_for_no_usage_is_counted_as_unknown(gateway):
    with client(gateway.url) as one:
        list(one.chat.completions.create(model=MODEL, messages=ASKED, stream=True))
    gateway.lines(1)
    desk = Desk(openai_provider, *openai_provider.folders([], {"AITOP_HOME": gateway.home})).read()
    (total,) = desk.totals().values()
    assert (total.requests, total.unpriced_requests, total.incomplete_requests) == (1, 1, 0)


def test_the_sdks_responses_and_embeddings(api, gateway):
    usage = {"input_tokens": 70, "input_tokens_details": {"cached_tokens": 20}, "output_tokens": 9,
             "output_tokens_details": {"reasoning_tokens": 5}, "total_tokens": 79}  # fmt: skip
    body = {"id": "resp_0123456789abcdefghijklmn", "object": "response", "created_at": 1, "status": "completed",
            "model": MODEL, "output": [], "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
            "usage": usage}  # fmt: skip
    with client(gateway.url) as one:
        api.script = always(answer(body))
        assert one.responses.create(model=MODEL, input="hello").usage.total_tokens == 79
        api.script = always(
            chunked_head(),
            chunk(event({"type": "response.output_text.delta", "delta": "x", "item_id": "i", "output_index": 0,
                         "content_index": 0, "sequence_number": 1, "logprobs": []})),
            chunk(event({"type": "response.completed", "sequence_number": 2,
                         "response": {**body, "id": "resp_1123456789abcdefghijklmn"}})),
            b"0\r\n\r\n",
        )  # fmt: skip
        *_, last = one.responses.create(model=MODEL, input="hello", stream=True)
        assert last.type == "response.completed"
        embedded = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}],
                    "model": "text-embedding-3-small", "usage": {"prompt_tokens": 8, "total_tokens": 8}}  # fmt: skip
        api.script = always(answer(embedded))
        one.embeddings.create(model="text-embedding-3-small", input="hello", encoding_format="float")
    told = [line["tokens"] for line in gateway.lines(3)]
    whole = {"input": 70, "output": 9, "cache_read": 20, "reasoning": 5}
    assert told == [whole, whole, {"input": 8}]


def test_two_hundred_streams_at_once_are_all_whole_and_all_counted(gateway):
    async def one(sdk):
        return [chunk.model_dump_json() async for chunk in await streaming(sdk)]

    async def all_of_them():
        async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=0) as sdk:
            return await asyncio.gather(*(one(sdk) for _ in range(STREAMS)))

    found = asyncio.run(all_of_them())
    assert {len(chunks) for chunks in found} == {22}
    assert len({"".join(chunks) for chunks in found}) == 1
    assert [line["tokens"]["input"] for line in gateway.lines(STREAMS, 30)] == [900] * STREAMS


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_no_client_notices_a_listener_that_is_killed_or_hangs(api, home, listener, gateway, number):
    listener.start()
    with client(gateway.url) as one:
        stream = iter(streaming(one))
        first = next(stream)
        listener.signal(number)
        assert first.choices[0].delta.content == "word 0 "
        assert len(list(stream)) == 21
        assert len(list(streaming(one))) == 22
    gateway.lines(2)
    if number == signal.SIGSTOP:
        listener.signal(signal.SIGCONT)
    else:
        listener.process.wait(10)
        listener.start()
    # One API id, made once by the script: so the two requests are one response.
    listener.wait_for(lambda state: state["today"]["requests"] == 1 and state["today"]["output_tokens"] == 40)


def test_an_error_reaches_the_sdk_as_without_the_gateway(api, gateway):
    api.script = always(answer({"error": {"message": "slow down", "code": "rate_limit_exceeded"}},
                               status="429 Too Many Requests", more="retry-after: 7\r\n"))  # fmt: skip
    with client(gateway.url) as one, pytest.raises(openai.RateLimitError) as caught:
        streaming(one)
    assert caught.value.response.headers["retry-after"] == "7"
    assert gateway.lines(1)[0]["error"] == "rate_limit_exceeded"


def test_an_sdk_that_gives_up_on_a_hung_api_frees_it(api, gateway):
    async def hung(asked, write):
        await write(chunked_head() + chunk(event(words("a"))))
        await asyncio.sleep(60)

    api.script = hung
    with client(gateway.url) as one:
        stream = streaming(one, timeout=0.3)
        with contextlib.closing(stream), pytest.raises(openai.APITimeoutError):
            list(stream)
    assert api.asked[0].left.wait(10)


# -- Ollama --------------------------------------------------------------------------------------------------

LAST = {"model": "qwen3", "created_at": "2026-11-01T00:00:00Z", "done": True, "done_reason": "stop",
        "total_duration": 5_000_000_000, "load_duration": 800_000_000, "prompt_eval_count": 26,
        "prompt_eval_duration": 130_000_000, "eval_count": 259, "eval_duration": 4_000_000_000}  # fmt: skip


async def local_model(asked, write):
    """Ollama's formats, by path: https://docs.ollama.com/api."""
    request = json.loads(asked.body)
    if asked.target == "/api/embed":
        await write(answer({"model": "embeddinggemma", "embeddings": [[0.5]], "prompt_eval_count": 4}))
        return
    said = (
        {"message": {"role": "assistant", "content": "hi"}}
        if asked.target == "/api/chat"
        else {"response": "hi"}
    )
    if request.get("stream") is False:
        await write(answer({**said, **LAST}))
        return
    await write(chunked_head("application/x-ndjson"))
    for one in (
        {"model": "qwen3", "created_at": LAST["created_at"], "done": False, **said},
        {**said, **LAST},
    ):
        await write(chunk(json.dumps(one).encode() + b"\n"))
    await write(b"0\r\n\r\n")


def test_ollamas_client_is_counted_free_and_timed(api, home):
    api.script = local_model
    running = Gateway(home, "--ollama", "--upstream", api.url)
    try:
        with ollama.Client(host=running.url) as one:
            *_, last = one.chat(model="qwen3", messages=ASKED, stream=True)
            assert last.eval_count == 259
            *_, last = one.generate(model="qwen3", prompt="hello", stream=True)
            assert last.done
            assert one.chat(model="qwen3", messages=ASKED).message.content == "hi"
            one.embed(model="embeddinggemma", input="hello")
        found = running.lines(4)
    finally:
        running.close()
    assert [line["tokens"] for line in found] == [{"input": 26, "output": 259}] * 3 + [{"input": 4}]
    assert {line["session"].rpartition("/")[0] for line in found} == {"ollama-python/ollama"}
    assert found[2]["ttft_ms"] == 930  # not streamed, so by its own word
    desk = Desk(ollama_provider, os.path.join(home, "gateway", "ollama")).read()
    (total,) = desk.totals().values()
    assert (total.requests, total.cost, total.unpriced_requests, total.output_tokens) == (4, 0, 0, 777)


def test_a_model_that_ollama_only_passes_on_to_its_cloud_is_not_taken_for_free(api, home):
    api.script = always(answer({**LAST, "model": "gpt-oss:120b-cloud"}))
    running = Gateway(home, "--ollama", "--upstream", api.url)
    try:
        with ollama.Client(host=running.url) as one:
            one.generate(model="gpt-oss:120b-cloud", prompt="hello")
        running.lines(1)
    finally:
        running.close()
    desk = Desk(ollama_provider, os.path.join(home, "gateway", "ollama")).read()
    (total,) = desk.totals().values()
    assert (total.requests, total.unpriced_requests) == (1, 1)
