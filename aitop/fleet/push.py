"""The same numbers by OTLP, through the OpenTelemetry SDK's exporter: cumulative, or as differences.

Nothing is lost without network. A cumulative number holds all that came before. For differences the file
`fleet-push.json` keeps what the receiver has acknowledged: the next one that arrives is measured from there, however
long it took, so what waits on disk is one number a series. An answer that is lost on its way back makes a difference
come twice; a cumulative number cannot. Loaded when it is switched on; needs the extra `fleet`.
"""

import json
import logging
import os
from collections.abc import Iterable, Iterator

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from aitop import __version__, paths
from aitop.fleet import names, readings
from aitop.fleet.exposition import Origin
from aitop.fleet.ledger import SEPARATOR, Shown
from aitop.system import atomic_file

NAME = "fleet-push.json"
SECONDS = 10.0
Flat = dict[str, int]  # a series' name and labels, joined → its number
TEMPORALITY = {"cumulative": AggregationTemporality.CUMULATIVE, "delta": AggregationTemporality.DELTA}


class Pusher:
    """Sends to one receiver. `temporality`: cumulative or delta. `instance` tells this home from others."""

    def __init__(
        self,
        home: str,
        url: str,
        temporality: str,
        headers: dict[str, str],
        instance: str,
        seconds: float = SECONDS,
    ) -> None:
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # what fails is told in our own words
        self._path = os.path.join(home, NAME)
        self._url, self._delta = url, temporality == "delta"
        self._temporality = TEMPORALITY[temporality]
        self._exporter = OTLPMetricExporter(endpoint=url, headers=headers, timeout=seconds)
        self._resource = Resource({"service.name": "aitop", "service.instance.id": instance})
        self._scope = InstrumentationScope("aitop", __version__)
        self._acknowledged, self._at, self._created = self._read()

    def push(self, shown: Shown, gauges: Iterable[readings.Gauge], origin: Origin, now: float) -> str | None:
        """Send all of it once; None, or why it did not arrive. Raises OSError where the file cannot be kept."""
        if shown.created != self._created:  # another history: what was acknowledged is of the one before
            self._acknowledged, self._at, self._created = {}, shown.created, shown.created
        metrics = [*self._counters(shown, origin, now), *_gauges(shown, gauges, origin, now)]
        scope = ScopeMetrics(self._scope, metrics, "")
        data = MetricsData([ResourceMetrics(self._resource, [scope], "")])
        if self._exporter.export(data) is not MetricExportResult.SUCCESS:
            return f"{self._url} did not take the metrics; they are sent again"
        if self._delta:
            self._acknowledged, self._at = _flat(shown), now
            content = {"url": self._url, "at": now, "created": shown.created, "sent": self._acknowledged}
            atomic_file.replace(self._path, json.dumps(content, separators=(",", ":")).encode())
        return None

    def close(self) -> None:
        self._exporter.shutdown()

    def _counters(self, shown: Shown, origin: Origin, now: float) -> Iterator[Metric]:
        before, since = (self._acknowledged, self._at) if self._delta else ({}, shown.created)
        start, end = round(since * 1e9), round(now * 1e9)
        for metric in names.COUNTERS:
            scale = names.SCALES.get(metric.name, 1)
            points = [
                NumberDataPoint(
                    _attributes(metric, labels, origin), start, end, number / scale if scale > 1 else number
                )
                for (name, labels), value in shown.values.items()
                if name == metric.name
                and ((number := value - before.get(_key(name, labels), 0)) or not self._delta)
            ]
            if points:
                yield Metric(
                    metric.otlp, metric.help, metric.unit, Sum(points, self._temporality, is_monotonic=True)
                )
        for metric in names.HISTOGRAMS:
            histograms = []
            for (name, provider), counts in shown.buckets.items():
                if name == metric.name:
                    sent = [before.get(_key(name, (provider, str(n))), 0) for n in range(len(counts))]
                    below = [value - old for value, old in zip(counts, sent, strict=True)]
                    within = [value - old for value, old in zip(below, [0, *below[:-1]], strict=True)]
                    histograms.append(
                        HistogramDataPoint(
                            _attributes(metric, (provider,), origin), start, end, below[-1], None, within,  # type: ignore[arg-type]
                            list(names.BUCKETS), None, None,  # type: ignore[arg-type]
                        )
                    )  # fmt: skip
            if histograms:
                yield Metric(metric.otlp, metric.help, metric.unit, Histogram(histograms, self._temporality))

    def _read(self) -> tuple[Flat, float, float]:
        """(what this receiver acknowledged, when, of which history)."""
        try:
            content = json.loads(paths.read(self._path))
            sent = {str(key): int(value) for key, value in content["sent"].items()}
            if content["url"] == self._url:
                return sent, float(content["at"]), float(content["created"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            pass
        return {}, 0.0, -1.0


def _gauges(shown: Shown, gauges: Iterable[readings.Gauge], origin: Origin, now: float) -> Iterator[Metric]:
    """The gauges and the corrections: numbers of one moment, the same in both temporalities."""
    points: dict[str, tuple[names.Metric, list[NumberDataPoint]]] = {}

    def add(metric: names.Metric, labels: tuple[str, ...], value: float) -> None:
        point = NumberDataPoint(_attributes(metric, labels, origin), 0, round(now * 1e9), value)
        points.setdefault(metric.name, (metric, []))[1].append(point)

    for metric, labels, value in gauges:
        add(metric, labels, value)
    for (name, labels), beyond in shown.beyond.items():
        add(names.CORRECTIONS[name], labels, beyond / names.SCALES[name] if name in names.SCALES else beyond)
    for metric, of_metric in points.values():
        yield Metric(metric.otlp, metric.help, metric.unit, Gauge(of_metric))


def _attributes(metric: names.Metric, labels: tuple[str, ...], origin: Origin) -> dict[str, str]:
    """As the labels of the exposition: an empty one is left out."""
    return {name: value for name, value in zip(metric.all_labels, (*labels, *origin), strict=True) if value}


def _key(name: str, labels: tuple[str, ...]) -> str:
    return SEPARATOR.join((name, *labels))


def _flat(shown: Shown) -> Flat:
    flat = {_key(name, labels): value for (name, labels), value in shown.values.items()}
    for (name, provider), counts in shown.buckets.items():
        flat |= {_key(name, (provider, str(n))): value for n, value in enumerate(counts)}
    return flat
