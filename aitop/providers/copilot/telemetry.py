"""Copilot CLI's telemetry → events. Pure; keeps no text.

It follows the GenAI conventions. The session events hold no response ids, so the history pairs the two by
session, time and numbers. Tools are counted from the session events alone. Attributes as sent by 1.0.102.
"""

from aitop.model.events import Event
from aitop.otlp import Record
from aitop.providers import genai


def events(records: list[Record]) -> list[Event]:
    made: list[Event] = []
    for record in genai.outermost(records):
        session = record.text("gen_ai.conversation.id")
        response = genai.response(record, session) if session else None
        if response is not None:
            made.append(response._replace(message_id=None))
    return made
