"""`aitop run` around the real clients: what exactly its processes spent, the budget, the exit codes."""

import json
import os
import shlex
import subprocess
import sys

import pytest
from support.claude_client import Claude, script
from support.clients import client
from support.messages_api import ONE_CALL, Api, call
from support.scripted_api import Api as ResponsesApi

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]
ALLOWED = ["--allowedTools", "Bash"]
AITOP = os.path.join(os.path.dirname(sys.executable), "aitop")
WAITS = [(call(n, "sleep 0.3"), {"input_tokens": 100_000, "output_tokens": 1000}) for n in range(60)]


@pytest.fixture
def user(tmp_path, home):
    """`user(script)`: one user's Claude Code; the same folder each time."""
    apis, made = [], {}

    def make(script=ONE_CALL):
        apis.append(Api(script))
        if "one" not in made:
            made["one"] = Claude(tmp_path / "user", home, apis[-1])
        made["one"].environment["ANTHROPIC_BASE_URL"] = apis[-1].url
        return made["one"]

    yield make
    for api in apis:
        api.close()


def start(one, *options, command=None, **environ):
    words = command or [*one.words(), "-p", "go", "--output-format", "json"]
    return subprocess.Popen(
        [AITOP, "run", *options, "--", *words], env=one.environment | environ, cwd=one.work,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def result(process, code=0):
    """What the client said, and what `aitop run --json` said behind it."""
    out, errors = process.communicate(timeout=120)
    assert process.returncode == code, out + errors
    lines = out.splitlines()
    return (json.loads(lines[-2]) if len(lines) > 1 else None), json.loads(lines[-1])


def test_a_run_costs_what_the_client_itself_says(user):
    said, found = result(start(user(script()), "--json"))
    assert round(found["spent_usd"], 6) == round(said["total_cost_usd"], 6) > 0
    assert [row["session"] for row in found["sessions"]] == [said["session_id"]]
    assert (found["exit_code"], found["stopped"], found["unattributed"]) == (0, False, [])


def test_two_runs_at_once_in_one_folder_are_never_mixed(user):
    one = user([(call(n, "sleep 0.1"), {"input_tokens": 1000, "output_tokens": 100}) for n in range(8)])
    first = start(one, "--json")
    second = start(
        user([(call(n, "sleep 0.1"), {"input_tokens": 7000, "output_tokens": 10}) for n in range(8)]),
        "--json",
    )
    for said, found in (result(first), result(second)):
        assert [row["session"] for row in found["sessions"]] == [said["session_id"]]
        assert round(found["spent_usd"], 6) == round(said["total_cost_usd"], 6)


def test_a_resumed_session_counts_from_the_start_of_the_run(user):
    said, _ = result(start(user(), "--json"))
    again = user()
    words = [*again.words(), "-p", "more", "--resume", said["session_id"], "--output-format", "json"]
    said_again, found = result(start(again, "--json", command=words))
    assert said_again["session_id"] == said["session_id"]
    assert found["requests"] == 2
    report = json.loads(again.aitop("report", "sessions", "--json"))
    assert round(sum(row["spent_usd"] for row in report), 6) > round(found["spent_usd"], 6) > 0


def test_a_client_behind_a_shell_that_drops_the_environment_still_belongs_to_the_run(user):
    one = user()
    line = shlex.join(
        ["env", "-i", *(f"{k}={v}" for k, v in one.environment.items()), *one.words(), "-p", "go"]
    )
    _, found = result(start(one, "--json", command=["sh", "-c", f"{line} >/dev/null; true"]))
    assert found["requests"] == 2


def test_above_its_budget_a_run_is_stopped_and_the_exit_code_says_so(user, listener):
    one = user(WAITS)
    listener.start(CLAUDE_CONFIG_DIR=f"{one.folder}/.claude")
    process = start(one, "--json", "--budget", "1.5")
    out, errors = process.communicate(timeout=120)
    found = json.loads(out.splitlines()[-1])
    assert process.returncode == 11, errors
    assert found["over"]
    assert found["stopped"]
    assert 1.5 < found["spent_usd"] < 0.315 * len(WAITS) / 2  # the rest of the script was not run


def test_above_a_budget_that_does_not_stop_it_goes_on(user, listener):
    one = user([(call(1, "sleep 1"), {"input_tokens": 1000, "output_tokens": 100})])
    listener.start(CLAUDE_CONFIG_DIR=f"{one.folder}/.claude")
    said, found = result(start(one, "--json", "--budget", "0.0001", "--no-stop"), 11)
    assert round(found["spent_usd"], 6) == round(
        said["total_cost_usd"], 6
    )  # all of it, the last second's too
    assert said["is_error"] is False
    assert (found["over"], found["stopped"]) == (True, False)


def test_codex_is_known_by_the_record_it_has_open(tmp_path, home):
    program, folder = client("codex"), tmp_path / "user"
    (folder / ".codex").mkdir(parents=True)
    usage = {"input": 9000, "cached": 6000, "output": 50, "reasoning": 20}
    calls = [
        {"call": ("exec_command", {"cmd": "sleep 0.5"}), "usage": usage},
        {"text": "Hello.", "usage": usage},
    ]
    with ResponsesApi(calls) as api:
        (folder / ".codex" / "config.toml").write_text(
            'model = "gpt-5.1-codex"\nmodel_provider = "s"\n[model_providers.s]\n'
            f'name = "s"\nbase_url = "{api.url}/v1"\nenv_key = "OPENAI_API_KEY"\nwire_api = "responses"\n'
        )
        done = subprocess.run(
            [AITOP, "run", "--json", "--", program, "exec", "--skip-git-repo-check", "hello"],
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "AITOP_HOME": home, "OPENAI_API_KEY": "none"},
            cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=90,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found["requests"], found["input_tokens"], found["output_tokens"]) == (2, 18_000, 100)
    assert [row["model"] for row in found["models"]] == ["gpt-5.1-codex"]
