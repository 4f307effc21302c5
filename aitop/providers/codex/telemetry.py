"""Codex's telemetry → events. Pure; keeps no text.

The rollouts are complete, so this adds only durations. A finished response has no id here: the history pairs
it with the rollout's by thread, time and numbers. Where no rollout is written (`codex exec --ephemeral`,
another machine) it counts by itself. Attributes as sent by 0.169 and 0.171.
"""

from aitop.model.events import Event, Response, ToolResult, Usage
from aitop.otlp import Record
from aitop.providers.codex.rollout import DONE, UNKNOWN, tool_id
from aitop.providers.lenient import count, epoch, milliseconds


def events(records: list[Record]) -> list[Event]:
    made: list[Event] = []
    for record in records:
        thread = record.text("conversation.id")
        if record.kind != "log" or thread is None:
            continue
        at = epoch(record.text("event.timestamp")) or record.at
        if record.name == "codex.sse_event" and record.text("event.kind") == "response.completed":
            made += _response(record, thread, at)
        elif record.name == "codex.tool_result":
            call = record.text("call_id")
            if call:
                failed = record.attributes.get("success") in ("false", False)
                name = record.text("tool_name") or ""
                took = milliseconds(record.number("duration_ms"))
                made.append(ToolResult(thread, at, tool_id(thread, call), name, failed, took))
    return made


def _response(record: Record, thread: str, at: float) -> list[Event]:
    """The input includes cache reads and writes. The event is sent twice, once without numbers."""
    whole, output = count(record.count_of("input_token_count")), count(record.count_of("output_token_count"))
    if not (whole or output):
        return []
    cached = min(whole, count(record.count_of("cached_token_count")))
    written = min(whole - cached, count(record.count_of("cache_write_token_count")))
    reasoning = min(output, count(record.count_of("reasoning_token_count")))
    usage = Usage(whole - cached - written, output, cached, written, 0, reasoning)
    return [
        Response(
            thread, at, record.text("model", "slug") or UNKNOWN, usage,
            record_id=f"{thread}:{at:.3f}:{whole}:{output}", stop_reason=DONE,
            ttft_ms=milliseconds(record.number("ttft_ms")),
        )
    ]  # fmt: skip
