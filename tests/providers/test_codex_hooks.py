"""Codex's hooks and notifications: whose they are, and what they say of turns that no file records."""

import json

import pytest
from support.codex_records import (
    CHILD,
    MODEL,
    PARENT,
    meta,
    path,
)
from support.desk import START, write

from aitop import codex_notify
from aitop.model.events import Status, ToolResult, Usage
from aitop.providers.codex import provider, rollout


@pytest.fixture
def fresh():
    return type(provider)()


def unrecorded(name="Stop", **more):
    """The turn that a hook of a thread ends that writes no rollout, as 0.171 sends it with `--ephemeral`."""
    fed = provider.feed({"provider": "codex"}, hook(name, transcript_path=None, model=MODEL, **more), START)
    return fed.turn


def test_a_turn_of_a_thread_without_a_rollout_may_be_one_that_nothing_records():
    turn = unrecorded()
    assert (turn.model, turn.usage, turn.message_id) == (MODEL, Usage(), f"{PARENT}:t:unrecorded")
    assert unrecorded("UserPromptSubmit") is None


def test_a_recorded_turn_is_told_by_its_rollout_alone():
    assert provider.feed({"provider": "codex"}, hook(), START).turn is None


def hook(name="Stop", **more):
    return {"session_id": PARENT, "turn_id": "t", "hook_event_name": name, "cwd": "/work/shop",
            "transcript_path": f"/h/sessions/rollout-x-{PARENT}.jsonl", **more}  # fmt: skip


def test_a_hook_is_known_by_its_rollout_and_asks_for_it_to_be_read():
    found = provider.feed({}, hook(), START)
    assert (found.session, found.event, found.settle) == (PARENT, "Stop", True)
    assert found.paths == [hook()["transcript_path"]]
    assert Status(PARENT, START, "idle", "Stop") in found.events


def test_a_tool_hook_and_the_rollout_name_the_call_alike():
    call = "call_abcdefghijklmnopqrstuvwxyz"
    found = provider.feed({}, hook("PostToolUse", tool_use_id=call, tool_name="shell"), START)
    assert (
        next(e.tool_use_id for e in found.events if isinstance(e, ToolResult))
        == rollout.tool_id(PARENT, call)
        == call
    )


def test_hooks_of_other_clients_are_left_to_them():
    assert (
        provider.feed(
            {}, {"session_id": "s", "hook_event_name": "Stop", "transcript_path": "/c/s.jsonl"}, START
        )
        is None
    )
    assert provider.feed({}, {"hook_event_name": "Stop"}, START) is None


def test_a_notification_says_that_the_turn_is_over():
    told = {"type": "agent-turn-complete", "thread-id": PARENT, "turn-id": "t1"}
    found = provider.feed({"provider": "codex"}, told, START)
    assert (found.session, found.event) == (PARENT, "notify")
    assert provider.feed({}, told, START) is None


def test_a_notification_leaves_the_texts_behind_and_finds_its_rollout(tmp_path):
    name = write(path(tmp_path, day="2026/09/20"), meta())
    write(path(tmp_path, CHILD), meta())
    told = {
        "type": "agent-turn-complete",
        "thread-id": PARENT,
        "input-messages": ["secret"],
        "last-assistant-message": "s",
    }
    sent = json.loads(codex_notify.payload(json.dumps(told), {"CODEX_HOME": str(tmp_path)}))
    assert sent == {"type": "agent-turn-complete", "thread-id": PARENT, "transcript_path": name}


@pytest.mark.parametrize("argv", [["{broken"], ["[]"], ["{}"]])
def test_a_notification_never_disturbs_codex(argv, home, capsys):
    assert codex_notify.main(argv) == 0
    assert capsys.readouterr() == ("", "")
