"""Qwen Code's telemetry → events: its responses, those of a chat and those of none. Pure; keeps no text.

The telemetry sends the same events that the chats keep. A response with an id of its own is the chat's by that id;
one without is paired by session, time and numbers. Tool calls and errors have no id here that a chat has, so they
are left to the chats. Attributes as sent by 0.15.10.
"""

from aitop.model.events import Event, Response
from aitop.otlp import Record
from aitop.providers.lenient import epoch, text
from aitop.providers.qwen import chat


def events(records: list[Record]) -> list[Event]:
    """A response for each `api_response` that has a session and tokens."""
    made: list[Event] = []
    for record in records:
        session = record.text("session.id")
        if record.kind != "log" or record.name != chat.API_RESPONSE or session is None:
            continue
        usage = chat.usage(record.attributes)
        if usage is None:
            continue
        at = epoch(record.text("event.timestamp")) or record.at
        made.append(
            Response(
                session, at, record.text("model") or "unknown", usage, chat.unique_id(record.attributes),
                record_id=f"{session}:{at:.3f}:{usage.input_tokens}:{usage.output_tokens}", stop_reason=chat.DONE,
                agent=text(record.attributes.get("subagent_name"), 128),
                duration_ms=chat.duration(record.attributes),
            )
        )  # fmt: skip
    return made
