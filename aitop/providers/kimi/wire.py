"""Kimi Code's wire logs → events. Bytes in, events out, no clock; `identify` reads the session's own state.

A `usage.record` is one call; the `llm.request` before it says the real model, of which the record has the user's
alias. A record of the scope `session` is a call outside a turn (a compaction) where such a request precedes it;
without one it is a running sum, and skipped. A step's end and mirrored messages repeat the same usage. A fork copies
the log with its times: what is older than the fork was paid by its source. The older Kimi CLI writes a
`StatusUpdate` for each call, with seconds for milliseconds. Fields as written by 2.1.0. Must not keep any text.
"""

import json
import os
from collections.abc import Mapping

from aitop.model.events import (
    ApiError,
    Compaction,
    Event,
    Response,
    SessionInfo,
    Status,
    ToolResult,
    ToolUse,
    Usage,
)
from aitop.model.json_types import JsonObject
from aitop.providers import Parsed, Source, documents, lines
from aitop.providers.lenient import count, epoch, loads, milliseconds, table, text, word

DONE = "completed"
UNKNOWN = "unknown"
MAIN = "main"
HEAD = 200  # bytes of a line that tell its kind
SKIPPED = (b'"context.append_message"', b'"llm.tools_snapshot"', b'"content.part"')
ALIASES = 64


def identify(path: str) -> Source:
    """Session and agent by `SESSION/agents/AGENT/wire.jsonl` or `SESSION/wire.jsonl`.

    The note holds where the session works, and the source of a fork with its moment, by the `state.json` beside.
    """
    folder = os.path.dirname(path)
    above, agent = os.path.split(folder)
    if os.path.basename(above) != "agents":
        return Source(os.path.basename(folder), None)
    session = os.path.dirname(above)
    state = documents.beside(os.path.join(session, "x"), "state.json")
    note: dict[str, object] = {}
    if cwd := text(state.get("cwd"), 2048) or text(state.get("workDir"), 2048):
        note["cwd"] = cwd
    source, at = text(state.get("forkedFrom"), 128), epoch(state.get("createdAt"))
    if source and at:
        note["fork"] = [source, at]
    return Source(os.path.basename(session), None if agent == MAIN else agent, json.dumps(note))


def parse(data: bytes, start: int, source: Source) -> Parsed:  # noqa: ARG001
    """Read whole lines, each with its newline."""
    run = _Run(source)
    for _, record in lines.records(data, skip=_is_content):
        if record is None:
            run.bad += 1
        else:
            run.record(record)
    return run.done()


def _is_content(line: bytes) -> bool:
    return any(mark in line[:HEAD] for mark in SKIPPED)


class _Run:
    """One pass over a run of lines; `note` is what the next run has to know."""

    def __init__(self, source: Source) -> None:
        self.session, self.agent = source.session or UNKNOWN, source.agent
        self.note: JsonObject = table(loads((source.pending or "{}").encode()))
        self.events: list[Event] = []
        self.bad = 0
        self.at = 0.0
        self.first_at: float | None = None
        self.usage: Response | None = None

    def record(self, record: Mapping[str, object]) -> None:
        self.at = epoch(record.get("time")) or epoch(record.get("timestamp")) or self.at
        self.first_at = self.first_at or self.at or None
        kind = record.get("type")
        if kind == "llm.request":
            self._asked(record)
        elif kind == "usage.record":
            self._used(record)
        elif kind == "context.append_loop_event":
            self._step(table(record.get("event")))
        elif kind == "turn.prompt":
            self._status("working", "prompt")
        elif kind == "turn.ended":
            self._ended(record)
        elif kind == "context.apply_compaction":
            self.events.append(Compaction(self.session, self.at, f"{self.session}:{self.at}", "", self.agent))
        elif kind == "config.update":
            self.note["cwd"] = text(record.get("cwd"), 2048) or self.note.get("cwd")
        elif kind is None:
            self._older(table(record.get("message")))

    def _asked(self, record: Mapping[str, object]) -> None:
        model, alias = text(record.get("model")), text(record.get("modelAlias"))
        models = self.note.setdefault("models", {})
        if model and alias and (alias in models or len(models) < ALIASES):
            models[alias] = model
        self.note["model"] = model or self.note.get("model")
        self.note["asked"] = text(record.get("kind"), 32) or "loop"

    def _used(self, record: Mapping[str, object]) -> None:
        asked = self.note.pop("asked", None)
        if record.get("usageScope") == "session" and asked in (None, "loop"):
            return  # a running sum
        alias = text(record.get("model")) or UNKNOWN
        model = table(self.note.get("models")).get(alias) or self.note.get("model") or alias
        self._response(str(model), table(record.get("usage")), alias)

    def _response(self, model: str, raw: Mapping[str, object], name: str, older: bool = False) -> None:
        names = (
            ("input_other", "output", "input_cache_read", "input_cache_creation")
            if older
            else ("inputOther", "output", "inputCacheRead", "inputCacheCreation")
        )
        leaves = [count(raw.get(leaf)) for leaf in names]
        if not any(leaves):
            return
        source, forked_at = self.note.get("fork") or (None, 0.0)
        named = f"{self.agent or MAIN}:{self.at:.3f}:{name}:{'.'.join(map(str, leaves))}"
        usage = Usage(leaves[0], leaves[1], leaves[2], leaves[3])
        self.events.append(
            Response(
                self.session, self.at, model, usage, named, stop_reason=DONE, agent=self.agent,
                paying_session=source if self.at <= forked_at else None,
            )
        )  # fmt: skip

    def _step(self, event: Mapping[str, object]) -> None:
        kind, call = event.get("type"), text(event.get("toolCallId"), 128)
        if kind == "tool.call" and call:
            name = text(event.get("name")) or UNKNOWN
            self.events.append(ToolUse(self.session, self.at, self._tool(call), name, self.agent))
        elif kind == "tool.result" and call:
            result = table(event.get("result"))
            took = result.get("durationMs")
            self.events.append(
                ToolResult(
                    self.session, self.at, self._tool(call), "", result.get("isError") is True,
                    milliseconds(float(took)) if type(took) in (int, float) and isinstance(took, int | float) else None,
                )
            )  # fmt: skip
        elif kind == "step.end":
            self._timed(event)

    def _tool(self, call: str) -> str:
        """A name of a tool call; servers at home number theirs anew."""
        return call if len(call) > 15 else f"{self.session}:{self.agent or MAIN}:{call}"

    def _timed(self, event: Mapping[str, object]) -> None:
        """A step's end tells how long the response before it took."""
        first, stream = event.get("llmFirstTokenLatencyMs"), event.get("llmStreamDurationMs")
        if type(first) is not int or type(stream) is not int:
            return
        for number in range(len(self.events) - 1, -1, -1):
            one = self.events[number]
            if isinstance(one, Response):
                if one.duration_ms is None:
                    timed = {"ttft_ms": milliseconds(first), "duration_ms": milliseconds(first + stream)}
                    self.events[number] = one._replace(**timed)  # type: ignore[arg-type]
                return

    def _ended(self, record: Mapping[str, object]) -> None:
        why = word(record.get("reason")) or DONE
        if why in ("error", "failed"):
            self.events.append(
                ApiError(self.session, self.at, f"{self.session}:{self.at}", "error", final=True)
            )
        self._status("idle", "answer")

    def _status(self, status: str, why: str) -> None:
        if self.agent is None:
            self.events.append(Status(self.session, self.at, status, why, live=False))

    def _older(self, message: Mapping[str, object]) -> None:
        """A line of the older Kimi CLI."""
        payload = table(message.get("payload"))
        if message.get("type") == "StatusUpdate" and (usage := table(payload.get("token_usage"))):
            name = text(payload.get("message_id"), 128) or "call"
            self._response(UNKNOWN, usage, name, older=True)
        elif message.get("type") == "TurnBegin":
            self._status("working", "prompt")

    def done(self) -> Parsed:
        cwd, model = text(self.note.get("cwd"), 4096), text(self.note.get("model"))
        if self.events and self.agent is None:
            self.events.append(SessionInfo(self.session, self.at, cwd=cwd, model=model))
        return Parsed(self.events, self.bad, self.first_at, self.session, json.dumps(self.note))
