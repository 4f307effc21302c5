"""What is known now: windows, periods, tools, limits. Folds the history's changes; pure.

Takes what a commit changed and answers at any `now`. Memory does not grow with the event rate: a
ring of seconds, an hour of minutes, the last few hundred latencies of each tool. Sessions are the
history's own; this room holds only sums.
"""

from collections import deque
from collections.abc import Iterable

from aitop.history.write.ledger import Changes, within
from aitop.live.timing_windows import TimingWindows
from aitop.live.windows import Minutes, Moments, Quarters, Total, Windows
from aitop.model import periods
from aitop.model.events import Limit, Timing
from aitop.model.sums import ZERO, Sum
from aitop.pricing.basis import Basis

LATENCIES = 512  # the newest of each tool: exact percentiles over them
# Names come from clients' files; past so many different ones, "other" takes the rest.
TOOLS, STOPS, MODELS, LIMITS = 200, 100, 200, 64


class Tool:
    """One tool's day."""

    __slots__ = ("calls", "failures", "latencies")

    def __init__(self) -> None:
        self.calls = 0
        self.failures = 0
        self.latencies: deque[float] = deque(maxlen=LATENCIES)

    def percentile(self, part: float) -> float | None:
        """Milliseconds below which that part of the newest calls stayed (nearest rank)."""
        if not self.latencies:
            return None
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, max(0, -int(-part * len(ordered) // 1) - 1))]


class Aggregator:
    """Every sum a display shows, kept up to date by differences."""

    def __init__(self, started_at: float) -> None:
        self.windows = Windows(started_at)
        self.timings = TimingWindows(started_at)
        self.minutes = Minutes()
        self.since_start = Total(started_at)
        self.quarters = Quarters()
        self.cut_off = Moments()  # responses that ended at max_tokens
        self.past_days: tuple[int, ...] = ()  # picodollars of finished days with any cost, oldest first
        self.periods: dict[str, Total] = {}
        self.day = 0.0  # where today began
        self.tools: dict[str, Tool] = {}
        self.stop_reasons: dict[str, int] = {}
        self.compactions = 0
        self.limits: dict[tuple[str, str, str], Limit] = {}
        self.unpriced: set[str] = set()
        self.estimated: set[str] = set()

    def begin_day(
        self, starts: dict[str, float], sums: dict[str, Sum], tools: Iterable[tuple[str, int, int, list[float]]],
        stops: dict[str, int], compactions: int,
    ) -> None:  # fmt: skip
        """Start from the history's own sums: at the start, and at each local midnight."""
        self.day = starts["today"]
        self.periods = {name: Total(starts[name], sums.get(name, ZERO)) for name in periods.NAMES}
        self.tools = {}
        for name, calls, failures, latencies in tools:
            tool = self.tools[name] = Tool()
            tool.calls, tool.failures = calls, failures
            tool.latencies.extend(latencies)
        self.stop_reasons = dict(sorted(stops.items(), key=lambda item: -item[1])[:STOPS])
        self.compactions = compactions

    def recall(self, past: Iterable[tuple[float, Sum]]) -> None:
        """The last hour's sums, which the history had before this start."""
        for at, value in past:
            self.windows.add(at, value)
            self.minutes.add(at, value)

    def recall_sessions(
        self, past: Iterable[tuple[float, int, Sum]], cut_off: Iterable[float],
        timed: Iterable[tuple[float, int, Timing]], now: float,
    ) -> None:  # fmt: skip
        """The last quarter of an hour of each session, which the history had before this start."""
        for at, _, timing in timed:
            self.timings.add(at, timing, 1)
        for at, session, value in past:
            self.quarters.add(at, session, value, now)
        for at in cut_off:
            self.cut_off.add(at, 1)

    def fold(self, changes: Changes, now: float) -> None:
        """Take in what one commit changed."""
        self.advance(now)
        for at, _, timing, sign in changes.timings:
            self.timings.add(at, timing, sign)
        for at, session, value in changes.sums:
            self.quarters.add(at, session, value, now)
            self.windows.add(at, value)
            self.minutes.add(at, value)
            self.since_start.add(at, value)
            for total in self.periods.values():
                total.add(at, value)
        for at, reason, sign in changes.stops:
            if reason == "max_tokens":
                self.cut_off.add(at, sign)
            if at >= self.day:
                name = within(self.stop_reasons, reason, STOPS)
                self.stop_reasons[name] = self.stop_reasons.get(name, 0) + sign
        for at, name, calls, failures in changes.tools:
            if at >= self.day:
                tool = self._tool(name)
                tool.calls += calls
                tool.failures += failures
        for at, name, took, was in changes.latencies:
            if at >= self.day:
                latencies = self._tool(name).latencies
                if was is not None and was in latencies:
                    latencies.remove(was)
                latencies.append(took)
        self.compactions += sum(sign for at, sign in changes.compactions if at >= self.day)
        for limit in changes.limits:
            key = (limit.provider, limit.account or "", limit.name)
            known = self.limits.get(key)
            if limit.seen_at >= known.seen_at if known else len(self.limits) < LIMITS:
                self.limits[key] = limit
        for model, basis in changes.models:
            self.not_listed(model, basis)

    def not_listed(self, model: str, basis: int) -> None:
        """A model whose responses are not at list price."""
        odd = self.unpriced if basis == Basis.UNPRICED else self.estimated
        if len(odd) < MODELS:
            odd.add(model)

    def advance(self, now: float) -> None:
        """Let time pass."""
        self.windows.advance(now)
        self.timings.advance(now)

    def window(self, name: str) -> Sum:
        return self.windows.sum(name)

    def _tool(self, name: str) -> Tool:
        return self.tools.setdefault(within(self.tools, name, TOOLS), Tool())
