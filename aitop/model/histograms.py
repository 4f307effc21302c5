"""How long responses take: counts in steps of equal ratio, from which any percentile is read.

Kept as counts so that a correction can be taken back exactly, sums of parts equal the whole, and
memory does not grow with the event rate. Sixteen steps to a doubling: a percentile is within 2.2 %
of the true one. Pure; knows no clock.
"""

import json
from math import floor, log2

from aitop.model.events import Timing

STEPS = 16  # to a doubling
MIN_VALUE, MAX_VALUE = 1e-3, 1e9  # values beyond are taken for these
METRICS = ("duration_{}_ms", "ttft_{}_ms", "output_tokens_per_second_{}")  # as published, with p50 or p95

Steps = tuple[int | None, int | None, int | None]  # a timing's step of each metric


def steps(timing: Timing) -> Steps:
    """Where a response's duration, time to first token and speed are counted; None: it was not measured.

    Speed is tokens by the second they streamed in; without a time to first token, by the whole duration.
    """
    duration, ttft, output = timing
    streamed = (duration - (ttft or 0.0)) / 1000 if duration is not None else 0.0
    speed = output / streamed if streamed > 0 and output else None
    return _step(duration), _step(ttft), _step(speed)


def _step(value: float | None) -> int | None:
    if value is None or not value >= 0:
        return None
    return floor(log2(min(max(value, MIN_VALUE), MAX_VALUE)) * STEPS)


_NOTHING: tuple[dict[int, int], ...] = tuple(
    {} for _ in METRICS
)  # of most sessions, so of all one; never changed


class Timings:
    """Counts of three metrics; `add` with -1 takes back what was added."""

    __slots__ = ("_percentiles", "counts")

    def __init__(self) -> None:
        self.counts = _NOTHING
        # (metric, part) → value, since the last change: what is published each second seldom changed
        self._percentiles: dict[tuple[int, float], float | None] | None = None

    def add(self, where: Steps, times: int) -> None:
        self._begin_change()
        for counts, step in zip(self.counts, where, strict=True):
            if step is not None:
                _move(counts, step, times)

    def take_away(self, other: "Timings") -> None:
        """Everything the other one counted."""
        self._begin_change()
        for counts, gone in zip(self.counts, other.counts, strict=True):
            for step, times in gone.items():
                _move(counts, step, -times)

    def timed(self) -> int:
        """How many responses were timed."""
        return sum(self.counts[0].values())

    def percentile(self, metric: int, part: float) -> float | None:
        """The value below which that part of them lies (nearest rank), None while there are none."""
        if self._percentiles is None:
            self._percentiles = {}
        elif (metric, part) in self._percentiles:
            return self._percentiles[metric, part]
        value = self._percentiles[metric, part] = self._percentile(metric, part)
        return value

    def _begin_change(self) -> None:
        self._percentiles = None
        if self.counts is _NOTHING:
            self.counts = tuple({} for _ in METRICS)

    def _percentile(self, metric: int, part: float) -> float | None:
        counts = self.counts[metric]
        rank = part * sum(counts.values())
        for step in sorted(counts):
            rank -= counts[step]
            if rank <= 0:
                return float(2 ** ((step + 0.5) / STEPS))
        return None

    def packed(self) -> str | None:
        """As text, for the history; None when there is nothing."""
        if not any(self.counts):
            return None
        return json.dumps([sorted(counts.items()) for counts in self.counts], separators=(",", ":"))


def _move(counts: dict[int, int], step: int, times: int) -> None:
    left = counts.get(step, 0) + times
    if left:
        counts[step] = left
    else:
        counts.pop(step, None)


def unpacked(text: str | None) -> Timings:
    """The inverse of `packed`."""
    timings = Timings()
    if text:
        timings.counts = tuple(dict(counts) for counts in json.loads(text))
    return timings
