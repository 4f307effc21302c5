"""The one builder of the published state: a snapshot and the listener's own facts in, `state.json` out. Pure.

The shape, its units and the meaning of every key are in `state_types.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from aitop import __version__
from aitop.config import Config
from aitop.live import alerts
from aitop.publish import state_rows as rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aitop.live.aggregator import SumsView
    from aitop.live.alerts import Alert
    from aitop.live.money.burn import BurnView
    from aitop.live.snapshot import Snapshot
    from aitop.publish import state_types as published

VERSION: Literal[1] = 1


class ListenerFacts(NamedTuple):
    """What a snapshot does not hold: the listener's own facts of this moment."""

    pid: int
    started_at: float
    host: str
    providers: list[str]
    prices_as_of: str
    prices_source: str
    prices_stale: bool
    hooks: published.Hooks
    scan: published.Scan
    coverage: Mapping[str, published.ClientCoverage]
    doctor: published.Doctor
    fleet: published.Fleet | None = None
    energy: published.Energy | None = None


def build(snap: Snapshot, config: Config, facts: ListenerFacts) -> published.State:
    """The whole state of one moment."""
    sums = snap.sums
    return {
        "version": VERSION,
        "written_at": snap.at,
        "host": facts.host,
        "listener": {"pid": facts.pid, "started_at": facts.started_at, "version": __version__},
        "providers": facts.providers,
        "active_sessions": snap.active,
        "waiting_sessions": snap.waiting,
        "windows": rows.windows_rows(sums),
        "since_start": rows.sum_row(sums.since_start),
        "today": rows.sum_row(sums.periods["today"]),
        "week": rows.sum_row(sums.periods["week"]),
        "month": rows.sum_row(sums.periods["month"]),
        "burn": cast("published.Burn", snap.burn._asdict()),
        "sessions": [rows.session_row(one) for one in snap.sessions],
        "projects_today": rows.project_rows(snap.projects),
        "folders_today": rows.folder_rows(snap.projects, snap.sessions),
        "context": rows.context_row(snap.gauge),
        "compactions": snap.compactions,
        "stop_reasons": dict(snap.stop_reasons),
        "tools": {name: cast("published.Tool", tool._asdict()) for name, tool in snap.tools.items()},
        "limits": [cast("published.Limit", limit._asdict()) for limit in snap.limits],
        "block": cast("published.Block", snap.block._asdict()) if snap.block else None,
        "budgets": [cast("published.Budget", budget._asdict()) for budget in snap.budgets],
        "forecast": cast("published.Forecast", {name: one._asdict() for name, one in snap.forecast.items()}),
        "plan": cast("published.Plan", snap.plan._asdict()) if snap.plan else None,
        "alerts": [_alert(alert) for alert in snap.alerts],
        "level": alerts.level(snap.alerts),
        "sparklines": rows.sparklines(sums),
        "prices": _prices(snap, facts),
        "hooks": facts.hooks,
        "scan": facts.scan,
        "coverage": _coverage(sums, facts.coverage),
        "display": display(config, limited=bool(snap.limits), burn=snap.burn),
        "doctor": facts.doctor,
        "fleet": facts.fleet,
        "energy": facts.energy,
        "by_provider": {name: _part(snap, name) for name in snap.by_provider},
    }


def _part(snap: Snapshot, name: str) -> published.Provider:
    """One client's part."""
    projects = rows.project_rows(snap.projects, name)
    folders = rows.folder_rows(snap.projects, snap.sessions, name)
    return rows.provider_row(name, snap.by_provider[name], projects, folders)


def _prices(snap: Snapshot, facts: ListenerFacts) -> published.Prices:
    return {
        "as_of": facts.prices_as_of,
        "source": facts.prices_source,
        "stale": facts.prices_stale,
        "unpriced_models": snap.unpriced,
        "estimated_models": snap.estimated,
    }


def _alert(alert: Alert) -> published.Alert:
    return {
        "id": alert.id,
        "rule": alert.rule,
        "level": alert.level,
        "text": alert.text,
        "since": alert.since,
        "cause": alert.cause,
        "session": alert.session,
        "provider": alert.provider,
    }


def _coverage(sums: SumsView, clients: Mapping[str, published.ClientCoverage]) -> published.Coverage:
    """How far this month's total can be trusted."""
    month = sums.periods["month"]
    doubtful = month.unpriced_requests + month.understated_requests
    return {
        "clients": dict(clients),
        "responses": {
            "priced": month.requests - month.unpriced_requests - month.estimated_requests,
            "estimated": month.estimated_requests,
            "at_least": min(month.requests, doubtful),
        },
    }


def display(config: Config, *, limited: bool, burn: BurnView) -> published.Display:
    """What displays need of the configuration. `limited`: the client reports usage limits."""
    billing = config["billing"]
    return {
        "billing": ("subscription" if limited else "api") if billing == "auto" else billing,
        "symbol": config["currency.symbol"],
        "rate": config["currency.rate"],
        "preset": config["preset"],
        "levels": {
            "burn": [burn.warning_usd_per_hour, burn.critical_usd_per_hour],
            "context": [config["alerts.context_warning"], config["alerts.context_critical"]],
            "limit": [config["alerts.limit_warning"], config["alerts.limit_critical"]],
            "cache_hit": config["alerts.cache_hit_warning"],
        },
        "statusline": {
            "format": config["statusline.format"],
            "preset": config["statusline.preset"],
            "style": config["statusline.style"],
        },
        "segments": [[s.name, s.display, s.preset, s.format] for s in config.segments],
    }
