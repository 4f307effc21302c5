"""Claude Code's transcript lines → events. Pure: bytes in, events out, no clock, no I/O.

A transcript is mostly tool output that says nothing about cost, so a line is parsed only when a
byte search finds a marker; a result line's three fields are cut out of the bytes when they stand
there once each. One response fills a line per content block, all repeating its usage; older clients
write a placeholder first, so within a file the last line wins and only that one is taken apart.
Must not keep any text: only its length leaves this file.
"""

import os
from typing import Any

from aitop.model.events import (
    ApiError,
    ClientTotals,
    Compaction,
    Event,
    SessionInfo,
    Status,
    ToolResult,
    ToolUse,
)
from aitop.providers import Parsed, Source
from aitop.providers.claude_code import record_kind
from aitop.providers.claude_code.fields import is_nothing
from aitop.providers.claude_code.response_builder import NAMELESS, Told, last
from aitop.providers.claude_code.session_status import last_record, resting
from aitop.providers.claude_code.tool_result import cut
from aitop.providers.lenient import epoch, json_length, loads, text, word

SMALL = 65_536  # lines of the client's own bookkeeping (compaction, errors, totals) are smaller than this
BOOKKEEPING = frozenset((b"system", b"cost-state", b"api-request"))
BRACE = 125
ANSWERED = "="  # before the newest request's name and time, once it was answered


def identify(path: str) -> Source:
    """Session and agent: `SESSION/subagents/**/agent-ID.jsonl`, `agent-ID.jsonl`, `SESSION.jsonl`."""
    parts = path.split(os.sep)
    stem = parts[-1].removesuffix(".jsonl")
    if "subagents" in parts[:-1]:
        at = len(parts) - 1 - parts[::-1].index("subagents")
        return Source(parts[at - 1] if at else None, stem.removeprefix("agent-"))
    if stem.startswith("agent-"):
        return Source(None, stem.removeprefix("agent-"))
    return Source(stem if _is_uuid(stem) else None, None)


def parse(data: bytes, start: int, source: Source) -> Parsed:
    """Read whole lines, each with its newline; `start` is their offset in the file."""
    return _Run(source).read(data, start)


def _resumed(pending: str | None) -> tuple[str | None, tuple[str, float] | None]:
    """What the run before left: the request it saw unanswered, and its name and time."""
    if pending is None:
        return None, None
    *_, identity, at = ["", *pending.removeprefix(ANSWERED).split(":")]
    try:
        asked = (identity, float(at))
    except ValueError:
        return pending, None
    return None if pending.startswith(ANSWERED) else pending, asked


class _Run:
    """One pass over a run of lines: responses and tool calls are gathered by id, each told once."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.session = source.session
        # an API request that nobody answered yet, else the newest that was: its answer may go on
        self.pending, self.asked = _resumed(source.pending)
        self.events: list[Event] = []
        self.told: dict[tuple[str | None, str | None], Told] = {}
        self.tools: dict[str, tuple[float, str, str | None]] = {}  # id → (at, name, agent)
        self.ends: dict[str, tuple[float, bool]] = {}  # id → (at, failed)
        self.bad = 0
        self.first_at: float | None = None
        self.last_at: float | None = None
        self.seen: tuple[float, Any, Any] | None = None  # (at, folder, branch) as the newest record has them

    def read(self, data: bytes, start: int) -> Parsed:
        at = 0
        while (stop := data.find(b"\n", at)) >= 0:
            if self.first_at is None or self.session is None:
                self._open(data[at:stop])
            what = record_kind.of(data, at, stop)
            if what == b"assistant":
                self._assistant(data[at:stop], start + at)
            elif what == b"user":
                self._user(data, at, stop)
            elif what is None or what in BOOKKEEPING:
                self._any(data[at:stop], start + at)
            elif not _is_object(data, at, stop):
                self.bad += 1
            at = stop + 1
        self._close(data)
        session = self.session
        responses: list[Event] = [told.response(session) for told in sorted(self.told.values(), key=last)]
        events = responses + self._calls() + self.events
        return Parsed(events, self.bad, self.first_at, self.session, self.pending or self._answered())

    def _any(self, line: bytes, offset: int) -> None:
        """A line whose bytes do not tell what it is, or that may tell of an error, a compaction, a total."""
        if b'"usage"' in line:
            self._assistant(line, offset)
        elif b'"tool_use_id"' in line:
            self._result(line)
        elif len(line) > 1:
            self._other(line)

    def _answered(self) -> str | None:
        return None if self.asked is None else f"{ANSWERED}{self.asked[0]}:{self.asked[1]}"

    def _open(self, line: bytes) -> None:
        """Take the file's first timestamp and, where the path did not tell it, its session."""
        record = loads(line)
        if not isinstance(record, dict):
            return
        if self.first_at is None:
            self.first_at = self.last_at = epoch(record.get("timestamp"))
        if self.session is None:
            self.session = text(record.get("sessionId"), 128)

    # -- responses -------------------------------------------------------------------------------------------

    def _assistant(self, line: bytes, offset: int) -> None:
        record = loads(line)
        if not isinstance(record, dict):
            self.bad += 1
            return
        get = record.get
        sort, message = get("type"), get("message")
        if sort != "assistant" or not isinstance(message, dict):
            if sort == "user":
                self._results(record)
            return
        at = self._at(record)
        if get("isApiErrorMessage"):
            self._failed(record, at, offset)
            return
        self.pending = None
        agent = self._agent(record)
        visible = self._blocks(message, at, agent)
        model, used = message.get("model"), message.get("usage")
        if model == "<synthetic>" or is_nothing(used):
            return
        self.seen = (at, get("cwd"), get("gitBranch"))
        # Both names: a line that repeats one of them with another partner tells of that name too.
        names = (text(message.get("id")), text(get("requestId")))
        key = names if names != NAMELESS else (text(get("uuid")) or f"{self.session}:{offset}",) * 2
        told = self.told.get(key)
        if told is None:
            told = self.told[key] = Told(names, at, offset, agent)
        told.tell(at, agent)
        told.end, told.model, told.usage = offset, model, used
        told.stop_reason, told.record_id = message.get("stop_reason"), get("uuid")
        told.visible += visible
        if self.asked is not None and get("requestRef") == self.asked[0]:
            told.asked = self.asked[1]
        paying = get("requestSessionId")
        if paying is not None:
            told.paying = text(paying) or told.paying

    def _blocks(self, message: dict[str, Any], at: float, agent: str | None) -> int:
        """Tell of the tool calls among a message's blocks; how much of it can be seen, where that matters.

        It matters without a stop reason only: then the reported output may be a placeholder.
        """
        content = message.get("content")
        if not isinstance(content, list):
            return len(content) if isinstance(content, str) else 0
        unfinished = message.get("stop_reason") is None
        visible = 0
        for block in content:
            if not isinstance(block, dict):
                continue
            sort = block.get("type")
            if sort == "tool_use":
                identity = text(block.get("id"))
                if identity and identity not in self.tools:
                    self.tools[identity] = (at, text(block.get("name")) or "unknown", agent)
                if unfinished:
                    visible += json_length(block.get("input"))
            elif unfinished and sort in ("text", "thinking"):
                shown = block.get(sort)
                visible += len(shown) if isinstance(shown, str) else 0
        return visible

    # -- tool results ----------------------------------------------------------------------------------------

    def _user(self, data: bytes, start: int, stop: int) -> None:
        """What went to the model: a tool's result, else a prompt, which no request under way answers."""
        found = cut(data, start, stop)
        if found is not None:
            self._cut(found)
        elif data.find(b'"tool_use_id"', start, stop) >= 0:
            self._whole(data[start:stop])
        elif not _is_object(data, start, stop):
            self.bad += 1
        elif self.pending is not None and _is_user(data[start:stop]):
            self.pending = None  # the user interrupted it: nobody answered, nothing failed

    def _result(self, line: bytes) -> None:
        """A tool's result: three fields cut from the bytes where each stands once, else the whole line."""
        found = cut(line)
        if found is not None:
            self._cut(found)
        else:
            self._whole(line)

    def _cut(self, found: tuple[str, bool, float]) -> None:
        self.last_at = found[2]
        self.pending = None
        self._ended(*found)

    def _whole(self, line: bytes) -> None:
        record = loads(line)
        if isinstance(record, dict):
            self._results(record)
        else:
            self.bad += 1

    def _results(self, record: dict[str, Any]) -> None:
        message = record.get("message")
        content = message.get("content") if isinstance(message, dict) else None
        if record.get("type") != "user" or not isinstance(content, list):
            return
        at = self._at(record)
        self.pending = None
        for block in content:
            if isinstance(block, dict) and block.get("type") == "tool_result":
                identity = text(block.get("tool_use_id"))
                if identity:
                    self._ended(identity, block.get("is_error") is True, at)

    def _ended(self, identity: str, failed: bool, at: float) -> None:
        if identity not in self.tools:
            self.events.append(ToolResult(self.session or "unknown", at, identity, "", failed))
            return
        known = self.ends.get(identity)
        self.ends[identity] = (at, failed) if known is None else (min(at, known[0]), failed or known[1])

    def _calls(self) -> list[Event]:
        """Every tool call that began in this run, with its end if that came."""
        ends, session = self.ends, self.session or "unknown"
        return [
            ToolUse(session, at, identity, name, agent, *ends.get(identity, (None, False)))
            for identity, (at, name, agent) in self.tools.items()
        ]

    # -- the client's own bookkeeping ------------------------------------------------------------------------

    def _other(self, line: bytes) -> None:
        if len(line) < SMALL and (
            b'"cost-state"' in line
            or b'"compact_boundary"' in line
            or b'"api_error"' in line
            or b'"api-request"' in line
        ):
            self._bookkeeping(line)
        elif self.pending is not None and b'"user"' in line and _is_user(line):
            self.pending = None  # the user interrupted it: nobody answered, nothing failed
        elif not _is_object(line, 0, len(line)):
            self.bad += 1

    def _bookkeeping(self, line: bytes) -> None:
        record = loads(line)
        if not isinstance(record, dict):
            self.bad += 1
            return
        session = self.session or "unknown"
        kind, subtype = record.get("type"), record.get("subtype")
        if kind == "cost-state":
            cost, api = record.get("totalCostUSD"), record.get("totalAPIDuration")
            if isinstance(cost, int | float) and not isinstance(cost, bool) and 0 <= cost < 1e9:
                api_ms = float(api) if isinstance(api, int | float) and 0 <= api < 1e12 else None
                self.events.append(ClientTotals(session, None, float(cost), api_ms))
        elif kind == "system" and subtype == "compact_boundary":
            meta = record.get("compactMetadata")
            trigger = word(meta.get("trigger")) if isinstance(meta, dict) else None
            at = self._at(record)
            key = text(record.get("uuid")) or f"{session}:{at}"
            self.events.append(Compaction(session, at, key, trigger or "", self._agent(record)))
        elif kind == "system" and subtype == "api_error":
            at = self._at(record)
            key = text(record.get("uuid")) or f"{session}:{at}"
            self.events.append(ApiError(session, at, key, "retried", final=False))
            self.pending = None
        elif kind == "api-request":
            self._request(record, session)

    def _failed(self, record: dict[str, Any], at: float, offset: int) -> None:
        """The client gave up on a request and shows the error as a message."""
        session = self.session or "unknown"
        key = text(record.get("uuid")) or f"{session}:{offset}"
        self.events.append(ApiError(session, at, key, word(record.get("error")) or "unknown", final=True))
        self.pending = None

    def _request(self, record: dict[str, Any], session: str) -> None:
        """One attempt at an API request. An attempt that is followed by another failed.

        Newer clients write this line for each attempt and the retry's error line only in print mode,
        so a failed attempt is told by the error line that answers it, or by the next attempt.
        """
        at = self._at(record)
        if self.pending is not None:
            self.events.append(ApiError(session, at, self.pending, "unanswered", final=False))
        identity = text(record.get("id")) or ""
        self.pending = f"{session}:{self.source.agent or ''}:{identity}:{at}"
        self.asked = (identity, at)

    # -- where and how the session is ------------------------------------------------------------------------

    def _agent(self, record: dict[str, Any]) -> str | None:
        if self.source.agent is not None:
            return self.source.agent
        if record.get("isSidechain") is True:
            return text(record.get("agentId")) or "sidechain"
        return None

    def _at(self, record: dict[str, Any]) -> float:
        """The record's own time, else that of the record before it, else 0: the reader's arrival time."""
        at = epoch(record.get("timestamp"))
        if at is not None:
            self.last_at = at
        return at if at is not None else self.last_at or 0.0

    def _close(self, data: bytes) -> None:
        """What the end of the run says of the session: where it is, and whether it works or rests."""
        if self.session is None:
            return
        main = self.source.agent is None
        found = last_record(data) if main else None
        if found is not None:
            record, at = found
            self.seen = (at, record.get("cwd"), record.get("gitBranch"))
            if record.get("isSidechain") is not True:
                status, why = resting(record)
                self.events.append(Status(self.session, at, status, why, live=False))
        if self.seen and main:
            at, cwd, branch = self.seen
            self.events.append(SessionInfo(self.session, at, text(cwd, 4096), text(branch)))


def _is_object(data: bytes, start: int, stop: int) -> bool:
    """Whether a line looks like a JSON object from both its ends."""
    return data[start : start + 1] == b"{" and (
        data[stop - 1] == BRACE or data[start:stop].rstrip()[-1:] == b"}"
    )


def _is_user(line: bytes) -> bool:
    record = loads(line)
    return isinstance(record, dict) and record.get("type") == "user"


def _is_uuid(stem: str) -> bool:
    return len(stem) == 36 and stem.count("-") == 4 and all(c in "0123456789abcdefABCDEF-" for c in stem)
