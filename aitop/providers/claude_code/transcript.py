"""Claude Code's transcript lines → events. Pure: bytes in, events out, no clock, no I/O.

A transcript is mostly tool output that says nothing about cost, so a line is parsed only when a
byte search finds a marker; a result line's three fields are cut out of the bytes when they stand
there once each. Formats: one line per content block of a response, all repeating its usage; older
clients write a placeholder first, so within a file the last line wins. Must not keep any text:
only its length leaves this file.
"""

import os
from datetime import datetime
from typing import Any

import orjson

from aitop.model import ApiError, ClientTotals, Compaction, Event, Response, SessionInfo, Status, ToolResult
from aitop.model import ToolUse, Usage
from aitop.providers import Parsed, Source

SMALL = 65_536  # lines of the client's own bookkeeping (compaction, errors, totals) are smaller than this
MOST_TOKENS = 1 << 48  # a count beyond this is damage, not usage


def identify(path: str) -> Source:
    """Session and agent of a transcript: `SESSION/subagents/**/agent-ID.jsonl`, `agent-ID.jsonl`, `SESSION.jsonl`."""
    parts = path.split(os.sep)
    stem = parts[-1].removesuffix(".jsonl")
    if "subagents" in parts[:-1]:
        at = len(parts) - 1 - parts[::-1].index("subagents")
        return Source(parts[at - 1] if at else None, stem.removeprefix("agent-"))
    if stem.startswith("agent-"):
        return Source(None, stem.removeprefix("agent-"))
    return Source(stem if _is_uuid(stem) else None, None)


def epoch(value: Any) -> float | None:
    """A record's timestamp as epoch seconds: ISO 8601 (UTC unless it says otherwise) or a number (s or ms)."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
        if moment.tzinfo is None:
            value += "Z"
            moment = datetime.fromisoformat(value) if "T" in value else moment
        try:
            found = moment.timestamp()
        except (OverflowError, OSError, ValueError):
            return None
    elif isinstance(value, int | float) and not isinstance(value, bool):
        found = value / 1000 if value > 1e11 else float(value)
    else:
        return None
    return found if 0 < found < 1e11 else None


def usage_of(raw: Any) -> Usage:
    """Anthropic's usage object as our leaves; anything odd in it counts as nothing, never as an error.

    Anthropic's `input_tokens` excludes the cache. Without the 5-minute/1-hour split every cache
    write is a 5-minute one, as the API bills it by default.
    """
    if not isinstance(raw, dict):
        return Usage()
    write_5m, write_1h = _cache_writes(raw)
    details = raw.get("output_tokens_details")
    searches = raw.get("server_tool_use")
    return Usage(
        _count(raw.get("input_tokens")),
        _count(raw.get("output_tokens")),
        _count(raw.get("cache_read_input_tokens")),
        write_5m,
        write_1h,
        _count(details.get("thinking_tokens")) if isinstance(details, dict) else 0,
        _count(searches.get("web_search_requests")) if isinstance(searches, dict) else 0,
        "fast" if raw.get("speed") == "fast" else "",
        "us" if raw.get("inference_geo") == "us" else "",
        tier if (tier := raw.get("service_tier")) in ("batch", "priority", "flex") else "",
        _advisor(raw.get("iterations")),
    )


def parse(lines: list[bytes], start: int, source: Source) -> Parsed:
    """Read whole lines (without their newline); `start` is the file offset of the first."""
    return _Run(source).read(lines, start)


class _Run:
    """One pass over a run of lines: responses are gathered by id so that each is told once."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.session = source.session
        self.pending = source.pending
        self.events: list[Event] = []
        self.responses: dict[str, Response] = {}
        self.bad = 0
        self.first_at: float | None = None
        self.last_at: float | None = None
        self.seen: dict[str, Any] = {}  # the last whole line that told of folder and branch

    def read(self, lines: list[bytes], start: int) -> Parsed:
        offset = start
        for line in lines:
            size = len(line)
            if size > 1:
                if self.first_at is None or self.session is None:
                    self._open(line)
                self._line(line, offset)
            offset += size + 1
        self._close(lines)
        return Parsed(
            [*self.responses.values(), *self.events], self.bad, self.first_at, self.session, self.pending
        )

    def _open(self, line: bytes) -> None:
        """Take the file's first timestamp and, where the path did not tell it, its session."""
        record = _json(line)
        if not isinstance(record, dict):
            return
        if self.first_at is None:
            self.first_at = self.last_at = epoch(record.get("timestamp"))
        if self.session is None and isinstance(record.get("sessionId"), str):
            self.session = record["sessionId"][:128]

    def _line(self, line: bytes, offset: int) -> None:
        if b'"usage"' in line:
            self._assistant(line, offset)
        elif b'"tool_use_id"' in line:
            self._result(line)
        elif len(line) < SMALL and (
            b'"cost-state"' in line or b'"compact_boundary"' in line or b'"api_error"' in line
            or b'"api-request"' in line
        ):  # fmt: skip
            self._bookkeeping(line)
        elif self.pending is not None and b'"type":"user"' in line:
            self.pending = None  # the user interrupted it: nobody answered, nothing failed
        elif not (line[:1] == b"{" and line.rstrip()[-1:] == b"}"):
            self.bad += 1

    def _assistant(self, line: bytes, offset: int) -> None:
        record = _json(line)
        if not isinstance(record, dict):
            self.bad += 1
            return
        if record.get("type") != "assistant":
            if record.get("type") == "user":
                self._results(record)
            return
        message = record.get("message")
        if not isinstance(message, dict):
            return
        at = self._at(record)
        session = self.session or "unknown"
        if record.get("isApiErrorMessage"):
            key = _text(record.get("uuid")) or f"{session}:{offset}"
            self.events.append(
                ApiError(session, at, key, _text(record.get("error")) or "unknown", final=True)
            )
            self.pending = None
            return
        self.pending = None
        agent = self._agent(record)
        visible = self._blocks(message.get("content"), session, at, agent)
        model = _text(message.get("model"))
        if model == "<synthetic>":
            return
        usage = usage_of(message.get("usage"))
        if not any(usage[:5]) and not usage.web_searches and not usage.advisor:
            return
        self.seen = record
        self._response(
            Response(
                session, at, model or "unknown", usage,
                _text(message.get("id")), _text(record.get("requestId")),
                _text(record.get("uuid")) or f"{session}:{offset}",
                _text(message.get("stop_reason")), _text(record.get("requestSessionId")),
                agent, visible, offset, offset,
            )
        )  # fmt: skip

    def _response(self, new: Response) -> None:
        key = new.message_id or new.request_id or new.record_id
        old = self.responses.get(key)
        if old is not None:
            new = new._replace(
                at=min(old.at, new.at),
                message_id=new.message_id or old.message_id,
                request_id=new.request_id or old.request_id,
                paying_session=new.paying_session or old.paying_session,
                agent=new.agent if old.agent is not None else None,
                visible_chars=old.visible_chars + new.visible_chars,
                offset=old.offset,
            )
        self.responses[key] = new

    def _blocks(self, content: Any, session: str, at: float, agent: str | None) -> int:
        """Tell of the tool calls among a message's blocks; returns how much of it can be seen."""
        if not isinstance(content, list):
            return len(content) if isinstance(content, str) else 0
        visible = 0
        for block in content:
            if not isinstance(block, dict):
                continue
            kind = block.get("type")
            if kind == "tool_use":
                identity = _text(block.get("id"))
                if identity:
                    name = _text(block.get("name")) or "unknown"
                    self.events.append(ToolUse(session, at, identity, name, agent))
                visible += len(orjson.dumps(block.get("input")))
            elif kind in ("text", "thinking"):
                text = block.get(kind)
                visible += len(text) if isinstance(text, str) else 0
        return visible

    def _result(self, line: bytes) -> None:
        """A tool's result: three fields cut from the bytes where each stands once, else the whole line."""
        found = _cut(line)
        if found is None:
            record = _json(line)
            if isinstance(record, dict):
                self._results(record)
            else:
                self.bad += 1
            return
        identity, failed, at = found
        if at is None:
            return
        self.last_at = at
        self.pending = None
        self.events.append(ToolResult(self.session or "unknown", at, identity, "", failed))

    def _results(self, record: dict[str, Any]) -> None:
        message = record.get("message")
        content = message.get("content") if isinstance(message, dict) else None
        if record.get("type") != "user" or not isinstance(content, list):
            return
        at = self._at(record)
        for block in content:
            if isinstance(block, dict) and block.get("type") == "tool_result":
                identity = _text(block.get("tool_use_id"))
                if identity:
                    failed = block.get("is_error") is True
                    self.events.append(ToolResult(self.session or "unknown", at, identity, "", failed))

    def _bookkeeping(self, line: bytes) -> None:
        record = _json(line)
        if not isinstance(record, dict):
            self.bad += 1
            return
        session = self.session or "unknown"
        kind, subtype = record.get("type"), record.get("subtype")
        key = _text(record.get("uuid")) or ""
        if kind == "cost-state":
            cost, api = record.get("totalCostUSD"), record.get("totalAPIDuration")
            if isinstance(cost, int | float) and 0 <= cost < 1e9:
                api_ms = float(api) if isinstance(api, int | float) else None
                self.events.append(ClientTotals(session, None, float(cost), api_ms))
        elif kind == "system" and subtype == "compact_boundary":
            meta = record.get("compactMetadata")
            meta = meta if isinstance(meta, dict) else {}
            at = self._at(record)
            trigger = _text(meta.get("trigger")) or ""
            self.events.append(
                Compaction(session, at, key or f"{session}:{at}", trigger, self._agent(record))
            )
        elif kind == "system" and subtype == "api_error":
            at = self._at(record)
            self.events.append(ApiError(session, at, key or f"{session}:{at}", "retried", final=False))
            self.pending = None
        elif kind == "api-request":
            self._request(record, session)

    def _request(self, record: dict[str, Any], session: str) -> None:
        """One attempt at an API request. An attempt that is followed by another failed.

        Newer clients write this line for each attempt and the retry's error line only in print mode,
        so a failed attempt is told by the error line that answers it, or by the next attempt.
        """
        at = self._at(record)
        if self.pending is not None:
            self.events.append(ApiError(session, at, self.pending, "unanswered", final=False))
        self.pending = f"{session}:{self.source.agent or ''}:{_text(record.get('id')) or ''}:{at}"

    def _agent(self, record: dict[str, Any]) -> str | None:
        if self.source.agent is not None:
            return self.source.agent
        if record.get("isSidechain") is True:
            return _text(record.get("agentId")) or "sidechain"
        return None

    def _at(self, record: dict[str, Any]) -> float:
        """The record's own time, else that of the record before it, else 0: the reader's arrival time."""
        at = epoch(record.get("timestamp"))
        if at is not None:
            self.last_at = at
        return at if at is not None else self.last_at or 0.0

    def _close(self, lines: list[bytes]) -> None:
        """What the end of the run says of the session: where it is, and whether it works or rests."""
        if self.session is None or not lines:
            return
        for line in lines[:-7:-1]:
            record = _json(line) if 1 < len(line) < 4 * SMALL else None
            if not isinstance(record, dict) or record.get("type") not in ("user", "assistant", "system"):
                continue
            at = epoch(record.get("timestamp"))
            if at is None:
                continue
            self.seen = record
            if self.source.agent is None and record.get("isSidechain") is not True:
                status, why = _resting(record)
                self.events.append(Status(self.session, at, status, why, live=False))
            break
        if self.seen:
            at = epoch(self.seen.get("timestamp"))
            main = self.source.agent is None
            self.events.append(
                SessionInfo(
                    self.session, at or self.last_at or 0.0,
                    _text(self.seen.get("cwd"), 4096) if main else None,
                    _text(self.seen.get("gitBranch")) if main else None,
                )
            )  # fmt: skip


def _resting(record: dict[str, Any]) -> tuple[str, str]:
    """Working or idle, judged by the last record of a file."""
    kind = record["type"]
    message = record.get("message")
    if kind == "assistant":
        stop = message.get("stop_reason") if isinstance(message, dict) else None
        done = stop not in (None, "tool_use", "pause_turn") or record.get("isApiErrorMessage")
        return ("idle", "turn ended") if done else ("working", "tool or response under way")
    if kind == "user":
        content = message.get("content") if isinstance(message, dict) else None
        if isinstance(content, list) and content and isinstance(content[0], dict):
            content = content[0].get("text")
        if isinstance(content, str) and content.startswith(
            ("[Request interrupted", "<local-command", "<command-")
        ):
            return "idle", "interrupted" if content.startswith("[") else "local command"
        return "working", "prompt or tool result sent"
    return ("working", "retrying") if record.get("subtype") == "api_error" else ("idle", "turn ended")


_RESULT = b'"tool_use_id":"'
_TIME = b'"timestamp":"'


def _cut(line: bytes) -> tuple[str, bool, float | None] | None:
    """(tool_use_id, failed, at) without parsing, or None where the bytes leave any doubt."""
    start = line.find(_RESULT)
    if start < 0 or line.find(b'"tool_use_id"', start + 15) >= 0 or b'"type":"user"' not in line:
        return None
    if line[-1:] != b"}" or line[:1] != b"{":
        return None
    end = line.find(b'"', start + 15, start + 215)
    when = line.find(_TIME)
    if end < 0 or when < 0 or line.find(_TIME, when + 13) >= 0:
        return None
    identity = line[start + 15 : end]
    if not identity or b"\\" in identity:
        return None
    at = epoch(line[when + 13 : line.find(b'"', when + 13)].decode("ascii", "replace"))
    # `is_error` stands beside the id inside its block; a nested one elsewhere makes the line doubtful
    errors = line.count(b'"is_error":')
    if errors > 1 or at is None:
        return None
    return identity.decode("utf-8", "replace"), errors == 1 and b'"is_error":true' in line, at


def _cache_writes(raw: dict[str, Any]) -> tuple[int, int]:
    flat = _count(raw.get("cache_creation_input_tokens"))
    split = raw.get("cache_creation")
    if not isinstance(split, dict):
        return flat, 0
    write_5m = _count(split.get("ephemeral_5m_input_tokens"))
    write_1h = _count(split.get("ephemeral_1h_input_tokens"))
    return write_5m + max(0, flat - write_5m - write_1h), write_1h


def _advisor(iterations: Any) -> tuple[tuple[str, int, int, int, int, int], ...]:
    """Side calls billed at a model of their own; the top level of the usage leaves them out."""
    if not isinstance(iterations, list):
        return ()
    found = []
    for entry in iterations:
        if isinstance(entry, dict) and entry.get("type") == "advisor_message":
            write_5m, write_1h = _cache_writes(entry)
            found.append(
                (
                    _text(entry.get("model")) or "unknown",
                    _count(entry.get("input_tokens")),
                    _count(entry.get("output_tokens")),
                    _count(entry.get("cache_read_input_tokens")),
                    write_5m,
                    write_1h,
                )
            )
    return tuple(found)


def _json(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return None


def _count(value: Any) -> int:
    if isinstance(value, float) and value == value and abs(value) < MOST_TOKENS:  # noqa: PLR0124
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < MOST_TOKENS:
        return value
    return 0


def _text(value: Any, most: int = 256) -> str | None:
    return value[:most] if isinstance(value, str) and value else None


def _is_uuid(stem: str) -> bool:
    return len(stem) == 36 and stem.count("-") == 4 and all(c in "0123456789abcdefABCDEF-" for c in stem)
