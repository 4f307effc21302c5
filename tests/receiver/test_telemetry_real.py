"""Telemetry of the real clients, set up as `aitop install --otel` does it: what they say they used is what counts."""

import glob
import json
import os
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner
from support.clients import client
from support.messages_api import FINE, call
from support.messages_api import Api as Messages
from support.scripted_api import Api
from support.telemetry_desk import free_port

from aitop.install.cli import install

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]
FIRST = {"input": 9000, "cached": 6000, "output": 50, "reasoning": 20}
SECOND = {"input": 9500, "cached": 8900, "output": 70, "reasoning": 30}
MODEL = "gpt-5.1-codex"


class Desktop:
    """A user with a listener that takes telemetry, and what `install --otel` printed for other clients."""

    def __init__(self, folder, home, listener, monkeypatch):
        self.home, self.work, self.listener = folder / "desktop", folder / "work", listener
        self.work.mkdir()
        self.home.mkdir()
        self.port = free_port()
        (folder / "config.toml").write_text(f"[otel]\nport = {self.port}\n")
        own = {
            "HOME": str(self.home), "AITOP_CONFIG": str(folder / "config.toml"),
            "CLAUDE_CONFIG_DIR": str(self.home / ".claude"), "CODEX_HOME": str(self.home / ".codex"),
            "GEMINI_CLI_HOME": str(self.home), "COPILOT_HOME": str(self.home / ".copilot"),
        }  # fmt: skip
        for name, value in own.items():
            monkeypatch.setenv(name, value)
        found = CliRunner().invoke(install, ["--otel", "--write"])
        assert found.exit_code == 0, found.output
        self.printed = found.output
        listener.start(**own)
        listener.wait_for(lambda state: state["doctor"]["otel"]["port"] == self.port)

    def snippet(self, begin):
        """The indented lines below the heading that begins so."""
        return (
            re.search(rf"^{begin}.*\n\n((?: +.*\n)+)", self.printed, re.MULTILINE)[1]
            .replace("\n    ", "\n")
            .strip()
        )

    def write(self, name, text):
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(self, name, *words, **environ):
        plain = {"HOME": str(self.home), "PATH": os.environ["PATH"], "TERM": "dumb", "LANG": "C.UTF-8"}
        done = subprocess.run(
            [client(name), *words], cwd=self.work, env=plain | environ, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=90,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout

    def session(self, requests):
        """The only session, once telemetry has come and it has that many requests."""
        state = self.listener.wait_for(
            lambda state: (
                state["doctor"]["otel"]["received"]
                and len(state["sessions"]) == 1
                and state["sessions"][0]["requests"] >= requests
                and state["sessions"][0]["timed_requests"] >= requests
            ),
            60,
        )
        assert state["today"]["requests"] == requests
        assert state["doctor"]["otel"]["rejected"] == 0
        return state["sessions"][0]


@pytest.fixture
def desktop(tmp_path, home, listener, monkeypatch):
    return Desktop(tmp_path, home, listener, monkeypatch)


AGENT = {
    "type": "tool_use", "id": "toolu_agent", "name": "Agent",
    "input": {"description": "look", "prompt": "look around", "subagent_type": "general-purpose"},
}  # fmt: skip


def test_every_call_of_claude_code_counts_once_and_costs_what_the_client_says(desktop):
    split = {"ephemeral_5m_input_tokens": 500, "ephemeral_1h_input_tokens": 1500}
    used = {
        "input_tokens": 1000, "cache_read_input_tokens": 9000, "cache_creation_input_tokens": 2000,
        "cache_creation": split, "output_tokens": 40,
    }  # fmt: skip
    api = Messages([(content, used) for content in (call(), FINE, AGENT, FINE, FINE)])
    try:
        own = {"ANTHROPIC_BASE_URL": api.url, "ANTHROPIC_API_KEY": "sk-ant-none", "DISABLE_AUTOUPDATER": "1"}
        common = ("--model", "claude-sonnet-4-5", "--allowedTools", "Bash", "-p")
        desktop.run("claude", *common, "go", **own)
        desktop.run("claude", "--continue", *common, "look", **own)
        desktop.run("claude", "--continue", *common, "/compact", **own)
    finally:
        api.close()
    session = desktop.session(api.calls)
    assert session["cost_usd"] == pytest.approx(cost_state(desktop.home), abs=1e-9)
    assert session["cost_usd"] == pytest.approx(session["client_cost_usd"], abs=1e-9)
    assert session["untracked_usd"] == pytest.approx(0, abs=1e-9)
    assert (session["subagents"], session["compactions"], session["errors"]) == (1, 1, 0)
    assert session["ttft_p50_ms"] > 0
    hidden = api.calls - sum(session["stop_reasons"].values())
    assert hidden > 0  # compaction is in no transcript


def cost_state(home):
    """What the client's newest line about itself says, USD."""
    (path,) = glob.glob(f"{home}/.claude/projects/*/*.jsonl")
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file if '"cost-state"' in line]
    return lines[-1]["totalCostUSD"]


def codex(desktop, *words):
    script = [
        {"call": ("exec_command", {"cmd": "echo hi"}), "usage": FIRST},
        {"text": "Hello.", "usage": SECOND},
    ]
    with Api(script) as api:
        desktop.write(
            ".codex/config.toml",
            f'model = "{MODEL}"\nmodel_provider = "s"\n[model_providers.s]\nname = "s"\nbase_url = "{api.url}/v1"\n'
            f'env_key = "OPENAI_API_KEY"\nwire_api = "responses"\n{desktop.snippet("Codex")}\n',
        )
        desktop.run("codex", "exec", *words, "--skip-git-repo-check", "say hello", OPENAI_API_KEY="none")
        assert len(api.asked) == 2


def leaves(session):
    return tuple(session[key] for key in ("input_tokens", "cache_read_tokens", "output_tokens"))


def told_by_both(desktop, requests):
    """The session, once every response was told by telemetry and by the client's file."""
    desktop.listener.wait_for(
        lambda state: state["doctor"]["otel"]["received"] and state["today"]["requests"]
    )
    both = "SELECT count(*) FROM copy WHERE file = 0"
    import sqlite3

    db = sqlite3.connect(os.path.join(desktop.listener.home, "history.db"))
    try:
        desktop.listener.wait_for(lambda _: db.execute(both).fetchone()[0] == requests)
    finally:
        db.close()
    state = desktop.listener.wait_for(lambda state: state["today"]["requests"] == requests)
    assert len(state["sessions"]) == 1
    return state["sessions"][0]


def test_codex_counts_once_with_its_rollout(desktop):
    codex(desktop)
    session = told_by_both(desktop, 2)
    assert leaves(session) == (18_500, 14_900, 120)
    assert session["tool_calls"] == 1


def test_codex_without_a_rollout_counts_by_its_telemetry(desktop):
    codex(desktop, "--ephemeral")
    state = desktop.listener.wait_for(lambda state: state["today"]["requests"] == 2)
    assert leaves(state["sessions"][0]) == (18_500, 14_900, 120)
    assert not glob.glob(f"{desktop.home}/.codex/sessions/**/*.jsonl", recursive=True)


def test_gemini_cli_counts_once_with_its_chat_and_tells_how_long_it_took(desktop):
    settings, environment = re.match(r"(.*?\})\s*(\S+=\S+)$", desktop.snippet("Gemini"), re.DOTALL).groups()
    auth = '"security": {"auth": {"selectedType": "gemini-api-key"}}'
    desktop.write(".gemini/settings.json", f"{{{auth}, {settings}}}")
    desktop.write(".gemini/.env", environment + "\n")
    script = [
        {"call": ("list_directory", {"dir_path": str(desktop.work)}), "usage": FIRST}, {"text": "Hi.", "usage": SECOND},
    ]  # fmt: skip
    with Api(script) as api:
        own = {
            "GOOGLE_GEMINI_BASE_URL": api.url,
            "GEMINI_CLI_TRUST_WORKSPACE": "true",
            "GEMINI_API_KEY": "none",
        }
        desktop.run("gemini", "-m", "gemini-2.5-flash", "--yolo", "-p", "say hello", **own)
    session = told_by_both(desktop, 2)
    assert leaves(session) == (18_500, 14_900, 170)
    assert session["duration_p50_ms"] > 0


def test_qwen_code_counts_once_with_its_chat(desktop):
    settings, environment = re.match(r"(.*?\})\s*(\S+=\S+)$", desktop.snippet("Gemini"), re.DOTALL).groups()
    auth = '"security": {"auth": {"selectedType": "openai"}}'
    desktop.write(".qwen/settings.json", f"{{{auth}, {settings}}}")
    desktop.write(".qwen/.env", environment + "\n")
    script = [
        {"call": ("list_directory", {"path": str(desktop.work)}), "usage": FIRST}, {"text": "Hi.", "usage": SECOND},
    ]  # fmt: skip
    with Api(script) as api:
        own = {
            "OPENAI_API_KEY": "none",
            "OPENAI_BASE_URL": f"{api.url}/v1",
            "OPENAI_MODEL": "qwen3-coder-plus",
        }
        desktop.run("qwen", "--auth-type", "openai", "--yolo", "-p", "say hello", **own)
        more = len(api.asked) - len(script)
    session = told_by_both(desktop, 2 + more)
    assert leaves(session) == (18_500 + 100 * more, 14_900, 120 + 10 * more)


def environment(desktop):
    return dict(line.strip().split("=", 1) for line in desktop.snippet("Any program").splitlines())


def test_copilot_cli_counts_once_with_its_events(desktop):
    echo = {"call": ("bash", {"command": "echo hi", "description": "hi"}), "usage": FIRST}
    with Api([echo, {"text": "Hi.", "usage": SECOND}]) as api:
        own = {
            "COPILOT_OFFLINE": "true", "COPILOT_PROVIDER_BASE_URL": f"{api.url}/v1", "COPILOT_PROVIDER_API_KEY": "x",
            "COPILOT_MODEL": MODEL, "COPILOT_AUTO_UPDATE": "false", "COPILOT_OTEL_ENABLED": "true",
        }  # fmt: skip
        desktop.run("copilot", "-p", "say hello", "--allow-all-tools", **own, **environment(desktop))
    session = told_by_both(desktop, 2)
    assert leaves(session) == (18_500, 14_900, 120)
    assert session["ttft_p50_ms"] > 0


PROGRAM = """
import time
from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

resource = Resource({"service.name": "my-agent", "service.instance.id": "run-1"})
spans = TracerProvider(resource=resource)
spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(compression=Compression.Gzip)))
reader = PeriodicExportingMetricReader(OTLPMetricExporter())
meters = MeterProvider([reader], resource=resource)
tokens = meters.get_meter("m").create_histogram("gen_ai.client.token.usage")
for number in range(3):
    with spans.get_tracer("t").start_as_current_span("chat gpt-5") as span:
        span.set_attribute("gen_ai.operation.name", "chat")
        span.set_attribute("gen_ai.response.model", "gpt-5")
        span.set_attribute("gen_ai.response.id", f"chatcmpl-{number}")
        span.set_attribute("gen_ai.input.messages", "the user's own words")
        span.set_attribute("gen_ai.usage.input_tokens", 9000)
        span.set_attribute("gen_ai.usage.output_tokens", 50)
    for kind, value in (("input", 9000), ("output", 50)):
        tokens.record(value, {"gen_ai.token.type": kind, "gen_ai.response.model": "gpt-5"})
spans.shutdown()
meters.shutdown()
"""


def test_any_program_with_opentelemetrys_own_sdk(desktop):
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | environment(desktop),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    session = desktop.session(3)
    assert session["provider"] == "otel"
    assert session["id"] == "my-agent:run-1"
    assert (session["input_tokens"], session["output_tokens"]) == (27_000, 150)
    desktop.listener.wait_for(lambda state: state["doctor"]["otel"]["received"] == 2)
    with open(os.path.join(desktop.listener.home, "history.db"), "rb") as file:
        assert b"own words" not in file.read()
