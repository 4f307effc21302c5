"""The real Claude Code through all that a day brings: what is spent is its own ledger, wherever it is shown.

Plain turns, tools, a sub-agent, resumed and forked sessions, compaction, auto mode, fast mode, a relay with one
constant request id, a stream that breaks off, `/clear` and `/compact` in a terminal. A fork's ledger goes on from
its origin's total, and one that survives `/clear` from that of the session before.
"""

import glob
import json
import os
import subprocess
import sys
import time

import pytest
from golden.home import FRONT
from support.claude_client import Claude
from support.messages_api import FINE, Api, call

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
USED = {
    "input_tokens": 1000, "cache_read_input_tokens": 9000, "cache_creation_input_tokens": 2000, "output_tokens": 40,
}  # fmt: skip
AGENT = {
    "type": "tool_use", "id": "toolu_agent", "name": "Agent",
    "input": {"description": "look", "prompt": "look around", "subagent_type": "general-purpose"},
}  # fmt: skip
MICRO = 1e-6


def script(*contents):
    return [(content, USED) for content in contents]


class User(Claude):
    """One user's client, whose API may be another one for each run."""

    def ask(self, replies, *words, **how):
        """One run without a terminal; (the session, what the client's ledger then says)."""
        api = Api(replies, **how)
        try:
            found = subprocess.run(
                [*self.words(), *words, "--output-format", "json"],
                env=self.environment | {"ANTHROPIC_BASE_URL": api.url}, cwd=self.work, stdin=subprocess.DEVNULL,
                capture_output=True, text=True, timeout=120,
            )  # fmt: skip
        finally:
            api.close()
        assert found.returncode == 0, found.stdout + found.stderr
        said = json.loads(found.stdout)
        return said["session_id"], said["total_cost_usd"]

    def ledgers(self):
        """Session → its newest own total."""
        totals = {}
        for path in glob.glob(f"{self.folder}/.claude/projects/*/*.jsonl"):
            with open(path, encoding="utf-8") as file:
                lines = [json.loads(line) for line in file if '"cost-state"' in line]
            if lines:
                totals[os.path.basename(path).removesuffix(".jsonl")] = lines[-1]["totalCostUSD"]
        return totals


@pytest.fixture
def user(tmp_path, home, listener):
    api = Api()
    made = User(tmp_path / "user", home, api)
    with open(made.settings, "w") as file:
        file.write("{}")
    made.aitop("install", "--write")
    listener.start(CLAUDE_CONFIG_DIR=f"{made.folder}/.claude")
    yield made
    api.close()


def shown(user, listener, expected):
    """What state, report and status line show once each session has spent what is expected of it."""

    def holds(state):
        spent = {row["id"]: row["spent_usd"] for row in state["sessions"]}
        return spent.keys() >= expected.keys() and all(
            abs(spent[session] - usd) < MICRO for session, usd in expected.items()
        )

    state = listener.wait_for(holds, 20)
    (day,) = json.loads(user.aitop("report", "daily", "--json"))
    payload = {
        "session_id": next(iter(expected)),
        "model": {"id": "claude-sonnet-4-5"},
        "cost": {},
        "workspace": {},
    }
    command = os.path.join(os.path.dirname(sys.executable), "aitop")
    line = subprocess.run(
        [command if os.path.exists(command) else FRONT, "statusline"],
        env=user.environment, input=json.dumps(payload), capture_output=True, text=True, timeout=30, check=True,
    ).stdout  # fmt: skip
    return state, day, line.strip()


def assert_all_agree(user, listener, expected):
    state, day, line = shown(user, listener, expected)
    total = sum(expected.values())
    assert state["today"]["spent_usd"] == pytest.approx(total, abs=MICRO)
    assert day["spent_usd"] == pytest.approx(total, abs=MICRO)
    assert f"${total:.2f} today" in line
    return state


def test_each_session_has_spent_its_own_part_of_the_clients_ledger(user, listener):
    main, begun = user.ask(script(call(), FINE), "-p", "go")
    same, whole = user.ask(script(AGENT, FINE, FINE), "--continue", "-p", "look")
    fork, forked = user.ask(script(FINE), "--continue", "--fork-session", "-p", "elsewhere")
    again, compacted = user.ask(script(FINE), "--continue", "-p", "/compact")
    assert (same, again) == (main, fork)
    assert 0 < begun < whole < forked < compacted
    relayed, constant = user.ask(script(call(), FINE), "-p", "relayed", request_id="req_same")
    broken, retried = user.ask(script(call(), FINE, FINE), "-p", "broken", cut={2})
    free, automatic = user.ask(script(call(), FINE), "--permission-mode", "auto", "-p", "auto")
    quick, fast = user.ask([(FINE, USED | {"speed": "fast"})], "--model", "claude-opus-5-5", "-p", "fast")
    alone = {main: whole, relayed: constant, broken: retried, free: automatic, quick: fast}
    assert user.ledgers() == pytest.approx(alone | {fork: compacted}, abs=MICRO)
    expected = alone | {fork: compacted - whole}
    state = assert_all_agree(user, listener, expected)
    rows = {row["id"]: row for row in state["sessions"]}
    assert rows[main]["subagents"] == 1
    assert rows[fork]["compactions"] == 1
    assert rows[relayed]["requests"] == rows[broken]["requests"] == 2


def test_a_ledger_that_goes_on_after_clear_is_each_sessions_own_part(user, listener):
    api = Api(script(call(), FINE, FINE, FINE, FINE))
    user.environment["ANTHROPIC_BASE_URL"] = api.url
    try:
        with user.terminal() as screen:
            screen.until("for shortcuts")
            for text in ("go", "/clear", "more", "/compact", "last", "/exit"):
                time.sleep(1.5)
                screen("send-keys", "-l", text)
                time.sleep(0.5)
                screen("send-keys", "Enter")
                time.sleep(4)
    finally:
        api.close()
    ledgers = sorted(user.ledgers().values())
    assert len(ledgers) == 2
    first, both = ledgers
    sessions = {total: session for session, total in user.ledgers().items()}
    assert_all_agree(user, listener, {sessions[first]: first, sessions[both]: both - first})
