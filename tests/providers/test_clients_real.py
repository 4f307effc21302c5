"""The real clients against a scripted API: what they say they used is what the history holds."""

import glob
import json
import os
import signal
import time

import pytest
from support.client_runs import ECHO, FIRST, MODEL, SECOND, THREE, TIERED, Run, held, leaves, use
from support.desk import Desk
from support.scripted_api import Api

from aitop.model.sums import PICO
from aitop.providers import cline, codex, copilot, gemini, opencode, pi, qwen

pytestmark = [pytest.mark.real, pytest.mark.timeout(150)]


def test_codex_with_cached_and_reasoning_tokens(tmp_path):
    run = Run(tmp_path, "codex")
    with Api(
        [{"call": ("exec_command", {"cmd": "echo hi"}), "usage": FIRST}, {"text": "Hello.", "usage": SECOND}]
    ) as api:
        scripted = (
            f'name = "s"\nbase_url = "{api.url}/v1"\nenv_key = "OPENAI_API_KEY"\nwire_api = "responses"\n'
        )
        run.file(
            ".codex/config.toml", f'model = "{MODEL}"\nmodel_provider = "s"\n[model_providers.s]\n{scripted}'
        )
        run("exec", "--skip-git-repo-check", "say hello", OPENAI_API_KEY="none")
        assert len(api.asked) == 2
    desk, total = held(codex.provider, run)
    assert leaves(total) == (2, 3600, 14_900, 120)
    assert desk.db.execute("SELECT sum(reasoning) FROM response").fetchone() == (50,)
    assert total.tool_calls == 1


def test_codex_whose_stream_breaks_off_and_is_asked_for_again(tmp_path):
    """Of the broken stream nothing is known but its beginning: what counts is Codex's own running total."""
    run = Run(tmp_path, "codex")
    script = [
        {"call": ("exec_command", {"cmd": "echo hi"}), "usage": FIRST},
        {"text": "Hel", "usage": FIRST, "cut": 2}, {"text": "Hello.", "usage": SECOND},
    ]  # fmt: skip
    with Api(script) as api:
        scripted = (
            f'name = "s"\nbase_url = "{api.url}/v1"\nenv_key = "OPENAI_API_KEY"\nwire_api = "responses"\n'
        )
        run.file(
            ".codex/config.toml", f'model = "{MODEL}"\nmodel_provider = "s"\n[model_providers.s]\n{scripted}'
        )
        run("exec", "--skip-git-repo-check", "say hello", OPENAI_API_KEY="none")
        assert len(api.asked) == 3
    _, total = held(codex.provider, run)
    assert leaves(total) == (2, 3600, 14_900, 120)
    (path,) = glob.glob(f"{run.home}/.codex/sessions/**/*.jsonl", recursive=True)
    with open(path, encoding="utf-8") as file:
        counts = [json.loads(line) for line in file if '"token_count"' in line]
    ledger = [one["payload"]["info"] for one in counts if one["payload"].get("info")][-1]["total_token_usage"]
    assert (total.input_tokens, total.output_tokens) == (ledger["input_tokens"], ledger["output_tokens"])


def test_codex_resumed_forked_and_in_each_service_tier(tmp_path):
    """The server numbers its responses anew at each start, as servers at home do."""
    run = Run(tmp_path, "codex")

    def ask(*arguments, usage, tier=""):
        with Api([{"text": "Hello.", "usage": usage}]) as api:
            scripted = (
                f'name = "s"\nbase_url = "{api.url}/v1"\nenv_key = "OPENAI_API_KEY"\nwire_api = "responses"\n'
            )
            of = f'service_tier = "{tier}"\n' if tier else ""
            own = f'model = "{TIERED}"\nmodel_provider = "s"\n{of}[model_providers.s]\n{scripted}'
            run.file(".codex/config.toml", own)
            run("exec", "--skip-git-repo-check", *arguments, OPENAI_API_KEY="none")

    def cost():
        desk = Desk(codex.provider, *codex.provider.folders([], {"HOME": run.home})).read()
        return sum(total.cost for total in desk.totals().values()) / PICO, desk

    small = use(1000, 0, 100, 0)
    ask("begin", usage=FIRST)
    ask("resume", "--last", "go on", usage=SECOND)
    before, desk = cost()
    (name,) = desk.totals()
    ask("plain", usage=small)
    standard = cost()[0] - before
    for tier, factor in (("fast", 2.0), ("flex", 0.5)):
        before = cost()[0]
        ask(tier, usage=small, tier=tier)
        assert cost()[0] - before == pytest.approx(factor * standard)
    ask("fork", name, "another way", usage=use(12_000, 9900, 44, 4))
    totals = cost()[1].totals()
    assert leaves(totals[name]) == (2, 3600, 14_900, 120)
    assert len(totals) == 5
    assert sum(total.requests for total in totals.values()) == 6
    assert sum(total.input_tokens for total in totals.values()) == 33_500


def test_a_rollout_that_codex_itself_packed(tmp_path):
    run = Run(tmp_path, "codex")
    with Api([{"text": "Hello.", "usage": FIRST}]) as api:
        scripted = (
            f'name = "s"\nbase_url = "{api.url}/v1"\nenv_key = "OPENAI_API_KEY"\nwire_api = "responses"\n'
        )
        own = f'model = "{MODEL}"\nmodel_provider = "s"\n[model_providers.s]\n{scripted}'
        run.file(".codex/config.toml", own)
        run("exec", "--skip-git-repo-check", "begin", OPENAI_API_KEY="none")
        (plain,) = glob.glob(f"{run.home}/.codex/sessions/*/*/*/rollout-*.jsonl")
        rested = time.time() - 9 * 86_400
        os.utime(plain, (rested, rested))
        packing = ("--enable", "local_thread_store_compression")
        run("exec", "--skip-git-repo-check", *packing, "again", OPENAI_API_KEY="none")
        until = time.monotonic() + 30
        while os.path.exists(plain) and time.monotonic() < until:
            time.sleep(0.1)
    if os.path.exists(plain):
        pytest.skip("this version does not pack rollouts")
    desk = Desk(codex.provider, *codex.provider.folders([], {"HOME": run.home})).read()
    assert leaves(desk.total(plain[-42:-6])) == (1, 3000, 6000, 50)


def test_gemini_cli(tmp_path):
    run = Run(tmp_path, "gemini")
    run.file(".gemini/settings.json", json.dumps({"security": {"auth": {"selectedType": "gemini-api-key"}}}))
    with Api(
        [
            {"call": ("list_directory", {"dir_path": run.work}), "usage": FIRST},
            {"text": "Hi.", "usage": SECOND},
        ]
    ) as api:
        own = {
            "GOOGLE_GEMINI_BASE_URL": api.url,
            "GEMINI_CLI_TRUST_WORKSPACE": "true",
            "GEMINI_API_KEY": "none",
        }
        run("-m", "gemini-2.5-flash", "--yolo", "-p", "say hello", **own)
    desk, total = held(gemini.provider, run)
    assert leaves(total) == (2, 3600, 14_900, 170)
    assert desk.tools() == [("list_directory", 0)]


@pytest.mark.parametrize("broken", [False, True], ids=["whole", "a broken stream"])
def test_gemini_cli_and_its_resumed_session(tmp_path, broken):
    """A stream that ends before its last event is asked for again; of the first one no usage is known."""
    run = Run(tmp_path, "gemini")
    run.file(".gemini/settings.json", json.dumps({"security": {"auth": {"selectedType": "gemini-api-key"}}}))
    script = [{"text": "Hi.", "usage": FIRST}, {"text": "Again.", "usage": SECOND}]
    if broken:
        script.insert(1, {"text": "Ag", "usage": FIRST, "cut": 0})
    with Api(script) as api:
        own = {
            "GOOGLE_GEMINI_BASE_URL": api.url,
            "GEMINI_CLI_TRUST_WORKSPACE": "true",
            "GEMINI_API_KEY": "none",
        }
        run("-m", "gemini-2.5-flash", "--yolo", "-p", "say hello", **own)
        run("-m", "gemini-2.5-flash", "--yolo", "--resume", "latest", "-p", "again", **own)
        assert len(api.asked) == len(script)
    _, total = held(gemini.provider, run)
    assert leaves(total) == (2, 3600, 14_900, 170)


def test_opencode_and_its_fork(tmp_path):
    run = Run(tmp_path, "opencode")
    script = [
        {"call": ("bash", {"command": "echo hi", "description": "hi"}), "usage": FIRST},
        {"text": "Hi.", "usage": SECOND},
        {"text": "More.", "usage": FIRST},
    ]
    title = {"text": "A title", "usage": use(77, 0, 7, 0)}
    with Api(script, lambda _, request: None if request.get("tools") else title) as api:
        model = {MODEL: {"name": "m", "limit": {"context": 100_000, "output": 1000}}}
        scripted = {
            "npm": "@ai-sdk/openai-compatible",
            "options": {"baseURL": f"{api.url}/v1", "apiKey": "x"},
            "models": model,
        }
        settings = {
            "model": f"s/{MODEL}",
            "permission": "allow",
            "autoupdate": False,
            "provider": {"s": scripted},
        }
        run.file(".config/opencode/opencode.json", json.dumps(settings))
        for arguments in (["say hello"], ["--continue", "--fork", "more"]):
            run("run", *arguments, OPENCODE_DISABLE_MODELS_FETCH="1")
    desk = Desk(opencode.provider, *opencode.provider.folders([], {"HOME": run.home})).read()
    first, fork = sorted(desk.totals().values(), key=lambda total: -total.requests)
    assert (leaves(first), leaves(fork)) == ((2, 3600, 14_900, 120), (1, 3000, 6000, 50))
    assert desk.tools() == [("bash", 0)]


def test_copilot_cli_and_its_resumed_session(tmp_path):
    run = Run(tmp_path, "copilot")
    script = [{"call": ECHO, "usage": FIRST}, {"text": "Hi.", "usage": SECOND},
              {"text": "Again.", "usage": FIRST}]  # fmt: skip
    with Api(script) as api:
        own = {"COPILOT_OFFLINE": "true", "COPILOT_PROVIDER_BASE_URL": f"{api.url}/v1", "COPILOT_PROVIDER_API_KEY": "x",
               "COPILOT_MODEL": MODEL, "COPILOT_AUTO_UPDATE": "false"}  # fmt: skip
        run("-p", "say hello", "--allow-all-tools", **own)
        run("-p", "again", "--allow-all-tools", "--continue", **own)
    desk, total = held(copilot.provider, run)
    assert leaves(total) == (3, 6600, 20_900, 170)
    assert desk.tools() == [("bash", 0)]


def test_qwen_code_and_its_resumed_session(tmp_path):
    """The resumed session makes a call without an answer of its own: the script's rest, which the server makes up."""
    run = Run(tmp_path, "qwen")
    quiet = {"privacy": {"usageStatisticsEnabled": False}, "general": {"enableAutoUpdate": False}}
    run.file(".qwen/settings.json", json.dumps({"security": {"auth": {"selectedType": "openai"}}, **quiet}))
    shell = ("run_shell_command", {"command": "echo hi", "description": "d", "is_background": False})
    script = [
        {"call": shell, "usage": FIRST},
        {"text": "Hi.", "usage": SECOND},
        {"text": "Again.", "usage": FIRST},
    ]
    with Api(script) as api:
        own = {
            "OPENAI_API_KEY": "none",
            "OPENAI_BASE_URL": f"{api.url}/v1",
            "OPENAI_MODEL": "qwen3-coder-plus",
        }
        run("--auth-type", "openai", "--yolo", "-p", "say hello", **own)
        run("--auth-type", "openai", "--yolo", "--continue", "-p", "again", **own)
        more = len(api.asked) - len(script)
    desk, total = held(qwen.provider, run)
    assert leaves(total) == (3 + more, 6600 + 100 * more, 20_900, 170 + 10 * more)
    assert desk.tools() == [("run_shell_command", 0)]


def test_pi_resumed_and_forked(tmp_path):
    run = Run(tmp_path, "pi")
    with Api([*THREE, {"text": "Fork.", "usage": SECOND}]) as api:
        model = {"id": MODEL, "contextWindow": 100_000, "maxTokens": 1000}
        scripted = {"baseUrl": f"{api.url}/v1", "api": "openai-completions", "apiKey": "x", "models": [model]}
        run.file(".pi/agent/models.json", json.dumps({"providers": {"s": scripted}}))
        own = ("--provider", "s", "--model", MODEL)
        run(*own, "-p", "say hello")
        run(*own, "--continue", "-p", "again")
        (first,) = glob.glob(f"{run.home}/.pi/agent/sessions/*/*.jsonl")
        run(*own, "--fork", first, "-p", "another way")
    desk = Desk(pi.provider, *pi.provider.folders([], {"HOME": run.home})).read()
    first, fork = sorted(desk.totals().values(), key=lambda total: -total.requests)
    assert (leaves(first), leaves(fork)) == ((3, 6600, 20_900, 170), (1, 600, 8900, 70))
    assert ("bash", 0) in desk.tools()


def end_hub(home):
    """Cline leaves a process behind that serves its later runs."""
    for path in glob.glob("/proc/[0-9]*/environ"):
        try:
            with open(path, "rb") as file:
                ours = f"HOME={home}\0".encode() in file.read()
            with open(path.replace("environ", "cmdline"), "rb") as file:
                if ours and b"--cline-hub-daemon" in file.read():
                    os.kill(int(path.split("/")[2]), signal.SIGTERM)
        except (OSError, ValueError):
            continue


def test_clines_program_and_its_sub_agent(tmp_path):
    run = Run(tmp_path, "cline")
    script = [
        {"call": ("spawn_agent", {"systemPrompt": "You help.", "task": "say hi"}), "usage": FIRST},
        {"text": "Sub.", "usage": use(500, 100, 7, 0)},
        {"text": "Main.", "usage": SECOND},
    ]
    with Api(script) as api:
        own = ("-p", "openai", "-k", "x", "-m", MODEL, "-b", f"{api.url}/v1")
        try:
            run("auth", *own)
            run("delegate this task")
        finally:
            end_hub(run.home)
    desk, total = held(cline.program, run)
    assert leaves(total) == (3, 4000, 15_000, 127)
    (name,) = desk.totals()
    assert len(desk.session(name).agents) == 1
    assert desk.session(name).pid
