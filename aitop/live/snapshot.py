"""The frozen view of one moment: what the state file is written from. Pure.

Everything that depends on `now` is decided here (which sessions are working, what a context gauge
shows, which limits still hold), so that a display has nothing left to compute.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from aitop.config import Config
from aitop.history.rows import Session
from aitop.live import alerts
from aitop.live.aggregator import Aggregator
from aitop.live.alerts import Alert
from aitop.live.windows import SPANS
from aitop.model.events import Limit
from aitop.model.histograms import Timings
from aitop.model.sums import PICO, Sum

MOST_SESSIONS = 50
RESTING = 600.0  # seconds without activity after which nothing is taken to be working
BREATH = (
    15.0  # a process that is gone while its session still writes was not the only one: resumed without hooks
)
GONE = 3600.0  # and after which a session without a living process is over
DEFAULT_LIMIT = 200_000
LARGE_LIMIT = 1_000_000


class Facts(NamedTuple):
    """What the sums cannot know: the world outside, asked once a tick."""

    alive: Callable[[int], bool]  # whether a process lives
    context_limit: Callable[[str, str], int | None]  # (provider, model) → tokens
    budgets: tuple[Mapping[str, Any], ...] = ()  # as published


class SessionView(NamedTuple):
    """One session as it is now."""

    session: Session
    status: str
    context_limit: int
    context_percent: float | None
    untracked: float | None  # USD the client counts and no transcript shows


class Gauge(NamedTuple):
    """The context of the newest working main thread."""

    tokens: int
    limit: int
    percent: float
    session: str


class Snapshot(NamedTuple):
    """One moment, whole."""

    at: float
    windows: dict[str, Sum]
    timings: dict[str, Timings]  # by window
    since_start: Sum
    periods: dict[str, Sum]
    sessions: list[SessionView]
    active: int
    gauge: Gauge | None
    compactions: int
    stop_reasons: dict[str, int]
    tools: list[tuple[str, int, int, float | None, float | None]]
    limits: list[Limit]
    alerts: tuple[Alert, ...]
    spark_cost: list[int]
    spark_tokens: list[int]
    unpriced: list[str]
    estimated: list[str]


def take(
    aggregator: Aggregator,
    sessions: Iterable[Session],
    before: Iterable[Alert],
    config: Config,
    facts: Facts,
    now: float,
) -> Snapshot:
    """Freeze what is known at `now`."""
    aggregator.advance(now)
    newest = sorted(sessions, key=lambda s: s.last_at, reverse=True)
    views = [view(session, facts, now) for session in newest[:MOST_SESSIONS]]
    unseen = (session for session in newest[MOST_SESSIONS:] if now - session.last_at < GONE)
    gauge = _gauge(views, now)
    windows = {name: aggregator.window(name) for name in SPANS}
    cost, tokens = aggregator.minutes.values(now)
    limits = [limit for _, limit in sorted(aggregator.limits.items()) if limit.resets_at > now]
    more = _more(aggregator, views, limits, facts, now)
    return Snapshot(
        now,
        windows,
        {name: aggregator.timings.window(name) for name in SPANS},
        aggregator.since_start.sum(),
        {name: total.sum() for name, total in aggregator.periods.items()},
        views,
        sum(active(v, now) for v in views) + sum(active(view(s, facts, now), now) for s in unseen),
        gauge,
        aggregator.compactions,
        {reason: count for reason, count in sorted(aggregator.stop_reasons.items()) if count > 0},
        [
            (name, tool.calls, tool.failures, tool.percentile(0.5), tool.percentile(0.95))
            for name, tool in sorted(aggregator.tools.items())
            if tool.calls > 0
        ],
        limits,
        alerts.evaluate(
            before, config, now, windows["1m"], windows["5m"], gauge.percent if gauge else None, more
        ),
        cost,
        tokens,
        sorted(aggregator.unpriced),
        sorted(aggregator.estimated),
    )


def _more(
    aggregator: Aggregator, views: list[SessionView], limits: list[Limit], facts: Facts, now: float
) -> alerts.More:
    """What the rules beyond the last minutes' sums are judged by."""
    today = aggregator.periods.get("today")
    return alerts.More(
        tuple(_session_facts(v, aggregator.quarters.sum(v.session.id, now)) for v in views),
        tuple(limits),
        facts.budgets,
        aggregator.cut_off.count(now),
        aggregator.day,
        today.sum().cost if today else 0,
        aggregator.past_days,
    )


def _session_facts(v: SessionView, quarter: Sum) -> alerts.SessionFacts:
    s = v.session
    changed, since, told = s.lines or (None, 0.0, 0.0)
    expires = s.cache.expires_at if s.cache is not None and s.cache.warm else None
    return alerts.SessionFacts(
        s.name, project(s), s.provider, v.status, quarter, s.context_tokens, v.context_limit, s.compactions,
        expires, changed, since, told,
    )  # fmt: skip


def active(v: SessionView, now: float) -> bool:
    """Working or waiting, or so shortly at rest that its user is still there."""
    return v.status in ("working", "waiting") or (v.status == "idle" and now - v.session.last_at < RESTING)


def view(session: Session, facts: Facts, now: float) -> SessionView:
    """One session's state at `now`."""
    tokens = session.context_tokens
    limit = (
        session.context_limit or facts.context_limit(session.provider, session.model or "") or DEFAULT_LIMIT
    )
    if tokens is not None and tokens > limit:
        limit = LARGE_LIMIT  # a request larger than the window we know of shows the larger window
    percent = None if tokens is None else min(100.0, 100 * tokens / limit)
    untracked = None if session.client_cost is None else session.total.untracked / PICO
    return SessionView(session, status(session, facts.alive, now), limit, percent, untracked)


def status(session: Session, alive: Callable[[int], bool], now: float) -> str:
    """Working, waiting, idle or ended: what was last told, weighed by the process and the clock."""
    quiet = now - session.last_at
    living = session.pid is not None and alive(session.pid)
    gone = session.pid is not None and not living and quiet > BREATH
    if session.status == "ended" or gone:
        return "ended"
    if session.status in ("working", "waiting") and (quiet < RESTING or (living and quiet < GONE)):
        return session.status
    return "idle" if living or quiet < GONE else "ended"


def understated(session: Session) -> bool:
    """Whether what a session shows implies over twice the output it reported."""
    return session.total.understated_requests > 0


def project(session: Session) -> str:
    """The name people know a session by: its folder's, else the program that its own name begins with."""
    program, slash, _ = session.name.partition("/")
    return named(session.cwd) or (program if slash else session.name[:8])


def named(cwd: str | None) -> str:
    """A folder's own name."""
    return os.path.basename((cwd or "").replace("\\", "/").rstrip("/"))


def _gauge(views: list[SessionView], now: float) -> Gauge | None:
    """Of the newest working main thread; while none works, of the newest active one."""
    shown = [v for v in views if v.session.context_tokens is not None and active(v, now)]
    best = next((v for v in shown if v.status == "working"), shown[0] if shown else None)
    if best is None or best.session.context_tokens is None or best.context_percent is None:
        return None
    return Gauge(best.session.context_tokens, best.context_limit, best.context_percent, best.session.name)
