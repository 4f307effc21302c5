"""OTLP by the SDK's own exporter, into a receiver that decodes with the format's own protobuf."""

import gzip
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from support import lines
from support.fleet_homes import Machine, total

from aitop.fleet import names
from aitop.fleet.exposition import Origin
from aitop.fleet.ledger import Shown
from aitop.fleet.push import Pusher
from aitop.fleet.readings import Gauge

ORIGIN = Origin("ada", "box")
KEY = ("cost_usd", ("claude-code", "opus", "shop", "counted"))
REQUESTS = ("requests", ("claude-code", "opus", "shop"))
START = 1_790_000_000.0


class Receiver:
    """What arrived, as a backend adds it up. `down`: a proxy answers in its place, and nothing arrives."""

    def __init__(self):
        self.down, self.sums, self.points, self.requests = False, defaultdict(float), [], 0
        self.counts = defaultdict(lambda: defaultdict(int))
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                if not receiver.down:
                    plain = gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body
                    receiver.take(ExportMetricsServiceRequest.FromString(plain))
                self.send_response(404 if receiver.down else 200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/metrics"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def take(self, request):
        self.requests += 1
        for resource in request.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    self._metric(metric)

    def _metric(self, metric):
        kind = metric.WhichOneof("data")
        for point in getattr(metric, kind).data_points:
            labels = tuple(sorted((a.key, a.value.string_value) for a in point.attributes))
            key = (metric.name, labels)
            self.points.append((key, point.start_time_unix_nano, point.time_unix_nano))
            delta = kind != "gauge" and getattr(metric, kind).aggregation_temporality == 1
            if kind == "histogram":
                for number, count in enumerate(point.bucket_counts):
                    self.counts[key][number] = count + (self.counts[key][number] if delta else 0)
                continue
            value = getattr(point, point.WhichOneof("value"))
            self.sums[key] = value + (self.sums[key] if delta else 0)
            if kind == "sum":
                assert metric.sum.is_monotonic

    def total(self, name):
        return sum(value for (metric, _), value in self.sums.items() if metric == name)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


def shown(n, created=START):
    buckets = [n] * (len(names.BUCKETS) + 1)
    buckets[0] = n // 2
    return Shown(
        {KEY: n * 10**11, REQUESTS: n}, {}, {("request_duration_seconds", "claude-code"): buckets}, created
    )


def pusher(home, receiver, temporality):
    return Pusher(home, receiver.url, temporality, {}, "me")


@pytest.mark.parametrize("temporality", ["cumulative", "delta"])
def test_after_an_hour_without_network_the_receiver_has_the_same_sums(
    home, receiver, temporality, monkeypatch
):
    mine, failed = pusher(home, receiver, temporality), 0
    for minute in range(80):
        receiver.down = 10 <= minute < 70
        if minute == 40:  # the listener is killed in the middle of it
            mine = pusher(home, receiver, temporality)
        failed += mine.push(shown(10 + minute), [], ORIGIN, START + 60 * minute) is not None
    assert failed == 60
    assert receiver.total("aitop.requests") == 89
    assert receiver.total("aitop.cost_usd") == pytest.approx(8.9)
    (buckets,) = receiver.counts.values()
    assert (buckets[0], sum(buckets.values())) == (44, 89)
    if temporality == "delta":
        ends = [(start, end) for (name, _), start, end in receiver.points if name == "aitop.requests"]
        assert all(before[1] == after[0] for before, after in zip(ends, ends[1:], strict=False))


def test_nothing_listens_is_told_and_sent_later(home, receiver):
    away = Pusher(home, "http://127.0.0.1:9/v1/metrics", "delta", {}, "me", seconds=0.2)
    assert "did not take the metrics" in away.push(shown(3), [], ORIGIN, START + 60)
    assert pusher(home, receiver, "delta").push(shown(5), [], ORIGIN, START + 120) is None
    assert receiver.total("aitop.requests") == 5


def test_a_new_history_is_counted_from_its_beginning(home, receiver):
    mine = pusher(home, receiver, "delta")
    mine.push(shown(10), [], ORIGIN, START + 60)
    mine.push(shown(4, created=START + 100), [], ORIGIN, START + 120)
    assert receiver.total("aitop.requests") == 14


def test_gauges_and_corrections_go_along_and_empty_labels_are_left_out(home, receiver):
    mine = pusher(home, receiver, "cumulative")
    found = shown(1)._replace(beyond={KEY: 10**12})
    gauge = Gauge(names.LIMIT_USED, ("claude-code", "", "five_hour"), 0.5)
    assert mine.push(found, [gauge], ORIGIN, START) is None
    assert receiver.total("aitop.cost_usd_corrected") == 1
    ((labels, value),) = [
        (key[1], v) for key, v in receiver.sums.items() if key[0] == "aitop.limit_used_ratio"
    ]
    assert value == 0.5
    assert dict(labels) == {"provider": "claude-code", "limit": "five_hour", "user": "ada", "host": "box"}


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_listener_pushes_the_sums_that_it_serves(tmp_path, receiver):
    more = f'push = "{receiver.url}"\npush_seconds = 5\npush_temporality = "delta"\n'
    machine = Machine(tmp_path, "one", config=more)
    now = time.time() - 600
    machine.transcript([lines.assistant(f"m{n}", now + n, request_id=f"r{n}") for n in range(20)])
    machine.start()
    try:
        machine.wait(lambda text: total(text, "aitop_requests_total") == 20)
        machine.wait(lambda _: receiver.total("aitop.requests") == 20)
        assert receiver.total("aitop.cost_usd") == pytest.approx(machine.spent())
    finally:
        machine.stop()
