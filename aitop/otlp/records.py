"""The tree of one body → records, each with the attributes of its resource beside its own. Pure.

The tree may hold anything anywhere: a value of the wrong type is skipped. Contents are skipped too: long
texts, nested values, and the attributes that hold what people or models wrote, or who they are.
"""

from collections.abc import Iterator
from typing import NamedTuple

MAX_TEXT = 512  # characters; a longer text is content
MAX_LIST = 16
MAX_ATTRIBUTES = 128
MAX_RECORDS = 10_000  # of one body; programs send 512 at once
Scalar = str | int | float | bool
Value = Scalar | list[Scalar]

CONTENTS = frozenset(
    (
        "prompt", "response", "completion", "content", "body", "message", "messages", "input", "output", "arguments",
        "args", "command", "full_command", "function_args", "request_text", "response_text", "tool_input",
        "tool_output", "tool_parameters", "tool_result", "result", "error_message", "system_prompt",
        "exception.message", "exception.stacktrace", "db.statement", "db.query.text", "url.full", "url.query",
        "user.email", "user.id", "user.name", "user.full_name", "user.account_uuid", "user.account_id",
        "user_email", "organization.id", "enduser.id",
        "gen_ai.prompt", "gen_ai.completion", "gen_ai.input.messages", "gen_ai.output.messages",
        "gen_ai.system_instructions", "gen_ai.tool.definitions", "gen_ai.tool.description",
        "gen_ai.agent.description", "gen_ai.tool.call.arguments", "gen_ai.tool.call.result",
    )
)  # fmt: skip
CONTENTS_UNDER = (
    "gen_ai.prompt.",
    "gen_ai.completion.",
    "llm.prompts.",
    "llm.completions.",
    "traceloop.entity.",
)


class TooMany(ValueError):  # noqa: N818
    """A body with more than `MAX_RECORDS` records."""


class Record(NamedTuple):
    """One log record, span or data point.

    Times are epoch seconds, 0.0 where there is none; a span's `at` is its end. `value` is a data point's
    sum, `measured` the number of its measurements (1 for a plain number).
    """

    kind: str  # log, span, point
    name: str  # the event's, span's or metric's
    at: float
    attributes: dict[str, Value]
    resource: dict[str, Value]
    scope: str = ""
    started_at: float = 0.0
    failed: bool = False
    trace: str = ""
    span: str = ""
    parent: str = ""
    value: float = 0.0
    measured: int = 0
    cumulative: bool = False

    @property
    def service(self) -> str:
        return text(self.resource.get("service.name"))

    def text(self, *names: str) -> str | None:
        """The first of these attributes that is a text and not empty."""
        return next((value for name in names if (value := text(self.attributes.get(name)))), None)

    def number(self, *names: str) -> float | None:
        """The first of these attributes that is a number of 0 or more, written as one or as a text."""
        return next(
            (value for name in names if (value := number(self.attributes.get(name))) is not None), None
        )

    def count_of(self, *names: str) -> int:
        """As `number`, cut to a whole number; 0 where there is none."""
        return int(self.number(*names) or 0)


def text(value: object) -> str:
    return value if isinstance(value, str) else ""


def number(value: object) -> float | None:
    """A finite number of 0 or more below 1e15; programs write numbers as texts too."""
    if isinstance(value, str) and len(value) < 32:
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e15:
        return float(value)
    return None


def records(tree: dict[str, object], signal: str) -> list[Record]:
    """All records of one body. Raises TooMany."""
    resources, scopes, one, make = {
        "logs": ("resourceLogs", "scopeLogs", "logRecords", _log),
        "traces": ("resourceSpans", "scopeSpans", "spans", _span),
        "metrics": ("resourceMetrics", "scopeMetrics", "metrics", _metric),
    }[signal]
    made: list[Record] = []
    for resource in _dicts(tree.get(resources)):
        of_resource = _attributes(_dict(resource.get("resource")).get("attributes"))
        for scope in _dicts(resource.get(scopes)):
            name = text(_dict(scope.get("scope")).get("name"))
            for record in _dicts(scope.get(one)):
                made += make(record, of_resource, name)
                if len(made) > MAX_RECORDS:
                    raise TooMany("too many records in one body")
    return made


def _log(raw: dict[str, object], resource: dict[str, Value], scope: str) -> Iterator[Record]:
    attributes = _attributes(raw.get("attributes"))
    name = text(attributes.get("event.name")) or text(raw.get("eventName"))
    at = _seconds(raw.get("timeUnixNano")) or _seconds(raw.get("observedTimeUnixNano"))
    yield Record(
        "log",
        name,
        at,
        attributes,
        resource,
        scope,
        trace=_id(raw.get("traceId")),
        span=_id(raw.get("spanId")),
    )


def _span(raw: dict[str, object], resource: dict[str, Value], scope: str) -> Iterator[Record]:
    status = _dict(raw.get("status")).get("code")
    yield Record(
        "span", text(raw.get("name"))[:MAX_TEXT], _seconds(raw.get("endTimeUnixNano")),
        _attributes(raw.get("attributes")), resource, scope, _seconds(raw.get("startTimeUnixNano")),
        status in (2, "STATUS_CODE_ERROR"), _id(raw.get("traceId")), _id(raw.get("spanId")),
        _id(raw.get("parentSpanId")),
    )  # fmt: skip


def _metric(raw: dict[str, object], resource: dict[str, Value], scope: str) -> Iterator[Record]:
    name = text(raw.get("name"))[:MAX_TEXT]
    for form in ("sum", "histogram", "exponentialHistogram"):
        data = _dict(raw.get(form))
        cumulative = data.get("aggregationTemporality") in (2, "AGGREGATION_TEMPORALITY_CUMULATIVE")
        for point in _dicts(data.get("dataPoints")):
            value = number(point.get("sum", point.get("asInt", point.get("asDouble"))))
            count = number(point.get("count")) if form != "sum" else 1.0
            yield Record(
                "point", name, _seconds(point.get("timeUnixNano")), _attributes(point.get("attributes")), resource,
                scope, _seconds(point.get("startTimeUnixNano")), value=value or 0.0, measured=int(count or 0),
                cumulative=cumulative,
            )  # fmt: skip


def _attributes(raw: object) -> dict[str, Value]:
    attributes: dict[str, Value] = {}
    for pair in _dicts(raw)[:MAX_ATTRIBUTES]:
        key = pair.get("key")
        if not isinstance(key, str) or key in CONTENTS or key.startswith(CONTENTS_UNDER):
            continue
        value = _value(pair.get("value"))
        if value is not None:
            attributes[key] = value
    return attributes


def _value(raw: object) -> Value | None:
    value = _scalar(raw)
    if value is not None or not isinstance(raw, dict):
        return value
    items = _dicts(_dict(raw.get("arrayValue")).get("values"))[:MAX_LIST]
    return [one for item in items if (one := _scalar(item)) is not None] or None


def _scalar(raw: object) -> Scalar | None:
    if not isinstance(raw, dict):
        return None
    text_value = raw.get("stringValue")
    if isinstance(text_value, str):
        return text_value.encode("utf-8", "replace").decode() if len(text_value) <= MAX_TEXT else None
    if "intValue" in raw:
        return _whole(raw["intValue"])
    for value in (raw.get("doubleValue"), raw.get("boolValue")):
        if isinstance(value, int | float):
            return value
    return None


def _seconds(nanoseconds: object) -> float:
    whole = _whole(nanoseconds)
    return whole / 1e9 if 0 < whole < 1 << 64 else 0.0


def _whole(value: object) -> int:
    """OTLP's JSON writes whole numbers as texts; some programs write numbers."""
    if isinstance(value, str) and len(value) < 21 and value.isascii() and value.removeprefix("-").isdecimal():
        return int(value)
    return value if type(value) is int else 0


def _id(value: object) -> str:
    return value[:64] if isinstance(value, str) else ""


def _dict(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _dicts(value: object) -> list[dict[str, object]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
