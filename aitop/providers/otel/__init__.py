"""Any program's telemetry by the GenAI conventions: an inference's span or event, a tool's span, metrics.

A service that tells of its calls one by one is counted by those, and its metrics are not looked at: they
are the same calls again. A service that only sends metrics is counted by them. Which of the two it is
shows after a few seconds, so metrics wait that long. Keeps no text.
"""

from typing import Any

from aitop.model.events import Event, Response, ToolUse
from aitop.otlp import Record
from aitop.providers import Feed, Parsed, Source, genai
from aitop.providers.otel.metrics import Metrics

WAIT = 20.0  # seconds; spans are sent every five
SERVICES_MOST = 1000
WAITING_MOST = 100  # bodies of metrics


class OpenTelemetry:
    """The provider. Without records of its own; it remembers who tells calls, and running totals."""

    name = "otel"
    services: tuple[str, ...] = ()  # whoever is nobody else's

    def __init__(self) -> None:
        self._telling: set[str] = set()
        self._metrics = Metrics()
        self._waiting: list[tuple[float, str, list[Response]]] = []

    def folders(self, configured: list[str], environ: dict[str, str]) -> list[str]:  # noqa: ARG002
        return []

    def wants(self, path: str) -> bool:  # noqa: ARG002
        return False

    def identify(self, path: str) -> Source:  # noqa: ARG002
        return Source(None, None)

    def parse(self, data: bytes, start: int, source: Source) -> Parsed:  # noqa: ARG002
        return Parsed([], 0, None, None, None)

    def context_limit(self, model: str) -> int | None:  # noqa: ARG002
        return None

    def feed(self, header: dict[str, str], payload: dict[str, Any], now: float) -> Feed | None:  # noqa: ARG002
        return None

    def telemetry(self, records: list[Record], now: float) -> list[Event]:
        """Events of these records, and of metrics that have waited; asked each second, often with none."""
        found: list[Event] = []
        for record in genai.outermost(records):
            told = genai.response(record, session_of(record))
            if told is not None:
                found.append(told)
                if len(self._telling) < SERVICES_MOST:
                    self._telling.add(_service(record))
        found += [tool for record in records if (tool := _tool(record)) is not None]
        for service, responses in self._metrics.responses(records, now).items():
            if len(self._waiting) < WAITING_MOST:
                self._waiting.append((now + WAIT, service, responses))
        due = [entry for entry in self._waiting if not now < entry[0] <= now + WAIT]
        self._waiting = [entry for entry in self._waiting if now < entry[0] <= now + WAIT]
        for _, service, responses in due:
            if service not in self._telling:
                found += responses
        return found


def session_of(record: Record) -> str:
    """`SERVICE:CONVERSATION`; without conversations one run of a program is a session, else the service."""
    instance = record.resource.get("service.instance.id")
    part = record.text("gen_ai.conversation.id", "session.id")
    part = part or (instance if isinstance(instance, str) else None)
    return f"{_service(record)}:{part}"[:200] if part else _service(record)


def _service(record: Record) -> str:
    return record.service or "unknown"


def _tool(record: Record) -> ToolUse | None:
    if record.kind != "span" or record.text("gen_ai.operation.name") != "execute_tool":
        return None
    session = session_of(record)
    identity = record.text("gen_ai.tool.call.id") or record.span
    at = record.started_at or record.at
    name = record.text("gen_ai.tool.name") or "unknown"
    return ToolUse(session, at, f"{session}:{identity}", name, None, record.at, record.failed)


provider = OpenTelemetry()
