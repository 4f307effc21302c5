"""What is noted of one request and its answer, and the line that is made of it. Every moment is handed in."""

import uuid

from aitop.gateway import journal
from aitop.gateway.meter import Found, Meter
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
        # A response made in the background is told when it is asked for.
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
        """The line for the journal, `now` in epoch seconds; None for what is no request to a model."""
        said = self.meter.found() if self.meter is not None else Found()
        if not self.counted and said.tokens is None:
            return None
        error = self._error(said)
        return Entry(
            uuid.uuid4().hex, now, journal.session(self.program, self.upstream.name, now), said.model,
            tokens=None if error else said.tokens,
            stop_reason=None if error else said.stop_reason or ("stop" if self._ended(said) else None),
            error=error,
            response_id=said.response_id,
            local=self.upstream.provider == OLLAMA and not (said.model or "").endswith("cloud"),
            duration_ms=(ended - self.began) * 1000 if self.counted else None,
            ttft_ms=self._ttft(said) if self.counted else None,
        )  # fmt: skip

    def _ended(self, said: Found) -> bool:
        return self.complete and not said.unfinished

    def _error(self, said: Found) -> str | None:
        if said.tokens is not None:
            return None  # it is to be paid, however it ended
        if self.fault is not None and self.status is None:
            return self.fault
        if self.status is not None and self.status >= 400:
            return said.error if said.error not in (None, "error") else f"http_{self.status}"
        return said.error or self.fault

    def _ttft(self, said: Found) -> float | None:
        return (said.first_at - self.began) * 1000 if said.first_at is not None else said.ttft_ms
