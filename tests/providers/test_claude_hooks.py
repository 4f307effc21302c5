"""What Claude Code's hooks and status line say, and what of them is never kept."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.examples import examples
from support.json_values import values
from support.lines import SESSION

from aitop.model.events import (
    ApiError,
    CacheState,
    ClientTotals,
    Compaction,
    ContextSize,
    Limit,
    SessionInfo,
    Status,
    ToolResult,
    ToolUse,
)
from aitop.providers.claude_code import hooks

NOW = 1_790_000_000.0
SECRET = "the-secret-words"


def feed(name="Stop", header=None, **more):
    return hooks.feed(header or {}, {"session_id": SESSION, "hook_event_name": name} | more, NOW)


def told(kind, *args, **more):
    return [event for event in feed(*args, **more).events if isinstance(event, kind)]


def test_all_33_event_names_are_known_and_any_other_is_accepted():
    assert len(hooks.EVENTS) == 33
    for name in [*hooks.EVENTS, "SomethingNew"]:
        assert feed(name).event == name


def test_no_text_of_a_conversation_is_kept_whatever_the_event():
    private = dict.fromkeys(
        (
            "prompt",
            "last_assistant_message",
            "compact_summary",
            "message",
            "title",
            "error_details",
            "custom_instructions",
            "delta",
        ),
        SECRET,
    )
    private |= {
        "tool_input": {"command": SECRET},
        "tool_response": {"stdout": SECRET},
        "tool_calls": [{"a": SECRET}],
    }
    for name in hooks.EVENTS:
        assert SECRET not in repr(feed(name, tool_use_id="t", tool_name="Bash", **private))


@pytest.mark.parametrize(
    ("name", "more", "status"),
    [("UserPromptSubmit", {}, "working"), ("PreToolUse", {}, "working"), ("SubagentStart", {}, "working"),
     ("PreCompact", {}, "working"), ("Stop", {}, "idle"), ("StopFailure", {}, "idle"), ("SessionStart", {}, "idle"),
     ("SessionEnd", {}, "ended"), ("PermissionRequest", {}, "waiting"), ("Elicitation", {}, "waiting"),
     ("Notification", {"notification_type": "permission_prompt"}, "waiting"),
     ("Notification", {"notification_type": "idle_prompt"}, "waiting"),
     ("Notification", {"notification_type": "auth_success"}, None), ("SubagentStop", {}, None),
     ("SessionStart", {"source": "compact"}, None), ("CwdChanged", {}, None)],
)  # fmt: skip
def test_an_event_says_what_the_session_does(name, more, status):
    assert [event.status for event in told(Status, name, **more)] == ([status] if status else [])


def test_tool_events_tell_of_the_call_and_its_end():
    assert told(ToolUse, "PreToolUse", tool_use_id="t", tool_name="Bash") == [
        ToolUse(SESSION, NOW, "t", "Bash", None)
    ]
    assert told(ToolResult, "PreToolUse", tool_use_id="t") == []
    (done,) = told(ToolResult, "PostToolUse", tool_use_id="t", tool_name="Bash", duration_ms=41)
    assert (done.failed, done.duration_ms) == (False, 41.0)
    assert told(ToolResult, "PostToolUseFailure", tool_use_id="t", tool_name="Bash")[0].failed
    assert told(ToolUse, "PermissionDenied", tool_use_id="t") == []


def test_a_failed_turn_is_an_error_and_a_compaction_is_one():
    assert [e.kind for e in told(ApiError, "StopFailure", error="rate_limit")] == ["rate_limit"]
    assert [e.trigger for e in told(Compaction, "PostCompact", trigger="auto")] == ["auto"]


def test_the_ends_of_turns_ask_to_read_again_in_a_moment():
    assert {name for name in hooks.EVENTS if feed(name).settle} == {
        "Stop",
        "StopFailure",
        "SubagentStop",
        "SessionEnd",
    }
    assert feed(transcript_path="/a", agent_transcript_path="/b").paths == ["/a", "/b"]
    assert feed(transcript_path=7).paths == []


def test_the_header_tells_tag_process_and_pane():
    (info,) = told(SessionInfo, header={"tag": "t", "pid": "77", "pane": "%3"}, cwd="/w")
    assert (info.tag, info.pid, info.pane, info.cwd) == ("t", 77, "%3", "/w")
    assert told(SessionInfo, header={"pid": "-1"})[0].pid is None
    assert told(SessionInfo, header={"pid": "9" * 30})[0].pid is None
    assert told(SessionInfo, agent_id="a", cwd="/elsewhere")[0].cwd is None


def status_line(**more):
    payload = {"session_id": SESSION, "workspace": {"current_dir": "/w/sub", "project_dir": "/w"}} | more
    return hooks.feed({}, payload, NOW).events


def of(kind, **more):
    return [event for event in status_line(**more) if isinstance(event, kind)]


def test_the_status_line_tells_the_client_s_cost_and_context():
    (totals,) = of(ClientTotals, cost={"total_cost_usd": 1.5, "total_api_duration_ms": 900})
    assert (totals.cost_usd, totals.api_ms) == (1.5, 900.0)
    usage = {
        "input_tokens": 1,
        "cache_creation_input_tokens": 2,
        "cache_read_input_tokens": 3,
        "output_tokens": 999,
    }
    (size,) = of(ContextSize, context_window={"context_window_size": 1_000_000, "current_usage": usage})
    assert (size.limit, size.tokens) == (1_000_000, 6)
    assert of(SessionInfo)[0].cwd == "/w"
    (cache,) = of(
        CacheState, prompt_cache={"warm": True, "expires_at": NOW + 60, "ttl": "1h", "hit_ratio": 0.9}
    )
    assert (cache.warm, cache.ttl) == (True, "1h")


def limit(used=42.0, resets=NOW + 3600, name="five_hour"):
    return of(Limit, rate_limits={name: {"used_percentage": used, "resets_at": resets}})


def test_the_status_line_tells_of_limits_that_can_be_true():
    (found,) = limit()
    assert (found.name, found.window_minutes, found.used_percent, found.resets_at) == (
        "five_hour",
        300,
        42.0,
        NOW + 3600,
    )
    assert limit(100.6)[0].used_percent == limit(135)[0].used_percent == 100.0
    assert (
        limit(5000)
        == limit(resets=NOW - 1)
        == limit(resets=NOW + 10 * 3600)
        == limit(name="other")
        == limit("x")
        == []
    )


def test_what_is_of_another_program_is_not_taken():
    assert hooks.feed({}, {"hook_event_name": "Stop"}, NOW) is None
    assert hooks.feed({}, {"session_id": "s", "hook_event_name": "Stop", "cursor_version": "1"}, NOW) is None
    assert hooks.feed({}, {"session_id": "s"}, NOW) is None


@examples(80)
@given(
    st.sampled_from(sorted(hooks.EVENTS)) | st.none(),
    st.dictionaries(
        st.sampled_from(
            [
                "tool_use_id",
                "tool_name",
                "duration_ms",
                "cwd",
                "transcript_path",
                "agent_id",
                "trigger",
                "error",
                "cost",
                "model",
                "context_window",
                "rate_limits",
                "prompt_cache",
                "workspace",
                "source",
                "notification_type",
                "reason",
            ]
        ),
        values,
    ),
)
def test_no_value_of_any_field_makes_it_fail(name, more):
    payload = json.loads(json.dumps({"session_id": SESSION, "hook_event_name": name} | more))
    found = hooks.feed({"pid": "x"}, payload, NOW)
    assert found is None or found.session == SESSION


def test_a_limit_belongs_to_the_account_that_the_header_names():
    payload = {
        "session_id": SESSION,
        "rate_limits": {"five_hour": {"used_percentage": 5, "resets_at": NOW + 60}},
    }
    for header, account in (({}, None), ({"config_dir": "/h/.claude-work"}, "/h/.claude-work")):
        events = hooks.feed(header, payload, NOW).events
        assert [event.account for event in events if isinstance(event, Limit)] == [account]


def test_a_window_belongs_to_its_model():
    (size,) = of(
        ContextSize, model={"id": "claude-opus-5-5[1m]"}, context_window={"context_window_size": 1_000_000}
    )
    assert (size.model, size.limit) == ("claude-opus-5-5", 1_000_000)
    for event, key in (("SessionStart", "model"), ("PostModelSwitch", "to_model")):
        (size,) = told(ContextSize, event, **{key: "claude-sonnet-4-6[1m]"})
        assert (size.model, size.limit) == ("claude-sonnet-4-6", 1_000_000)
        for model in ("claude-sonnet-4-6", "[1m]", None):
            assert told(ContextSize, event, **{key: model}) == []
