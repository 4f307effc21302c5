"""The gateway as a process before an API at the level of bytes: what goes in comes out."""

import asyncio
import gzip
import hashlib
import os
import random
import shutil
import socket
import threading
import time

import pytest

pytest.importorskip("aiohttp")
from support.upstream import Gateway, Upstream, always, answer, chunk, chunked_head, event, parts, post  # noqa: E402

from aitop.system import local_zone  # noqa: E402

CHAT = {"id": "chatcmpl-0123456789abcdefghij", "object": "chat.completion.chunk", "model": "gpt-5"}
USAGE = {"prompt_tokens": 900, "completion_tokens": 40, "prompt_tokens_details": {"cached_tokens": 600},
         "completion_tokens_details": {"reasoning_tokens": 30}}  # fmt: skip


def words(text="hello", **more):
    return event(
        {**CHAT, "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}], **more}
    )


STREAM = [
    event({**CHAT, "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}),
    words("hel"), words("lo"),
    event({**CHAT, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
    event({**CHAT, "choices": [], "usage": USAGE}),
    event(b"[DONE]"),
]  # fmt: skip


def streamed(pieces=STREAM, more=""):
    return always(chunked_head(more=more), *map(chunk, pieces), b"0\r\n\r\n")


@pytest.fixture(scope="module")
def api():
    server = Upstream()
    yield server
    server.close()


@pytest.fixture(scope="module")
def shared(api, tmp_path_factory):
    running = Gateway(tmp_path_factory.mktemp("gateway"), "--upstream", api.url)
    yield running
    running.close()


class Fresh:
    """The shared gateway, with what it did in this test alone."""

    def __init__(self, gateway, api):
        self.gateway, self.api = gateway, api
        self.before = self._after_a_mark()
        api.asked.clear()
        api.script = always(answer({}))

    def _after_a_mark(self):
        """How many lines there are when all that was asked before is written: lines keep their order."""
        mark = f"mark-{len(self.gateway.lines())}"
        self.api.script = always(answer({"model": mark}))
        self.gateway.ask(post())
        number = 1
        while self.gateway.lines(number)[-1].get("model") != mark:
            number += 1
        return len(self.gateway.lines())

    def ask(self, data, script=None):
        if script:
            self.api.script = script
        return parts(self.gateway.ask(data))

    def line(self):
        (found,) = self.gateway.lines(self.before + 1)[self.before :]
        return found


@pytest.fixture
def gateway(shared, api):
    return Fresh(shared, api)


def test_a_stream_arrives_byte_for_byte_and_its_usage_is_written_down(gateway):
    status, _, body = gateway.ask(post(), streamed())
    assert (status, body) == ("HTTP/1.1 200 OK", b"".join(STREAM))
    line = gateway.line()
    assert line["tokens"] == {"input": 900, "output": 40, "cache_read": 600, "reasoning": 30}
    assert (line["provider"], line["model"], line["stop_reason"]) == ("openai", "gpt-5", "stop")
    assert line["response_id"] == CHAT["id"]


def test_what_the_client_sends_arrives_byte_for_byte(gateway):
    body = random.Random(7).randbytes(3_000_000)
    gateway.ask(post(body, "/v1/files?purpose=a%20b&x=%2F"))
    (asked,) = gateway.api.asked
    assert hashlib.sha256(asked.body).digest() == hashlib.sha256(body).digest()
    assert asked.target == "/v1/files?purpose=a%20b&x=%2F"


def test_a_request_in_chunks_stays_one_and_a_packed_one_stays_packed(gateway):
    packed = gzip.compress(b'{"model": "gpt-5"}')
    head = (b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-encoding: gzip\r\n"
            b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n")  # fmt: skip
    gateway.ask(head + chunk(packed[:10]) + chunk(packed[10:]) + b"0\r\n\r\n")
    (asked,) = gateway.api.asked
    assert asked.body == packed
    assert (asked.header("content-encoding"), asked.header("content-length")) == ("gzip", None)


def test_headers_pass_but_those_of_the_connection_and_none_is_added(gateway):
    more = ("Authorization: Bearer k\r\nX-Odd-Case: 1\r\nX-Odd-Case: 2\r\nConnection: x-hop\r\nX-Hop: gone\r\n"
            "TE: trailers\r\nProxy-Authorization: gone\r\n")  # fmt: skip
    gateway.ask(post(b"{}", more=more))
    (asked,) = gateway.api.asked
    sent = [pair for pair in asked.headers if pair[0] != "Host"]
    assert sent == [
        ("content-length", "2"),
        ("Authorization", "Bearer k"),
        ("X-Odd-Case", "1"),
        ("X-Odd-Case", "2"),
    ]
    assert asked.header("host") == f"127.0.0.1:{gateway.api.port}"


def test_the_answers_headers_pass_and_none_is_added(gateway):
    more = "x-request-id: req_1\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nKeep-Alive: timeout=5\r\n"
    status, headers, body = gateway.ask(
        post(), always(answer(b"{}", status="418 Short And Stout", more=more))
    )
    assert status == "HTTP/1.1 418 Short And Stout"
    assert [pair for pair in headers if pair[0].lower() != "connection"] == [
        ("content-type", "application/json"), ("content-length", "2"), ("x-request-id", "req_1"),
        ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"),
    ]  # fmt: skip
    assert body == b"{}"


def test_one_clients_cookies_never_reach_another(gateway):
    gateway.ask(post(), always(answer(b"{}", more="Set-Cookie: who=me\r\n")))
    gateway.ask(post())
    assert gateway.api.asked[1].header("cookie") is None


def test_a_packed_answer_stays_packed_and_is_read_all_the_same(gateway):
    packed = gzip.compress(b"".join(STREAM))
    _, headers, body = gateway.ask(post(), streamed([packed[:50], packed[50:]], "content-encoding: gzip\r\n"))
    assert body == packed
    assert ("content-encoding", "gzip") in headers
    assert gateway.line()["tokens"]["input"] == 900


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_an_answer_without_a_body_has_none(gateway, status):
    script = always(f"HTTP/1.1 {status}\r\netag: x\r\n\r\n".encode())
    told, headers, body = gateway.ask(post(path="/v1/other"), script)
    assert (told, body) == (f"HTTP/1.1 {status}", b"")
    assert ("etag", "x") in headers


def test_a_redirect_is_the_clients_to_follow(gateway):
    status, headers, _ = gateway.ask(
        post(), always(answer(b"", status="307 Temporary Redirect", more="location: /elsewhere\r\n"))
    )
    assert status == "HTTP/1.1 307 Temporary Redirect"
    assert ("location", "/elsewhere") in headers
    assert len(gateway.api.asked) == 1


def test_each_piece_goes_on_before_the_next_one_comes(gateway):
    """The API writes a piece only when the one before was seen by the client."""
    seen = threading.Semaphore(0)

    async def script(asked, write):
        await write(chunked_head())
        for piece in STREAM:
            await write(chunk(piece))
            await asyncio.to_thread(seen.acquire)
        await write(b"0\r\n\r\n")

    gateway.api.script = script
    with socket.create_connection(("127.0.0.1", gateway.gateway.port), timeout=10) as peer:
        peer.sendall(post())
        got = b""
        for piece in STREAM:
            while piece not in got:
                got += peer.recv(65536)
            seen.release()
        while data := peer.recv(65536):
            got += data
    assert got.endswith(b"0\r\n\r\n")


def test_the_first_token_is_timed_from_the_request_to_its_first_word(gateway):
    """Between the announcement and the first word, and before the end, the API holds back for a moment."""
    held, heard = [], threading.Event()

    async def script(asked, write):
        await write(chunked_head() + chunk(STREAM[0]))
        await asyncio.sleep(0.05)
        held.append(time.monotonic() - asked.began)
        await write(chunk(STREAM[1]))
        await asyncio.to_thread(
            heard.wait, 30
        )  # however slow the machine is, the word is through before the rest
        await asyncio.sleep(0.2)
        await write(b"".join(map(chunk, STREAM[2:])) + b"0\r\n\r\n")

    gateway.api.script = script
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", gateway.gateway.port), timeout=10) as peer:
        peer.sendall(post())
        answer = b""
        while not answer.endswith(b"\r\n0\r\n\r\n"):
            answer += peer.recv(65536)
            if b"hel" in answer:
                heard.set()
    whole = (time.monotonic() - began) * 1000
    line = gateway.line()
    assert held[0] * 1000 <= line["ttft_ms"] <= line["duration_ms"] - 150 <= whole


def test_a_client_that_leaves_ends_the_request_upstream(gateway):
    async def script(asked, write):
        await write(chunked_head() + chunk(STREAM[1]))
        await asyncio.sleep(60)

    gateway.api.script = script
    with socket.create_connection(("127.0.0.1", gateway.gateway.port), timeout=10) as peer:
        peer.sendall(post())
        while b"hel" not in peer.recv(65536):
            pass
    assert gateway.api.asked[0].left.wait(10)
    line = gateway.line()
    assert "tokens" not in line and "stop_reason" not in line and "error" not in line
    assert line["model"] == "gpt-5"


def test_a_client_that_leaves_before_the_answer_ends_the_request_upstream(gateway):
    async def script(asked, write):
        await asyncio.sleep(60)

    gateway.api.script = script
    with socket.create_connection(("127.0.0.1", gateway.gateway.port), timeout=10) as peer:
        peer.sendall(post())
        while not gateway.api.asked:
            time.sleep(0.005)
    assert gateway.api.asked[0].left.wait(10)
    assert "error" not in gateway.line()


def test_an_answer_cut_short_is_cut_short_for_the_client_too(gateway):
    async def script(asked, write):
        await write(chunked_head() + chunk(STREAM[1]))
        raise RuntimeError("the API falls over")

    gateway.api.script = script
    raw = gateway.gateway.ask(post())
    assert STREAM[1] in raw and not raw.endswith(b"0\r\n\r\n")
    assert gateway.line()["error"] == "broken_off"


def test_an_error_of_the_api_passes_and_counts_as_one(gateway):
    body = {"error": {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded"}}
    status, _, got = gateway.ask(post(), always(answer(body, status="429 Too Many Requests")))
    assert (status, b"slow down" in got) == ("HTTP/1.1 429 Too Many Requests", True)
    assert gateway.line()["error"] == "rate_limit_exceeded"


def test_an_error_without_a_word_of_its_own_is_named_by_its_status(gateway):
    gateway.ask(post(), always(answer(b"<html>", kind="text/html", status="503 Service Unavailable")))
    assert gateway.line()["error"] == "http_503"


def test_a_stream_without_usage_counts_without_tokens(gateway):
    gateway.ask(post(), streamed([*STREAM[:4], STREAM[5]]))
    line = gateway.line()
    assert ("tokens" in line, line["stop_reason"], line["model"]) == (False, "stop", "gpt-5")


def test_other_paths_pass_and_leave_no_line(gateway):
    body = gateway.ask(b"GET /v1/models HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")[2]
    assert body == b"{}"
    gateway.ask(post())
    assert gateway.line()["duration_ms"] > 0  # the one line is of the chat


@pytest.mark.parametrize(
    "program",
    ["codex_exec/0.169.0 (Debian 12.0.0; x86_64) xterm", "opencode/1.18.33 ai-sdk/provider-utils/4.0.23"],
)
def test_a_client_that_is_counted_by_its_own_records_passes_uncounted(gateway, program):
    _, _, body = gateway.ask(post(more=f"user-agent: {program}\r\n"), streamed())
    assert body == b"".join(STREAM)
    gateway.ask(post(more="user-agent: curl/8\r\n"))
    assert gateway.line()["session"].startswith("curl/")  # the one line


def test_a_background_response_is_counted_when_it_is_asked_for(gateway):
    done = {"id": "resp_0123456789abcdefghijklmn", "object": "response", "status": "completed", "model": "gpt-5",
            "usage": {"input_tokens": 50, "output_tokens": 7}}  # fmt: skip
    get = b"GET /v1/responses/resp_0123456789abcdefghijklmn HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    gateway.ask(get, always(answer({**done, "status": "queued", "usage": None})))
    gateway.ask(get, always(answer(done)))
    line = gateway.line()
    assert (line["tokens"], line["response_id"]) == ({"input": 50, "output": 7}, done["id"])
    assert "duration_ms" not in line


def test_a_page_of_another_name_that_leads_here_is_refused(gateway):
    request = post().replace(b"host: localhost", b"host: evil.example")
    status, _, body = gateway.ask(request)
    assert status == "HTTP/1.1 403 Forbidden"
    assert b"its own machine only" in body
    assert gateway.api.asked == []


def test_the_gateway_says_who_it_is(gateway):
    _, _, body = gateway.ask(b"GET /.aitop HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
    assert b'"aitop"' in body
    assert gateway.api.asked == []


def test_nothing_of_contents_keys_or_headers_is_written(gateway):
    secret = "SECRET-7f3a"
    script = streamed([words(secret), event({**CHAT, "choices": [], "usage": USAGE, "user": secret}), STREAM[5]],
                      f"x-secret: {secret}\r\n")  # fmt: skip
    body = f'{{"model": "gpt-5", "user": "{secret}", "messages": [{{"content": "{secret}"}}]}}'.encode()
    head = f"authorization: Bearer {secret}\r\nuser-agent: {secret}\r\nx-session-id: {secret}\r\n"
    gateway.ask(post(body, f"/v1/chat/completions?key={secret}", head), script)
    gateway.ask(
        post(body, more=head), always(answer({"error": {"message": secret, "code": f"{secret} is bad"}}))
    )
    gateway.gateway.lines(gateway.before + 2)
    for folder, _, names in os.walk(gateway.gateway.home):
        for name in names:
            path = os.path.join(folder, name)
            assert os.stat(path).st_mode & 0o077 == 0
            with open(path, "rb") as file:
                assert secret.encode() not in file.read()


def test_the_day_of_a_line_follows_a_zone_that_changes(api, tmp_path):
    file = tmp_path / "zone"
    shutil.copy(f"{local_zone.ZONES}/Etc/GMT+12", file)
    api.script = always(answer(CHAT | {"usage": USAGE}))
    gateway = Gateway(tmp_path / "g", "--upstream", api.url, TZ=f":{file}")
    try:
        gateway.ask(post())
        gateway.lines(1)
        shutil.copy(f"{local_zone.ZONES}/Etc/GMT-14", f"{file}.new")  # always another day
        os.replace(f"{file}.new", file)
        gateway.ask(post())
        sessions = [line["session"] for line in gateway.lines(2)]
    finally:
        gateway.close()
    assert len({session.rpartition("/")[2] for session in sessions}) == 2
    assert len(list((tmp_path / "g" / "gateway").rglob("*.jsonl"))) == 2


def test_an_upstream_that_is_not_there_is_a_502_that_names_it(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = Gateway(tmp_path / "h", "--upstream", f"http://127.0.0.1:{port}")
    try:
        status, _, body = parts(running.ask(post()))
        assert status == "HTTP/1.1 502 Bad Gateway"
        assert b"cannot be reached" in body
        assert running.lines(1)[0]["error"] == "unreachable"
    finally:
        running.close()


def test_several_upstreams_by_the_first_part_of_the_path(api, tmp_path):
    config = tmp_path / "config.toml"
    config.write_text(f'[gateway.upstreams]\nlab = "{api.url}/base"\nollama = "{api.url}"\n')
    api.asked.clear()
    last = {"model": "qwen3", "done": True, "done_reason": "stop", "prompt_eval_count": 3, "eval_count": 4}
    api.script = always(answer(last, kind="application/x-ndjson"))
    running = Gateway(tmp_path / "h", AITOP_CONFIG=str(config))
    try:
        for path in ("/lab/v1/chat/completions?a=1", "/ollama/api/chat", "/nobody/v1"):
            running.ask(post(path=path))
        found = running.lines(2)
    finally:
        running.close()
    assert [asked.target for asked in api.asked] == ["/base/v1/chat/completions?a=1", "/api/chat"]
    assert [(line["provider"], line.get("local")) for line in found] == [("openai", None), ("ollama", True)]
    assert "/lab/" in found[0]["session"]


def test_running_answers_end_before_the_gateway_does(api, tmp_path):
    go = threading.Event()

    async def script(asked, write):
        await write(chunked_head() + chunk(STREAM[1]))
        await asyncio.to_thread(go.wait, 10)
        await write(chunk(STREAM[4]) + b"0\r\n\r\n")

    api.script = script
    running = Gateway(tmp_path / "h", "--upstream", api.url)
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as peer:
        peer.sendall(post())
        got = peer.recv(65536)
        running.process.terminate()
        while not refused(running.port):
            time.sleep(0.01)
        go.set()
        while data := peer.recv(65536):
            got += data
    running.close()
    assert got.endswith(b"0\r\n\r\n")
    assert running.process.returncode == 0
    assert running.lines(1)[0]["tokens"]["input"] == 900


def refused(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return True
    return False


def test_a_taken_port_is_said_with_what_to_do(api, tmp_path):
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "aitop", "gateway", "--port", str(api.port)],
        capture_output=True, text=True, timeout=30, env={"PATH": os.environ["PATH"], "HOME": str(tmp_path),
        "PYTHONPATH": os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))},
    )  # fmt: skip
    assert done.returncode == 1
    assert "--port" in done.stderr and "Traceback" not in done.stderr


def test_a_journal_that_cannot_be_written_disturbs_no_request(api, tmp_path):
    api.script = streamed()
    home = tmp_path / "h"
    home.mkdir()
    (home / "gateway").write_text("in the way")
    running = Gateway(home, "--upstream", api.url)
    try:
        assert parts(running.ask(post()))[2] == b"".join(STREAM)
    finally:
        running.close()
    assert "the journal cannot be written" in running.rest
