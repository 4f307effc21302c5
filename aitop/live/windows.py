"""Rolling sums over the last 1, 5 and 15 minutes, exact to the second.

A ring of one-second sums, and one running total for each window: an event costs one addition per
window it falls into, a second that passes one subtraction, whatever the event rate. Whole numbers,
so nothing drifts. Knows no clock; `now` never runs backwards here (a clock that was set back waits
until it has caught up).
"""

from aitop.model.sums import ZERO, Sum

SPANS = {"1m": 60, "5m": 300, "15m": 900}
LONGEST = 900
MINUTES = 60  # of sparklines
KEPT_MINUTES = 15  # of each session
MANY_SESSIONS = 256  # from which those at rest are let go
MOST_SESSIONS = 10_000  # nobody has so many in a quarter of an hour; the rest is not kept apart
_WIDTH = len(Sum._fields)


class Windows:
    """Add differences at their own second, read the sums at any later one."""

    def __init__(self, now: float) -> None:
        self._now = int(now)
        self._ring: dict[int, list[int]] = {}
        self._totals = {name: [0] * _WIDTH for name in SPANS}

    def add(self, at: float, value: Sum) -> None:
        """Count `value` in the second of `at`; a future second is this one, one beyond all windows is dropped."""
        second = min(int(at), self._now)
        age = self._now - second
        if age >= LONGEST:
            return
        bucket = self._ring.get(second)
        if bucket is None:
            self._ring[second] = list(value)
        else:
            for i, v in enumerate(value):
                bucket[i] += v
        for name, span in SPANS.items():
            if age < span:
                total = self._totals[name]
                for i, v in enumerate(value):
                    total[i] += v

    def advance(self, now: float) -> None:
        """Let time pass: seconds that leave a window leave its total."""
        target = int(now)
        if target - self._now >= 2 * LONGEST:
            self._ring.clear()
            self._totals = {name: [0] * _WIDTH for name in SPANS}
            self._now = target
        while self._now < target:
            self._now += 1
            for name, span in SPANS.items():
                gone = self._ring.get(self._now - span)
                if gone is not None:
                    total = self._totals[name]
                    for i, v in enumerate(gone):
                        total[i] -= v
            self._ring.pop(self._now - LONGEST, None)

    def sum(self, name: str) -> Sum:
        return Sum(*self._totals[name])


class Minutes:
    """Cost and tokens of the last 60 minutes, one value a minute: what sparklines show."""

    def __init__(self) -> None:
        self._minutes: dict[int, list[int]] = {}

    def add(self, at: float, value: Sum) -> None:
        tokens = value.input_tokens + value.output_tokens
        if not (value.cost or tokens):
            return
        known = self._minutes.setdefault(int(at) // 60, [0, 0])
        known[0] += value.cost
        known[1] += tokens

    def values(self, now: float) -> tuple[list[int], list[int]]:
        """(picodollars, tokens), oldest first, the minute of `now` last."""
        last = int(now) // 60
        for minute in [m for m in self._minutes if m <= last - MINUTES]:
            del self._minutes[minute]
        found = [self._minutes.get(minute, (0, 0)) for minute in range(last - MINUTES + 1, last + 1)]
        return [f[0] for f in found], [f[1] for f in found]


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


class Quarters:
    """The last fifteen minutes of each session, by minutes; a session at rest leaves nothing behind."""

    def __init__(self) -> None:
        self._minutes: dict[int, dict[int, list[int]]] = {}  # session → minute → Sum's numbers
        self._swept = 0  # the minute in which all were looked through

    def add(self, at: float, session: int, value: Sum, now: float) -> None:
        minute = int(at) // 60
        if minute <= int(now) // 60 - KEPT_MINUTES:
            return
        if session not in self._minutes and not self._room(now):
            return
        total = self._minutes.setdefault(session, {}).setdefault(minute, [0] * len(value))
        for i, v in enumerate(value):
            total[i] += v

    def _room(self, now: float) -> bool:
        """Whether one more session can be kept; those at rest are let go once a minute."""
        if len(self._minutes) < MANY_SESSIONS:
            return True
        if self._swept != int(now) // 60:
            self._swept = int(now) // 60
            for known in list(self._minutes):
                self.sum(known, now)
        return len(self._minutes) < MOST_SESSIONS

    def sum(self, session: int, now: float) -> Sum:
        minutes = self._minutes.get(session)
        if not minutes:
            return ZERO
        oldest = int(now) // 60 - KEPT_MINUTES
        for minute in [m for m in minutes if m <= oldest]:
            del minutes[minute]
        if not minutes:
            del self._minutes[session]
            return ZERO
        return Sum._make(map(sum, zip(*minutes.values(), strict=True)))


class Moments:
    """How often something happened in the last fifteen minutes; what is taken back cancels what it said."""

    def __init__(self) -> None:
        self._minutes: dict[int, int] = {}

    def add(self, at: float, times: int) -> None:
        minute = int(at) // 60
        self._minutes[minute] = self._minutes.get(minute, 0) + times

    def count(self, now: float) -> int:
        oldest = int(now) // 60 - KEPT_MINUTES
        for minute in [m for m in self._minutes if m <= oldest]:
            del self._minutes[minute]
        return max(0, sum(self._minutes.values()))
