"""Each provider's share of every sum: the same windows and periods, kept apart. Pure.

Beside the aggregator, which knows the whole: a display that asks for one client gets exactly what
the others would have left.
"""

from collections.abc import Callable, Iterable

from aitop.history.write.ledger import Changes
from aitop.live.timing_windows import TimingWindows
from aitop.live.windows import Minutes, Total, Windows
from aitop.model import periods
from aitop.model.events import Timing
from aitop.model.sums import ZERO, Sum


class Share:
    """One provider's sums."""

    __slots__ = ("minutes", "periods", "since_start", "timings", "windows")

    def __init__(self, started_at: float, now: float, starts: dict[str, float]) -> None:
        self.windows = Windows(now)
        self.timings = TimingWindows(now)
        self.minutes = Minutes()
        self.since_start = Total(started_at)
        self.periods = {name: Total(start) for name, start in starts.items()}


class Shares:
    """Provider → its share. One is made when the first of its records comes."""

    def __init__(self, started_at: float) -> None:
        self.started_at = started_at
        self.now = started_at
        self.by_provider: dict[str, Share] = {}
        self._starts: dict[str, float] = {}

    def begin_day(self, starts: dict[str, float], sums: dict[str, dict[str, Sum]]) -> None:
        """Start the periods from the history's own sums, provider → period → sum."""
        self._starts = starts
        for provider in {*sums, *self.by_provider}:
            own = sums.get(provider, {})
            self._share(provider).periods = {
                name: Total(starts[name], own.get(name, ZERO)) for name in periods.NAMES
            }

    def recall(
        self, past: Iterable[tuple[str, float, Sum]], timed: Iterable[tuple[str, float, Timing]], now: float
    ) -> None:
        """The last hour, which the history had before this start."""
        self.advance(now)
        for provider, at, value in past:
            share = self._share(provider)
            share.windows.add(at, value)
            share.minutes.add(at, value)
        for provider, at, timing in timed:
            self._share(provider).timings.add(at, timing, 1)

    def fold(self, changes: Changes, provider_of: Callable[[int], str], now: float) -> None:
        """Take in what one commit changed."""
        self.advance(now)
        for at, session, timing, sign in changes.timings:
            self._share(provider_of(session)).timings.add(at, timing, sign)
        for at, session, value in changes.sums:
            share = self._share(provider_of(session))
            share.windows.add(at, value)
            share.minutes.add(at, value)
            share.since_start.add(at, value)
            for total in share.periods.values():
                total.add(at, value)

    def advance(self, now: float) -> None:
        """Let time pass."""
        self.now = max(now, self.now)
        for share in self.by_provider.values():
            share.windows.advance(now)
            share.timings.advance(now)

    def _share(self, provider: str) -> Share:
        found = self.by_provider.get(provider)
        if found is None:
            found = self.by_provider[provider] = Share(self.started_at, self.now, self._starts)
        return found
