"""Qoder's transcripts → events: read as Claude Code's, since they have its shape.

Qoder is billed in credits, and where its answers hold no usage the file is named with that reason. So nothing of it
is shown as zero. Pure.
"""

from aitop.model.events import Response
from aitop.providers import Parsed, Source
from aitop.providers.claude_code import paths, transcript

NO_COUNTS = "its records hold no counts; it is billed in credits of its maker's"


def identify(path: str) -> Source:
    return paths.identify(path)


def parse(data: bytes, start: int, source: Source) -> Parsed:
    """Whole lines; with the reason where they hold answers and no usage."""
    parsed = transcript.parse(data, start, source)
    counted = any(isinstance(event, Response) for event in parsed.events)
    if counted or b'"assistant"' not in data:
        return parsed
    return parsed._replace(problem=NO_COUNTS)
