"""Qwen Code's chats → events. Pure: bytes in, events out, no clock, no I/O.

Each API response is a `ui_telemetry` record. The usage of an `assistant` record is the same again, and calls
without an answer of their own (compaction, sub-agents) have no such record, so it is not read. A fork copies
records with their `uuid` and names its source. Fields as written by 0.15.10. Must not keep any text.
"""

from collections.abc import Mapping

from aitop.model.events import (
    ApiError,
    Compaction,
    Event,
    Place,
    Response,
    SessionInfo,
    Status,
    ToolUse,
    Usage,
)
from aitop.providers import Parsed, Source, lines
from aitop.providers.lenient import count, epoch, milliseconds, text, word

DONE = "completed"
HEAD = 400  # bytes of a line that show its kind
MARKS = (b'"ui_telemetry"', b'"type":"user"', b'"type":"assistant"', b'"chat_compression"')
API_RESPONSE = "qwen-code.api_response"
UNIQUE_ID = 20  # characters of a response id that a server does not use again


def parse(data: bytes, start: int, source: Source) -> Parsed:  # noqa: ARG001
    """Read whole lines, each with its newline."""
    run = _Run(source.session or "unknown")
    for _, record in lines.records(data, skip=run.is_content):
        if record is None:
            run.bad += 1
        else:
            run.record(record)
    return run.done()


class _Run:
    """One pass over a run of lines."""

    def __init__(self, session: str) -> None:
        self.session = session
        self.events: list[Event] = []
        self.bad = 0
        self.first_at: float | None = None
        self.at = 0.0
        self.cwd: str | None = None
        self.branch: str | None = None
        self.model: str | None = None

    def is_content(self, line: bytes) -> bool:
        """Whether a line has nothing to count: tools' results and the client's own notes."""
        head = line[:HEAD]
        return self.first_at is not None and not any(mark in head for mark in MARKS)

    def record(self, record: Mapping[str, object]) -> None:
        self.at = epoch(record.get("timestamp")) or self.at
        if self.first_at is None and self.at:
            self.first_at = self.at
        self.cwd = text(record.get("cwd"), 4096) or self.cwd
        self.branch = text(record.get("gitBranch")) or self.branch
        kind, name = record.get("type"), text(record.get("uuid"), 64)
        if kind == "user":
            self._status("working", "prompt")
        elif kind == "assistant":
            parts = _table(record.get("message")).get("parts")
            calls = isinstance(parts, list) and any("functionCall" in _table(part) for part in parts)
            self._status("working" if calls else "idle", "answer")
        elif kind == "system" and name is not None:
            payload = _table(record.get("systemPayload"))
            if record.get("subtype") == "ui_telemetry":
                source = text(_table(record.get("forkedFrom")).get("sessionId"), 128)
                self._telemetry(_table(payload.get("uiEvent")), name, source)
            elif record.get("subtype") == "chat_compression":
                self.events.append(Compaction(self.session, self.at, name, ""))

    def _status(self, status: str, why: str) -> None:
        self.events.append(Status(self.session, self.at, status, why, live=False))

    def _telemetry(self, event: Mapping[str, object], name: str, source: str | None) -> None:
        kind = event.get("event.name")
        if kind == API_RESPONSE:
            self._response(event, name, source)
        elif kind == "qwen-code.api_error":
            code = event.get("status_code")
            error = word(event.get("error_type")) or (f"http_{code}" if type(code) is int else "error")
            self.events.append(ApiError(self.session, self.at, name, error, final=False))
        elif kind == "qwen-code.tool_call":
            tool, took = text(event.get("function_name")) or "unknown", duration(event)
            began = max(0.0, self.at - (took or 0.0) / 1000)  # a damaged line may lack its time
            failed = event.get("success") is False
            self.events.append(ToolUse(self.session, began, name, tool, _agent(event), self.at, failed))

    def _response(self, event: Mapping[str, object], name: str, source: str | None) -> None:
        tokens = usage(event)
        if tokens is None:
            return
        model, own = text(event.get("model")) or "unknown", unique_id(event)
        agent = _agent(event)
        if agent is None:
            self.model = model
        self.events.append(
            Response(
                self.session, self.at, model, tokens, name,
                stop_reason=DONE, agent=agent, paying_session=source if source != self.session else None,
                also=(own,) if own is not None else (), duration_ms=duration(event),
                place=Place(self.cwd, self.branch) if self.cwd else None,
            )
        )  # fmt: skip

    def done(self) -> Parsed:
        if self.cwd:
            self.events.append(SessionInfo(self.session, self.at, self.cwd, self.branch, self.model))
        return Parsed(self.events, self.bad, self.first_at, self.session, None)


def _agent(event: Mapping[str, object]) -> str | None:
    return text(event.get("subagent_name"), 128)


def usage(event: Mapping[str, object]) -> Usage | None:
    """The tokens of an `api_response`; None without any.

    Input includes the cache. Thoughts are a part of the output, unless the total says otherwise.
    """
    whole, output = count(event.get("input_token_count")), count(event.get("output_token_count"))
    thoughts, total = count(event.get("thoughts_token_count")), count(event.get("total_token_count"))
    if total == whole + output + thoughts:
        output = count(output + thoughts)
    if not (whole or output):
        return None
    cached = min(whole, count(event.get("cached_content_token_count")))
    return Usage(whole - cached, output, cached, 0, 0, min(thoughts, output))


def unique_id(event: Mapping[str, object]) -> str | None:
    """The API's own id of the response, where it is long enough to be used once."""
    own = text(event.get("response_id"), 128)
    return own if own is not None and len(own) >= UNIQUE_ID else None


def duration(event: Mapping[str, object]) -> float | None:
    """Milliseconds that a call took."""
    value = event.get("duration_ms")
    return (
        milliseconds(float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else None
    )


def _table(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
