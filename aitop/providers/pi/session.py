"""pi's sessions → events. Pure: bytes in, events out, no clock, no I/O.

A session is a tree of lines. Each answer is one API response, also on a branch that the user left: it was paid. A
fork copies lines with their times and counts, so a response is named by these. Its usage excludes the cache, its
output includes reasoning, its cost is pi's own reckoning. Fields as written by 0.73.1. Must not keep any text.
"""

import os
import re
from collections.abc import Mapping

from aitop.model.events import (
    ApiError,
    Compaction,
    Event,
    Place,
    Response,
    SessionInfo,
    Status,
    ToolResult,
    ToolUse,
    Usage,
)
from aitop.providers import Parsed, Source, lines
from aitop.providers.lenient import count, epoch, rows, table, text, word
from aitop.providers.local_models import is_local

HEAD = 400  # bytes of a line that tell its kind
MARKS = (b'"message"', b'"session"', b'"compaction"', b'"model_change"')
NAME = re.compile(r"^(?:\d{4}-\d\d-\d\dT[^_]*_)?(?P<id>[^/]+?)\.jsonl")
MAX_USD = 1e6
ENDS = {"stop": "idle", "length": "idle", "error": "idle", "aborted": "idle", "toolUse": "working"}


def identify(path: str) -> Source:
    """The session by the file's name, which is `TIME_ID.jsonl` or `ID.jsonl`, perhaps with an ending behind it."""
    found = NAME.match(os.path.basename(path))
    return Source(found["id"] if found else None, None)


def parse(data: bytes, start: int, source: Source) -> Parsed:  # noqa: ARG001
    """Read whole lines, each with its newline. The note is the model that was chosen last."""
    run = Run(source.session or "unknown", source.pending)
    for _, record in lines.records(data, skip=_is_other):
        if record is None:
            run.bad += 1
        else:
            run.record(record)
    return Parsed(run.events, run.bad, run.first_at, run.session, run.model)


def _is_other(line: bytes) -> bool:
    """Whether a line has nothing to count."""
    head = line[:HEAD]
    return not any(mark in head for mark in MARKS)


class Run:
    """One pass over a run of lines."""

    def __init__(self, session: str, model: str | None) -> None:
        self.session, self.model = session, model
        self.events: list[Event] = []
        self.bad = 0
        self.first_at: float | None = None
        self.at = 0.0
        self.cwd: str | None = None

    def record(self, record: Mapping[str, object]) -> None:
        self.at = epoch(record.get("timestamp")) or self.at
        if self.first_at is None and self.at:
            self.first_at = self.at
        kind = record.get("type")
        if kind == "session":
            self.session = text(record.get("id"), 128) or self.session
            self.cwd = text(record.get("cwd"), 4096)
            self.events.append(SessionInfo(self.session, self.at, cwd=self.cwd))
        elif kind == "model_change":
            self.model = text(record.get("modelId")) or self.model
        elif kind == "compaction":
            self.events.append(
                Compaction(self.session, self.at, f"{text(record.get('id'), 64)}:{self.at}", "")
            )
        elif kind == "message":
            self._message(table(record.get("message")), text(record.get("id"), 64) or "")

    def _message(self, message: Mapping[str, object], entry: str) -> None:
        role = message.get("role")
        at = epoch(message.get("timestamp")) or self.at
        if role == "user":
            self._status(at, "working", "prompt")
        elif role == "toolResult" and (call := text(message.get("toolCallId"), 128)):
            name, failed = text(message.get("toolName")) or "unknown", message.get("isError") is True
            self.events.append(ToolResult(self.session, at, f"{self.session}:{call}", name, failed))
        elif role == "assistant":
            self._answer(message, entry, at)

    def _answer(self, message: Mapping[str, object], entry: str, at: float) -> None:
        why = word(message.get("stopReason"))
        model = text(message.get("model")) or self.model or "unknown"
        self.model = model
        if why == "error":
            self.events.append(ApiError(self.session, at, f"{entry}:{at}", "error", final=True))
        self._status(at, ENDS.get(why or "", "idle"), "answer")
        self._response(message, model, why, at)
        for part in rows(message.get("content")):
            if isinstance(part, dict) and part.get("type") in ("toolCall", "tool_use"):
                call = text(part.get("id"), 128)
                if call:
                    name = text(part.get("name")) or "unknown"
                    self.events.append(ToolUse(self.session, at, f"{self.session}:{call}", name))

    def _response(self, message: Mapping[str, object], model: str, why: str | None, at: float) -> None:
        raw = table(message.get("usage"))
        fresh, output = count(raw.get("input")), count(raw.get("output"))
        read, written = count(raw.get("cacheRead")), count(raw.get("cacheWrite"))
        if not (fresh or output or read or written):
            return
        hour = min(written, count(raw.get("cacheWrite1h")))
        reasoning = min(output, count(raw.get("reasoning")) or count(raw.get("reasoningTokens")))
        usage = Usage(fresh, output, read, written - hour, hour, reasoning)
        usd = table(raw.get("cost")).get("total")
        known = isinstance(usd, int | float) and not isinstance(usd, bool) and 0 < usd < MAX_USD
        # The moment of a response is that of its line: the message's own time is when it was asked for.
        ended = max(self.at, at)
        self.events.append(
            Response(
                self.session, ended, model, usage,
                f"{at:.3f}:{model}:{fresh}.{output}.{read}.{written}:{text(message.get('responseId'), 64) or ''}",
                stop_reason=why or "stop", place=Place(self.cwd) if self.cwd else None,
                duration_ms=(ended - at) * 1000 if 0 < ended - at < 3600 else None,
                billed_usd=0.0 if is_local(message.get("provider"), model) else None,
                client_usd=float(usd) if known and isinstance(usd, int | float) else None,
            )
        )  # fmt: skip

    def _status(self, at: float, status: str, why: str) -> None:
        self.events.append(Status(self.session, at, status, why, live=False))
