"""The frozen view of one moment: what the state file is written from. Pure.

Everything that depends on `now` is decided here (which sessions work, what a context gauge shows, which limits
still hold, how budgets stand), so that neither the writer of the state nor a display has anything to compute.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from aitop.config import Config
from aitop.history.rows import Session
from aitop.live import alerts, session_activity
from aitop.live.aggregator import Aggregator, SumsView
from aitop.live.alerts import Alert
from aitop.live.money import burn
from aitop.live.money.budgets import BudgetView
from aitop.live.money.burn import BurnThresholds, BurnView
from aitop.live.money.forecast import PeriodForecast
from aitop.live.money.limits import LimitView
from aitop.live.money.plan import PlanView
from aitop.live.money.tracker import BlockView, MoneyTracker
from aitop.model.events import Limit
from aitop.model.sums import Sum

MAX_LISTED_SESSIONS = 50
DEFAULT_CONTEXT = 200_000  # tokens
LARGE_CONTEXT = 1_000_000


class Lookups(NamedTuple):
    """What the sums cannot know: asked of the world outside, once a tick."""

    alive: Callable[[int], bool | None]  # whether a process lives; None: nothing is known of it
    context_limit: Callable[[str, str], int | None]  # (client, model) → tokens
    repository: Callable[[str], str] = str  # a folder → the same one in its repository's main checkout


class SessionView(NamedTuple):
    """One session as it is now."""

    session: Session
    status: str
    active: bool
    tag: str | None
    folder: str | None  # that its work belongs to: a worktree's is that of its repository
    context_limit: int
    context_percent: float | None


class Gauge(NamedTuple):
    """The context of one session's main thread."""

    tokens: int
    limit: int
    percent: float
    session: str


class ToolView(NamedTuple):
    """One tool's day."""

    calls: int
    failures: int
    p50_ms: float | None
    p95_ms: float | None


class ProjectToday(NamedTuple):
    """What one client's sessions in one folder did today."""

    provider: str
    cwd: str
    sum: Sum


class ProviderView(NamedTuple):
    """One client's part of a moment."""

    sums: SumsView
    burn: BurnView
    active: int
    waiting: int
    gauge: Gauge | None
    compactions: int  # of its listed sessions, since they began
    tools: Mapping[str, ToolView]
    stop_reasons: Mapping[str, int]


class Snapshot(NamedTuple):
    """One moment, whole."""

    at: float
    sums: SumsView
    by_provider: Mapping[str, ProviderView]
    sessions: list[SessionView]
    active: int
    waiting: int
    gauge: Gauge | None
    compactions: int
    stop_reasons: Mapping[str, int]
    tools: Mapping[str, ToolView]
    projects: tuple[ProjectToday, ...]
    limits: list[LimitView]
    block: BlockView | None
    budgets: list[BudgetView]
    forecast: Mapping[str, PeriodForecast]
    plan: PlanView | None
    burn: BurnView
    alerts: tuple[Alert, ...]
    unpriced: list[str]
    estimated: list[str]


def take(
    aggregator: Aggregator, money: MoneyTracker, sessions: Iterable[Session], *, before: Iterable[Alert],
    projects: Iterable[ProjectToday] = (), config: Config, lookups: Lookups, now: float,
) -> Snapshot:  # fmt: skip
    """Freeze what is known at `now`. `before`: the alerts of the tick before."""
    aggregator.advance(now)
    newest = sorted(sessions, key=lambda s: s.last_at, reverse=True)
    listed = [view(s, money.tag(s, config), lookups, now) for s in newest[:MAX_LISTED_SESSIONS]]
    views = listed + _unlisted(newest[MAX_LISTED_SESSIONS:], lookups, now)
    active = {one.session.name for one in views if one.active}
    limits = [limit for _, limit in sorted(aggregator.limits.items())]
    in_force = [limit for limit in limits if limit.resets_at > now]
    block = money.block(in_force, now)
    budgets = money.budgets(newest, active, {one.session.name for one in listed}, config)
    sums, gauge = aggregator.whole.view(now), _gauge(listed)
    thresholds = burn.configured(money.burn, config["alerts.burn_warning"], config["alerts.burn_critical"])
    raised = alerts.evaluate(before, config, now, _facts(
        aggregator, money, sums, listed, gauge=gauge, limits=limits, budgets=budgets, thresholds=thresholds, now=now
    ))  # fmt: skip
    return Snapshot(
        at=now,
        sums=sums,
        by_provider=_by_provider(aggregator, views, thresholds, now),
        sessions=listed,
        active=len(active),
        waiting=sum(one.status == "waiting" for one in views),
        gauge=gauge,
        compactions=aggregator.compactions,
        stop_reasons=_counted(aggregator.stop_reasons),
        tools=_tools(aggregator),
        projects=tuple(one._replace(cwd=lookups.repository(one.cwd)) for one in projects),
        limits=money.limits(in_force, config, now),
        block=block,
        budgets=budgets,
        forecast=money.forecasts(block, now),
        plan=money.plan(config),
        burn=_burn(sums, thresholds, raised),
        alerts=raised,
        unpriced=sorted(aggregator.unpriced),
        estimated=sorted(aggregator.estimated),
    )


def _unlisted(sessions: Iterable[Session], lookups: Lookups, now: float) -> list[SessionView]:
    """The sessions that are not over, of those that the state has no room for."""
    return [view(s, None, lookups, now) for s in sessions if now - s.last_at < session_activity.OVER]


def _facts(
    aggregator: Aggregator, money: MoneyTracker, sums: SumsView, listed: list[SessionView], *, gauge: Gauge | None,
    limits: list[Limit], budgets: list[BudgetView], thresholds: BurnThresholds, now: float,
) -> alerts.Evidence:  # fmt: skip
    """What the alert rules read of this moment."""
    return alerts.Evidence(
        five_minutes=sums.windows["5m"],
        fifteen_minutes=sums.windows["15m"],
        burn=thresholds,
        context_percent=gauge.percent if gauge else None,
        context_session=gauge.session if gauge else None,
        sessions=tuple(_evidence(one, aggregator, now) for one in listed),
        limits=tuple(limits),
        budgets=tuple(budgets),
        cut_off=aggregator.cut_off.count(now),
        day_started=aggregator.day_start,
        today_spent=sums.periods["today"].spent if "today" in sums.periods else 0,
        dearest_today=money.dearest_today(),
        past_days=aggregator.day.past_days,
    )


def _tools(aggregator: Aggregator) -> dict[str, ToolView]:
    return {
        name: ToolView(tool.calls, tool.failures, tool.percentile(0.5), tool.percentile(0.95))
        for name, tool in sorted(aggregator.tools.items())
        if tool.calls > 0
    }


def _counted(reasons: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in sorted(reasons.items()) if count > 0}


def _burn(sums: SumsView, thresholds: BurnThresholds, raised: Iterable[Alert]) -> BurnView:
    """The burn rate at the level of its alert, which holds it a while at the edge."""
    held = next((alert.level for alert in raised if alert.rule == "burn"), "ok")
    return burn.view(sums.windows["5m"], sums.windows["15m"], thresholds)._replace(level=held)


def _by_provider(
    aggregator: Aggregator, views: list[SessionView], thresholds: BurnThresholds, now: float
) -> dict[str, ProviderView]:
    by_provider = {}
    for provider, part in sorted(aggregator.by_provider.items()):
        mine = [one for one in views if one.session.provider == provider]
        sums = part.view(now)
        by_provider[provider] = ProviderView(
            sums=sums,
            burn=burn.view(sums.windows["5m"], sums.windows["15m"], thresholds),
            waiting=sum(one.status == "waiting" for one in mine),
            active=sum(one.active for one in mine),
            gauge=_gauge(mine),
            compactions=sum(one.session.compactions for one in mine),
            tools={
                name: ToolView(tool.calls, tool.failures, None, None)
                for name, tool in sorted(part.tools.items())
                if tool.calls > 0
            },
            stop_reasons=_counted(part.stop_reasons),
        )
    return by_provider


def _evidence(one: SessionView, aggregator: Aggregator, now: float) -> alerts.SessionEvidence:
    session = one.session
    changed, since, lines_told = session.lines or (None, 0.0, 0.0)
    return alerts.SessionEvidence(
        name=session.name,
        project=project(one),
        provider=session.provider,
        status=one.status,
        recent=aggregator.recent.sum(session.id, now),
        five_minutes=aggregator.recent.sum(session.id, now, 5),
        context_tokens=session.context_tokens,
        context_limit=one.context_limit,
        compactions=session.compactions,
        cache_expires_at=session.cache.expires_at
        if session.cache is not None and session.cache.warm
        else None,
        lines_changed=changed,
        lines_since=since,
        lines_told=lines_told,
        status_since=session.status_at,
    )


def view(session: Session, tag: str | None, lookups: Lookups, now: float) -> SessionView:
    """One session's state at `now`."""
    tokens = session.context_tokens
    model_limit = lookups.context_limit(session.provider, session.model or "")
    limit = session.window() or model_limit or DEFAULT_CONTEXT
    if tokens is not None and tokens > limit:
        limit = LARGE_CONTEXT  # a request larger than the window we know of shows the larger window
    status = session_activity.status(session, lookups.alive, now)
    return SessionView(
        session=session,
        status=status,
        active=session_activity.is_active(status, session.last_at, now),
        tag=tag,
        folder=lookups.repository(session.cwd) if session.cwd else session.cwd,
        context_limit=limit,
        context_percent=None if tokens is None else min(100.0, 100 * tokens / limit),
    )


def project(one: SessionView) -> str:
    """The name people know a session by: its folder's, else the program that its own name begins with."""
    program, slash, _ = one.session.name.partition("/")
    return folder_name(one.folder) or (program if slash else one.session.name[:8])


def folder_name(cwd: str | None) -> str:
    """A folder's own name."""
    return os.path.basename((cwd or "").replace("\\", "/").rstrip("/"))


def _gauge(views: list[SessionView]) -> Gauge | None:
    """Of the newest working main thread; while none works, of the newest active one. `views`: newest first."""
    shown = [one for one in views if one.session.context_tokens is not None and one.active]
    best = next((one for one in shown if one.status == "working"), shown[0] if shown else None)
    if best is None or best.session.context_tokens is None or best.context_percent is None:
        return None
    return Gauge(best.session.context_tokens, best.context_limit, best.context_percent, best.session.name)
