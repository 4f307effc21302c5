"""object program's telemetry by the GenAI conventions: an inference's span or event, a tool's span, metrics.

A service that sends its calls one by one is counted by those. Its metrics hold the same calls again and are
ignored. A service that sends only metrics is counted by them. Which kind a service is shows after some
seconds, so metrics wait that long. Keeps no text.
"""

from aitop.model.events import Event, Response, ToolUse
from aitop.otlp import Record
from aitop.providers import Feed, Parsed, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aitop.providers.otel.metrics import Metrics

WAIT = 12.0  # seconds; programs send their spans every five
MAX_SERVICES = 1000
MAX_WAITING_BODIES = 100  # bodies of metrics


class OpenTelemetry:
    """The provider. It has no files. It remembers which services send calls, and running totals."""

    name = "otel"
    services: tuple[str, ...] = ()  # it gets what no other provider claims

    def __init__(self) -> None:
        self._with_calls: set[str] = set()
        self._metrics: Metrics | None = None  # loaded when telemetry is first asked for
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

    def feed(self, header: dict[str, str], payload: dict[str, object], now: float) -> Feed | None:  # noqa: ARG002
        return None

    def telemetry(self, records: list[Record], now: float) -> list[Event]:
        """Events of these records, and of metrics that have waited. Called each second, often with no records."""
        made: list[Event] = []
        from aitop.providers import genai
        from aitop.providers.otel.metrics import Metrics

        self._metrics = self._metrics or Metrics()
        for record in genai.outermost(records):
            response = genai.response(record, session_of(record))
            if response is not None:
                made.append(response)
                if len(self._with_calls) < MAX_SERVICES:
                    self._with_calls.add(_service(record))
        made += [tool for record in records if (tool := _tool(record)) is not None]
        for service, responses in self._metrics.responses(records, now).items():
            if len(self._waiting) < MAX_WAITING_BODIES:
                self._waiting.append((now + WAIT, service, responses))
        due = [entry for entry in self._waiting if not now < entry[0] <= now + WAIT]
        self._waiting = [entry for entry in self._waiting if now < entry[0] <= now + WAIT]
        for _, service, responses in due:
            if service not in self._with_calls:
                made += responses
        return made


def session_of(record: Record) -> str:
    """`SERVICE:CONVERSATION`, else `SERVICE:INSTANCE` (one run of a program), else the service."""
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
