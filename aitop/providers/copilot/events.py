"""Copilot CLI's session events → ours. Pure: bytes in, events out, no clock, no I/O.

Newer versions write a `session.usage_record` for each API call; then nothing else counts. Older ones report
tokens only at shutdown, as sums by model for that run of the program. Until its shutdown, a run of an older
version is known by its answers alone: each has its output and no input. Such an answer counts as a response
that is a lower bound, and becomes one of the shutdown's responses when that comes.
A second shutdown of the same run replaces the first. Must not keep any text.
"""

import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from aitop.model.events import (
    ApiError,
    Compaction,
    ContextSize,
    Event,
    Response,
    SessionInfo,
    Status,
    ToolResult,
    ToolUse,
    Usage,
)
from aitop.providers import Parsed, Source, lines
from aitop.providers.copilot import sums
from aitop.providers.copilot.sums import ModelSums
from aitop.providers.lenient import count, epoch, loads, milliseconds, text, word

DONE = "completed"
MAX_SPREAD = 50_000  # responses of all shutdowns in one run of lines; beyond it there are fewer, larger ones
ANSWER = b'"assistant.message"'
MARKS = (
    b'"session.', b'"tool.execution_', b'"assistant.turn_', ANSWER, b'"user.message"', b'"abort"',
)  # fmt: skip
HEAD = 64  # bytes of a line that hold its kind
# More text than any output can explain: the history marks such a response as a lower bound.
INPUT_UNKNOWN = 1 << 30


class _Shutdown(NamedTuple):
    at: float
    models: list[ModelSums]
    answers: int  # how many answers of the run were counted before


def parse(data: bytes, start: int, source: Source) -> Parsed:  # noqa: ARG001
    """Read whole lines, each with its newline."""
    run = _Run(source)
    for _, record in lines.records(data, skip=run.is_content):
        if record is None:
            run.bad += 1
        else:
            run.record(record)
    return run.done()


class _Run:
    """One pass over a run of lines. `pending` carries what the next run of the same file has to know."""

    def __init__(self, source: Source) -> None:
        pending = loads((source.pending or "{}").encode())
        kept: dict[str, object] = pending if isinstance(pending, dict) else {}
        self.has_records = kept.get("records") is True
        self.program_run = text(kept.get("run")) or "0"
        self.answers = count(kept.get("answers"))  # of this run of the program, in front of its shutdown
        self.model = text(kept.get("model"))
        self.session = source.session or "unknown"
        self.events: list[Event] = []
        self.tools: dict[str, ToolUse] = {}
        self.shutdowns: dict[str, _Shutdown] = {}  # by the name of the run of the program
        self.bad = 0
        self.first_at: float | None = None
        self.at = 0.0

    def is_content(self, line: bytes) -> bool:
        """Whether a line has nothing to count, as most lines."""
        head = line[:HEAD]
        if self.first_at is None:
            return False
        return not any(mark in head for mark in MARKS) or (self.has_records and ANSWER in head)

    def record(self, record: dict[str, object]) -> None:
        self.at = epoch(record.get("timestamp")) or self.at
        if self.first_at is None and self.at:
            self.first_at = self.at
        kind, data = record.get("type"), record.get("data")
        if isinstance(kind, str) and isinstance(data, dict):
            self._event(kind, data, text(record.get("agentId")))

    def _event(self, kind: str, data: dict[str, object], agent: str | None) -> None:
        if kind == "session.usage_record":
            self._record(data.get("usage"), agent)
        elif kind == "assistant.message":
            self._answer(data, agent)
        elif kind == "session.shutdown":
            self._shutdown(data)
            self._status("ended", "shutdown")
        elif kind in ("session.start", "session.resume"):
            self.program_run, self.answers = f"{self.at:.3f}", 0
            context = data.get("context")
            self._info(context if isinstance(context, dict) else {}, data.get("selectedModel"))
            self._status("idle", kind)
        elif kind == "session.model_change":
            self._info({}, data.get("newModel"))
        elif kind == "session.error":
            name = word(data.get("errorType")) or "error"
            self.events.append(ApiError(self.session, self.at, self._key(), name, final=True))
        elif kind == "session.compaction_complete":
            self.events.append(Compaction(self.session, self.at, self._key(), "", agent))
        elif kind in ("tool.execution_start", "tool.execution_complete"):
            self._tool(kind, data, agent)
        elif kind in ("user.message", "assistant.turn_start"):
            self._status("working", kind)
        elif kind in ("assistant.turn_end", "abort"):
            self._status("idle", kind)

    def _key(self) -> str:
        return f"{self.session}:{self.at:.3f}"

    def _status(self, status: str, why: str) -> None:
        self.events.append(Status(self.session, self.at, status, why, live=False))

    def _info(self, context: Mapping[str, object], model: object) -> None:
        self.model = text(model) or self.model
        self.events.append(
            SessionInfo(
                self.session, self.at, cwd=text(context.get("cwd"), 4096),
                branch=text(context.get("branch")), model=text(model),
            )
        )  # fmt: skip

    def _tool(self, kind: str, data: Mapping[str, object], agent: str | None) -> None:
        call = text(data.get("toolCallId"))
        if call is None:
            return
        key = f"{self.session}:{call}"
        if kind == "tool.execution_start":
            name = text(data.get("toolName")) or "unknown"
            self.tools[key] = ToolUse(self.session, self.at, key, name, agent)
            return
        failed = data.get("success") is False
        if key in self.tools:
            self.tools[key] = self.tools[key]._replace(ended_at=self.at, failed=failed)
        else:
            self.events.append(ToolResult(self.session, self.at, key, "", failed))

    # -- usage -----------------------------------------------------------------------------------------------

    def _record(self, raw: object, agent: str | None) -> None:
        """One API call. A copy in a resumed or forked session names the session that made it."""
        if not isinstance(raw, dict):
            return
        self.has_records = True
        accounting = raw.get("accounting")
        of = accounting if isinstance(accounting, dict) else {}
        made_by = text(of.get("sourceSessionId"), 128) or self.session
        number = of.get("sequence")
        name = f"{made_by}:{number if isinstance(number, int) else text(raw.get('apiCallId')) or self.at}"
        usage = sums.call_usage(raw)
        if not (usage.input_tokens or usage.output_tokens):
            return
        self.events.append(
            Response(
                self.session, self.at, text(raw.get("model")) or "unknown", usage, name,
                stop_reason=word(raw.get("finishReason")) or DONE,
                paying_session=made_by if made_by != self.session else None, agent=agent,
                duration_ms=_milliseconds(raw.get("duration")), ttft_ms=_milliseconds(raw.get("timeToFirstTokenMs")),
            )
        )  # fmt: skip
        window = count(raw.get("maxPromptTokens"))
        if window and agent is None:
            self.events.append(ContextSize(self.session, self.at, window))

    def _answer(self, data: Mapping[str, object], agent: str | None) -> None:
        """An answer with its output. Its input is unknown until the shutdown."""
        output = count(data.get("outputTokens"))
        if self.has_records or not output:
            return
        model = text(data.get("model")) or self.model or "unknown"
        self.events.append(
            Response(
                self.session, self.at, model, Usage(output_tokens=output), self._name(self.answers), agent=agent,
                visible_chars=INPUT_UNKNOWN,
            )
        )  # fmt: skip
        self.answers += 1

    def _name(self, number: int) -> str:
        return f"{self.session}:{self.program_run}:{number}"

    def _shutdown(self, data: Mapping[str, object]) -> None:
        metrics = data.get("modelMetrics")
        if self.has_records or not isinstance(metrics, dict):
            return
        models = sums.read(metrics)
        if self.answers:
            self.shutdowns[self.program_run] = _Shutdown(self.at, models, self.answers)
            return
        began = epoch(data.get("sessionStartTime")) or self.at
        for one in models:
            self.shutdowns[f"{began:.3f}:{one.model}"] = _Shutdown(self.at, [one], 0)

    def done(self) -> Parsed:
        events = [*self.events, *self.tools.values(), *self._spread()]
        kept = {
            "records": self.has_records,
            "run": self.program_run,
            "answers": self.answers,
            "model": self.model,
        }
        return Parsed(events, self.bad, self.first_at, self.session, json.dumps(kept))

    def _spread(self) -> Iterator[Event]:
        """The shutdowns' responses: the last shutdown of each run, under the names of the run's answers."""
        room = MAX_SPREAD
        for run, shutdown in self.shutdowns.items():
            number = 0
            for model in shutdown.models:
                missing = shutdown.answers - number if model is shutdown.models[-1] else 0
                for usage in sums.spread(model, missing, max(1, room)):
                    name = f"{self.session}:{run}:{number}"
                    yield Response(self.session, shutdown.at, model.model, usage, name, stop_reason=DONE)
                    number += 1
                    room -= 1


def _milliseconds(value: object) -> float | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return milliseconds(float(value)) if number else None  # type: ignore[arg-type]
