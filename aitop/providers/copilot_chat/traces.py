"""The spans in `agent-traces.db` → events. Reads the one database it is given, and never locks it out.

A row of `spans` is one operation. `chat` is one API call, `execute_tool` one tool call; `invoke_agent` sums up
what is inside it. Rows are added at the end and removed at the beginning, so the newest row is the place to go on
from. Where that row is gone, its number may be another row's now, and all rows are read again under their names.
Sessions of other agents inside the editor keep records of their own, which are counted by their providers.
Source of the tables: microsoft/vscode-copilot-chat, otelSqliteStore.ts, version 1. Must not keep any text.
"""

import sqlite3
from collections.abc import Iterator, Mapping

from aitop.model.events import ApiError, Event, Response, SessionInfo, ToolUse, Usage
from aitop.providers import Parsed, Source, sqlite_store
from aitop.providers.lenient import count, epoch, loads, milliseconds, text, word

ROWS_A_BATCH = 200
LONGEST_ID = 256
DONE = "completed"
FAILED = 2  # the status of a span
USD_PER_NANO_AIU = 1e-11  # one AI credit is a cent
RECORDED = ("copilotcli", "claude", "codex")  # agents with records of their own
COLUMNS = (
    "rowid", "span_id", "trace_id", "start_time_ms", "end_time_ms", "status_code", "operation_name", "agent_name",
    "conversation_id", "chat_session_id", "request_model", "response_model", "input_tokens", "output_tokens",
    "cached_tokens", "reasoning_tokens", "tool_name", "tool_call_id", "ttft_ms",
)  # fmt: skip
WRITTEN = ("gen_ai.usage.cache_write.input_tokens", "gen_ai.usage.cache_creation.input_tokens")
RESPONSE_ID, REASONS = "gen_ai.response.id", "gen_ai.response.finish_reasons"
CREDITS = "copilot_chat.copilot_usage_nano_aiu"
ATTRIBUTES = (*WRITTEN, RESPONSE_ID, REASONS, CREDITS)
OPERATIONS = ("chat", "execute_tool")
Row = Mapping[str, object]


def read(path: str, source: Source) -> Iterator[Parsed]:
    """The rows after `source.pending`, the number and the name of the newest row read before. Raises OSError."""
    with sqlite_store.opened(path) as store:
        for parsed in _rows(store.db, source):
            store.check()
            yield parsed


def _rows(db: sqlite3.Connection, source: Source) -> Iterator[Parsed]:
    columns = {row[0] for row in db.execute("SELECT name FROM pragma_table_info('spans')")}
    missing = [name for name in COLUMNS[1:] if name not in columns]
    if missing:
        problem = f"unknown format: its table of spans lacks {', '.join(missing[:3])}" if columns else None
        yield Parsed([], 0, None, None, source.pending, problem)
        return
    last, name = _place(source.pending)
    if db.execute(
        "SELECT substr(span_id, 1, ?) FROM spans WHERE rowid = ?", (LONGEST_ID, last)
    ).fetchone() != (name,):
        last = 0
    while True:
        cursor = db.execute(
            f"SELECT {', '.join(COLUMNS)} FROM spans WHERE rowid > ? ORDER BY rowid LIMIT ?",  # noqa: S608
            (last, ROWS_A_BATCH),
        )
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in cursor]
        events = [event for row in rows for event in _events(row, _attributes(db, row))]
        first_at = epoch(rows[0]["start_time_ms"]) if rows else None
        if len(rows) < ROWS_A_BATCH:
            if rows:
                last, name = rows[-1]["rowid"], str(rows[-1]["span_id"])[:LONGEST_ID]
            yield Parsed(events, 0, first_at, None, f"{last}:{name}")
            return
        name = str(rows[-1]["span_id"])[:LONGEST_ID]
        last = rows[-1]["rowid"]
        yield Parsed(events, 0, first_at, None, source.pending)


def _place(pending: str | None) -> tuple[int, str]:
    number, _, name = (pending or "0:").partition(":")
    return int(number), name


def _attributes(db: sqlite3.Connection, row: Row) -> dict[str, str]:
    """The wanted attributes of a call; the table also holds contents."""
    if row["operation_name"] != "chat":
        return {}
    marks = ", ".join("?" * len(ATTRIBUTES))
    query = f"SELECT key, value FROM span_attributes WHERE span_id = ? AND key IN ({marks})"  # noqa: S608
    pairs = db.execute(query, (row["span_id"], *ATTRIBUTES))
    return {key: value for key, value in pairs if isinstance(value, str) and value}


def _events(row: Row, attributes: Mapping[str, str]) -> Iterator[Event]:
    session = text(row["conversation_id"], 128) or text(row["chat_session_id"], 128)
    ended = epoch(row["end_time_ms"])
    agent = text(row["agent_name"]) or ""
    if session is None or ended is None or row["operation_name"] not in OPERATIONS:
        return
    if any(name in agent.lower().replace(" ", "") for name in RECORDED):
        return
    began = epoch(row["start_time_ms"]) or ended
    failed = row["status_code"] == FAILED
    if row["operation_name"] == "execute_tool":
        call = text(row["tool_call_id"], 128) or text(row["span_id"], 64)
        name = text(row["tool_name"]) or "unknown"
        yield ToolUse(session, began, f"{session}:{call}", name, None, ended, failed)
        return
    model = text(row["response_model"]) or text(row["request_model"]) or "unknown"
    yield SessionInfo(session, ended, model=model)
    usage = _usage(row, attributes)
    if usage.input_tokens or usage.output_tokens:
        yield _response(row, attributes, session, model, usage, (began, ended))
    elif failed:
        yield ApiError(session, ended, _name(row), "error", final=False)


def _response(
    row: Row,
    attributes: Mapping[str, str],
    session: str,
    model: str,
    usage: Usage,
    times: tuple[float, float],
) -> Response:
    """`times`: begin and end, in epoch seconds."""
    began, ended = times
    name, first = _name(row), row["ttft_ms"]
    reasons = loads(attributes.get(REASONS, "").encode())
    nano = attributes.get(CREDITS, "")
    return Response(
        session, ended, model, usage, attributes.get(RESPONSE_ID, "")[:256] or name, record_id=name,
        stop_reason=(word(reasons[0]) if isinstance(reasons, list) and reasons else None) or DONE,
        duration_ms=milliseconds((ended - began) * 1000),
        ttft_ms=milliseconds(float(first)) if isinstance(first, int | float) else None,
        client_usd=int(nano) * USD_PER_NANO_AIU if nano.isdecimal() and len(nano) < 18 else None,
    )  # fmt: skip


def _name(row: Row) -> str:
    return f"{row['trace_id']}:{row['span_id']}"[:LONGEST_ID]


def _usage(row: Row, attributes: Mapping[str, str]) -> Usage:
    """The input includes the cache."""
    whole, output = count(row["input_tokens"]), count(row["output_tokens"])
    read = min(whole, count(row["cached_tokens"]))
    written_text = next((attributes[name] for name in WRITTEN if name in attributes), "")
    written = min(
        whole - read, count(int(written_text)) if written_text.isdecimal() and len(written_text) < 12 else 0
    )
    reasoning = min(output, count(row["reasoning_tokens"]))
    return Usage(whole - read - written, output, read, written, 0, reasoning)
