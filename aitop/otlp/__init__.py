"""OpenTelemetry's wire forms → plain records. Pure: bytes in, records out; no clock, no I/O.

A body is a batch of logs, spans or metrics, as JSON or protobuf. It comes from any program that has the
token, so it may be damaged, hostile or full of text. Its size is checked first. Contents are dropped here
and must not leave this room. A field of the wrong type is skipped and is no error. Read `records.py` first.
Source of the format: opentelemetry-proto 1.x, `collector/*/v1`.

The protobuf decoder is our own: the official library would take a third of the listener's 40 MB, and only a
tenth of the fields is wanted.
"""

import orjson

from aitop.otlp import records
from aitop.otlp.records import Record

LOGS, TRACES, METRICS = "logs", "traces", "metrics"
SIGNALS = (LOGS, TRACES, METRICS)
JSON, PROTOBUF = "application/json", "application/x-protobuf"
MAX_FIELDS = 200_000  # of one body as protobuf; 512 records of 40 attributes have 85,000
MAX_JSON_MARKS = 500_000  # of one body as JSON: brackets, braces and commas; the same records have 165,000

__all__ = ["JSON", "LOGS", "METRICS", "PROTOBUF", "SIGNALS", "TRACES", "Malformed", "Record", "decode"]


class Malformed(ValueError):  # noqa: N818
    """A body that does not match its content type; the message says why."""


def decode(signal: str, body: bytes, content_type: str) -> list[Record]:
    """The records of one unpacked body. Raises Malformed for any bytes that are no such body."""
    if content_type == PROTOBUF:
        from aitop.otlp import protobuf

        try:
            tree = protobuf.decode(body, signal, MAX_FIELDS)
        except protobuf.Broken as error:
            raise Malformed(f"no protobuf of OTLP {signal}: {error}") from error
    else:
        tree = _json(body, signal)
    try:
        return records.records(tree, signal)
    except records.TooMany as error:
        raise Malformed(str(error)) from error


def _json(body: bytes, signal: str) -> dict[str, object]:
    if sum(map(body.count, (b"{", b"[", b","))) > MAX_JSON_MARKS:
        raise Malformed("too many values in one body")
    try:
        tree = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        tree = _half_characters(body, error)
    if not isinstance(tree, dict):
        raise Malformed(f"no OTLP {signal}: the top level must be an object")
    return tree


def _half_characters(body: bytes, error: Exception) -> object:
    """A text that was cut inside an emoji ends in half a character, which the fast parser refuses."""
    if b"\\ud" not in body and b"\\uD" not in body:
        raise Malformed(f"no JSON: {error}") from error
    import json

    try:
        whole = json.dumps(json.loads(body), ensure_ascii=False)
        return orjson.loads(whole.encode("utf-8", "replace"))
    except (ValueError, RecursionError) as again:
        raise Malformed(f"no JSON: {again}") from again
