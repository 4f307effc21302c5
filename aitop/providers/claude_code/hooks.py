"""Claude Code's hook payloads and status-line JSON → events. Pure; keeps no text of a conversation.

Only the fields named here are read: prompts, tool inputs and outputs are dropped with the payload. Unknown event
names are accepted, since the list grows. A hook has no time of its own, so its arrival counts.
"""

from aitop.model.events import (
    ApiError,
    CacheState,
    ClientTotals,
    Compaction,
    ContextSize,
    Event,
    Limit,
    Response,
    SessionInfo,
    Status,
    ToolResult,
    ToolUse,
    Usage,
)
from aitop.model.json_types import JsonObject
from aitop.providers import Feed
from aitop.providers.lenient import milliseconds, word

NAME = "claude-code"
STATUS_LINE = "StatusLine"
TAG = "SessionTag"  # sent by `aitop top`; the tag itself is in the header

EVENTS = frozenset(
    (
        "PreToolUse", "PostToolUse", "PostToolUseFailure", "PostToolBatch", "Notification", "UserPromptSubmit",
        "UserPromptExpansion", "SessionStart", "SessionEnd", "Stop", "StopFailure", "SubagentStart",
        "SubagentStop", "PreCompact", "PostCompact", "PreModelSwitch", "PostModelSwitch", "PermissionRequest",
        "PermissionDenied", "Setup", "TeammateIdle", "TaskCreated", "TaskCompleted", "Elicitation",
        "ElicitationResult", "ConfigChange", "WorktreeCreate", "WorktreeRemove", "InstructionsLoaded",
        "CwdChanged", "FileChanged", "DirectoryAdded", "MessageDisplay",
    )
)  # fmt: skip
WORKING = frozenset(
    (
        "UserPromptSubmit", "UserPromptExpansion", "PreToolUse", "PostToolUse", "PostToolUseFailure",
        "PostToolBatch", "SubagentStart", "PreCompact", "PermissionDenied", "ElicitationResult",
    )
)  # fmt: skip
WAITING = {
    "permission_prompt": "permission",
    "idle_prompt": "input",
    "elicitation_dialog": "input",
    "agent_needs_input": "input",
}
ENDS = frozenset(("Stop", "StopFailure", "SubagentStop", "SessionEnd"))
MAX_PERCENT = 1000  # a higher one is damage
LARGE = "[1m]"  # behind a model's name: it runs with a window of a million tokens
LIMITS = {"five_hour": 300, "seven_day": 10_080, "seven_day_opus": 10_080, "seven_day_sonnet": 10_080}


def feed(header: dict[str, str], payload: JsonObject, now: float) -> Feed | None:
    """One payload's events; None when it is no Claude Code payload (another editor runs these hooks too)."""
    session = _text(payload.get("session_id"), 128)
    if session is None or "cursor_version" in payload:
        return None
    name = _text(payload.get("hook_event_name"), 64)
    if name is None:
        if not any(key in payload for key in ("context_window", "cost", "rate_limits", "workspace")):
            return None
        return Feed(
            _status_line(header, payload, session, now), session, STATUS_LINE, None, _paths(payload), False
        )
    agent = _text(payload.get("agent_id"))
    tool_use_id = _text(payload.get("tool_use_id"))
    # A tag comes from the user, not from the session: it is no sign of life.
    at = 0.0 if name == TAG else now
    events: list[Event] = [_info(header, payload, session, agent, at)]
    events += _what_happened(name, payload, session, agent, now)
    turn = None
    if name == "Stop" and payload.get("transcript_path"):  # at least one request, where that file is not kept
        turn = Response(
            session, now, "unknown", Usage(), f"{session}:{now:.3f}:unrecorded", stop_reason="end_turn"
        )
    return Feed(events, session, name, tool_use_id, _paths(payload), name in ENDS, turn)


def _what_happened(
    name: str, payload: JsonObject, session: str, agent: str | None, now: float
) -> list[Event]:
    tool = _text(payload.get("tool_use_id"))
    tool_name = _text(payload.get("tool_name")) or "unknown"
    events: list[Event] = []
    if name in ("PreToolUse", "PostToolUse", "PostToolUseFailure") and tool:
        events.append(ToolUse(session, now, tool, tool_name, agent))
        if name != "PreToolUse":
            took = milliseconds(_number(payload.get("duration_ms")))
            events.append(ToolResult(session, now, tool, tool_name, name == "PostToolUseFailure", took))
    if name in WORKING:
        events.append(Status(session, now, "working", name))
    elif name in ("Stop", "StopFailure"):
        events.append(Status(session, now, "idle", name))
        if name == "StopFailure":
            kind = word(payload.get("error")) or "unknown"
            events.append(ApiError(session, now, f"{session}:{now:.3f}", kind, final=True))
    elif name == "SessionStart":
        if payload.get("source") != "compact":
            events.append(Status(session, now, "idle", "started"))
        events += _large_window(payload.get("model"), session, now)
    elif name == "PostModelSwitch":
        events += _large_window(payload.get("to_model"), session, now)
    elif name == "SessionEnd":
        events.append(Status(session, now, "ended", word(payload.get("reason")) or "ended"))
    elif name in ("PermissionRequest", "Elicitation"):
        events.append(
            Status(session, now, "waiting", "permission" if name == "PermissionRequest" else "input")
        )
    elif name == "Notification":
        why = WAITING.get(_text(payload.get("notification_type")) or "")
        if why:
            events.append(Status(session, now, "waiting", why))
    elif name == "PostCompact":
        trigger = word(payload.get("trigger")) or ""
        events.append(Compaction(session, now, f"{session}:{now:.3f}", trigger, agent))
    return events


def _large_window(raw: object, session: str, now: float) -> list[Event]:
    """The window of a model that is named with its size; any other has its usual one."""
    model = _text(raw) or ""
    base = model.removesuffix(LARGE)
    return [ContextSize(session, now, 1_000_000, model=base)] if base and base != model else []


def _info(
    header: dict[str, str], payload: JsonObject, session: str, agent: str | None, now: float
) -> SessionInfo:
    pid = header.get("pid", "")
    workspace = payload.get("workspace")
    cwd = payload.get("cwd")
    if isinstance(workspace, dict):
        cwd = workspace.get("project_dir") or workspace.get("current_dir") or cwd
    return SessionInfo(
        session,
        now,
        cwd=_text(cwd, 4096) if agent is None else None,
        tag=_text(header.get("tag")),
        pid=int(pid) if pid.isdecimal() and len(pid) < 10 else None,
        pane=_text(header.get("pane"), 32),
        began_by=word(payload.get("source")) if payload.get("hook_event_name") == "SessionStart" else None,
    )


def _status_line(header: dict[str, str], payload: JsonObject, session: str, now: float) -> list[Event]:
    events: list[Event] = [_info(header, payload, session, None, now)]
    cost = payload.get("cost")
    if isinstance(cost, dict):
        total = _number(cost.get("total_cost_usd"))
        if total is not None and total < 1e9:
            added, removed = _number(cost.get("total_lines_added")), _number(cost.get("total_lines_removed"))
            lines = None if added is None or removed is None else int(added + removed)
            api_ms = _number(cost.get("total_api_duration_ms"))
            events.append(ClientTotals(session, now, total, api_ms, lines))
    context = payload.get("context_window")
    if isinstance(context, dict):
        size = _number(context.get("context_window_size"))
        if size and 1_000 <= size <= 100_000_000:
            model = payload.get("model")
            name = _text(model.get("id")) if isinstance(model, dict) else None
            name = name.removesuffix(LARGE) if name else None
            events.append(ContextSize(session, now, int(size), _context_used(context), name))
    cache = payload.get("prompt_cache")
    if isinstance(cache, dict):
        events.append(
            CacheState(
                session, now, cache.get("warm") is True, _number(cache.get("expires_at")),
                _text(cache.get("ttl"), 8), _number(cache.get("hit_ratio")),
            )
        )  # fmt: skip
    limits = payload.get("rate_limits")
    if isinstance(limits, dict):
        account = _text(header.get("config_dir"), 1024)
        events += [limit for name in limits if (limit := _limit(name, limits[name], account, now))]
    return events


def _context_used(context: JsonObject) -> int | None:
    """Tokens in the context now, as the client fills its own percentage: input and cache, output excluded."""
    usage = context.get("current_usage")
    if not isinstance(usage, dict):
        return None
    parts = [
        _number(usage.get(key)) or 0
        for key in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    ]
    return int(sum(parts))


def _limit(name: object, raw: object, account: str | None, now: float) -> Limit | None:
    """An official limit of an account, which is named by its configuration folder.

    A reset that has passed is a mistake of the client's. A percentage above 100 means full.
    """
    if not isinstance(raw, dict) or not isinstance(name, str) or not name.replace("_", "").isalnum():
        return None
    used, resets = _number(raw.get("used_percentage")), _number(raw.get("resets_at"))
    minutes = LIMITS.get(name)
    if used is None or resets is None or minutes is None or used > MAX_PERCENT:
        return None
    if not now < resets <= now + minutes * 60 + 3600:
        return None
    return Limit(NAME, account, name, minutes, min(used, 100.0), resets, "client", now)


def _paths(payload: JsonObject) -> list[str]:
    candidates = (_text(payload.get(key), 4096) for key in ("transcript_path", "agent_transcript_path"))
    return [path for path in candidates if path]


def _number(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e15:
        return float(value)
    return None


def _text(value: object, most: int = 256) -> str | None:
    return value[:most] if isinstance(value, str) and value else None
