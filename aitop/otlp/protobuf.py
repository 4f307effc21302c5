"""Decode the protobuf form of OTLP into the tree that its JSON form has.

Tables name the wanted fields. All other fields are skipped, among them every body and content, so those
texts are never made. Pure. Hostile input is expected: each byte is read once, the number of steps is bounded,
and nesting ends with the tables.
Source: protobuf.dev, "Encoding"; field numbers from opentelemetry-proto 1.x.
"""

import struct
from typing import Any

from aitop.model.json_types import JsonObject

TEXT, HEX, BOOL, INT, FIXED, SIGNED, DOUBLE = range(7)
MAX_TEXT = 512  # bytes; a longer text is content and is skipped
WIRE = {TEXT: 2, HEX: 2, BOOL: 0, INT: 0, FIXED: 1, SIGNED: 1, DOUBLE: 1}
_FIXED, _SIGNED, _DOUBLE = struct.Struct("<Q"), struct.Struct("<q"), struct.Struct("<d")

# {field number: (name in JSON, kind)}. A kind that is a table is a message; a table in a list is repeated.

Table = dict[int, tuple[str, Any]]

_SCALAR: Table = {
    1: ("stringValue", TEXT),
    2: ("boolValue", BOOL),
    3: ("intValue", INT),
    4: ("doubleValue", DOUBLE),
}
_VALUE: Table = {**_SCALAR, 5: ("arrayValue", {1: ("values", [_SCALAR])})}
_ATTRIBUTES = [{1: ("key", TEXT), 2: ("value", _VALUE)}]
_RESOURCE = {1: ("attributes", _ATTRIBUTES)}
_SCOPE = {1: ("name", TEXT)}
_LOG = {
    1: ("timeUnixNano", FIXED), 6: ("attributes", _ATTRIBUTES), 9: ("traceId", HEX), 10: ("spanId", HEX),
    11: ("observedTimeUnixNano", FIXED), 12: ("eventName", TEXT),
}  # fmt: skip
_SPAN = {
    1: ("traceId", HEX), 2: ("spanId", HEX), 4: ("parentSpanId", HEX), 5: ("name", TEXT),
    7: ("startTimeUnixNano", FIXED), 8: ("endTimeUnixNano", FIXED), 9: ("attributes", _ATTRIBUTES),
    15: ("status", {3: ("code", INT)}),
}  # fmt: skip
_NUMBER = {
    2: ("startTimeUnixNano", FIXED), 3: ("timeUnixNano", FIXED), 4: ("asDouble", DOUBLE), 6: ("asInt", SIGNED),
    7: ("attributes", _ATTRIBUTES),
}  # fmt: skip
_HISTOGRAM = {
    2: ("startTimeUnixNano", FIXED), 3: ("timeUnixNano", FIXED), 4: ("count", FIXED), 5: ("sum", DOUBLE),
    9: ("attributes", _ATTRIBUTES),
}  # fmt: skip
_EXPONENTIAL = {**{n: _HISTOGRAM[n] for n in (2, 3, 4, 5)}, 1: ("attributes", _ATTRIBUTES)}
_TEMPORALITY = {2: ("aggregationTemporality", INT)}
_METRIC = {
    1: ("name", TEXT),
    7: ("sum", {1: ("dataPoints", [_NUMBER]), **_TEMPORALITY}),
    9: ("histogram", {1: ("dataPoints", [_HISTOGRAM]), **_TEMPORALITY}),
    10: ("exponentialHistogram", {1: ("dataPoints", [_EXPONENTIAL]), **_TEMPORALITY}),
}


def _signal(resources: str, scopes: str, records: str, record: Table) -> Table:
    scope = {1: ("scope", _SCOPE), 2: (records, [record])}
    return {1: (resources, [{1: ("resource", _RESOURCE), 2: (scopes, [scope])}])}


SIGNALS = {
    "logs": _signal("resourceLogs", "scopeLogs", "logRecords", _LOG),
    "traces": _signal("resourceSpans", "scopeSpans", "spans", _SPAN),
    "metrics": _signal("resourceMetrics", "scopeMetrics", "metrics", _METRIC),
}


class Broken(ValueError):  # noqa: N818
    """The bytes are no such message; the text says why."""


def decode(data: bytes, signal: str, max_fields: int) -> dict[str, object]:
    """The tree of one body, with the names of OTLP's JSON. Raises Broken."""
    return _Walk(data, max_fields).message(0, len(data), SIGNALS[signal])


class _Walk:
    """One pass over one body. `left` counts all fields down, wanted or not."""

    def __init__(self, data: bytes, max_fields: int) -> None:
        self.data, self.left = data, max_fields

    def message(self, at: int, end: int, table: Table) -> dict[str, object]:
        tree: JsonObject = {}
        while at < end:
            self.left -= 1
            if self.left < 0:
                raise Broken("too many fields in one body")
            tag, at = self.varint(at, end)
            wire, wanted = tag & 7, table.get(tag >> 3)
            value, at = self.skip(wire, at, end)
            if wanted is None:
                continue
            name, kind = wanted
            if isinstance(kind, list):
                if wire == 2:
                    tree.setdefault(name, []).append(self.message(value, at, kind[0]))
            elif isinstance(kind, dict):
                if wire == 2:
                    tree[name] = self.message(value, at, kind)
            elif WIRE[kind] == wire:
                scalar = self.scalar(kind, value, at)
                if scalar is not None:
                    tree[name] = scalar
        return tree

    def varint(self, at: int, end: int) -> tuple[int, int]:
        """(value, its end). A number has at most ten bytes, of which 64 bits count."""
        data = self.data
        if at < end and data[at] < 0x80:
            return data[at], at + 1  # nearly all of them
        value = 0
        for shift in range(0, 70, 7):
            if at >= end:
                raise Broken("it ends inside a number")
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value & 0xFFFFFFFFFFFFFFFF, at
        raise Broken("a number is longer than ten bytes")

    def skip(self, wire: int, at: int, end: int) -> tuple[int, int]:
        """(the number, or the start of the contents; the field's end)."""
        if wire == 0:
            return self.varint(at, end)
        if wire == 2:
            size, at = self.varint(at, end)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise Broken(f"wire type {wire}")
        if size > end - at:
            raise Broken("a field is longer than what holds it")
        return at, at + size

    def scalar(self, kind: int, value: int, end: int) -> object:
        if kind == INT:
            return value - (1 << 64) if value >> 63 else value
        if kind == BOOL:
            return value != 0
        if kind == FIXED:
            return _FIXED.unpack_from(self.data, value)[0]
        if kind == SIGNED:
            return _SIGNED.unpack_from(self.data, value)[0]
        if kind == DOUBLE:
            return _DOUBLE.unpack_from(self.data, value)[0]
        if end - value > MAX_TEXT:
            return None
        raw = self.data[value:end]
        return raw.hex() if kind == HEX else raw.decode("utf-8", "replace")
