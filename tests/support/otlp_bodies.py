"""Bodies as programs send them: OTLP's JSON written by hand, its protobuf by the format's own library."""

import json

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

MESSAGES = {
    "logs": ExportLogsServiceRequest,
    "traces": ExportTraceServiceRequest,
    "metrics": ExportMetricsServiceRequest,
}
NANO = 1_000_000_000
START = 1_795_290_000
SESSION = "5f0c0000-0000-4000-8000-000000000001"


def value(one):
    if isinstance(one, bool):
        return {"boolValue": one}
    if isinstance(one, int):
        return {"intValue": str(one)}
    if isinstance(one, float):
        return {"doubleValue": one}
    if isinstance(one, list):
        return {"arrayValue": {"values": [value(part) for part in one]}}
    if isinstance(one, dict):
        return {"kvlistValue": {"values": attributes(one)}}
    return {"stringValue": one}


def attributes(table):
    return [{"key": key, "value": value(one)} for key, one in table.items()]


def log(name, at, **more):
    return {
        "timeUnixNano": str(int(at * NANO)),
        "body": {"stringValue": f"claude_code.{name}"},
        "attributes": attributes({"event.name": name} | {k.replace("__", "."): v for k, v in more.items()}),
    }


def logs(*records, service="claude-code", **resource):
    scope = {"scope": {"name": "events"}, "logRecords": list(records)}
    of = {
        "attributes": attributes(
            {"service.name": service} | {k.replace("__", "."): v for k, v in resource.items()}
        )
    }
    return {"resourceLogs": [{"resource": of, "scopeLogs": [scope]}]}


def span(number, begin, end, table, parent=None, name="chat gpt-5", code=0):
    made = {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": f"{number:016x}",
        "name": name,
        "startTimeUnixNano": str(int(begin * NANO)),
        "endTimeUnixNano": str(int(end * NANO)),
        "attributes": attributes(table),
        "status": {"code": code},
    }
    return made | ({"parentSpanId": f"{parent:016x}"} if parent else {})


def traces(*spans, service="my-service", instance="run-1"):
    of = {"attributes": attributes({"service.name": service, "service.instance.id": instance})}
    return {
        "resourceSpans": [{"resource": of, "scopeSpans": [{"scope": {"name": "s"}, "spans": list(spans)}]}]
    }


def histogram(name, points, temporality=1):
    """`points`: (start, end, attributes, sum, count)."""
    data = [
        {
            "startTimeUnixNano": str(int(begin * NANO)), "timeUnixNano": str(int(end * NANO)),
            "attributes": attributes(table), "sum": total, "count": str(count), "bucketCounts": [str(count)],
        }
        for begin, end, table, total, count in points
    ]  # fmt: skip
    return {"name": name, "histogram": {"aggregationTemporality": temporality, "dataPoints": data}}


def counter(name, points, temporality=1):
    """`points`: (start, end, attributes, value)."""
    data = [
        {
            "startTimeUnixNano": str(int(begin * NANO)), "timeUnixNano": str(int(end * NANO)),
            "attributes": attributes(table), "asInt": str(value),
        }
        for begin, end, table, value in points
    ]  # fmt: skip
    return {
        "name": name,
        "sum": {"aggregationTemporality": temporality, "isMonotonic": True, "dataPoints": data},
    }


def metrics(*found, service="my-service", instance="run-1"):
    of = {"attributes": attributes({"service.name": service, "service.instance.id": instance})}
    return {
        "resourceMetrics": [
            {"resource": of, "scopeMetrics": [{"scope": {"name": "s"}, "metrics": list(found)}]}
        ]
    }


def as_json(tree):
    return json.dumps(tree).encode()


def as_protobuf(signal, tree):
    """The same tree; ids are hex in OTLP's JSON and base64 in protobuf's own."""
    import base64

    def bare(node):
        if isinstance(node, dict):
            return {
                key: base64.b64encode(bytes.fromhex(one)).decode()
                if key in ("traceId", "spanId", "parentSpanId")
                else bare(one)
                for key, one in node.items()
            }
        return [bare(one) for one in node] if isinstance(node, list) else node

    return ParseDict(bare(tree), MESSAGES[signal]()).SerializeToString()


def request(at=START, **more):
    """Claude Code's event of one API call."""
    known = {
        "session__id": SESSION, "model": "claude-opus-5-5", "input_tokens": 273, "output_tokens": 383,
        "cache_read_tokens": 5000, "cache_creation_tokens": 2000, "cache_creation_5m_tokens": 500,
        "cache_creation_1h_tokens": 1500, "cost_usd": 0.024252, "duration_ms": 1930, "ttft_ms": 312,
        "request_id": "req_1", "speed": "normal", "query_source": "repl_main_thread", "event__sequence": 4,
    }  # fmt: skip
    return log("api_request", at, **(known | more))
