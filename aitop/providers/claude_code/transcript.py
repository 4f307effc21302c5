"""Claude Code's transcript lines → events. Pure: bytes in, events out, no clock, no I/O.

A transcript is mostly tool output that says nothing about cost. So a line is parsed only when its bytes say that
it matters, and the three fields of a tool's result are cut out of the bytes. A response fills one line for each
content block, and each repeats its usage; older clients write a placeholder first. So within a file the last line
wins, and only that one is taken apart. Must not keep any text: only its length leaves this file.
"""

from typing import Any

from aitop.model.events import ApiError, Event, Place, SessionInfo, Status
from aitop.model.json_types import JsonObject
from aitop.providers import Parsed, Source
from aitop.providers.claude_code import bookkeeping, record_kind, tool_result
from aitop.providers.claude_code.attempts import Attempts
from aitop.providers.claude_code.fields import is_nothing
from aitop.providers.claude_code.naming import Naming
from aitop.providers.claude_code.response_builder import ResponseBuilder, by_last_line
from aitop.providers.claude_code.session_status import last_record, status_after
from aitop.providers.claude_code.tool_calls import ToolCalls
from aitop.providers.lenient import as_json, epoch, json_length, loads, text, word
from aitop.providers.lines import pieces

MAX_BOOKKEEPING = 65_536  # bytes; lines of compactions, errors and totals are smaller than this
BOOKKEEPING = frozenset((b"system", b"cost-state", b"api-request", b"pr-link"))
MARKS = (b'"cost-state"', b'"compact_boundary"', b'"api_error"', b'"api-request"', b'"pr-link"')


def parse(data: bytes, start: int, source: Source) -> Parsed:
    """Read whole lines, each with its newline; `start` is their offset in the file."""
    return _Run(source).read(data, start)


class _Run:
    """One pass over a run of lines. Responses and tool calls are gathered by id, and each is reported once."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.session = source.session
        carried = _carried(source.pending)
        self.attempts = Attempts(carried.get("attempt"))
        self.naming = Naming(carried.get("newest"))
        self.events: list[Event] = []
        self.builders: list[ResponseBuilder] = []
        self.nameless: dict[tuple[str | None, str], ResponseBuilder] = {}
        self.calls = ToolCalls()
        self.places: dict[tuple[Any, Any], Place | None] = {}
        self.bad = 0
        self.first_at: float | None = None
        self.last_at: float | None = None
        self.newest_place: tuple[float, Any, Any] | None = None  # (at, folder, branch)
        self.newest_line: tuple[int, JsonObject] | None = None  # (offset, record) of the newest parsed one

    def read(self, data: bytes, start: int) -> Parsed:
        self._lines(data, start)
        self._close(data, start)
        self.builders.sort(key=by_last_line)
        responses: list[Event] = [builder.response(self.session) for builder in self.builders]
        events = responses + self.calls.events(self.session or "unknown") + self.events
        return Parsed(events, self.bad, self.first_at, self.session, self._pending())

    def _pending(self) -> str | None:
        attempt = self.attempts.newest
        kept = {"attempt": attempt and [*attempt], "newest": self.naming.carried()}
        kept = {name: value for name, value in kept.items() if value is not None}
        return (as_json(kept) or None) if kept else None

    def _lines(self, data: bytes, start: int) -> None:
        at, find, kind_of = 0, data.find, record_kind.of
        while (stop := find(b"\n", at)) >= 0:
            if self.first_at is None or self.session is None:
                self._open(data[at:stop])
            kind = kind_of(data, at, stop)
            if kind == b"assistant":
                self._assistant(data[at:stop], start + at)
            elif kind == b"user":
                self._user(data, at, stop, start + at)
            elif kind is None or kind in BOOKKEEPING:
                self._any(data[at:stop], start + at)
            elif record_kind.in_doubt(data, at, stop) and self._damaged(data[at:stop], start + at):
                pass
            elif kind == b"progress" and find(b'"usage"', at, stop) >= 0:
                self._assistant(data[at:stop], start + at)
            at = stop + 1

    def _any(self, line: bytes, offset: int) -> None:
        """A line of a kind that its bytes do not show, or that may hold an error, a compaction or a total."""
        if b'"usage"' in line:
            self._assistant(line, offset)
        elif b'"tool_use_id"' in line:
            self._tool_result(line, offset)
        elif len(line) > 1:
            self._other(line, offset)

    def _damaged(self, line: bytes, offset: int) -> bool:
        """Whether a line is no single record. Then each whole record in it was read."""
        if isinstance(loads(line), dict):
            return False
        parts = [(line[start:stop], start, whole) for start, stop, whole in pieces(line)]
        records = [(part, start) for part, start, whole in parts if whole and isinstance(loads(part), dict)]
        self.bad += len(records) < len(parts)
        for part, start in records:
            self._lines(part + b"\n", offset + start)
        return True

    def _open(self, line: bytes) -> None:
        """Take the file's first timestamp and, where the path does not say it, its session."""
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
            self._damaged(line, offset)
            return
        get = record.get
        kind, message = get("type"), get("message")
        if kind != "assistant" or not isinstance(message, dict):
            if kind == "user":
                self._results(record)
            elif kind == "progress":
                self._progress(record, offset)
            return
        self.newest_line = (offset, record)
        at = self._at(record)
        if get("isApiErrorMessage"):
            self._failed(record, at, offset)
            return
        agent = self._agent(record)
        visible = self._blocks(message, at, agent)
        builder = self._response(record, message, at, offset, agent)
        self.attempts.answered()
        if builder is None:
            return
        self.newest_place = (at, get("cwd"), get("gitBranch"))
        builder.visible += visible
        builder.asked_at = self.attempts.asked_at(get("requestRef")) or builder.asked_at

    def _response(
        self, record: JsonObject, message: JsonObject, at: float, offset: int, agent: str | None
    ) -> ResponseBuilder | None:
        """Add a line to its response; None where it is no response."""
        get, of_message = record.get, message.get
        model, usage = of_message("model"), of_message("usage")
        if model == "<synthetic>" or is_nothing(usage):
            return None
        builder = self._builder(
            text(of_message("id")), text(get("requestId")), usage, at, offset, record, agent
        )
        builder.add_line(at, agent)
        builder.end, builder.model, builder.usage = offset, model, usage
        builder.stop_reason, builder.record_id = of_message("stop_reason"), get("uuid")
        builder.place = self._place(get("cwd"), get("gitBranch"))
        paying = get("requestSessionId")
        if paying is not None:
            builder.paying = text(paying) or builder.paying
        return builder

    def _builder(
        self, message_id: str | None, request_id: str | None, usage: object, at: float, offset: int,
        record: JsonObject, agent: str | None,
    ) -> ResponseBuilder:  # fmt: skip
        """The builder of the response that a line belongs to."""
        if message_id is not None:
            named = self.naming.of(message_id, request_id, usage, at)
            if named.builder is None:
                named.builder = ResponseBuilder(named.names, at, offset, agent)
                named.builder.rename(named.names, named.earlier_name)
                self.builders.append(named.builder)
            return named.builder
        key = (request_id, "" if request_id else text(record.get("uuid")) or f"{self.session}:{offset}")
        if key not in self.nameless:
            self.nameless[key] = ResponseBuilder((None, request_id), at, offset, agent)
            self.builders.append(self.nameless[key])
        return self.nameless[key]

    def _place(self, cwd: object, branch: object) -> Place | None:
        try:
            return self.places[cwd, branch]
        except KeyError:
            folder, name = text(cwd, 4096), text(branch)
        except TypeError:
            return None
        place = self.places[cwd, branch] = Place(folder, name) if folder else None
        return place

    def _progress(self, record: JsonObject, offset: int) -> None:
        """A sub-agent's record, repeated in its parent's file: the response has the same names in its own file."""
        data = record.get("data")
        inner = data.get("message") if isinstance(data, dict) else None
        message = inner.get("message") if isinstance(inner, dict) else None
        if not isinstance(data, dict) or not isinstance(inner, dict) or not isinstance(message, dict):
            return
        if inner.get("type") != "assistant" or inner.get("isApiErrorMessage"):
            return
        place = {name: record.get(name) for name in ("cwd", "gitBranch")}
        at = epoch(inner.get("timestamp")) or self._at(record)
        agent = text(data.get("agentId")) or self._agent(record) or "sidechain"
        self._response(place | inner, message, at, offset, agent)

    def _blocks(self, message: JsonObject, at: float, agent: str | None) -> int:
        """Note the tool calls among a message's blocks. Returns how much text the message shows, where that matters.

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
            kind = block.get("type")
            if kind == "tool_use":
                self.calls.begin(block, at, agent)
                if unfinished:
                    visible += json_length(block.get("input"))
            elif unfinished and kind in ("text", "thinking"):
                shown = block.get(kind)
                visible += len(shown) if isinstance(shown, str) else 0
        return visible

    # -- what went to the model ------------------------------------------------------------------------------

    def _user(self, data: bytes, start: int, stop: int, offset: int) -> None:
        """A tool's result, else a prompt. A prompt means that no request under way will be answered."""
        fields = tool_result.cut(data, start, stop)
        if fields is not None and data.find(record_kind.OPENING, start + 1, stop) < 0:
            self._cut(fields)
        elif data.find(b'"tool_use_id"', start, stop) >= 0:
            self._tool_result(data[start:stop], offset)
        elif not (record_kind.in_doubt(data, start, stop) and self._damaged(data[start:stop], offset)):
            self.naming.user_line()
            if record_kind.is_clear(data, start, stop) and self.session:
                self.events.append(SessionInfo(self.session, self.first_at or 0.0, began_by="clear"))
            if self.attempts.under_way and record_kind.is_user(data[start:stop]):
                self.attempts.answered()  # the user interrupted it: nothing answered, nothing failed

    def _cut(self, fields: tuple[str, bool, float]) -> None:
        """A tool's result by its three fields, cut from the bytes."""
        self.last_at = fields[2]
        self.naming.turn += 1
        self.attempts.answered()
        self.calls.end(*fields, self.session or "unknown")

    def _tool_result(self, line: bytes, offset: int) -> None:
        """A tool's result by the whole line."""
        record = loads(line)
        if isinstance(record, dict):
            self._results(record)
        else:
            self._damaged(line, offset)

    def _results(self, record: JsonObject) -> None:
        message = record.get("message")
        content = message.get("content") if isinstance(message, dict) else None
        if record.get("type") != "user" or not isinstance(content, list):
            return
        at = self._at(record)
        self.naming.user_line()
        self.attempts.answered()
        for block in content:
            if isinstance(block, dict) and block.get("type") == "tool_result":
                identity = text(block.get("tool_use_id"))
                if identity:
                    self.calls.end(identity, block.get("is_error") is True, at, self.session or "unknown")

    # -- the client's own bookkeeping ------------------------------------------------------------------------

    def _other(self, line: bytes, offset: int) -> None:
        if len(line) < MAX_BOOKKEEPING and any(mark in line for mark in MARKS):
            self._bookkeeping(line, offset)
        elif record_kind.in_doubt(line, 0, len(line)) and self._damaged(line, offset):
            return
        elif b'"user"' in line and record_kind.is_user(line):
            self.naming.user_line()
            self.attempts.answered()  # the user interrupted it: nothing answered, nothing failed

    def _bookkeeping(self, line: bytes, offset: int) -> None:
        record = loads(line)
        if not isinstance(record, dict):
            self._damaged(line, offset)
            return
        session = self.session or "unknown"
        kind, subtype = record.get("type"), record.get("subtype")
        if kind == "cost-state":
            totals = bookkeeping.totals(record, session)
            self.events += [totals] if totals else []
        elif kind == "system" and subtype == "compact_boundary":
            at = self._at(record)
            self.events.append(bookkeeping.compaction(record, session, at, self._agent(record)))
        elif kind == "system" and subtype == "api_error":
            self.events.append(bookkeeping.retried(record, session, self._at(record)))
            self.attempts.answered()
        elif kind == "pr-link":
            self.events += bookkeeping.pull_request(record, session, self._at(record))
        elif kind == "api-request":
            failed = self.attempts.begin(record, session, self.source.agent, self._at(record))
            self.events += [failed] if failed else []

    def _failed(self, record: JsonObject, at: float, offset: int) -> None:
        """The client gave up on a request and shows the error as a message."""
        session = self.session or "unknown"
        key = text(record.get("uuid")) or f"{session}:{offset}"
        self.events.append(ApiError(session, at, key, word(record.get("error")) or "unknown", final=True))
        self.attempts.answered()

    # -- where and how the session is ------------------------------------------------------------------------

    def _agent(self, record: JsonObject) -> str | None:
        if self.source.agent is not None:
            return self.source.agent
        return (text(record.get("agentId")) or "sidechain") if record.get("isSidechain") is True else None

    def _at(self, record: JsonObject) -> float:
        """The record's own time, else that of the record before it, else 0: the reader's arrival time."""
        at = epoch(record.get("timestamp"))
        if at is not None:
            self.last_at = at
        return at if at is not None else self.last_at or 0.0

    def _close(self, data: bytes, start: int) -> None:
        """What the end of the run says of the session: where it is, and whether it works or rests."""
        if self.session is None:
            return
        main = self.source.agent is None
        newest = last_record(data, start, self.newest_line) if main else None
        if newest is not None:
            record, at = newest
            self.newest_place = (at, record.get("cwd"), record.get("gitBranch"))
            if record.get("isSidechain") is not True:
                status, why = status_after(record)
                self.events.append(Status(self.session, at, status, why, live=False))
        if self.newest_place and main:
            at, cwd, branch = self.newest_place
            self.events.append(SessionInfo(self.session, at, text(cwd, 4096), text(branch)))


def _carried(pending: str | None) -> JsonObject:
    """What the run before left, as `_pending` writes it."""
    carried = loads(pending.encode()) if pending else None
    return carried if isinstance(carried, dict) else {}
