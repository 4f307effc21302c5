"""LiteLLM: its payload by hand, and the real proxy with made-up answers."""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from support.desk import START, Desk
from support.litellm_payload import SECRET, USAGE, payload

import aitop.litellm
from aitop.providers.gateway import litellm, litellm_payload
from aitop.providers.gateway.entry import Tokens, to_line

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VENV = os.environ.get("AITOP_LITELLM") or os.path.expanduser("~/.cache/aitop-litellm")
INSTALL = f"python3 -m venv {VENV}; {VENV}/bin/pip install 'litellm[proxy]'"


def told(**more):
    return litellm_payload.entry(payload(**more), "litellm/proxy/2026-09-21")


def test_a_call_is_one_entry_with_tokens_times_and_what_it_cost():
    found = told()
    assert found.tokens == Tokens(1000, 50, 600, 100, 20)
    assert (found.model, found.stop_reason, found.billed_usd) == ("gpt-5", "stop", 0.0125)
    assert (found.at, found.duration_ms, found.ttft_ms) == (START + 2, 2000.0, 250.0)
    assert found.session == "litellm/proxy/2026-09-21"


def test_nothing_of_messages_answers_keys_or_people_is_in_it():
    assert SECRET.encode() not in to_line(told())
    error = {
        "error_code": "401",
        "error_class": "AuthenticationError",
        "error_message": SECRET,
        "traceback": SECRET,
    }
    assert SECRET.encode() not in to_line(told(status="failure", error_information=error))


def test_what_was_not_streamed_has_no_first_token():
    assert told(stream=False).ttft_ms is None


def test_a_program_that_names_its_sessions_has_them():
    assert told(session_id="conversation-7").session == "litellm/conversation-7"
    assert told(session_id="a sentence?").session == "litellm/proxy/2026-09-21"


def test_a_price_litellm_does_not_know_is_not_taken_for_free():
    found = told(response_cost=0.0)
    assert (found.billed_usd, found.local) == (None, False)


def test_cache_writes_for_an_hour_are_told_apart():
    parts = {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 70}
    details = {"cached_tokens": 600, "cache_creation_tokens": 100, "cache_creation_token_details": parts}
    found = told(metadata={"usage_object": USAGE | {"prompt_tokens_details": details}}).tokens
    assert (found.input, found.cache_read, found.cache_write, found.cache_write_1h) == (1000, 600, 100, 70)


def test_a_cost_that_only_the_api_knows_stands():
    found = told(response_cost=0.0, metadata={"usage_object": USAGE | {"cost": 0.5}})
    assert found.billed_usd == 0.5


def test_a_cloud_model_of_ollama_is_not_local():
    assert told(custom_llm_provider="ollama", model="gpt-oss:120b-cloud").local is False


def test_ollama_behind_litellm_is_free():
    found = told(response_cost=0.0, custom_llm_provider="ollama_chat", model="qwen3")
    assert (found.billed_usd, found.local) == (None, True)


def test_each_failed_attempt_of_a_call_is_an_error_of_its_own():
    first, second = (
        told(status="failure", startTime=START + n, error_information={"error_code": "429"}) for n in (0, 1)
    )
    assert (first.error, first.tokens, first.id == second.id) == ("http_429", None, False)
    assert (
        told(status="failure", error_information={"error_class": "APIConnectionError"}).error
        == "APIConnectionError"
    )


@pytest.mark.parametrize(
    "more",
    [
        {"cache_hit": True},
        {"call_type": "afile_content"},
        {"endTime": None},
        {"litellm_call_id": None, "id": 1},
    ],
)
def test_what_is_no_call_to_a_model_is_no_entry(more):
    assert told(**more) is None


@pytest.mark.parametrize(
    "odd", [None, [], "x", {"status": "success"}, payload(metadata=None, response=[], startTime="x")]
)
def test_no_payload_can_disturb_the_host(odd, home):
    litellm_payload.entry(odd, "s")
    aitop.litellm.logger.log_success_event({"standard_logging_object": odd}, None, None, None)
    aitop.litellm.logger.log_failure_event(odd, None, None, None)


def test_a_home_that_cannot_be_written_does_not_disturb_the_host(monkeypatch):
    monkeypatch.setenv("AITOP_HOME", "/dev/null/home")
    asyncio.run(
        aitop.litellm.logger.async_log_success_event({"standard_logging_object": payload()}, None, None, None)
    )


def test_the_logger_writes_what_the_history_counts_once(home):
    for _ in range(2):
        aitop.litellm.logger.log_success_event({"standard_logging_object": payload()}, None, None, None)
    desk = Desk(litellm, *litellm.folders([], os.environ)).read()
    (total,) = desk.totals().values()
    assert (total.requests, total.input_tokens, total.cost) == (1, 1000, 12_500_000_000)
    (session,) = desk.totals()
    assert desk.session(session).cwd == os.getcwd()


# -- the real one --------------------------------------------------------------------------------------------

CONFIG = {
    "model_list": [
        {
            "model_name": name,
            "litellm_params": {"model": f"openai/{name}", "api_key": "none", "mock_response": said},
        }
        for name, said in (("gpt-4o", f"hello {SECRET}"), ("gpt-4o-mini", "litellm.RateLimitError"))
    ],
    "litellm_settings": {"callbacks": "aitop.litellm.logger"},
    "router_settings": {"num_retries": 0},
}


def ask(port, model, **more):
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": SECRET}], **more}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/chat/completions",
        body,
        {"content-type": "application/json", "authorization": f"Bearer sk-{SECRET}"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return response.read()


@contextlib.contextmanager
def proxy(tmp_path, home, config, **more):
    """A real LiteLLM proxy, asked until it answers; its port."""
    if not os.access(os.path.join(VENV, "bin", "litellm"), os.X_OK):
        message = f"LiteLLM's proxy is missing (760 MB): {INSTALL}"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(message)
    file = tmp_path / "litellm.yaml"
    file.write_text(json.dumps(config))  # JSON is YAML
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AITOP_HOME": home, "PYTHONPATH": ROOT,
               "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MASTER_KEY": f"sk-{SECRET}", **more}  # fmt: skip
    with open(tmp_path / "proxy.out", "wb") as out:
        process = subprocess.Popen(
            [os.path.join(VENV, "bin", "litellm"), "--config", str(file), "--port", str(port), "--host", "127.0.0.1"],
            env=environ, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
        )  # fmt: skip
    try:
        while True:
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health/liveliness"),
            ):
                break
            assert process.poll() is None, (tmp_path / "proxy.out").read_text()[-3000:]
            time.sleep(0.2)
        yield port
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.real
@pytest.mark.timeout(180)
def test_a_real_proxy_tells_every_call_through_the_one_line_logger(tmp_path, home):
    with proxy(tmp_path, home, CONFIG) as port:
        assert SECRET.encode() in ask(port, "gpt-4o")
        assert b"[DONE]" in ask(port, "gpt-4o", stream=True)
        with pytest.raises(urllib.error.HTTPError, match="429"):
            ask(port, "gpt-4o-mini")
        desk = Desk(litellm, *litellm.folders([], {"AITOP_HOME": home}))
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            totals = list(desk.read().totals().values())
            if totals and (totals[0].requests, totals[0].errors) == (2, 1):
                break
            time.sleep(0.1)
    (total,) = totals
    assert (total.requests, total.errors, total.unpriced_requests) == (2, 1, 0)
    assert total.output_tokens > 0
    assert total.cost == total.uncached_input_tokens * 2_500_000 + total.output_tokens * 10_000_000
    for folder, _, names in os.walk(home):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                assert SECRET.encode() not in file.read()


@pytest.mark.real
@pytest.mark.timeout(180)
def test_a_real_proxy_tells_every_call_to_the_receiver_of_a_running_listener(tmp_path, home, listener):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        receiver = probe.getsockname()[1]
    own = tmp_path / "config.toml"
    own.write_text(f"[otel]\nenabled = true\nport = {receiver}\n")
    listener.start(AITOP_CONFIG=str(own))
    with open(os.path.join(home, "otel.token")) as file:
        shown = file.read().strip()
    config = CONFIG | {
        "litellm_settings": {"callbacks": ["aitop"]},
        "callback_settings": {
            "aitop": {
                "callback_type": "generic_api",
                "endpoint": f"http://127.0.0.1:{receiver}/v1/litellm",
                "headers": {"x-aitop-token": "os.environ/AITOP_TOKEN"},
                "batch_size": 1,
            }
        },
    }
    with proxy(tmp_path, home, config, AITOP_TOKEN=shown) as port:
        ask(port, "gpt-4o")
        with pytest.raises(urllib.error.HTTPError, match="429"):
            ask(port, "gpt-4o-mini")
        state = listener.wait_for(
            lambda state: (state["today"]["requests"], state["today"]["errors"]) == (1, 1), 40
        )
    assert state["today"]["cost_usd"] > 0
    assert state["sessions"][0]["provider"] == "litellm"
