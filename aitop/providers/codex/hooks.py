"""Codex's hook payloads and its `notify` → events. Pure; keeps no text of any conversation.

The hooks look like Claude Code's. Codex's are recognised by the name of the rollout in `transcript_path`, or by
the header of our own hook command.

A thread without a rollout (`--ephemeral`) has hooks alone, which hold no tokens: each of its turns is one that
nothing may record (`Feed.turn`).
"""

import os

from aitop.model.events import Event, Response, SessionInfo, Status, ToolResult, ToolUse, Usage
from aitop.providers import Feed
from aitop.providers.codex import NAME
from aitop.providers.codex.rollout import DONE, UNKNOWN, tool_id
from aitop.providers.lenient import text

NOTIFY = "agent-turn-complete"
WORKING = ("UserPromptSubmit", "PreToolUse", "PostToolUse", "PreCompact", "SubagentStart")
ENDS = ("Stop", "SubagentStop", "SessionEnd", "Interrupt")


def feed(header: dict[str, str], payload: dict[str, object], now: float) -> Feed | None:
    """One payload's events; None for a payload of another client."""
    path = text(payload.get("transcript_path"), 4096)
    ours = header.get("provider") == NAME or os.path.basename(path or "").startswith("rollout-")
    paths = [path] if path else []
    if ours and payload.get("type") == NOTIFY:
        session = text(payload.get("thread-id"), 128)
        if session is None:
            return None
        events = [_info(header, payload, session, now), Status(session, now, "idle", "notify")]
        return Feed(events, session, "notify", text(payload.get("turn-id")), paths, settle=True)
    session, name = text(payload.get("session_id"), 128), text(payload.get("hook_event_name"), 64)
    if not ours or session is None or name is None:
        return None
    events = [_info(header, payload, session, now), *_of_hook(name, payload, session, now)]
    turn = None
    if name == "Stop" and payload.get("transcript_path", "") is None:
        turn = _unrecorded(payload, session, now)
    return Feed(events, session, name, text(payload.get("tool_use_id")), paths, name in ENDS, turn)


def _info(header: dict[str, str], payload: dict[str, object], session: str, now: float) -> Event:
    pid = header.get("pid", "")
    return SessionInfo(
        session,
        now,
        cwd=text(payload.get("cwd"), 4096),
        model=text(payload.get("model")),
        tag=text(header.get("tag")),
        pid=int(pid) if pid.isdecimal() and len(pid) < 10 else None,
        pane=text(header.get("pane"), 32),
    )


def _unrecorded(payload: dict[str, object], session: str, now: float) -> Response:
    """A turn that no rollout records: at least one request."""
    turn = text(payload.get("turn_id")) or f"{now:.3f}"
    model = text(payload.get("model")) or UNKNOWN
    return Response(session, now, model, Usage(), f"{session}:{turn}:unrecorded", stop_reason=DONE)


def _of_hook(name: str, payload: dict[str, object], session: str, now: float) -> list[Event]:
    events: list[Event] = []
    call = text(payload.get("tool_use_id"))
    if call and name in ("PreToolUse", "PostToolUse"):
        tool, key = text(payload.get("tool_name")) or "unknown", tool_id(session, call)
        events.append(ToolUse(session, now, key, tool))
        if name == "PostToolUse":
            events.append(ToolResult(session, now, key, tool, failed=False))
    if name in WORKING:
        events.append(Status(session, now, "working", name))
    elif name == "PermissionRequest":
        events.append(Status(session, now, "waiting", "permission"))
    elif name in ("Stop", "Interrupt", "SessionStart"):
        events.append(Status(session, now, "idle", name))
    elif name == "SessionEnd":
        events.append(Status(session, now, "ended", name))
    return events
