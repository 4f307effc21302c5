"""Gemini CLI's telemetry → events: durations, and the calls that no chat holds. Pure; keeps no text.

A response has no id here that its chat holds: the history pairs the two by session, time and numbers. Calls
that choose the model, compress the chat or search the web are reported here alone. Attributes as sent by 0.61.0.
"""

from aitop.model.events import ApiError, Event, Response, Usage
from aitop.otlp import Record
from aitop.providers.gemini.chat import DONE
from aitop.providers.lenient import count, epoch, milliseconds, word


def events(records: list[Record]) -> list[Event]:
    made: list[Event] = []
    for record in records:
        session = record.text("session.id")
        if record.kind != "log" or session is None:
            continue
        at = epoch(record.text("event.timestamp")) or record.at
        if record.name == "gemini_cli.api_response":
            made += _response(record, session, at)
        elif record.name == "gemini_cli.api_error":
            kind = word(record.text("error_type", "error.type")) or "error"
            made.append(ApiError(session, at, f"{session}:{at:.3f}", kind, final=True))
    return made


def _response(record: Record, session: str, at: float) -> list[Event]:
    """The input includes the cache. Thoughts are billed as output, results of built-in tools as input."""
    given, thoughts = (
        count(record.count_of("input_token_count")),
        count(record.count_of("thoughts_token_count")),
    )
    whole = count(given + count(record.count_of("tool_token_count")))
    cached = min(whole, given, count(record.count_of("cached_content_token_count")))
    output = count(count(record.count_of("output_token_count")) + thoughts)
    if not (whole or output):
        return []
    side = "" if record.text("role") not in (None, "main", "subagent") else None
    return [
        Response(
            session, at, record.text("model") or "unknown",
            Usage(whole - cached, output, cached, 0, 0, min(thoughts, output)),
            record_id=f"{session}:{at:.3f}:{whole}:{output}", stop_reason=DONE, agent=side,
            duration_ms=milliseconds(record.number("duration_ms")),
        )
    ]  # fmt: skip
