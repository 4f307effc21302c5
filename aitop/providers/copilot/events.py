"""Copilot CLI's session events → ours. Pure: bytes in, events out, no clock, no I/O.

Newer versions write a `session.usage_record` for each API call. Older ones tell of tokens only at
shutdown, as a sum by model for that run of the program: those sums are spread evenly over the requests
they tell of, because prices go by the size of one request. A shutdown's sums start anew with each run;
one that tells of the same start again replaces the earlier. Must not keep any text.
"""

import json
from collections.abc import Iterator
from typing import Any

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
from aitop.providers import Parsed, Source
from aitop.providers.lenient import MAX_TOKENS, count, epoch, loads, text, word

NAME = "copilot"
DONE = "completed"
MOST_REQUESTS = 10_000  # of one shutdown
MOST_SPREAD = 50_000  # of all shutdowns of one run of lines; more of them are told as few large ones
MARKS = (
    b'"session.', b'"tool.execution_', b'"assistant.turn_', b'"user.message"', b'"abort"',
)  # fmt: skip
MOST_SUM = 1 << 36  # tokens of one model in one run
HEAD = 64
LEAVES = ("inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens", "reasoningTokens")


def parse(data: bytes, start: int, source: Source) -> Parsed:  # noqa: ARG001
    """Read whole lines, each with its newline."""
    run = _Run(source)
    for line in data.split(b"\n"):
        if len(line) > 1:
            run.line(line)
    return run.done()


class _Run:
    """One pass over a run of lines; `kept` is what the next run of the same file has to know."""

    def __init__(self, source: Source) -> None:
        self.kept: dict[str, Any] = json.loads(source.pending or "{}")
        self.session = source.session or "unknown"
        self.events: list[Event] = []
        self.tools: dict[str, ToolUse] = {}
        self.bad = 0
        self.first_at: float | None = None
        self.at = 0.0
        self.spread: dict[tuple[float, str], dict[str, Any]] = {}  # (start of a run, model) → its sums

    def line(self, line: bytes) -> None:
        if self.first_at is not None and not any(mark in line[:HEAD] for mark in MARKS):
            if line[:1] == b"{":
                return
            self.bad += 1
            return
        record = loads(line)
        if not isinstance(record, dict):
            self.bad += 1
            return
        self.at = epoch(record.get("timestamp")) or self.at
        if self.first_at is None and self.at:
            self.first_at = self.at
        kind, data = record.get("type"), record.get("data")
        if isinstance(kind, str) and isinstance(data, dict):
            self._told(kind, data, text(record.get("agentId")))

    def _told(self, kind: str, data: dict[str, Any], agent: str | None) -> None:
        if kind == "session.usage_record":
            self._record(data.get("usage"), agent)
        elif kind == "session.shutdown":
            self._shutdown(data)
            self._status("ended", "shutdown")
        elif kind in ("session.start", "session.resume"):
            context = data.get("context")
            self._info(context if isinstance(context, dict) else {}, data.get("selectedModel"))
            self._status("idle", kind)
        elif kind == "session.model_change":
            self._info({}, data.get("newModel"))
        elif kind == "session.error":
            what = word(data.get("errorType")) or "error"
            self.events.append(
                ApiError(self.session, self.at, f"{self.session}:{self.at:.3f}", what, final=True)
            )
        elif kind == "session.compaction_complete":
            self.events.append(Compaction(self.session, self.at, f"{self.session}:{self.at:.3f}", "", agent))
        elif kind in ("tool.execution_start", "tool.execution_complete"):
            self._tool(kind, data, agent)
        elif kind in ("user.message", "assistant.turn_start"):
            self._status("working", kind)
        elif kind in ("assistant.turn_end", "abort"):
            self._status("idle", kind)

    def _status(self, status: str, why: str) -> None:
        self.events.append(Status(self.session, self.at, status, why, live=False))

    def _info(self, context: dict[str, Any], model: Any) -> None:
        self.events.append(
            SessionInfo(
                self.session, self.at, cwd=text(context.get("cwd"), 4096),
                branch=text(context.get("branch")), model=text(model),
            )
        )  # fmt: skip

    def _tool(self, kind: str, data: dict[str, Any], agent: str | None) -> None:
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

    def _record(self, raw: Any, agent: str | None) -> None:
        """One API call; a copy in a resumed or forked session names the session that made it."""
        if not isinstance(raw, dict):
            return
        self.kept["records"] = True
        accounting = raw.get("accounting")
        of = accounting if isinstance(accounting, dict) else {}
        made_by = text(of.get("sourceSessionId"), 128) or self.session
        number = of.get("sequence")
        name = f"{made_by}:{number if isinstance(number, int) else text(raw.get('apiCallId')) or self.at}"
        usage = _usage([count(raw.get(leaf)) for leaf in LEAVES])
        if not (usage.input_tokens or usage.output_tokens):
            return
        stop, model = word(raw.get("finishReason")) or DONE, text(raw.get("model")) or "unknown"
        paying = made_by if made_by != self.session else None
        self.events.append(
            Response(
                self.session, self.at, model, usage, name,
                stop_reason=stop, paying_session=paying, agent=agent,
                duration_ms=_milliseconds(raw.get("duration")), ttft_ms=_milliseconds(raw.get("timeToFirstTokenMs")),
            )
        )  # fmt: skip
        window = count(raw.get("maxPromptTokens"))
        if window and agent is None:
            self.events.append(ContextSize(self.session, self.at, window))

    def _shutdown(self, data: dict[str, Any]) -> None:
        metrics = data.get("modelMetrics")
        if self.kept.get("records") or not isinstance(metrics, dict):
            return
        run = epoch(data.get("sessionStartTime")) or self.at
        for model, sums in metrics.items():
            if model and isinstance(sums, dict):
                self.spread[(run, model[:256])] = {**sums, "at": self.at}

    def done(self) -> Parsed:
        events = [*self.events, *self.tools.values(), *self._sums()]
        return Parsed(events, self.bad, self.first_at, self.session, json.dumps(self.kept))

    def _sums(self) -> Iterator[Event]:
        """What shutdowns told: the last word on each run and model."""
        room = MOST_SPREAD
        for (run, model), sums in self.spread.items():
            for number, usage in enumerate(_spread(sums, min(MOST_REQUESTS, max(1, room)))):
                name = f"{self.session}:{run:.3f}:{model}:{number}"
                yield Response(self.session, sums["at"], model, usage, name, stop_reason=DONE)
                room -= 1


def _spread(sums: dict[str, Any], most: int) -> Iterator[Usage]:
    """A model's sums over the requests that made them, evenly; what is left over goes to the first."""
    requests, usage = sums.get("requests"), sums.get("usage")
    if not isinstance(usage, dict):
        return
    number = count(requests.get("count")) if isinstance(requests, dict) else 0
    totals = [
        value if type(value := usage.get(leaf)) is int and 0 < value < MOST_SUM else 0 for leaf in LEAVES
    ]
    number = max(min(max(1, number), most), 1 + max(totals) // (MAX_TOKENS // 2))
    if not any(totals):
        return
    for one in range(number):
        yield _usage([total // number + (total % number if one == 0 else 0) for total in totals])


def _usage(leaves: list[int]) -> Usage:
    """Copilot's input includes the cache."""
    whole, output, cached, written, reasoning = leaves
    cached = min(cached, whole)
    written = min(written, whole - cached)
    return Usage(whole - cached - written, output, cached, written, 0, min(reasoning, output))


def _milliseconds(value: Any) -> float | None:
    return float(value) if type(value) in (int, float) and 0 <= value < 1e8 else None
