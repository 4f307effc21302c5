"""Counters and gauges as the Prometheus client library writes them: OpenMetrics, or the older text format.

Loaded when the exporter is switched on; needs the extra `fleet`.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from prometheus_client import exposition
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.openmetrics import exposition as openmetrics

from aitop.fleet import names
from aitop.fleet.ledger import Shown
from aitop.fleet.readings import Gauge

END = b"# EOF\n"
OPENMETRICS = openmetrics.CONTENT_TYPE_LATEST
TEXT = exposition.CONTENT_TYPE_PLAIN_0_0_4


class Origin(NamedTuple):
    """The labels that every metric has, in the order of `names.ORIGIN`."""

    user: str
    host: str


class _Families:
    """What the library's writers ask for: something that can be collected."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> list[Metric]:
        return self._families


def media(accept: str) -> str:
    """OpenMetrics for those who ask for it, the older format for others."""
    return OPENMETRICS if "application/openmetrics-text" in accept else TEXT


def written(families: Iterable[Metric], kind: str) -> bytes:
    """The families as text, without the mark of the end."""
    collected: Any = _Families(families)
    if kind != OPENMETRICS:
        return exposition.generate_latest(collected)
    text: bytes = openmetrics.generate_latest(collected)  # type: ignore[no-untyped-call]
    return text.removesuffix(END)


def end(kind: str) -> bytes:
    return END if kind == OPENMETRICS else b""


def counters(shown: Shown, origin: Origin) -> Iterator[Metric]:
    """The counters, their corrections and the histograms."""
    for metric in names.COUNTERS:
        family = CounterMetricFamily(metric.family, metric.help, labels=metric.all_labels)
        correction = names.CORRECTIONS[metric.name]
        beyond = GaugeMetricFamily(correction.family, correction.help, labels=correction.all_labels)
        scale = names.SCALES.get(metric.name, 1)
        for (name, labels), value in sorted(shown.values.items()):
            if name != metric.name:
                continue
            family.add_metric((*labels, *origin), value / scale, created=shown.created)
            more = shown.beyond.get((name, labels))
            if more:
                beyond.add_metric((*labels, *origin), more / scale)
        yield family
        if beyond.samples:
            yield beyond
    for metric in names.HISTOGRAMS:
        histogram = HistogramMetricFamily(metric.family, metric.help, labels=metric.all_labels)
        for (name, provider), counts in sorted(shown.buckets.items()):
            if name == metric.name:
                bounds = [*(repr(bound) for bound in names.BUCKETS), "+Inf"]
                histogram.add_metric(
                    (provider, *origin), list(zip(bounds, counts, strict=True)), sum_value=None
                )
        if histogram.samples:
            yield histogram


def gauges(readings: Iterable[Gauge], origin: Origin) -> Iterator[Metric]:
    """The gauges, each family once."""
    families: dict[str, GaugeMetricFamily] = {}
    for metric, labels, value in readings:
        family = families.get(metric.name)
        if family is None:
            family = families[metric.name] = GaugeMetricFamily(
                metric.family, metric.help, labels=metric.all_labels
            )
        family.add_metric((*labels, *origin), value)
    yield from families.values()
