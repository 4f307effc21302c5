"""Every live sum: windows, periods, tools, limits; over everything, and each client's part. Pure.

Takes what a commit changed and answers at any `now`. Memory does not grow with the event rate: a ring of
buckets, an hour of minutes, the last few hundred latencies of each tool. Sessions are the history's own;
this file holds only sums.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from aitop.history.write.ledger import Changes, within
from aitop.live.windows import (
    WINDOW_SECONDS,
    Minutes,
    RecentBySession,
    RecentCount,
    TimingWindows,
    Total,
    Windows,
)
from aitop.model import periods
from aitop.model.events import Limit, Timing
from aitop.model.histograms import Timings
from aitop.model.sums import ZERO, Sum
from aitop.pricing.basis import Basis

KEPT_LATENCIES = 512  # the newest of each tool: exact percentiles over them
# Names come from clients' files. Past so many different ones, "other" takes the rest.
MAX_TOOLS, MAX_STOP_REASONS, MAX_MODELS, MAX_LIMITS = 200, 100, 200, 64


class SumsView(NamedTuple):
    """Every sum of everything, or of one client's part, at one moment."""

    windows: Mapping[str, Sum]
    timings: Mapping[str, Timings]  # by window
    since_start: Sum
    periods: Mapping[str, Sum]
    minute_costs: list[int]  # picodollars of each of the last 60 minutes, oldest first
    minute_spent: list[int]
    minute_tokens: list[int]


class ToolCount(NamedTuple):
    """How often a client called a tool today, and how often that failed."""

    calls: int
    failures: int


class LiveSums:
    """The running sums of everything, or of one client's part."""

    __slots__ = ("minutes", "periods", "since_start", "stop_reasons", "timings", "tools", "windows")

    def __init__(self, started_at: float, now: float, starts: Mapping[str, float]) -> None:
        """`starts`: period → when it began."""
        self.windows = Windows(now)
        self.timings = TimingWindows(now)
        self.minutes = Minutes()
        self.since_start = Total(started_at)
        self.periods = {name: Total(start) for name, start in starts.items()}
        self.tools: dict[str, ToolCount] = {}  # today
        self.stop_reasons: dict[str, int] = {}  # today

    def recall(self, at: float, value: Sum) -> None:
        """Add what the history had before this start."""
        self.windows.add(at, value)
        self.minutes.add(at, value)

    def add(self, at: float, value: Sum) -> None:
        """Add a difference to every sum that covers its moment."""
        self.recall(at, value)
        self.since_start.add(at, value)
        for total in self.periods.values():
            total.add(at, value)

    def add_stop(self, reason: str, sign: int) -> None:
        """Count a response of today by why it ended."""
        name = within(self.stop_reasons, reason, MAX_STOP_REASONS)
        self.stop_reasons[name] = self.stop_reasons.get(name, 0) + sign

    def add_tool(self, name: str, calls: int, failures: int) -> None:
        """Count a tool's calls of today."""
        key = within(self.tools, name, MAX_TOOLS)
        before = self.tools.get(key, ToolCount(0, 0))
        self.tools[key] = ToolCount(before.calls + calls, before.failures + failures)

    def advance(self, now: float) -> None:
        self.windows.advance(now)
        self.timings.advance(now)

    def view(self, now: float) -> SumsView:
        """Needs `advance` first."""
        costs, spent, tokens = self.minutes.values(now)
        return SumsView(
            windows={name: self.windows.sum(name) for name in WINDOW_SECONDS},
            timings={name: self.timings.window(name) for name in WINDOW_SECONDS},
            since_start=self.since_start.sum(),
            periods={name: total.sum() for name, total in self.periods.items()},
            minute_costs=costs,
            minute_spent=spent,
            minute_tokens=tokens,
        )


class Tool:
    """One tool's day."""

    __slots__ = ("calls", "failures", "latencies")

    def __init__(self, calls: int = 0, failures: int = 0, latencies: Iterable[float] = ()) -> None:
        self.calls = calls
        self.failures = failures
        self.latencies: deque[float] = deque(latencies, maxlen=KEPT_LATENCIES)

    def percentile(self, part: float) -> float | None:
        """Milliseconds below which that part of the newest calls stayed (nearest rank)."""
        if not self.latencies:
            return None
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, max(0, -int(-part * len(ordered) // 1) - 1))]


class Day(NamedTuple):
    """What the history knows when a day begins, and at each start."""

    starts: Mapping[str, float]  # today, week, month → when it began
    sums: Mapping[str, Sum] = {}  # by period
    by_provider: Mapping[str, Mapping[str, Sum]] = {}  # client → period → sum
    tools: Iterable[tuple[str, int, int, list[float]]] = ()  # name, calls, failures, newest latencies (ms)
    stop_reasons: Mapping[str, int] = {}
    tools_by_provider: Mapping[str, Mapping[str, tuple[int, int]]] = {}  # client → name → calls, failures
    stops_by_provider: Mapping[str, Mapping[str, int]] = {}
    compactions: int = 0
    past_days: tuple[int, ...] = ()  # picodollars of finished days with any cost, oldest first


class Aggregator:
    """Every sum a display shows, kept up to date by differences."""

    def __init__(self, started_at: float) -> None:
        self.started_at = self._now = started_at
        self.whole = LiveSums(started_at, started_at, {})
        self.by_provider: dict[str, LiveSums] = {}
        self.recent = RecentBySession()
        self.cut_off = RecentCount()  # responses that ended at max_tokens
        self.day = Day({"today": 0.0})
        self.tools: dict[str, Tool] = {}
        self.stop_reasons: dict[str, int] = {}
        self.compactions = 0
        self.limits: dict[tuple[str, str, str], Limit] = {}  # by client, account and name
        self.unpriced: set[str] = set()
        self.estimated: set[str] = set()

    @property
    def day_start(self) -> float:
        return self.day.starts["today"]

    def begin_day(self, day: Day) -> None:
        """Start from the history's own sums: at the start, and at each local midnight."""
        self.day = day
        self._begin_periods(self.whole, day.sums)
        for provider in {*day.by_provider, *day.tools_by_provider, *self.by_provider}:
            self._begin_part(self._part(provider), provider)
        self.tools = {name: Tool(calls, failures, times) for name, calls, failures, times in day.tools}
        most_frequent = sorted(day.stop_reasons.items(), key=lambda item: -item[1])
        self.stop_reasons = dict(most_frequent[:MAX_STOP_REASONS])
        self.compactions = day.compactions

    def _begin_part(self, part: LiveSums, provider: str) -> None:
        day = self.day
        self._begin_periods(part, day.by_provider.get(provider, {}))
        part.tools, part.stop_reasons = {}, {}
        for name, (calls, failures) in day.tools_by_provider.get(provider, {}).items():
            part.add_tool(name, calls, failures)
        for reason, count in day.stops_by_provider.get(provider, {}).items():
            part.add_stop(reason, count)

    def _begin_periods(self, sums: LiveSums, counted: Mapping[str, Sum]) -> None:
        sums.periods = {
            name: Total(start, counted.get(name, ZERO))
            for name, start in self.day.starts.items()
            if name in periods.NAMES
        }

    def recall(self, past: Iterable[tuple[str, float, Sum]]) -> None:
        """The last hour's sums by client, which the history had before this start."""
        for provider, at, value in past:
            self.whole.recall(at, value)
            self._part(provider).recall(at, value)

    def recall_sessions(
        self, past: Iterable[tuple[float, int, Sum]], cut_off: Iterable[float],
        timed: Iterable[tuple[str, float, Timing]], now: float,
    ) -> None:  # fmt: skip
        """The last quarter of an hour of each session, which the history had before this start."""
        for provider, at, timing in timed:
            self.whole.timings.add(at, timing, 1)
            self._part(provider).timings.add(at, timing, 1)
        for at, session, value in past:
            self.recent.add(at, session, value, now)
        for at in cut_off:
            self.cut_off.add(at, 1)

    def fold(self, changes: Changes, provider_of: Callable[[int], str], now: float) -> None:
        """Take in what one commit changed. `provider_of`: a session's number → its client."""
        self.advance(now)
        for at, session, timing, sign in changes.timings:
            self.whole.timings.add(at, timing, sign)
            self._part(provider_of(session)).timings.add(at, timing, sign)
        for at, session, value in changes.sums:
            self.recent.add(at, session, value, now)
            self.whole.add(at, value)
            self._part(provider_of(session)).add(at, value)
        self._fold_day(changes, provider_of)
        for limit in changes.limits:
            self.keep_limit(limit)
        for model, basis in changes.models:
            self.not_listed(model, basis)

    def _fold_day(self, changes: Changes, provider_of: Callable[[int], str]) -> None:
        """What is counted by the day: stop reasons, tools, compactions."""
        today = self.day_start
        for at, reason, sign, session in changes.stops:
            if reason == "max_tokens":
                self.cut_off.add(at, sign)
            if at >= today:
                name = within(self.stop_reasons, reason, MAX_STOP_REASONS)
                self.stop_reasons[name] = self.stop_reasons.get(name, 0) + sign
                self._part(provider_of(session)).add_stop(reason, sign)
        for at, name, calls, failures, session in changes.tools:
            if at >= today:
                self._part(provider_of(session)).add_tool(name, calls, failures)
                tool = self._tool(name)
                tool.calls += calls
                tool.failures += failures
        for at, name, took, before in changes.latencies:
            if at >= today:
                latencies = self._tool(name).latencies
                if before is not None and before in latencies:
                    latencies.remove(before)
                latencies.append(took)
        self.compactions += sum(sign for at, sign in changes.compactions if at >= today)

    def keep_limit(self, limit: Limit) -> None:
        """Remember a report of a limit that counts; the history decides which one does."""
        key = (limit.provider, limit.account or "", limit.name)
        if key in self.limits or len(self.limits) < MAX_LIMITS:
            self.limits[key] = limit

    def not_listed(self, model: str, basis: int) -> None:
        """Note a model that has no list price."""
        models = self.unpriced if basis == Basis.UNPRICED else self.estimated
        if len(models) < MAX_MODELS:
            models.add(model)

    def advance(self, now: float) -> None:
        """Let time pass."""
        self._now = max(now, self._now)
        self.whole.advance(now)
        for part in self.by_provider.values():
            part.advance(now)

    def window(self, name: str) -> Sum:
        return self.whole.windows.sum(name)

    def _part(self, provider: str) -> LiveSums:
        part = self.by_provider.get(provider)
        if part is None:
            starts = {name: start for name, start in self.day.starts.items() if name in self.whole.periods}
            part = self.by_provider[provider] = LiveSums(self.started_at, self._now, starts)
        return part

    def _tool(self, name: str) -> Tool:
        return self.tools.setdefault(within(self.tools, name, MAX_TOOLS), Tool())
