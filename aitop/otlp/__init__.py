"""OpenTelemetry's wire forms → plain records. Pure: bytes in, records out; no clock, no I/O.

A body is a batch of logs, spans or metrics, as JSON or protobuf, from any program that knows the
token: it may be damaged, hostile or full of text. So it is limited before it is looked at, contents
are dropped here and reach nobody, and an odd field is nothing rather than an error. Source of the
form: opentelemetry-proto 1.x, `collector/*/v1`.

The protobuf is read by a table and a walker of our own: the listener has 40 MB in all, the official
library would take a third of that, and of its messages we want a tenth of the fields.
"""

from typing import Any

import orjson

from aitop.otlp import protobuf, records
from aitop.otlp.records import Record

LOGS, TRACES, METRICS = "logs", "traces", "metrics"
SIGNALS = (LOGS, TRACES, METRICS)
JSON, PROTOBUF = "application/json", "application/x-protobuf"
FIELDS_MOST = 200_000  # of one body as protobuf; 512 records of 40 attributes have 85,000
MARKS_MOST = 500_000  # of one body as JSON: brackets, braces and commas; the same records have 165,000

__all__ = ["JSON", "LOGS", "METRICS", "PROTOBUF", "SIGNALS", "TRACES", "Malformed", "Record", "decode"]


class Malformed(ValueError):  # noqa: N818
    """A body that is not what its content type says; the message says what is wrong with it."""


def decode(signal: str, body: bytes, content_type: str) -> list[Record]:
    """One request's records, unpacked body in. Raises Malformed, and nothing else, for whatever bytes."""
    if content_type == PROTOBUF:
        try:
            tree = protobuf.decode(body, signal, FIELDS_MOST)
        except protobuf.Broken as error:
            raise Malformed(f"no protobuf of OTLP {signal}: {error}") from error
    else:
        tree = _json(body, signal)
    try:
        return records.records(tree, signal)
    except records.TooMany as error:
        raise Malformed(str(error)) from error


def _json(body: bytes, signal: str) -> dict[str, Any]:
    if sum(map(body.count, (b"{", b"[", b","))) > MARKS_MOST:
        raise Malformed("too many values in one body")
    try:
        tree = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        tree = _half_characters(body, error)
    if not isinstance(tree, dict):
        raise Malformed(f"no OTLP {signal}: the top level must be an object")
    return tree


def _half_characters(body: bytes, error: Exception) -> Any:
    """What cuts a text inside an emoji writes half of it, which the fast parser refuses."""
    if b"\\ud" not in body and b"\\uD" not in body:
        raise Malformed(f"no JSON: {error}") from error
    import json

    try:
        whole = json.dumps(json.loads(body), ensure_ascii=False)
        return orjson.loads(whole.encode("utf-8", "replace"))
    except (ValueError, RecursionError) as again:
        raise Malformed(f"no JSON: {again}") from again
