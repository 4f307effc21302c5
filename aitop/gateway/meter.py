"""Reads the facts of one answer while it passes: model, usage, reason, the time of its first token.

Pure: it gets an answer's bytes with the moment they came. It reads three forms: a JSON document, server-sent
events, and Ollama's lines. It must not keep content: a line is dropped as soon as it was read.
"""

import re
from typing import NamedTuple

from aitop.gateway.decode import Unpack, unpacker
from aitop.gateway.extract import Document
from aitop.providers.gateway import entry, usage
from aitop.providers.gateway.entry import Tokens

SSE, LINES, WHOLE = "sse", "lines", "document"
FORMS = {
    "text/event-stream": SSE,
    "application/x-ndjson": LINES,
    "application/jsonl": LINES,
    "application/json": WHOLE,
}
# Most events of a stream hold a few letters of content and are not parsed. These have facts:
FACTS = re.compile(
    rb'"usage":\s*\{|"(?:finish_reason|done_reason)":\s*"|"done":\s*true|"error"'
    rb'|"type":\s*"response\.(?:completed|incomplete|failed)"'
)
UNFINISHED = ("queued", "in_progress")
OLLAMA_COUNTS = ("prompt_eval_count", "eval_count")


class Answer(NamedTuple):
    """The facts of an answer."""

    model: str | None = None
    response_id: str | None = None
    tokens: Tokens | None = None
    stop_reason: str | None = None
    unfinished: bool = False  # a response in the background, which has not ended
    error: str | None = None
    first_at: float | None = None  # when the first token of a stream came
    ttft_ms: float | None = None  # as the API itself measured it
    billed_usd: float | None = None  # as the API itself says


class Meter:
    """One answer: `feed` its bytes, then ask for the `answer`."""

    def __init__(self, content_type: str, encoding: str) -> None:
        self.form = FORMS.get(content_type.partition(";")[0].strip().lower())
        self._unpack: Unpack | None = unpacker(encoding) if self.form else None
        self._document = Document()
        self._answer = Answer()
        self._usage: object = None
        self._tier: object = None

    def feed(self, data: bytes, at: float) -> None:
        """Some bytes as they were sent, and their moment. Never raises."""
        if self._unpack is None:
            return
        try:
            for plain in self._unpack(data):
                self._plain(plain, at)
        except Exception:  # any error of a decompressor: the rest cannot be read
            self._unpack = None

    def answer(self) -> Answer:
        """The facts when the answer has ended, complete or not."""
        if self._document.size:
            self._line_ended(0.0)
        answer = self._answer
        return answer._replace(
            tokens=answer.tokens or usage.of_openai(self._usage, self._tier),
            billed_usd=usage.billed_usd(self._usage),
        )

    def _plain(self, data: bytes, at: float) -> None:
        if self.form == WHOLE:
            self._document.add(data)
            return
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            self._document.add(data[start:end])
            self._line_ended(at)
            start = end + 1
        if start < len(data):
            self._document.add(data[start:])

    def _line_ended(self, at: float) -> None:
        document = self._document
        if self.form != SSE or document.take_off(b"data:"):
            answer = self._answer
            first = answer.first_at is None or answer.model is None
            if self.form == WHOLE or first or document.large or FACTS.search(document.kept):
                value = document.value()
                if value is not None:
                    self._read(value, at)
        document.clear()

    def _read(self, value: dict[str, object], at: float) -> None:
        answer, body = self._answer, _table(value.get("response")) or value
        is_first = answer.first_at is None and self.form != WHOLE and _is_content(value)
        self._answer = answer._replace(
            model=entry.name(body.get("model")) or answer.model,
            response_id=answer.response_id or entry.name(body.get("id")),
            stop_reason=_reason(body) or answer.stop_reason,
            unfinished=body["status"] in UNFINISHED if "status" in body else answer.unfinished,
            error=_error(value, body) or answer.error,
            first_at=at if is_first else answer.first_at,
        )
        self._tier = body.get("service_tier") or self._tier
        self._usage = _usage_of(body) or self._usage
        if any(name in value for name in OLLAMA_COUNTS):
            took = _nanoseconds(value.get("load_duration")) + _nanoseconds(value.get("prompt_eval_duration"))
            self._answer = self._answer._replace(
                tokens=usage.of_ollama(value), ttft_ms=took / 1e6 if took else None
            )


def _usage_of(body: dict[str, object]) -> object:
    """The usage of a document or an event. Moonshot puts it into the last choice, Groq beside the choices."""
    choices = body.get("choices")
    last = _table(choices[-1]) if isinstance(choices, list) and choices else {}
    return body.get("usage") or last.get("usage") or _table(body.get("x_groq")).get("usage")


def _is_content(value: dict[str, object]) -> bool:
    """Whether an event has content of the model. The first event is often empty and only announces the rest."""
    kind, choices = value.get("type"), value.get("choices")
    if isinstance(kind, str):
        return kind.endswith(".delta")
    if isinstance(choices, list):
        return any(_says(choice) for choice in choices if isinstance(choice, dict))
    parts = _table(value.get("message")) or value
    return any(parts.get(name) for name in ("content", "thinking", "tool_calls", "response"))


def _says(choice: dict[str, object]) -> bool:
    delta = choice.get("delta")
    if isinstance(delta, dict):
        return any(value for name, value in delta.items() if name != "role")
    return bool(choice.get("text"))


def _reason(body: dict[str, object]) -> str | None:
    """Why a response ended, in the API's own word."""
    choices = body.get("choices")
    reasons = [_table(choice).get("finish_reason") for choice in choices] if isinstance(choices, list) else []
    reasons += [
        body.get("finish_reason"), body.get("done_reason"), _table(body.get("incomplete_details")).get("reason"),
        body.get("status") if body.get("status") not in UNFINISHED else None,
    ]  # fmt: skip
    return next((reason for one in reasons if (reason := entry.word(one))), None)


def _error(value: dict[str, object], body: dict[str, object]) -> str | None:
    """The kind of an error inside an answer, in the API's own word."""
    error = value if value.get("type") == "error" else body.get("error") or value.get("error")
    if not error:
        return None
    parts = _table(error)
    kinds = (parts.get("code"), parts.get("type") if error is not value else None)
    return next((kind for one in kinds if (kind := entry.word(one))), "error")


def _table(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _nanoseconds(value: object) -> int:
    return value if type(value) is int and 0 < value < 1 << 62 else 0
