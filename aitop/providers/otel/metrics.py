"""Token counts that arrive as metrics → responses, spread evenly over the calls that they sum up.

Two generations of names exist. The older has one histogram, `gen_ai.client.token.usage`, with a series for each
kind of token. The newer has a counter for each kind, `gen_ai.client.inference.usage.*`. The cache's and the
reasoning's counters are parts of the input's and the output's in both, and must not be added to them. The
histograms `gen_ai.client.inference.operation.*` hold the same tokens again: only their number of calls is used.
A service that sends both generations is counted by the newer.

A running total counts by what it grew. The first look at one that began before this process did counts nothing:
an earlier listener may have counted it.
"""

from typing import NamedTuple

from aitop.model.events import Response, Usage
from aitop.otlp import Record
from aitop.otlp.records import Value
from aitop.providers import genai
from aitop.providers.lenient import MAX_TOKENS, milliseconds

OLD_TOKENS = "gen_ai.client.token.usage"
OLD_KINDS = {  # of gen_ai.token.type
    "input": "input", "output": "output", "completion": "output", "cache_read": "read", "input_cached": "read",
    "cache_creation": "written", "cache_write": "written", "reasoning": "reasoning",
}  # fmt: skip
NEW_TOKENS = "gen_ai.client.inference.usage."
NEW_KINDS = {  # the end of the counter's name
    "input_tokens": "input", "output_tokens": "output", "cache_read.input_tokens": "read",
    "cache_write.input_tokens": "written", "cache_creation.input_tokens": "written",
    "reasoning.output_tokens": "reasoning",
}  # fmt: skip
DURATIONS = ("gen_ai.client.operation.duration", "gen_ai.client.inference.operation.duration")
NEW_CALLS = "gen_ai.client.inference.operation."  # histograms: one measurement a call
PARTS_OF_A_CALL = ("gen_ai.token.type", "gen_ai.token.modality")  # tell apart the tokens of one call
MAX_SERIES = 4096
MAX_CALLS = 1000  # of one data point
MAX_RESPONSES = 5000  # of one body
Key = tuple[str, ...]


class _Total(NamedTuple):
    started_at: float
    value: float
    measured: int


class _Growth(NamedTuple):
    """What is new in one or more data points of one kind."""

    record: Record
    value: float
    measured: int


class Metrics:
    """Remembers running totals, the latest `MAX_SERIES` of them."""

    def __init__(self) -> None:
        self._totals: dict[Key, _Total] = {}
        self._since: float | None = None
        self._newer: set[str] = set()  # services that send the newer generation

    def responses(self, records: list[Record], now: float) -> dict[str, list[Response]]:
        """Responses by service. The same data points again give the same responses, by `record_id`."""
        self._since = now if self._since is None else self._since
        if len(self._newer) < MAX_SERIES:
            self._newer.update(_service(one) for one in records if one.name.startswith(NEW_TOKENS))
        groups: dict[Key, dict[str, _Growth]] = {}
        for record in records:
            kind = _kind(record)
            if kind is None or (record.name == OLD_TOKENS and _service(record) in self._newer):
                continue
            grown = self._growth(record)
            if grown.measured and grown.value < MAX_TOKENS * MAX_CALLS:
                parts = groups.setdefault((*_series(record), f"{record.at:.6f}"), {})
                parts[kind] = _add(parts.get(kind), grown)
        by_service: dict[str, list[Response]] = {}
        left = MAX_RESPONSES
        for key, parts in groups.items():
            spread = _spread(key, parts)[:left]
            left -= len(spread)
            by_service.setdefault(key[0], []).extend(spread)
        return {service: responses for service, responses in by_service.items() if responses}

    def _growth(self, record: Record) -> _Growth:
        """The value and the measurements that are new in a data point."""
        if not record.cumulative:
            return _Growth(record, record.value, record.measured)
        apart = tuple(record.text(name) or "" for name in PARTS_OF_A_CALL)
        key = (*_series(record), record.name, *apart)
        new = _Total(record.started_at, record.value, record.measured)
        old = self._totals.pop(key, None)
        self._totals[key] = new
        if len(self._totals) > MAX_SERIES:
            del self._totals[next(iter(self._totals))]
        if old is not None and old.started_at == new.started_at and new.measured >= old.measured:
            return _Growth(record, max(0.0, new.value - old.value), _measured(record, old, new))
        began_here = self._since is not None and record.started_at >= self._since
        if old is not None or began_here:
            return _Growth(record, record.value, record.measured)
        return _Growth(record, 0.0, 0)


def _measured(record: Record, old: _Total, new: _Total) -> int:
    """A counter does not say how often it was raised: once, where it grew."""
    if record.name.startswith(NEW_TOKENS):
        return int(new.value > old.value)
    return new.measured - old.measured


def _add(one: _Growth | None, other: _Growth) -> _Growth:
    """Tokens of one kind may come apart by modality; the calls are the same ones."""
    if one is None:
        return other
    return _Growth(other.record, one.value + other.value, max(one.measured, other.measured))


def _kind(record: Record) -> str | None:
    if record.kind != "point":
        return None
    if record.name in DURATIONS:
        return "duration"
    if record.name == OLD_TOKENS:
        return OLD_KINDS.get(record.text("gen_ai.token.type") or "")
    if record.name.startswith(NEW_TOKENS):
        return NEW_KINDS.get(record.name.removeprefix(NEW_TOKENS))
    return "calls" if record.name.startswith(NEW_CALLS) else None


def _service(record: Record) -> str:
    return record.service or "unknown"


def _series(record: Record) -> Key:
    instance: Value = record.resource.get("service.instance.id", "")
    model = record.text("gen_ai.response.model", "gen_ai.request.model") or "unknown"
    others = sorted(
        f"{name}={value}" for name, value in record.attributes.items() if name not in PARTS_OF_A_CALL
    )
    return (_service(record), str(instance), model, "|".join(others))


def _spread(key: Key, parts: dict[str, _Growth]) -> list[Response]:
    """As many responses as there were calls. Their tokens are equal, but for the remainder."""
    tokens = parts.get("output") or parts.get("input")
    if tokens is None:
        return []
    record, duration = tokens.record, parts.get("duration")
    is_counter = record.name.startswith(NEW_TOKENS)
    counted = parts.get("calls") or duration if is_counter else None
    calls = min(counted.measured if counted else tokens.measured, MAX_CALLS)
    service, instance, model, *_ = key
    session = f"{service}:{instance}"[:200] if instance else service
    whole, output, read, written, reasoning = (
        _shares(parts[kind].value if kind in parts else 0.0, calls)
        for kind in ("input", "output", "read", "written", "reasoning")
    )
    took = milliseconds(duration.value * 1000 / duration.measured) if duration else None
    made = []
    for n in range(calls):
        cached = min(whole[n], read[n] + written[n])
        from_cache = min(read[n], cached)
        usage = Usage(
            whole[n] - cached, output[n], from_cache, cached - from_cache, 0, min(reasoning[n], output[n])
        )
        if any(usage[:4]):
            name = f"{':'.join(key)}:{n}"
            made.append(
                Response(
                    session,
                    record.at,
                    model,
                    usage,
                    record_id=name,
                    stop_reason="",
                    duration_ms=took,
                    billed_usd=0.0 if genai.is_local(record, model) else None,
                )
            )
    return made


def _shares(value: float, parts: int) -> list[int]:
    each, more = divmod(int(value), parts)
    return [each + (n < more) for n in range(parts)]
