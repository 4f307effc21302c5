"""Real clients that CI does not install, since each takes 120 to 240 MB or another Node than its.

They run where they are there (tests/support/clients.py says which and how to get them), and were run for the versions
that docs/providers.md names. So a pass of CI says nothing about them.
"""

import glob
import json
import os

import pytest
from support.client_runs import FIRST, MODEL, SECOND, THREE, Run, compatible, held, leaves, use
from support.desk import Desk
from support.scripted_api import Api

from aitop.providers import grok, hermes, kimi, opencode, pi

pytestmark = [pytest.mark.by_hand, pytest.mark.timeout(150)]


@pytest.mark.timeout(300)
def test_kilo_and_its_fork(tmp_path):
    run = Run(tmp_path, "kilo")
    title = {"text": "A title", "usage": use(77, 0, 7, 0)}
    with Api(THREE, lambda _, request: None if request.get("tools") else title) as api:
        run.file(".config/kilo/kilo.json", compatible(api))
        # Its plug-ins wait for its maker's servers, 20 seconds where there is no way to them.
        own = {"KILO_DISABLE_MODELS_FETCH": "1", "KILO_DISABLE_SESSION_INGEST": "1", "KILO_PURE": "1"}
        for arguments in (["say hello"], ["--continue", "--fork", "more"]):
            run("run", *arguments, patience=120, **own)
    desk = Desk(opencode.kilo, *opencode.kilo.folders([], {"HOME": run.home})).read()
    first, fork = sorted(desk.totals().values(), key=lambda total: -total.requests)
    assert (leaves(first), leaves(fork)) == ((2, 3600, 14_900, 120), (1, 3000, 6000, 50))


def test_kimi_code_resumed_and_forked(tmp_path):
    run = Run(tmp_path, "kimi")
    script = [{"call": ("Bash", {"command": "echo hi", "description": "d"}), "usage": FIRST}, *THREE[1:],
              {"text": "Fork.", "usage": SECOND}]  # fmt: skip
    with Api(script) as api:
        run.file(
            ".kimi-code/config.toml",
            f'default_model = "mine"\n[providers.s]\ntype = "openai"\nbase_url = "{api.url}/v1"\napi_key = "x"\n'
            f'[models.mine]\nprovider = "s"\nmodel = "{MODEL}"\nmax_context_size = 100000\n',
        )
        quiet = {"KIMI_CODE_NO_AUTO_UPDATE": "1"}
        run("-p", "say hello", **quiet)
        run("-c", "-p", "again", **quiet)
        (first,) = (
            os.path.basename(path) for path in glob.glob(f"{run.home}/.kimi-code/sessions/wd_*/session_*")
        )
        run("fork", first, **quiet)
        forks = {
            os.path.basename(path) for path in glob.glob(f"{run.home}/.kimi-code/sessions/wd_*/session_*")
        }
        (fork,) = forks - {first}
        run("-S", fork, "-p", "another way", **quiet)
    desk = Desk(kimi.provider, *kimi.provider.folders([], {"HOME": run.home})).read()
    totals = desk.totals()
    assert (leaves(totals[first]), leaves(totals[fork])) == ((3, 6600, 20_900, 170), (1, 600, 8900, 70))


def test_grok_build_resumed_and_forked(tmp_path):
    run = Run(tmp_path, "grok")
    script = [*THREE, {"text": "Fork.", "usage": SECOND}]

    def side(_, request):
        """A title, or a line for its dashboard."""
        aside = "<system-reminder>" in str(request["messages"][-1].get("content"))
        return {"text": "A title", "usage": use(77, 0, 7, 0)} if aside else None

    with Api(script, side) as api:
        run.file(
            ".grok/config.toml",
            f'[models]\ndefault = "{MODEL}"\n[model."{MODEL}"]\nmodel = "{MODEL}"\nbase_url = "{api.url}/v1"\n'
            'api_key = "x"\ncontext_window = 200000\napi_backend = "chat_completions"\n',
        )
        own = {"GROK_AUTO_UPDATE": "0", "XAI_API_KEY": "x"}
        run("-m", MODEL, "--always-approve", "-p", "say hello", **own)
        run("-m", MODEL, "--always-approve", "-c", "-p", "again", **own)
        run("-m", MODEL, "--always-approve", "-c", "--fork-session", "-p", "another way", **own)
    desk = Desk(grok.provider, *grok.provider.folders([], {"HOME": run.home})).read()
    totals = sorted(
        (total for total in desk.totals().values() if total.requests), key=lambda one: -one.requests
    )
    assert [leaves(total) for total in totals] == [(3, 6600, 20_900, 170), (1, 600, 8900, 70)]


def test_hermes_agent_resumed(tmp_path):
    run = Run(tmp_path, "hermes")
    with Api(THREE) as api:
        run.file(
            ".hermes/config.yaml",
            f"model:\n  default: {MODEL}\n  provider: custom\n  base_url: {api.url}/v1\n  api_key: x\n"
            "  context_length: 200000\n",
        )
        run("chat", "-q", "say hello", "--yolo", OPENAI_API_KEY="x")
        run("chat", "-q", "again", "--yolo", "--continue", OPENAI_API_KEY="x")
        asked = [one for one in api.asked if not one["side"]]
    _, total = held(hermes.provider, run)
    more = len(asked) - len(THREE)
    assert leaves(total) == (3 + more, 6600 + 100 * more, 20_900, 170 + 10 * more)


@pytest.mark.timeout(300)
def test_openclaw_resumed(tmp_path):
    run = Run(tmp_path, "openclaw")
    script = [{"call": ("exec", {"command": "echo hi"}), "usage": FIRST}, *THREE[1:]]
    with Api(script) as api:
        model = {"id": MODEL, "name": "m", "contextWindow": 200_000, "maxTokens": 1000, "input": ["text"],
                 "reasoning": False, "cost": {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0}}  # fmt: skip
        scripted = {"baseUrl": f"{api.url}/v1", "apiKey": "x", "api": "openai-completions", "models": [model]}
        agents = {
            "defaults": {"model": {"primary": f"s/{MODEL}"}, "workspace": run.work, "skipBootstrap": True}
        }
        run.file(
            ".openclaw/openclaw.json",
            json.dumps({"models": {"providers": {"s": scripted}}, "agents": agents}),
        )
        for text in ("say hello", "again"):
            run(
                "agent",
                "--local",
                "--session-id",
                "8f0c1111-2222-4333-8444-555555555555",
                "-m",
                text,
                patience=120,
            )
    desk, total = held(pi.openclaw, run)
    assert leaves(total) == (3, 6600, 20_900, 170)
    assert desk.tools() == [("exec", 0)]
