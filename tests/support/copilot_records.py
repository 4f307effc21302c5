"""Copilot CLI's session events as the client writes them."""

from support.desk import START
from support.lines import stamp

SESSION, OTHER = "983c1524-b9f7-40a9-930c-f2a5b7067d03", "11111111-b9f7-40a9-930c-f2a5b7067d03"


MODEL = "gpt-5.1-codex"


def event(kind, at=0.0, **data):
    return {"type": kind, "data": data, "id": f"{kind}{at}", "timestamp": stamp(START + at), "parentId": None}


def start(**more):
    context = {"cwd": "/work/shop", "branch": "trunk"}
    return event("session.start", sessionId=SESSION, selectedModel=MODEL, context=context, **more)


def usage(given=9000, cached=6000, output=50, written=0, reasoning=20):
    return {"inputTokens": given, "outputTokens": output, "cacheReadTokens": cached, "cacheWriteTokens": written,
            "reasoningTokens": reasoning}  # fmt: skip


def call(sequence=1, at=1.0, session=SESSION, **more):
    accounting = {"sourceSessionId": session, "sequence": sequence, "usageId": "x"}
    told = {
        "model": MODEL,
        **usage(),
        "finishReason": "stop",
        "maxPromptTokens": 128_000,
        "accounting": accounting,
    }
    return event("session.usage_record", at, usage=told | more)


def shutdown(number=2, at=9.0, began=START, **sums):
    metrics = {MODEL: {"requests": {"count": number}, "usage": usage(**sums) if sums else usage()}}
    return event(
        "session.shutdown",
        at,
        shutdownType="routine",
        sessionStartTime=int(began * 1000),
        modelMetrics=metrics,
    )


def path(tmp_path, session=SESSION):
    return str(tmp_path / "session-state" / session / "events.jsonl")
