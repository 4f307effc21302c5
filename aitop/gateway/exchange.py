"""The facts of one request and its answer, and the journal's line made of them. Moments are arguments."""

import uuid

from aitop.gateway import journal
from aitop.gateway.meter import Answer, Meter
from aitop.gateway.programs import RECORDED, program
from aitop.gateway.upstreams import OLLAMA, Upstream
from aitop.providers.gateway.entry import Entry

OPERATIONS = ("/chat/completions", "/completions", "/responses", "/embeddings",
              "/api/chat", "/api/generate", "/api/embed", "/api/embeddings")  # fmt: skip


class Exchange:
    """One request, from its head to the end of its answer. Moments are of a monotonic clock."""

    def __init__(self, upstream: Upstream, method: str, path: str, user_agent: str, began: float) -> None:
        self.upstream = upstream
        self.began = began
        self.program = program(user_agent)
        ours = self.program not in RECORDED
        self.counted = ours and method == "POST" and path.endswith(OPERATIONS)
        # A response made in the background is complete when it is fetched.
        self.fetched = ours and method == "GET" and "/responses/" in path
        self.status: int | None = None
        self.meter: Meter | None = None
        self.complete = False
        self.fault: str | None = None

    def answered(self, status: int, content_type: str, encoding: str) -> None:
        self.status = status
        if self.counted or self.fetched:
            self.meter = Meter(content_type, encoding)

    def passed(self, piece: bytes, at: float) -> None:
        if self.meter is not None:
            self.meter.feed(piece, at)

    def entry(self, now: float, ended: float) -> Entry | None:
        """The line for the journal, `now` in epoch seconds; None for a request to no model."""
        answer = self.meter.answer() if self.meter is not None else Answer()
        if not self.counted and answer.tokens is None:
            return None
        error = self._error(answer)
        return Entry(
            uuid.uuid4().hex, now, journal.session(self.program, self.upstream.name, now), answer.model,
            tokens=None if error else answer.tokens,
            stop_reason=None if error else answer.stop_reason or ("stop" if self._ended(answer) else None),
            error=error,
            response_id=answer.response_id,
            local=self.upstream.provider == OLLAMA and not (answer.model or "").endswith("cloud"),
            duration_ms=(ended - self.began) * 1000 if self.counted else None,
            ttft_ms=self._ttft(answer) if self.counted else None,
            billed_usd=answer.billed_usd,
        )  # fmt: skip

    def _ended(self, answer: Answer) -> bool:
        return self.complete and not answer.unfinished

    def _error(self, answer: Answer) -> str | None:
        if answer.tokens is not None:
            return None  # it has to be paid for, however it ended
        if self.fault is not None and self.status is None:
            return self.fault
        if self.status is not None and self.status >= 400:
            return answer.error if answer.error not in (None, "error") else f"http_{self.status}"
        return answer.error or self.fault

    def _ttft(self, answer: Answer) -> float | None:
        return (answer.first_at - self.began) * 1000 if answer.first_at is not None else answer.ttft_ms
