"""What one answer says of itself, read as it passes: model, usage, reason, the time of its first token.

Pure: the bytes of an answer with the moment they came, nothing of the network. Reads three forms: a JSON
document, server-sent events, and Ollama's lines. Keeps no content: a line is dropped once it is looked at.
"""

import re
from typing import Any, NamedTuple

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
# Most events of a stream hold a few letters of content. These tell more:
TELLING = re.compile(
    rb'"usage":\s*\{|"(?:finish_reason|done_reason)":\s*"|"done":\s*true|"error"'
    rb'|"type":\s*"response\.(?:completed|incomplete|failed)"'
)
UNFINISHED = ("queued", "in_progress")
OLLAMA_COUNTS = ("prompt_eval_count", "eval_count")


class Found(NamedTuple):
    """What was read of an answer."""

    model: str | None = None
    response_id: str | None = None
    tokens: Tokens | None = None
    stop_reason: str | None = None
    unfinished: bool = False  # the API itself says that the response goes on elsewhere
    error: str | None = None
    first_at: float | None = None  # when the first token of a stream came
    ttft_ms: float | None = None  # as the API itself measured it


class Meter:
    """One answer. `feed` what came, then ask what was `found`."""

    def __init__(self, content_type: str, encoding: str) -> None:
        self.form = FORMS.get(content_type.partition(";")[0].strip().lower())
        self._unpack: Unpack | None = unpacker(encoding) if self.form else None
        self._document = Document()
        self._said = Found()
        self._usage: Any = None
        self._tier: Any = None

    def feed(self, data: bytes, at: float) -> None:
        """Some bytes as they were sent, at a moment. Never raises."""
        if self._unpack is None:
            return
        try:
            for plain in self._unpack(data):
                self._plain(plain, at)
        except Exception:  # whatever a decompressor says of damage: the rest cannot be read
            self._unpack = None

    def found(self) -> Found:
        """What is known when the answer has ended, well or not."""
        if self._document.size:
            self._line_ended(0.0)
        said = self._said
        return said._replace(tokens=said.tokens or usage.of_openai(self._usage, self._tier))

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
            said = self._said
            first = said.first_at is None or said.model is None
            if self.form == WHOLE or first or document.large or TELLING.search(document.kept):
                value = document.value()
                if value is not None:
                    self._read(value, at)
        document.clear()

    def _read(self, value: dict[str, Any], at: float) -> None:
        said, body = self._said, _table(value.get("response")) or value
        self._said = said._replace(
            model=entry.name(body.get("model")) or said.model,
            response_id=said.response_id or entry.name(body.get("id")),
            stop_reason=_reason(body) or said.stop_reason,
            unfinished=body["status"] in UNFINISHED if "status" in body else said.unfinished,
            error=_error(value, body) or said.error,
            first_at=at
            if said.first_at is None and self.form != WHOLE and _is_content(value)
            else said.first_at,
        )
        self._tier = body.get("service_tier") or self._tier
        self._usage = body.get("usage") or self._usage
        if any(name in value for name in OLLAMA_COUNTS):
            took = _nanoseconds(value.get("load_duration")) + _nanoseconds(value.get("prompt_eval_duration"))
            self._said = self._said._replace(
                tokens=usage.of_ollama(value), ttft_ms=took / 1e6 if took else None
            )


def _is_content(value: dict[str, Any]) -> bool:
    """Whether an event has something the model made: a first empty one only announces the rest."""
    kind, choices = value.get("type"), value.get("choices")
    if isinstance(kind, str):
        return kind.endswith(".delta")
    if isinstance(choices, list):
        return any(_says(choice) for choice in choices if isinstance(choice, dict))
    parts = _table(value.get("message")) or value
    return any(parts.get(name) for name in ("content", "thinking", "tool_calls", "response"))


def _says(choice: dict[str, Any]) -> bool:
    delta = choice.get("delta")
    if isinstance(delta, dict):
        return any(value for name, value in delta.items() if name != "role")
    return bool(choice.get("text"))


def _reason(body: dict[str, Any]) -> str | None:
    """Why a response ended, by the API's own word."""
    choices = body.get("choices")
    found = [_table(choice).get("finish_reason") for choice in choices] if isinstance(choices, list) else []
    found += [
        body.get("finish_reason"), body.get("done_reason"), _table(body.get("incomplete_details")).get("reason"),
        body.get("status") if body.get("status") not in UNFINISHED else None,
    ]  # fmt: skip
    return next((said for one in found if (said := entry.word(one))), None)


def _error(value: dict[str, Any], body: dict[str, Any]) -> str | None:
    """The kind of an error told within an answer, by the API's own word."""
    told = value if value.get("type") == "error" else body.get("error") or value.get("error")
    if not told:
        return None
    parts = _table(told)
    kinds = (parts.get("code"), parts.get("type") if told is not value else None)
    return next((said for one in kinds if (said := entry.word(one))), "error")


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _nanoseconds(value: Any) -> int:
    return value if type(value) is int and 0 < value < 1 << 62 else 0
