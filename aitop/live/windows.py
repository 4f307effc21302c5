"""Rolling sums over the last 1, 5 and 15 minutes, exact to a fifth of a second at their old edge.

A ring of sums, one for each tenth of a second in use, and one running total for each window: an event costs
one addition for each window it falls into, a tenth that passes one subtraction, whatever the event rate.
Whole numbers, so nothing drifts. A response leaves a window when it is as old as the window is long, never
before. No clock: `now` is an argument and never runs backwards here (after the clock was set back, time
stands still until it has caught up).
"""

from collections.abc import Callable, Iterator
from typing import Generic, Protocol, Self, TypeVar

from aitop.model.events import Timing
from aitop.model.histograms import Steps, Timings, steps
from aitop.model.sums import ZERO, Sum

WINDOW_SECONDS = {"1m": 60, "5m": 300, "15m": 900}
TICKS = 10  # to a second
_WINDOW_TICKS = {name: seconds * TICKS for name, seconds in WINDOW_SECONDS.items()}
_LONGEST_TICKS = max(_WINDOW_TICKS.values())
SPARKLINE_MINUTES = 60
RECENT_MINUTES = 15  # kept of each session
MANY_SESSIONS = 256  # from here on sessions at rest are dropped
MAX_RECENT_SESSIONS = 10_000  # more in a quarter of an hour are not kept apart
_WIDTH = len(Sum._fields)


class _Bucket(Protocol):
    def take_away(self, other: Self) -> None: ...


_B = TypeVar("_B", bound=_Bucket)


class _Rolling(Generic[_B]):
    """The ring and the running totals of one kind of sum."""

    def __init__(self, now: float, empty: Callable[[], _B]) -> None:
        self._now = _tick(now)
        self._empty = empty
        self._ring: dict[int, _B] = {}
        self.totals = {name: empty() for name in WINDOW_SECONDS}

    def buckets(self, at: float) -> Iterator[_B]:
        """Every sum that covers the moment `at`. A future moment is now; one beyond all windows is in none."""
        tick = min(_tick(at), self._now)
        age = self._now - tick
        if age > _LONGEST_TICKS:
            return
        bucket = self._ring.get(tick)
        if bucket is None:
            bucket = self._ring[tick] = self._empty()
        yield bucket
        for name, length in _WINDOW_TICKS.items():
            if age <= length:
                yield self.totals[name]

    def advance(self, now: float) -> None:
        """Let time pass: what leaves a window leaves its total."""
        target = _tick(now)
        if target - self._now > _LONGEST_TICKS or not self._ring:
            if target > self._now:
                self._ring.clear()
                self.totals = {name: self._empty() for name in WINDOW_SECONDS}
                self._now = target
            return
        while self._now < target:
            self._now += 1
            for name, length in _WINDOW_TICKS.items():
                gone = self._ring.get(self._now - length - 1)
                if gone is not None:
                    self.totals[name].take_away(gone)
            self._ring.pop(self._now - _LONGEST_TICKS - 1, None)


def _tick(moment: float) -> int:
    return int(moment * TICKS)


class _Counts:
    """A sum that can be changed."""

    __slots__ = ("values",)

    def __init__(self) -> None:
        self.values = [0] * _WIDTH

    def add(self, value: Sum) -> None:
        for i, v in enumerate(value):
            if v:
                self.values[i] += v

    def take_away(self, other: "_Counts") -> None:
        for i, v in enumerate(other.values):
            self.values[i] -= v


class Windows:
    """Add differences at their own moment, read the sums at any later one."""

    def __init__(self, now: float) -> None:
        self._rolling = _Rolling(now, _Counts)

    def add(self, at: float, value: Sum) -> None:
        for bucket in self._rolling.buckets(at):
            bucket.add(value)

    def advance(self, now: float) -> None:
        self._rolling.advance(now)

    def sum(self, name: str) -> Sum:
        return Sum(*self._rolling.totals[name].values)


class TimingWindows:
    """How long the responses of the same windows took."""

    def __init__(self, now: float) -> None:
        self._rolling = _Rolling(now, Timings)

    def add(self, at: float, timing: Timing, times: int) -> None:
        """Count a response at `at`; `times` is 1, or -1 to take it back."""
        where: Steps = steps(timing)
        for bucket in self._rolling.buckets(at):
            bucket.add(where, times)

    def advance(self, now: float) -> None:
        self._rolling.advance(now)

    def window(self, name: str) -> Timings:
        return self._rolling.totals[name]


class Minutes:
    """Cost, money spent and tokens of the last 60 minutes, one value a minute: what sparklines show."""

    def __init__(self) -> None:
        self._minutes: dict[int, list[int]] = {}

    def add(self, at: float, value: Sum) -> None:
        tokens = value.input_tokens + value.output_tokens
        if not (value.spent or tokens):
            return
        minute = self._minutes.setdefault(int(at) // 60, [0, 0, 0])
        minute[0] += value.cost
        minute[1] += value.spent
        minute[2] += tokens

    def values(self, now: float) -> tuple[list[int], list[int], list[int]]:
        """Cost and spent in picodollars, and tokens; each oldest first, the minute of `now` last."""
        last = int(now) // 60
        for minute in [m for m in self._minutes if m <= last - SPARKLINE_MINUTES]:
            del self._minutes[minute]
        empty = [0, 0, 0]
        shown = [self._minutes.get(minute, empty) for minute in range(last - SPARKLINE_MINUTES + 1, last + 1)]
        return [one[0] for one in shown], [one[1] for one in shown], [one[2] for one in shown]


class Total:
    """One sum since a fixed moment."""

    def __init__(self, start: float, value: Sum = ZERO) -> None:
        self.start = start
        self._total = list(value)

    def add(self, at: float, value: Sum) -> None:
        if at >= self.start:
            for i, v in enumerate(value):
                self._total[i] += v

    def sum(self) -> Sum:
        return Sum(*self._total)


class RecentBySession:
    """The last fifteen minutes of each session, by minutes. A session at rest leaves nothing behind."""

    def __init__(self) -> None:
        self._minutes: dict[int, dict[int, list[int]]] = {}  # session → minute → a Sum's numbers
        self._swept = 0  # the minute in which sessions at rest were last dropped

    def add(self, at: float, session: int, value: Sum, now: float) -> None:
        minute = int(at) // 60
        if minute <= int(now) // 60 - RECENT_MINUTES:
            return
        if session not in self._minutes and not self._has_room(now):
            return
        total = self._minutes.setdefault(session, {}).setdefault(minute, [0] * _WIDTH)
        for i, v in enumerate(value):
            total[i] += v

    def _has_room(self, now: float) -> bool:
        """Whether one more session can be kept; those at rest are dropped once a minute."""
        if len(self._minutes) < MANY_SESSIONS:
            return True
        if self._swept != int(now) // 60:
            self._swept = int(now) // 60
            for session in list(self._minutes):
                self.sum(session, now)
        return len(self._minutes) < MAX_RECENT_SESSIONS

    def sum(self, session: int, now: float, last_minutes: int = RECENT_MINUTES) -> Sum:
        """What a session did in the last minutes, the current one included."""
        minutes = self._minutes.get(session)
        if not minutes:
            return ZERO
        oldest = int(now) // 60 - RECENT_MINUTES
        for minute in [m for m in minutes if m <= oldest]:
            del minutes[minute]
        if not minutes:
            del self._minutes[session]
            return ZERO
        since = int(now) // 60 - last_minutes
        kept = [values for minute, values in minutes.items() if minute > since]
        return Sum._make(map(sum, zip(*kept, strict=True))) if kept else ZERO


class RecentCount:
    """How often something happened in the last fifteen minutes. What is taken back cancels what was counted."""

    def __init__(self) -> None:
        self._minutes: dict[int, int] = {}

    def add(self, at: float, times: int) -> None:
        minute = int(at) // 60
        self._minutes[minute] = self._minutes.get(minute, 0) + times

    def count(self, now: float) -> int:
        oldest = int(now) // 60 - RECENT_MINUTES
        for minute in [m for m in self._minutes if m <= oldest]:
            del self._minutes[minute]
        return max(0, sum(self._minutes.values()))
