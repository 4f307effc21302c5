"""Codex's rollouts → events. Pure: bytes in, events out, no clock, no I/O.

A rollout tells of usage in one of two ways. Newer ones write a `token_usage_record` for each response,
under the response's own id; older ones only `token_count` events, which repeat, and which a fork or
resumed session copies from its parent with new timestamps. A copy keeps the running total and the last
usage, so that pair is the name of a response, under its own thread and under every thread it may be a
copy of: the history then counts it once, for the session that began first.
Must not keep any text.
"""

import json
import os
import re
from typing import Any

from aitop.model.events import (
    ApiError,
    Compaction,
    ContextSize,
    Event,
    Limit,
    Response,
    SessionInfo,
    Status,
    ToolResult,
    ToolUse,
    Usage,
)
from aitop.providers import Parsed, Source
from aitop.providers.codex.limits import limits
from aitop.providers.lenient import as_json, count, epoch, loads, milliseconds, text, word

NAME = "codex"
DONE = "completed"  # a usage is only written for a finished response
UNKNOWN = "unknown"  # the model of a rollout too old to name it: unpriced, and listed as such
BEGUN = "begun"  # a turn that has no response yet
HEAD = 400  # bytes of a line that tell what it is
COUNTS = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens", "total_tokens")
CALLS = ("function_call", "custom_tool_call", "local_shell_call", "web_search_call")
OUTPUTS = ("function_call_output", "custom_tool_call_output")
FAILED = re.compile(r'"exit_code":\s*(-?\d+)|(?:[Ee]xit(?:ed with)? code:?) (-?\d+)')
MOST_ANCESTORS = 32  # each is one more name of every response
ENDS = ("task_complete", "turn_complete", "turn_aborted")


def identify(path: str) -> Source:
    """Only its lines tell whose session a rollout is; its name tells the thread, should they not."""
    stem = os.path.basename(path).removesuffix(".jsonl")
    return Source(None, None, json.dumps({"thread": stem[-36:] if len(stem) > 43 else stem}))


def parse(data: bytes, start: int, source: Source) -> Parsed:  # noqa: ARG001
    """Read whole lines, each with its newline."""
    return _Run(source).read(data)


def tool_id(session: str, call: str) -> str:
    """A tool call's name everywhere: its id where that is a random one, else only within its session."""
    return call if len(call) >= 24 else f"{session}:{call}"


class _Run:
    """One pass over a run of lines; `kept` is what the next run of the same file has to know."""

    def __init__(self, source: Source) -> None:
        self.kept: dict[str, Any] = json.loads(source.pending or "{}")
        self.thread: str = self.kept.get("thread") or "unknown"
        self.session = source.session or self.thread
        self.agent: str | None = self.kept.get("agent")
        self.events: list[Event] = []
        self.tools: dict[str, ToolUse] = {}
        self.gauge: ContextSize | None = None
        self.limits: dict[str, Limit] = {}
        self.info: dict[str, str] = {}
        self.bad = 0
        self.first_at: float | None = None
        self.at = 0.0

    def read(self, data: bytes) -> Parsed:
        for line in data.split(b"\n"):
            if len(line) > 1:
                self._line(line)
        if self.info:
            self.events.append(SessionInfo(self.session, self.at, **self.info))  # type: ignore[arg-type]
        events = [*self.events, *self.tools.values(), *self.limits.values()]
        if self.gauge is not None and self.agent is None:
            events.append(self.gauge)
        self.kept["thread"] = self.thread
        return Parsed(events, self.bad, self.first_at, self.session, json.dumps(self.kept))

    def _line(self, line: bytes) -> None:
        head = line[:HEAD]
        if b'"response_item"' in head and b"_call" not in head and self.first_at is not None:
            return  # texts and reasoning: most of a rollout
        record = loads(line)
        if not isinstance(record, dict):
            self.bad += 1
            return
        self.at = epoch(record.get("timestamp")) or self.at
        if self.first_at is None and self.at:
            self.first_at = self.at
        kind, payload = record.get("type"), record.get("payload")
        if not isinstance(payload, dict):
            return
        if kind == "event_msg":
            self._event(payload.get("type"), payload)
        elif kind == "response_item":
            self._item(payload.get("type"), payload)
        elif kind == "token_usage_record":
            self._record(payload)
        elif kind == "turn_context":
            self.kept["model"] = text(payload.get("model")) or self.kept.get("model")
            self._facts(cwd=payload.get("cwd"), model=payload.get("model"))
        elif kind == "session_meta":
            self._meta(payload)
        elif kind == "compacted":
            self.events.append(
                Compaction(self.session, self.at, f"{self.thread}:{self.at:.3f}", "", self.agent)
            )

    def _facts(self, **facts: Any) -> None:
        """What is known of the session; a sub-agent's own folder and model say nothing of it."""
        if self.agent is None:
            self.info |= {name: value for name, raw in facts.items() if (value := text(raw, 4096))}

    def _meta(self, payload: dict[str, Any]) -> None:
        """The first is the rollout's own; later ones were copied with a parent's history."""
        thread = text(payload.get("id"), 128)
        if self.kept.get("opened"):
            self._descends(thread)
            return
        self.kept["opened"] = True
        self.thread = thread or self.thread
        parent = _spawned_by(payload)
        self.session = text(payload.get("session_id"), 128) or parent or self.thread
        if parent and self.session == self.thread:
            self.session = parent
        if self.session != self.thread:
            self.agent = self.kept["agent"] = self.thread
        self._descends(text(payload.get("forked_from_id"), 128))
        self._descends(parent)
        git = payload.get("git")
        self._facts(cwd=payload.get("cwd"), branch=git.get("branch") if isinstance(git, dict) else None)

    def _descends(self, thread: str | None) -> None:
        """Note a thread whose responses may stand copied in this rollout."""
        ancestors: list[str] = self.kept.setdefault("ancestors", [])
        if thread and thread != self.thread and thread not in ancestors and len(ancestors) < MOST_ANCESTORS:
            ancestors.append(thread)

    # -- usage -----------------------------------------------------------------------------------------------

    def _record(self, payload: dict[str, Any]) -> None:
        """One response under its own id. From here on this rollout's token counts say nothing new."""
        usage, total = payload.get("usage"), payload.get("thread_token_usage")
        thread = text(payload.get("thread_id"), 128) or self.thread
        response = text(payload.get("response_id"))
        self.kept["records"] = True
        if not isinstance(usage, dict) or response is None:
            return
        names = self._names(total, usage) if _pair(total) == self.kept.get("total") else ()
        self._response(usage, f"{thread}:{response}", names)

    def _count(self, info: dict[str, Any]) -> None:
        """A running total: a response, where it moved since the last one."""
        total, last = info.get("total_token_usage"), info.get("last_token_usage")
        window, used = count(info.get("model_context_window")), count(_get(last, "total_tokens"))
        if window:
            self.gauge = ContextSize(self.session, self.at, window, used or None)
        before: list[int] | None = self.kept.get("total")
        now = _pair(total)
        if now is not None and now == before:
            return
        self.kept["total"] = now
        if self.kept.get("records"):
            return
        if not isinstance(last, dict):
            if now is None:
                return
            last = {name: max(0, a - b) for name, a, b in zip(COUNTS, now, before or [0] * 5, strict=True)}
        first, *others = self._names(total, last)
        self._response(last, first, tuple(others))

    def _names(self, total: Any, last: Any) -> tuple[str, ...]:
        pair = ".".join(map(str, (_pair(total) or []) + (_pair(last) or [])))
        return tuple(f"{thread}:{pair}" for thread in (self.thread, *self.kept.get("ancestors", ())))

    def _response(self, raw: dict[str, Any], name: str, also: tuple[str, ...]) -> None:
        cached, written = count(raw.get("cached_input_tokens")), count(raw.get("cache_write_input_tokens"))
        whole, output = count(raw.get("input_tokens")), count(raw.get("output_tokens"))
        cached = min(cached, whole)
        written = min(written, whole - cached)
        if not (whole or output):
            return
        reasoning = min(output, count(raw.get("reasoning_output_tokens")))
        usage = Usage(whole - cached - written, output, cached, written, 0, reasoning)
        model = self.kept.get("model") or UNKNOWN
        self._tell(self.at, model, usage, name, also)
        if self.kept.get("turn") == BEGUN:
            self.kept["turn"] = [self.at, model, usage[:6], name, also]

    def _tell(
        self, at: float, model: str, usage: Usage, name: str, also: tuple[str, ...], first: Any = None
    ) -> None:
        took = milliseconds(float(first)) if type(first) in (int, float) else None
        self.events.append(
            Response(
                self.session, at, model, usage, name, stop_reason=DONE, agent=self.agent, also=also, ttft_ms=took
            )
        )  # fmt: skip

    def _first_token(self, took: Any) -> None:
        """A turn's end tells how long it took to its first token: that of its first response, told again with it."""
        turn = self.kept.pop("turn", None)
        if took and turn not in (None, BEGUN):
            at, model, usage, name, also = turn
            self._tell(at, model, Usage(*usage), name, tuple(also), took)

    # -- the rest --------------------------------------------------------------------------------------------

    def _event(self, kind: Any, payload: dict[str, Any]) -> None:
        if kind == "token_count":
            for limit in limits(payload.get("rate_limits"), self.at):
                self.limits[limit.name] = limit
            info = payload.get("info")
            if isinstance(info, dict):
                self._count(info)
        elif kind in ("task_started", "turn_started"):
            self._status("working", "turn")
            self.kept["turn"] = BEGUN
        elif kind in ENDS:
            self._status("idle", str(kind))
            self._first_token(payload.get("time_to_first_token_ms"))
        elif kind in ("error", "stream_error"):
            what = payload.get("codex_error_info")
            name = word(next(iter(what), None) if isinstance(what, dict) else what)
            key = f"{self.thread}:{self.at:.3f}"
            self.events.append(ApiError(self.session, self.at, key, name or str(kind), final=kind == "error"))
        elif kind == "patch_apply_end" and payload.get("success") is False:
            self._ended(text(payload.get("call_id")), failed=True)

    def _status(self, status: str, why: str) -> None:
        if self.agent is None:
            self.events.append(Status(self.session, self.at, status, why, live=False))

    def _item(self, kind: Any, payload: dict[str, Any]) -> None:
        call = text(payload.get("call_id")) or text(payload.get("id"))
        if kind in CALLS and call:
            name = text(payload.get("name")) or str(kind).removesuffix("_call")
            key = tool_id(self.session, call)
            self.tools[call] = ToolUse(self.session, self.at, key, name, self.agent)
        elif kind in OUTPUTS:
            output = payload.get("output")
            said = output if isinstance(output, str) else as_json(output)[:10_000]
            found = FAILED.search(said[:2000]) or FAILED.search(said[-500:])
            code = next((group for group in found.groups() if group), "0") if found else "0"
            self._ended(call, failed=int(code) != 0 or _get(output, "success") is False)

    def _ended(self, call: Any, *, failed: bool) -> None:
        """The end of a call, which may have begun in an earlier run."""
        if not isinstance(call, str):
            return
        use = self.tools.get(call)
        if use is None:
            self.events.append(ToolResult(self.session, self.at, tool_id(self.session, call), "", failed))
            return
        self.tools[call] = use._replace(ended_at=self.at, failed=use.failed or failed)


def _spawned_by(payload: dict[str, Any]) -> str | None:
    """The thread that started this one as its sub-agent."""
    spawn = _get(_get(_get(payload, "source"), "subagent"), "thread_spawn")
    return text(_get(spawn, "parent_thread_id"), 128) or text(payload.get("parent_thread_id"), 128)


def _pair(usage: Any) -> list[int] | None:
    return [count(usage.get(name)) for name in COUNTS] if isinstance(usage, dict) else None


def _get(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None
