"""Gemini CLI's chats → events. Pure but for `document`, which reads the one file it is given.

A message that grew is written again as a whole: under one id the last line wins. A rewind removes messages
from the view and not from the bill, so it changes nothing here. The client's total is input + output +
thoughts + tool. Thoughts are billed as output. `tool` is the result of built-in tools that the model read,
which is billed as input; `cached` is a part of `input`.
Must not keep any text.
"""

import json
from collections.abc import Iterator

from aitop.model.events import ApiError, Event, Response, SessionInfo, ToolUse, Usage
from aitop.providers import Parsed, Source, lines
from aitop.providers.files import read_regular
from aitop.providers.lenient import count, epoch, loads, text

DONE = "completed"
LARGEST = 256 << 20  # bytes of one document


def parse(data: bytes, start: int, source: Source) -> Parsed:
    """Read whole lines, each with its newline; `start` is their offset in the file."""
    run = _Run(source)
    for offset, record in lines.records(data, start):
        if record is None:
            run.bad += 1
        else:
            run.record(record, offset)
    return run.done()


def document(path: str, source: Source) -> Iterator[Parsed]:
    """One chat in one document, as older versions write it anew at every change. Raises OSError."""
    record = loads(read_regular(path, LARGEST))
    run = _Run(source)
    if isinstance(record, dict):
        run.record(record, 0)
    else:
        run.bad += 1  # probably half written: it is read again when it changes
    yield run.done()


class _Run:
    """One pass over some records. Each message yields one response, by its last line."""

    def __init__(self, source: Source) -> None:
        self.kept: dict[str, object] = json.loads(source.pending or "{}")
        self.session = source.session or self.kept.get("session")
        self.agent = source.agent
        self.responses: dict[str, Response] = {}
        self.tools: dict[str, ToolUse] = {}
        self.events: list[Event] = []
        self.first_at: float | None = None
        self.at = 0.0
        self.model: str | None = None
        self.opened = False
        self.bad = 0

    def record(self, record: dict[str, object], offset: int) -> None:
        """A header, a message, or a change of either."""
        change = record.get("$set")
        if isinstance(change, dict):
            record = change
        elif "sessionId" in record:
            self.opened = True
            self.session = self.session or text(record["sessionId"], 128)
            self._time(record.get("startTime"))
        messages = record.get("messages")
        if isinstance(messages, list):
            for message in messages:
                if isinstance(message, dict):
                    self._message(message, offset)
        elif "type" in record:
            self._message(record, offset)

    def _time(self, stamp: object) -> float:
        self.at = epoch(stamp) or self.at
        if self.first_at is None and self.at:
            self.first_at = self.at
        return self.at

    def _message(self, message: dict[str, object], offset: int) -> None:
        identity, at = text(message.get("id")), self._time(message.get("timestamp"))
        kind = message.get("type")
        if identity is None or self.session is None:
            return
        if kind == "error":
            key = f"{self.session}:{identity}"
            self.events.append(ApiError(self.session, at, key, "error", final=True))
        if kind != "gemini":
            return
        self.model = text(message.get("model")) or self.model
        usage = _usage(message.get("tokens"))
        if usage.input_tokens or usage.output_tokens:
            self.responses[identity] = Response(
                self.session, at, self.model or "unknown", usage, f"{self.session}:{identity}",
                stop_reason=DONE, agent=self.agent, offset=offset, end=offset,
            )  # fmt: skip
        calls = message.get("toolCalls")
        for call in calls if isinstance(calls, list) else ():
            if isinstance(call, dict):
                self._tool(call, at)

    def _tool(self, call: dict[str, object], at: float) -> None:
        """A call is written when it has ended. It began at the message's own time."""
        identity, name = text(call.get("id")), text(call.get("name"))
        if identity is None or name is None or self.session is None:
            return
        ended = epoch(call.get("timestamp"))
        failed = call.get("status") in ("error", "cancelled")
        key = f"{self.session}:{identity}"
        self.tools[key] = ToolUse(self.session, at, key, name, self.agent, ended, failed)

    def done(self) -> Parsed:
        events: list[Event] = [*self.responses.values(), *self.tools.values(), *self.events]
        if self.session and self.agent is None and (self.opened or self.model):
            cwd = text(self.kept.get("cwd"), 4096)
            events.append(SessionInfo(self.session, self.at, cwd=cwd, model=self.model))
        if self.session:
            self.kept["session"] = self.session
        return Parsed(events, self.bad, self.first_at, self.session, json.dumps(self.kept))


def _usage(raw: object) -> Usage:
    if not isinstance(raw, dict):
        return Usage()
    given, thoughts = count(raw.get("input")), count(raw.get("thoughts"))
    whole = count(given + count(raw.get("tool")))
    cached = min(whole, given, count(raw.get("cached")))  # a sum that is damage counts as nothing
    output = count(count(raw.get("output")) + thoughts)
    return Usage(whole - cached, output, cached, 0, 0, min(thoughts, output))
