"""Claude Code's telemetry → events: what its transcripts lack. Pure; keeps no text.

Telemetry reports every API call with the client's own cost, its duration and the time to its first token,
also calls that no transcript holds: titles, compaction, checks of commands. Where a transcript has the
same call, the request's id makes both one. Failed calls and compactions are in the transcripts; only
those of hidden calls are not. Attributes as sent by 2.1.330.
"""

from aitop.model.events import ApiError, Event, Response, ToolResult, Usage
from aitop.otlp import Record
from aitop.providers.lenient import count, milliseconds, word

PREFIX = "claude_code."
MAIN = ("repl_main_thread", "sdk")
DONE = ""  # it ended; only the transcript says how


def events(records: list[Record]) -> list[Event]:
    made: list[Event] = []
    for record in records:
        session = record.text("session.id")
        if record.kind != "log" or session is None:
            continue
        name = record.name.removeprefix(PREFIX)
        if name == "api_request":
            made.append(_response(record, session))
        elif name == "tool_result":
            made += _tool(record, session)
        elif name == "api_error" and _is_hidden(record):
            key = f"{session}:{record.count_of('event.sequence')}:{record.at:.3f}"
            kind = word(record.text("status_code")) or f"{record.count_of('status_code') or 'unknown'}"
            made.append(ApiError(session, record.at, key, kind, final=False))
    return made


def _response(record: Record, session: str) -> Response:
    """The input excludes the cache, as the API has it; a write without its split is a 5-minute one."""
    written, long = record.count_of("cache_creation_tokens"), record.count_of("cache_creation_1h_tokens")
    usage = Usage(
        count(record.count_of("input_tokens")),
        count(record.count_of("output_tokens")),
        count(record.count_of("cache_read_tokens")),
        count(max(0, written - long)),
        count(long),
        speed="fast" if record.text("speed") == "fast" else "",
    )
    billed = record.number("cost_usd")
    return Response(
        session, record.at, record.text("model") or "unknown", usage,
        request_id=record.text("request_id"),
        record_id=f"{session}:{record.count_of('event.sequence')}:{record.at:.3f}",
        stop_reason=DONE, agent=_agent(record),
        duration_ms=milliseconds(record.number("duration_ms")), ttft_ms=milliseconds(record.number("ttft_ms")),
        billed_usd=billed,
    )  # fmt: skip


def _agent(record: Record) -> str | None:
    """None on the main thread, a sub-agent's id, "" for a call of the client's own."""
    source = record.text("query_source") or ""
    if source.startswith(MAIN):
        return None
    return record.text("agent_id") or ""


def _is_hidden(record: Record) -> bool:
    """Whether no transcript holds a call. A call of an older version, which does not say who calls, is not hidden."""
    source = record.text("query_source")
    return source is not None and not source.startswith((*MAIN, "agent:"))


def _tool(record: Record, session: str) -> list[Event]:
    identity = record.text("tool_use_id")
    if identity is None:
        return []
    failed = record.attributes.get("success") in ("false", False)
    name = record.text("tool_name") or ""
    took = milliseconds(record.number("duration_ms"))
    return [ToolResult(session, record.at, identity, name, failed, took)]
