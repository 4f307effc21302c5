"""How long the responses of the last 1, 5 and 15 minutes took. Pure; knows no clock.

Counts are kept by seconds, as the sums of `windows.py` are, so that both windows cover the same responses.
"""

from collections.abc import Iterable

from aitop.live.windows import LONGEST, SPANS
from aitop.model.events import Timing
from aitop.model.histograms import Timings, steps


class TimingWindows:
    """Timings of the last 1, 5 and 15 minutes, by seconds as the sums beside them."""

    def __init__(self, now: float) -> None:
        self._now = int(now)
        self._ring: dict[int, Timings] = {}
        self._totals = {name: Timings() for name in SPANS}

    def recall(self, past: Iterable[tuple[float, Timing]]) -> None:
        for at, timing in past:
            self.add(at, timing, 1)

    def add(self, at: float, timing: Timing, times: int) -> None:
        """Count a response in the second of `at`, or take it back with -1."""
        second = min(int(at), self._now)
        age = self._now - second
        where = steps(timing)
        if age >= LONGEST:
            return
        self._ring.setdefault(second, Timings()).add(where, times)
        for name, span in SPANS.items():
            if age < span:
                self._totals[name].add(where, times)

    def advance(self, now: float) -> None:
        """Let time pass: seconds that leave a window leave its counts."""
        target = int(now)
        if target - self._now >= 2 * LONGEST:
            self._ring.clear()
            self._totals = {name: Timings() for name in SPANS}
            self._now = target
        while self._now < target:
            self._now += 1
            for name, span in SPANS.items():
                gone = self._ring.get(self._now - span)
                if gone is not None:
                    self._totals[name].take_away(gone)
            self._ring.pop(self._now - LONGEST, None)

    def window(self, name: str) -> Timings:
        return self._totals[name]
