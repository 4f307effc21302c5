"""`aitop mcp` driven by the protocol's own client and by the real Claude Code."""

import asyncio
import json
import os
import sys
import time

import pytest
from support.claude_client import Claude
from support.lines import assistant, encode, usage
from support.messages_api import FINE, USAGE, Api

mcp = pytest.importorskip("mcp")
pytestmark = pytest.mark.timeout(180)
AITOP = os.path.join(os.path.dirname(sys.executable), "aitop")
SESSION = "11111111-2222-4333-8444-555555555555"
TOOLS = ["advice", "budgets", "cost_since", "limits", "session", "spend", "this_session"]


def ask(environment, *questions, options=()):
    """The answers to (tool, arguments) of one server, in order; an error's text where it is one."""

    async def talk():
        from mcp.client.stdio import StdioServerParameters

        found = []
        parameters = StdioServerParameters(command=AITOP, args=["mcp", *options], env=environment)
        async with mcp.Client(parameters) as client:
            if not questions:
                return (await client.list_tools()).tools
            for name, arguments in questions:
                answer = await client.call_tool(name, arguments)
                found.append(answer.content[0].text if answer.is_error else answer.structured_content)
        return found

    return asyncio.run(talk())


@pytest.fixture
def environment(tmp_path, home):
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AITOP_HOME": home}


@pytest.fixture
def transcript(tmp_path):
    folder = tmp_path / ".claude" / "projects" / "-secret-place"
    folder.mkdir(parents=True)
    line = assistant(at=time.time() - 20, session=SESSION, cwd="/secret/place")
    (folder / f"{SESSION}.jsonl").write_bytes(encode([line]))


def test_every_tool_says_that_it_only_reads(environment):
    tools = ask(environment)
    assert sorted(tool.name for tool in tools) == TOOLS
    assert all(tool.annotations.read_only_hint for tool in tools)
    assert all(tool.description for tool in tools)


def test_spend_is_what_the_state_says(environment, transcript, listener):
    listener.start(HOME=environment["HOME"])
    state = listener.wait_for(lambda state: state["today"]["requests"] == 1 and state["scan"]["complete"])
    (found,) = ask(environment, ("spend", {}))
    assert found["sums"]["today"]["spent_usd"] == state["today"]["spent_usd"] > 0
    assert found["complete"] is True


def test_without_a_listener_the_present_is_unknown_and_the_past_is_counted(environment, transcript):
    now, session = ask(environment, ("spend", {}), ("session", {"session_id": SESSION[:8]}))
    assert "aitop start" in now
    assert session["requests"] == 1
    assert session["spent_usd"] > 0
    assert session["live"] is None


def test_what_a_task_cost_counts_from_its_beginning(environment, transcript):
    before, after = ask(
        environment,
        ("cost_since", {"epoch_seconds": time.time() - 60, "everything": True}),
        ("cost_since", {"epoch_seconds": time.time() - 1, "everything": True}),
    )
    assert (before["requests"], after["requests"]) == (1, 0)


def test_a_session_that_is_unknown_is_an_error_that_says_so(environment, transcript):
    found = ask(
        environment,
        ("session", {"session_id": "99999999"}),
        ("session", {"session_id": "1"}),
        ("this_session", {}),
    )
    assert "no session has this id" in found[0]
    assert "at least 8 characters" in found[1]
    assert "aitop install" in found[2]


def test_advice_is_an_answer_and_no_error(environment, transcript):
    assert ask(environment, ("advice", {})) == [{"findings": []}]


def test_advice_has_a_command_only_where_it_would_change_a_file(environment, tmp_path, listener):
    folder = tmp_path / ".claude" / "projects" / "-shop"
    folder.mkdir(parents=True)
    line = assistant(at=time.time() - 20, session=SESSION, model="claude-opus-4-1", usage=usage(50_000, 10))
    (folder / f"{SESSION}.jsonl").write_bytes(encode([line]))
    listener.start(HOME=environment["HOME"])
    listener.wait_for(lambda state: state["today"]["requests"] == 1)

    def said():
        (answer,) = ask(environment, ("advice", {}))
        return {row["rule"]: row["apply"] for row in answer["findings"]}["older-model"]

    assert said() is None  # no setting pins the model
    (tmp_path / ".claude" / "settings.json").write_text('{"model": "claude-opus-4-1"}')
    assert said() == "aitop advise --apply --rule older-model"


def test_names_are_hidden_on_request(environment, transcript, listener):
    listener.start(HOME=environment["HOME"])
    listener.wait_for(lambda state: state["today"]["requests"] == 1)
    questions = [(tool, {}) for tool in ("spend", "budgets", "limits", "advice")]
    questions.append(("session", {"session_id": SESSION}))
    assert "place" in json.dumps(ask(environment, *questions))
    assert "place" not in json.dumps(ask(environment, *questions, options=["--hide-names"]))


@pytest.mark.real
def test_the_real_claude_code_asks_for_its_own_cost(tmp_path, home):
    calls = [
        {"type": "tool_use", "id": f"toolu_{n}", "name": "mcp__aitop__this_session", "input": {}}
        for n in (1, 2)
    ]
    api = Api([(block, USAGE | {"output_tokens": 40}) for block in (*calls, FINE)])
    try:
        one = Claude(tmp_path / "user", home, api)
        one.allowed = ["--allowedTools", "mcp__aitop"]
        server = {"command": AITOP, "args": ["mcp"], "env": {"AITOP_HOME": home}}
        path = tmp_path / "mcp.json"
        path.write_text(json.dumps({"mcpServers": {"aitop": server}}))
        one.allowed += ["--mcp-config", str(path)]
        said = one.go()
    finally:
        api.close()
    first, second = tool_results(one)
    assert first["id"] == second["id"] == said["session_id"]
    assert second["requests"] in (1, 2)  # the client may write the response that asks a moment later
    assert second["spent_usd"] / second["requests"] * 3 == pytest.approx(said["total_cost_usd"])


def tool_results(one):
    """What tools answered, by the client's own transcript."""
    found = []
    for folder, _, names in os.walk(os.path.join(one.folder, ".claude", "projects")):
        for name in names:
            with open(os.path.join(folder, name)) as file:
                for record in map(json.loads, file):
                    content = (
                        record.get("message", {}).get("content") if record.get("type") == "user" else None
                    )
                    for block in content if isinstance(content, list) else []:
                        if block.get("type") == "tool_result":
                            text = (
                                block["content"]
                                if isinstance(block["content"], str)
                                else block["content"][0]["text"]
                            )
                            found.append(json.loads(text))
    return found
