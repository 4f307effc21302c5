"""Codex's rollouts as the client writes them."""

from support.desk import START
from support.lines import stamp

PARENT = "01990000-aaaa-7000-8000-000000000001"


CHILD = "01990000-bbbb-7000-8000-000000000002"


SIBLING = "01990000-cccc-7000-8000-000000000003"


MODEL = "gpt-5.1-codex"


def line(kind, payload, at=0.0):
    return {"timestamp": stamp(START + at), "type": kind, "payload": payload}


def meta(thread=PARENT, at=0.0, **more):
    return line("session_meta", {"id": thread, "cwd": "/work/shop", "git": {"branch": "trunk"}, **more}, at)


def turn(at=0.0, model=MODEL):
    return line("turn_context", {"model": model, "cwd": "/work/shop"}, at)


def event(kind, at=0.0, **more):
    return line("event_msg", {"type": kind, **more}, at)


def tokens(given, cached=0, output=0, reasoning=0, written=0):
    return {
        "input_tokens": given, "cached_input_tokens": cached, "cache_write_input_tokens": written,
        "output_tokens": output, "reasoning_output_tokens": reasoning, "total_tokens": given + output,
    }  # fmt: skip


def plus(*usages):
    return {name: sum(usage[name] for usage in usages) for name in usages[0]}


def count(last, *before, at=0.0, limits=None, total=None):
    info = {
        "last_token_usage": last,
        "total_token_usage": total or plus(last, *before),
        "model_context_window": 258_400,
    }
    return event("token_count", at, info=info, rate_limits=limits)


def record(response, usage, *before, thread=PARENT, at=0.0):
    payload = {
        "thread_id": thread,
        "response_id": response,
        "usage": usage,
        "thread_token_usage": plus(usage, *before),
    }
    return line("token_usage_record", payload, at)


def item(kind, at=0.0, **more):
    return line("response_item", {"type": kind, **more}, at)


def path(tmp_path, thread=PARENT, day="2026/09/21"):
    return str(tmp_path / "sessions" / day / f"rollout-2026-09-21T12-00-00-{thread}.jsonl")


A, B, C = tokens(900, 600, 50, 20), tokens(1500, 1000, 70), tokens(2100, 1800, 90, 40)
