"""Token counts that come as metrics → responses, spread evenly over the calls that they sum up.

`gen_ai.client.token.usage` has one series for each kind of token, `gen_ai.client.operation.duration` one
beside it. A running total counts by what it grew; the first look at one that began before we listened
counts nothing, since an earlier listener may have counted it.
"""

from typing import NamedTuple

from aitop.model.events import Response, Usage
from aitop.otlp import Record
from aitop.otlp.records import Value
from aitop.providers.lenient import MAX_TOKENS, milliseconds

TOKENS, DURATION = "gen_ai.client.token.usage", "gen_ai.client.operation.duration"
KINDS = {
    "input": "input", "output": "output", "completion": "output", "cache_read": "read", "input_cached": "read",
    "cache_creation": "written", "cache_write": "written",
}  # fmt: skip
OF_A_KIND = ("gen_ai.token.type", "gen_ai.token.modality")  # these tell apart what is one call
SERIES_MOST = 4096
CALLS_MOST = 1000  # of one data point
RESPONSES_MOST = 5000  # of one body
Key = tuple[str, ...]


class _Total(NamedTuple):
    started_at: float
    value: float
    measured: int


class Metrics:
    """Remembers running totals, the latest `SERIES_MOST` of them."""

    def __init__(self) -> None:
        self._totals: dict[Key, _Total] = {}
        self._since: float | None = None

    def responses(self, records: list[Record], now: float) -> dict[str, list[Response]]:
        """Responses by service; the same data points again give the same ones, by `record_id`."""
        self._since = now if self._since is None else self._since
        groups: dict[Key, dict[str, tuple[Record, float, int]]] = {}
        for record in records:
            kind = _kind(record)
            if kind is None:
                continue
            value, count = self._growth(record, kind)
            if count and value < MAX_TOKENS * CALLS_MOST:
                groups.setdefault((*_series(record), f"{record.at:.6f}"), {})[kind] = (record, value, count)
        found: dict[str, list[Response]] = {}
        left = RESPONSES_MOST
        for key, parts in groups.items():
            spread = _spread(key, parts)[:left]
            left -= len(spread)
            found.setdefault(key[0], []).extend(spread)
        return {service: responses for service, responses in found.items() if responses}

    def _growth(self, record: Record, kind: str) -> tuple[float, int]:
        """(value, measurements) that are new in a data point."""
        if not record.cumulative:
            return record.value, record.measured
        key = (*_series(record), kind)
        new = _Total(record.started_at, record.value, record.measured)
        old = self._totals.pop(key, None)
        self._totals[key] = new
        if len(self._totals) > SERIES_MOST:
            del self._totals[next(iter(self._totals))]
        if old is not None and old.started_at == new.started_at and new.measured >= old.measured:
            return max(0.0, new.value - old.value), new.measured - old.measured
        began_here = self._since is not None and record.started_at >= self._since
        return (record.value, record.measured) if old is not None or began_here else (0.0, 0)


def _kind(record: Record) -> str | None:
    if record.kind != "point":
        return None
    if record.name == DURATION:
        return "duration"
    return KINDS.get(record.text("gen_ai.token.type") or "") if record.name == TOKENS else None


def _series(record: Record) -> Key:
    instance: Value = record.resource.get("service.instance.id", "")
    model = record.text("gen_ai.response.model", "gen_ai.request.model") or "unknown"
    others = sorted(f"{name}={value}" for name, value in record.attributes.items() if name not in OF_A_KIND)
    return (record.service or "unknown", str(instance), model, "|".join(others))


def _spread(key: Key, parts: dict[str, tuple[Record, float, int]]) -> list[Response]:
    """As many responses as were measured, their tokens shared out so that the sums are exact."""
    told = parts.get("output") or parts.get("input")
    if told is None:
        return []
    record, _, calls = told
    calls = min(calls, CALLS_MOST)
    service, instance, model, *_ = key
    session = f"{service}:{instance}"[:200] if instance else service
    whole, output, read, written = (
        _shares(parts[kind][1] if kind in parts else 0.0, calls)
        for kind in ("input", "output", "read", "written")
    )
    _, seconds, measured = parts.get("duration", (None, 0.0, 0))
    took = milliseconds(seconds * 1000 / measured) if measured else None
    found = []
    for n in range(calls):
        cached = min(whole[n], read[n] + written[n])
        usage = Usage(whole[n] - cached, output[n], min(read[n], cached), cached - min(read[n], cached))
        if any(usage[:4]):
            name = f"{':'.join(key)}:{n}"
            found.append(
                Response(session, record.at, model, usage, record_id=name, stop_reason="", duration_ms=took)
            )
    return found


def _shares(value: float, parts: int) -> list[int]:
    each, more = divmod(int(value), parts)
    return [each + (n < more) for n in range(parts)]
