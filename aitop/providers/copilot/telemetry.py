"""Copilot CLI's telemetry → events. Pure; keeps no text.

It follows the GenAI conventions. Its session events know no response ids, so the history pairs by
session, time and numbers; tools and all else its session events tell. Attributes as sent by 1.0.102.
"""

from aitop.model.events import Event
from aitop.otlp import Record
from aitop.providers import genai


def events(records: list[Record]) -> list[Event]:
    found: list[Event] = []
    for record in genai.outermost(records):
        session = record.text("gen_ai.conversation.id")
        told = genai.response(record, session) if session else None
        if told is not None:
            found.append(told._replace(message_id=None))
    return found
