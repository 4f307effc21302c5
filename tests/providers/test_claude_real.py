"""The real Claude Code connected by `aitop install`: what it says it cost is what aitop says, hooks or none."""

import json

import pytest
from support.claude_client import CALLS, Claude, script, whole
from support.messages_api import ONE_CALL, Api, call
from support.top_tmux import Tmux

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]
ORIGINAL = b'{\n    "theme": "dark",\n    "permissions": {"allow": ["Read"]}\n}\n'


@pytest.fixture
def user(tmp_path, home):
    """`user(script)`: one user's client; its settings are `ORIGINAL`."""
    apis = []

    def make(script):
        apis.append(Api(script))
        made = Claude(tmp_path / "user", home, apis[-1])
        with open(made.settings, "wb") as file:
            file.write(ORIGINAL)
        return made

    yield make
    for api in apis:
        api.close()


def settings(user):
    with open(user.settings, "rb") as file:
        return file.read()


def assert_equal(state, said):
    (session,) = state["sessions"]
    assert said["session_id"] == session["id"]
    assert (session["requests"], session["tool_calls"]) == (CALLS + 1, CALLS)
    for cost in (state["today"]["cost_usd"], session["cost_usd"]):
        assert round(cost, 6) == round(said["total_cost_usd"], 6) > 0
    bash = state["tools"]["Bash"]
    assert bash["calls"] == CALLS
    assert 0 < bash["p50_ms"] <= bash["p95_ms"]


def test_with_hooks_the_cost_is_the_clients_own_and_uninstall_leaves_no_byte(user, listener):
    one = user(script())
    one.aitop("install", "--write")
    assert settings(one) != ORIGINAL
    listener.start(CLAUDE_CONFIG_DIR=f"{one.folder}/.claude")
    said = one.go()
    state = listener.wait_for(lambda state: whole(state) and state["hooks"]["by_event"].get("SessionEnd"))
    assert_equal(state, said)
    assert state["sessions"][0]["status"] == "ended"
    assert state["hooks"]["by_event"]["PostToolUse"] > 0
    one.aitop("install", "--uninstall")
    assert settings(one) == ORIGINAL


def test_without_hooks_the_numbers_are_the_same(user, listener):
    one = user(script())
    listener.start(CLAUDE_CONFIG_DIR=f"{one.folder}/.claude")
    said = one.go()
    state = listener.wait_for(whole)
    assert_equal(state, said)
    assert state["hooks"]["received"] == 0


def test_the_status_line_adds_the_clients_cost_its_context_and_what_no_transcript_holds(user, listener):
    one = user(ONE_CALL)
    one.aitop("install", "--write", "--statusline")
    listener.start(CLAUDE_CONFIG_DIR=f"{one.folder}/.claude")
    with one.terminal() as screen:
        screen.until("❯")
        screen.say("go")
        screen.until("● fine", "ctx 2% · $0.0")  # our line, below the client's prompt
        state = listener.wait_for(
            lambda state: state["today"]["requests"] == 2 and state["sessions"][0]["client_cost_usd"]
            and round(state["sessions"][0]["client_cost_usd"] - state["sessions"][0]["cost_usd"], 6) == 0
        )  # fmt: skip
        (session,) = state["sessions"]
        assert (session["context_tokens"], session["context_limit"]) == (3000, 200_000)
        assert session["untracked_usd"] == 0
        screen.say("/compact")
        state = listener.wait_for(lambda state: state["sessions"][0]["untracked_usd"])
        (session,) = state["sessions"]
        assert session["untracked_usd"] == pytest.approx(
            session["client_cost_usd"] - session["cost_usd"], abs=1e-9
        )


def test_after_the_client_rewrote_its_settings_only_our_entries_go(user, listener):
    one = user(ONE_CALL)
    one.aitop("install", "--write", "--statusline")
    ours = settings(one)
    listener.start(CLAUDE_CONFIG_DIR=f"{one.folder}/.claude")
    with one.terminal() as screen:
        screen.until("❯")
        screen.say("/model haiku")
        screen.until("Set model to")
    rewritten = json.loads(settings(one))
    assert rewritten != json.loads(ours)
    said = one.aitop("install", "--uninstall")
    assert "only our entries were removed" in said
    assert json.loads(settings(one)) == {
        key: value for key, value in rewritten.items() if key not in ("hooks", "statusLine")
    }


def test_a_session_that_asks_for_permission_waits_until_it_has_it(user, listener):
    one = user(((call(1, "touch made"), ONE_CALL[0][1]), ONE_CALL[1]))
    one.allowed = []
    one.aitop("install", "--write")
    listener.start(CLAUDE_CONFIG_DIR=f"{one.folder}/.claude")

    def status(wanted):
        listener.wait_for(lambda state: [session["status"] for session in state["sessions"]] == [wanted])

    with one.terminal() as screen:
        screen.until("❯")
        screen.say("go")
        screen.until("touch made", "1. Yes")
        status("waiting")
        screen.press(("Enter",), "● fine")
        status("idle")
    status("ended")


def test_the_table_ends_the_clients_process_after_asking(user, listener, home):
    one = user(ONE_CALL)
    one.aitop("install", "--write")
    listener.start(CLAUDE_CONFIG_DIR=f"{one.folder}/.claude")
    with one.terminal() as screen:
        screen.until("❯")
        screen.say("go")
        screen.until("● fine")
        state = listener.wait_for(lambda state: state["sessions"] and state["sessions"][0]["pid"])
        (session,) = state["sessions"]
        table = Tmux(home, 120, 30)
        try:
            table.until("Quit")
            table("send-keys", "2")
            table.until("STATUS", "work")
            table("send-keys", "x")
            table.until(f"SIGTERM goes to process {session['pid']}: ", "y does it")
            table("send-keys", "n")
            table.settled(lambda lines: any("y does it" in line for line in lines))
            table("send-keys", "x")
            table.until("y does it")
            table("send-keys", "y")
            table.until(f"Sent SIGTERM to process {session['pid']}.")
            listener.wait_for(lambda state: state["sessions"][0]["status"] == "ended")
        finally:
            table.close()
