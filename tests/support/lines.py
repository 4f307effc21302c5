"""Transcript lines as Claude Code writes them, as small as they can be; values are made up."""

import json
import os
from datetime import UTC, datetime

MODEL = "claude-opus-4-6"
SESSION = "11111111-2222-4333-8444-555555555555"
OTHER = "99999999-2222-4333-8444-555555555555"
START = 1_790_000_000.0  # 2026-09-21


def stamp(at):
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def usage(output=50, uncached=10, read=0, write=0, **more):
    return {"input_tokens": uncached, "output_tokens": output, "cache_read_input_tokens": read,
            "cache_creation_input_tokens": write, **more}  # fmt: skip


def text(words="fine"):
    return {"type": "text", "text": words}


def use(identity="toolu_1", name="Bash", **given):
    return {"type": "tool_use", "id": identity, "name": name, "input": given}


def assistant(message_id="msg_1", at=START, *, request_id="req_1", usage=None, content=None, stop="end_turn",
              model=MODEL, session=SESSION, uuid=None, **more):  # fmt: skip
    """One line of a response."""
    message = {"id": message_id, "type": "message", "role": "assistant", "model": model,
               "content": [text()] if content is None else content, "stop_reason": stop,
               "usage": globals()["usage"]() if usage is None else usage}  # fmt: skip
    record = {
        "type": "assistant",
        "uuid": uuid or f"u-{message_id}-{at}",
        "timestamp": stamp(at),
        "message": message,
        "requestId": request_id,
        "sessionId": session,
        "cwd": "/work/shop",
        "gitBranch": "main",
        "isSidechain": False,
    }
    return dropped(record | more)


def result(identity="toolu_1", at=START + 1, *, failed=None, content="ok", session=SESSION, **more):
    """A tool's result."""
    block = dropped({"tool_use_id": identity, "type": "tool_result", "content": content, "is_error": failed})
    return {
        "type": "user",
        "isSidechain": False,
        "message": {"role": "user", "content": [block]},
        "uuid": f"r-{identity}",
        "timestamp": stamp(at),
        "sessionId": session,
        "cwd": "/work/shop",
    } | more


def user(words="please", at=START, session=SESSION, **more):
    return {"type": "user", "message": {"role": "user", "content": words}, "uuid": f"p-{at}", "timestamp": stamp(at),
            "sessionId": session, "cwd": "/work/shop"} | more  # fmt: skip


def api_error(uuid="e-1", at=START, session=SESSION):
    """A failed attempt that the client tries again."""
    return {"type": "system", "subtype": "api_error", "uuid": uuid, "timestamp": stamp(at), "retryAttempt": 1,
            "error": {"status": 500}, "sessionId": session}  # fmt: skip


def gave_up(uuid="x-1", at=START, kind="rate_limit", session=SESSION):
    """A request the client gave up on, shown as a message."""
    zero = usage(0, 0)
    return assistant(uuid, at, request_id=None, usage=zero, model="<synthetic>", uuid=uuid, session=session,
                     isApiErrorMessage=True, error=kind)  # fmt: skip


def attempt(identity="ar-1", at=START, session=SESSION):
    """A request begins."""
    return {
        "type": "api-request",
        "id": identity,
        "timestamp": stamp(at),
        "querySource": "sdk",
        "sessionId": session,
    }


def compact(uuid="c-1", at=START, trigger="auto", session=SESSION):
    return {"type": "system", "subtype": "compact_boundary", "uuid": uuid, "timestamp": stamp(at), "sessionId": session,
            "compactMetadata": {"trigger": trigger, "preTokens": 167_000}}  # fmt: skip


def cost_state(total=1.25, session=SESSION):
    return {
        "type": "cost-state",
        "sessionId": session,
        "totalCostUSD": total,
        "totalAPIDuration": 5200,
        "modelUsage": {},
    }


def dropped(record):
    return {key: value for key, value in record.items() if value is not None}


def encode(records, *, spaces=False):
    """Records as the bytes of a file."""
    separators = (", ", ": ") if spaces else (",", ":")
    return b"".join(
        json.dumps(r, separators=separators).encode() + b"\n" if isinstance(r, dict) else r for r in records
    )


def transcript(root, records=(), *, session=SESSION, agent=None, slug="-work-shop"):
    """Write a transcript under `root/projects`; returns its path."""
    folder = os.path.join(root, "projects", slug)
    if agent:
        path = os.path.join(folder, session, "subagents", f"agent-{agent}.jsonl")
    else:
        path = os.path.join(folder, f"{session}.jsonl")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    append(path, *records)
    return path


def append(path, *records):
    with open(path, "ab") as file:
        file.write(encode(records))
