"""Codex's rollouts → events. Pure: bytes in, events out, no clock, no I/O.

A rollout reports usage in one of two ways. Newer ones write a `token_usage_record` for each response,
under the response's own id. Older ones write only `token_count` events. Those repeat, and a forked or
resumed session copies its parent's with new timestamps. A copy keeps the running total and the last
usage, so these ten numbers name a response, in its own thread and in every thread it may be a copy of.
The history then counts it once, for the session that began first.
Must not keep any text.
"""

import json
import os
import re
from collections.abc import Mapping

from aitop.model.events import (
    ApiError,
    Compaction,
    ContextSize,
    Event,
    Limit,
    Place,
    Response,
    SessionInfo,
    Status,
    ToolResult,
    ToolUse,
)
from aitop.providers import Parsed, Source, lines
from aitop.providers.codex import notes, usage
from aitop.providers.codex.limits import limits
from aitop.providers.codex.notes import FirstResponse
from aitop.providers.lenient import as_json, count, epoch, milliseconds, text, word
from aitop.providers.local_models import is_local

DONE = "completed"  # a usage is only written for a finished response
UNKNOWN = "unknown"  # the model of a rollout too old to name it: unpriced, and listed as such
UNIQUE_ID = 20  # characters of a response id that a server does not use again
MAX_CWD = 1024  # characters
HEAD = 400  # bytes of a line that show its kind
CALLS = ("function_call", "custom_tool_call", "local_shell_call", "web_search_call")
OUTPUTS = ("function_call_output", "custom_tool_call_output")
EXIT_CODE = re.compile(r'"exit_code":\s*(-?\d+)|(?:[Ee]xit(?:ed with)? code:?) (-?\d+)')
TURN_BEGINS = ("task_started", "turn_started")
TURN_ENDS = ("task_complete", "turn_complete", "turn_aborted")
ENDINGS = (".zst", ".jsonl")


def identify(path: str, usual: str = ".codex") -> Source:
    """Only the lines name a rollout's session. The file's name has the thread, in case they do not.

    The folder above `sessions` is the account, where it is not the usual one below the user's home.
    """
    stem = os.path.basename(path)
    for ending in ENDINGS:
        stem = stem.removesuffix(ending)
    notes = {"thread": stem[-36:] if len(stem) > 43 else stem}
    home = _home(path)
    if home is not None and home != os.path.join(os.path.expanduser("~"), usual):
        notes["account"] = home[-256:]
    return Source(None, None, json.dumps(notes))


def parse(data: bytes, start: int, source: Source) -> Parsed:  # noqa: ARG001
    """Read whole lines, each with its newline."""
    return _Run(source).read(data)


def tool_id(session: str, call: str) -> str:
    """A tool call's name everywhere: its id where that is a random one, else only within its session."""
    return call if len(call) >= 24 else f"{session}:{call}"


class _Run:
    """One pass over a run of lines."""

    def __init__(self, source: Source) -> None:
        self.notes = notes.load(source.pending)
        self.thread = self.notes.thread or "unknown"
        self.session = source.session or self.thread
        self.events: list[Event] = []
        self.tools: dict[str, ToolUse] = {}
        self.gauge: ContextSize | None = None
        self.limits: dict[str, Limit] = {}
        self.info: dict[str, str] = {}
        self.bad = 0
        self.first_at: float | None = None
        self.at = 0.0

    def read(self, data: bytes) -> Parsed:
        for _, record in lines.records(data, skip=self._is_content):
            if record is None:
                self.bad += 1
            else:
                self._line(record)
        if self.info:
            self.events.append(SessionInfo(self.session, self.at, **self.info))  # type: ignore[arg-type]
        events = [*self.events, *self.tools.values(), *self.limits.values()]
        if self.gauge is not None and self.notes.agent is None:
            events.append(self.gauge)
        self.notes.thread = self.thread
        return Parsed(events, self.bad, self.first_at, self.session, self.notes.dump())

    def _is_content(self, line: bytes) -> bool:
        """Whether a line holds a text or reasoning, as most of a rollout does."""
        head = line[:HEAD]
        return self.first_at is not None and b'"response_item"' in head and b"_call" not in head

    def _line(self, record: dict[str, object]) -> None:
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
            self.notes.model = text(payload.get("model")) or self.notes.model
            self._moves_to(text(payload.get("cwd"), MAX_CWD))
            self._facts(cwd=payload.get("cwd"), model=payload.get("model"))
        elif kind == "session_meta":
            self._meta(payload)
        elif kind == "compacted":
            key = f"{self.thread}:{self.at:.3f}"
            self.events.append(Compaction(self.session, self.at, key, "", self.notes.agent))

    def _moves_to(self, cwd: str | None) -> None:
        """A turn in another folder is on a branch that no record names."""
        if cwd and cwd != self.notes.cwd:
            self.notes.cwd, self.notes.branch = cwd, None

    def _facts(self, **facts: object) -> None:
        """Facts of the session; a sub-agent's own folder and model say nothing of it."""
        if self.notes.agent is None:
            self.info |= {name: value for name, raw in facts.items() if (value := text(raw, 4096))}

    def _meta(self, payload: dict[str, object]) -> None:
        """The first `session_meta` is the rollout's own; later ones were copied with a parent's history."""
        thread = text(payload.get("id"), 128)
        if self.notes.opened:
            self.notes.descends_from(thread)
            return
        self.notes.opened = True
        self.thread = self.notes.thread = thread or self.thread
        parent = _spawned_by(payload)
        self.session = text(payload.get("session_id"), 128) or parent or self.thread
        if parent and self.session == self.thread:
            self.session = parent
        if self.session != self.thread:
            self.notes.agent = self.thread
        self.notes.descends_from(text(payload.get("forked_from_id"), 128))
        self.notes.descends_from(parent)
        self.notes.local = is_local(payload.get("model_provider"), None)
        branch = _get(payload.get("git"), "branch")
        self.notes.cwd, self.notes.branch = text(payload.get("cwd"), MAX_CWD), text(branch)
        self._facts(cwd=payload.get("cwd"), branch=branch)

    # -- usage -----------------------------------------------------------------------------------------------

    def _settings(self, raw: object) -> None:
        """Settings hold from here on. A missing tier is the standard one."""
        if not isinstance(raw, dict):
            return
        self.notes.tier = usage.tier(raw.get("service_tier"))
        model = text(raw.get("model"))
        if "model_provider_id" in raw:
            self.notes.local = is_local(raw["model_provider_id"], model)

    def _record(self, payload: dict[str, object]) -> None:
        """One response under its own id. From here on this rollout's token counts add nothing."""
        raw, total = payload.get("usage"), payload.get("thread_token_usage")
        thread = text(payload.get("thread_id"), 128) or self.thread
        response = text(payload.get("response_id"))
        self.notes.records = True
        if not isinstance(raw, dict) or response is None:
            return
        # An older version may have written this response as a token count.
        counted = usage.counts(total) == self.notes.total
        self._response(
            raw, self._record_name(thread, response, total), _numbers(total, raw) if counted else ""
        )

    def _record_name(self, thread: str, response: str, total: object) -> str:
        """The response's own id within its thread.

        Some relays send one constant id, and servers at home count 1, 2, 3 anew at each start. Then the
        running total distinguishes the responses.
        """
        name, numbers = f"{thread}:{response}", _numbers(total, None)
        last = self.notes.last_record
        if last is not None and last[:2] == [response, numbers]:
            return last[2]
        if len(response) < UNIQUE_ID or (last is not None and last[0] == response):
            name = f"{name}:{numbers}"
        self.notes.last_record = [response, numbers, name]
        return name

    def _count(self, info: dict[str, object]) -> None:
        """A running total: a response, where it moved since the last one."""
        total, last = info.get("total_token_usage"), info.get("last_token_usage")
        window, used = count(info.get("model_context_window")), count(_get(last, "total_tokens"))
        if window:
            self.gauge = ContextSize(self.session, self.at, window, used or None)
        before, now = self.notes.total, usage.counts(total)
        if now is not None and now == before:
            return
        if not isinstance(last, dict):
            now = usage.known(total, now, before)
        self.notes.total = now
        if self.notes.records:
            return
        if not isinstance(last, dict):
            if now is None:
                return
            grown = zip(usage.COUNTS, now, before or [0] * len(now), strict=True)
            last = {name: max(0, new - old) for name, new, old in grown}
        numbers = _numbers(total, last)
        self._response(last, f"{self.thread}:{numbers}", numbers)

    def _response(self, raw: Mapping[str, object], name: str, numbers: str) -> None:
        used = usage.usage(raw, self.notes.tier)
        if used is None:
            return
        response = FirstResponse(self.at, self.notes.model or UNKNOWN, used, name, numbers, self.notes.local)
        self._append(response, None)
        if self.notes.turn_open:
            self.notes.turn_open, self.notes.first = False, response

    def _append(self, one: FirstResponse, ttft_ms: float | None) -> None:
        threads = (self.thread, *self.notes.ancestors) if one.numbers else ()
        also = tuple(alias for thread in threads if (alias := f"{thread}:{one.numbers}") != one.name)
        self.events.append(
            Response(
                self.session, one.at, one.model, one.usage, one.name, stop_reason=DONE, agent=self.notes.agent,
                also=also, ttft_ms=ttft_ms, billed_usd=0.0 if one.local else None,
                place=Place(self.notes.cwd, self.notes.branch) if self.notes.cwd else None,
            )
        )  # fmt: skip

    def _turn_ends(self, took: object) -> None:
        """A turn's end says how long its first token took: repeat its first response with that time."""
        first = self.notes.first
        self.notes.turn_open, self.notes.first = False, None
        ttft_ms = milliseconds(float(took)) if isinstance(took, int | float) else None
        if first is not None and ttft_ms:
            self._append(first, ttft_ms)

    # -- the rest --------------------------------------------------------------------------------------------

    def _event(self, kind: object, payload: dict[str, object]) -> None:
        if kind == "token_count":
            for limit in limits(payload.get("rate_limits"), self.at, self.notes.account):
                self.limits[limit.name] = limit
            info = payload.get("info")
            if isinstance(info, dict):
                self._count(info)
        elif kind == "thread_settings_applied":
            self._settings(payload.get("thread_settings"))
        elif kind in TURN_BEGINS:
            self._status("working", "turn")
            self.notes.turn_open, self.notes.first = True, None
        elif kind in TURN_ENDS:
            self._status("idle", str(kind))
            self._turn_ends(payload.get("time_to_first_token_ms"))
        elif kind in ("error", "stream_error"):
            info = payload.get("codex_error_info")
            name = word(next(iter(info), None) if isinstance(info, dict) else info)
            key = f"{self.thread}:{self.at:.3f}"
            self.events.append(ApiError(self.session, self.at, key, name or str(kind), final=kind == "error"))
        elif kind == "patch_apply_end" and payload.get("success") is False:
            self._tool_ends(text(payload.get("call_id")), failed=True)

    def _status(self, status: str, why: str) -> None:
        if self.notes.agent is None:
            self.events.append(Status(self.session, self.at, status, why, live=False))

    def _item(self, kind: object, payload: dict[str, object]) -> None:
        call = text(payload.get("call_id")) or text(payload.get("id"))
        if kind in CALLS and call:
            name = text(payload.get("name")) or str(kind).removesuffix("_call")
            key = tool_id(self.session, call)
            self.tools[call] = ToolUse(self.session, self.at, key, name, self.notes.agent)
        elif kind in OUTPUTS:
            self._tool_ends(call, failed=_failed(payload.get("output")))

    def _tool_ends(self, call: str | None, *, failed: bool) -> None:
        """The end of a call, which may have begun in an earlier run."""
        if call is None:
            return
        use = self.tools.get(call)
        if use is None:
            self.events.append(ToolResult(self.session, self.at, tool_id(self.session, call), "", failed))
            return
        self.tools[call] = use._replace(ended_at=self.at, failed=use.failed or failed)


def _home(path: str) -> str | None:
    """The Codex home that a rollout lies in."""
    for part in ("sessions", "archived_sessions"):
        home, separator, _ = path.rpartition(f"{os.sep}{part}{os.sep}")
        if separator:
            return home
    return None


def _spawned_by(payload: dict[str, object]) -> str | None:
    """The thread that started this one as its sub-agent."""
    spawn = _get(_get(_get(payload, "source"), "subagent"), "thread_spawn")
    return text(_get(spawn, "parent_thread_id"), 128) or text(payload.get("parent_thread_id"), 128)


def _numbers(total: object, last: object) -> str:
    """A running total and a last usage as text, equal in every copy of a response."""
    return ".".join(map(str, (usage.counts(total) or []) + (usage.counts(last) or [])))


def _failed(output: object) -> bool:
    """Whether a tool's output shows a failure: by its exit code, else by `success`."""
    shown = output if isinstance(output, str) else as_json(output)[:10_000]
    exit_code = EXIT_CODE.search(shown[:2000]) or EXIT_CODE.search(shown[-500:])
    code = next((group for group in exit_code.groups() if group), "0") if exit_code else "0"
    return int(code) != 0 or _get(output, "success") is False


def _get(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None
