"""Gemini CLI's hook payloads → events. Pure; keeps no text of any conversation.

Most of its events have names of their own. `SessionStart`, `SessionEnd` and `Notification` are also Claude
Code's: only Gemini puts a `timestamp` into the payload.
"""

from aitop.model.events import Event, Response, SessionInfo, Status, Usage
from aitop.providers import Feed
from aitop.providers.gemini import NAME
from aitop.providers.gemini.chat import DONE
from aitop.providers.lenient import epoch, text

OWN = frozenset(
    ("BeforeAgent", "AfterAgent", "BeforeModel", "AfterModel", "BeforeToolSelection", "BeforeTool", "AfterTool",
     "PreCompress")
)  # fmt: skip
SHARED = frozenset(("SessionStart", "SessionEnd", "Notification"))
WORKING = ("BeforeAgent", "BeforeTool", "AfterTool", "PreCompress")


def feed(header: dict[str, str], payload: dict[str, object], now: float) -> Feed | None:
    """One payload's events; None for a payload of another client."""
    session, name = text(payload.get("session_id"), 128), text(payload.get("hook_event_name"), 64)
    if session is None or name is None:
        return None
    path = text(payload.get("transcript_path"), 4096)
    sent_here = header.get("provider") == NAME
    shared = name in SHARED and epoch(payload.get("timestamp")) is not None and _is_chat(path)
    if not (sent_here or name in OWN or shared):
        return None
    pid = header.get("pid", "")
    events: list[Event] = [
        SessionInfo(
            session, now, cwd=text(payload.get("cwd"), 4096), tag=text(header.get("tag")),
            pid=int(pid) if pid.isdecimal() and len(pid) < 10 else None, pane=text(header.get("pane"), 32),
        )
    ]  # fmt: skip
    if name in WORKING:
        events.append(Status(session, now, "working", name))
    elif name in ("AfterAgent", "SessionStart"):
        events.append(Status(session, now, "idle", name))
    elif name == "Notification":
        events.append(Status(session, now, "waiting", "permission"))
    elif name == "SessionEnd":
        events.append(Status(session, now, "ended", name))
    turn = None
    if name == "AfterAgent" and "transcript_path" in payload:  # at least one request, where no chat is kept
        turn = Response(session, now, "unknown", Usage(), f"{session}:{now:.3f}:unrecorded", stop_reason=DONE)
    ends = name in ("AfterAgent", "SessionEnd")
    return Feed(events, session, name, None, [path] if path else [], ends, turn)


def _is_chat(path: str | None) -> bool:
    return path is None or "/chats/" in path or path == ""
