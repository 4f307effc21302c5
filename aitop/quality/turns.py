"""Turns of Claude Code's transcripts with their texts, for one judgement. Pure; nothing here may be written anywhere.

A turn begins with a user's own words and ends with the assistant's last answer to them. Its evidence is what tools
returned in between. Long texts are cut in the middle, because a judge reads a bounded prompt.
"""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

from aitop.model.json_types import JsonObject
from aitop.providers.lenient import epoch, text
from aitop.providers.lines import records

MAX_REQUEST = 4_000  # characters
MAX_ANSWER = 6_000
MAX_RESULT = 2_000
MAX_EVIDENCE = 12_000
CUT = "\n[…]\n"
NOT_WORDS = ("isMeta", "isSidechain", "isCompactSummary", "isVisibleInTranscriptOnly")


class Turn(NamedTuple):
    """One finished turn. `key` is a digest of ids, `began` and `ended` are epoch seconds."""

    key: str
    session: str
    model: str
    began: float
    ended: float
    request: str
    answer: str
    evidence: str


def read(data: bytes) -> Iterator[Turn]:
    """The finished turns of a transcript's lines, oldest first."""
    open_turn: _Open | None = None
    for _, record in records(data):
        if record is None or any(record.get(mark) for mark in NOT_WORDS):
            continue
        kind, message = record.get("type"), record.get("message")
        if not isinstance(message, dict):
            continue
        words = _words(message.get("content"))
        if kind == "user" and words and not _results(message.get("content")):
            if open_turn is not None and (done := open_turn.done()):
                yield done
            open_turn = _Open(record, words)
        elif open_turn is not None and kind == "user":
            open_turn.evidence += _results(message.get("content"))
        elif open_turn is not None and kind == "assistant":
            open_turn.answered(record, message, words)
    if open_turn is not None and (done := open_turn.done()):
        yield done


class _Open:
    """A turn that has begun."""

    def __init__(self, record: JsonObject, request: str) -> None:
        self.session = text(record.get("sessionId"), 128) or ""
        self.identity = text(record.get("uuid")) or ""
        self.began = epoch(record.get("timestamp")) or 0.0
        self.request = request
        self.evidence: list[str] = []
        self.answer = ""
        self.model = ""
        self.ended = 0.0
        self.is_whole = False

    def answered(self, record: JsonObject, message: JsonObject, words: str) -> None:
        self.ended = epoch(record.get("timestamp")) or self.ended
        self.model = text(message.get("model")) or self.model
        if words:
            self.answer = words
        self.is_whole = message.get("stop_reason") == "end_turn"

    def done(self) -> Turn | None:
        """The turn, if it was answered to its end."""
        if not (
            self.is_whole and self.answer and self.session and self.identity and self.ended >= self.began > 0
        ):
            return None
        key = hashlib.sha256(f"{self.session}\0{self.identity}".encode()).hexdigest()[:24]
        evidence = CUT.join(cut(one, MAX_RESULT) for one in self.evidence)
        return Turn(
            key, self.session, self.model, self.began, self.ended,
            cut(self.request, MAX_REQUEST), cut(self.answer, MAX_ANSWER), cut(evidence, MAX_EVIDENCE),
        )  # fmt: skip


def cut(words: str, longest: int) -> str:
    """A text with its middle left out where it is too long."""
    if len(words) <= longest:
        return words
    half = (longest - len(CUT)) // 2
    return words[:half] + CUT + words[-half:]


def _words(content: object) -> str:
    """What a message says in words."""
    if isinstance(content, str):
        return "" if content.lstrip().startswith("<") else content.strip()  # a command's wrapper
    texts = [
        block["text"]
        for block in (content if isinstance(content, list) else [])
        if isinstance(block, dict) and block.get("type") == "text" and isinstance(block.get("text"), str)
    ]
    return "\n".join(texts).strip()


def _results(content: object) -> list[str]:
    """What tools returned."""
    texts = []
    for block in content if isinstance(content, list) else []:
        if isinstance(block, dict) and block.get("type") == "tool_result":
            inner = block.get("content")
            texts.append(inner if isinstance(inner, str) else _words(inner))
    return [one for one in texts if one]
