"""Gemini CLI's chats as the client writes them."""

from support.desk import START
from support.lines import stamp

SESSION = "603114b0-6f03-44b6-b8ba-7e74b0af8bab"


MODEL = "gemini-2.5-flash"


def header(**more):
    return {"sessionId": SESSION, "projectHash": "ab", "startTime": stamp(START), "kind": "main", **more}


def message(identity="m1", at=0.0, output=40, thoughts=30, **more):
    tokens = {"input": 1200, "output": output, "cached": 800, "thoughts": thoughts, "tool": 0, "total": 1270}
    return {"id": identity, "timestamp": stamp(START + at), "type": "gemini", "content": "secret", "tokens": tokens,
            "model": MODEL, **more}  # fmt: skip


def call(identity="c1", status="success", at=2.0):
    return {"id": identity, "name": "read_file", "args": {}, "status": status, "timestamp": stamp(START + at)}


def path(tmp_path, name="session-2026-09-21T12-00-603114b0.jsonl"):
    return str(tmp_path / "tmp" / "shop" / "chats" / name)
