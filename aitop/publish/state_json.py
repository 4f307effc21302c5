"""The one builder of the published state: a snapshot and the listener's own facts in, `state.json` out. Pure.

The shape, its units and the meaning of every key are in `state_types.py`.
"""

from typing import TYPE_CHECKING, NamedTuple

from aitop import __version__
from aitop.config import Config
from aitop.live import alerts
from aitop.live.alerts import Alert
from aitop.live.money.burn import BurnView
from aitop.live.snapshot import Snapshot
from aitop.publish import state_rows as rows

if TYPE_CHECKING:
    from aitop.publish import state_types as published

VERSION = 1


class ListenerFacts(NamedTuple):
    """What a snapshot does not hold: the listener's own facts of this moment."""

    pid: int
    started_at: float
    host: str
    providers: list[str]
    prices_as_of: str
    prices_source: str
    prices_stale: bool
    hooks: "published.Hooks"
    scan: "published.Scan"
    coverage: "dict[str, published.ClientCoverage]"
    doctor: "published.Doctor"


def build(snap: Snapshot, config: Config, facts: ListenerFacts) -> "published.State":
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
        "burn": {**snap.burn._asdict()},
        "sessions": [rows.session_row(one) for one in snap.sessions],
        "projects_today": rows.project_rows(snap.projects),
        "context": rows.context_row(snap.gauge),
        "compactions": snap.compactions,
        "stop_reasons": dict(snap.stop_reasons),
        "tools": {name: tool._asdict() for name, tool in snap.tools.items()},
        "limits": [limit._asdict() for limit in snap.limits],
        "block": snap.block._asdict() if snap.block else None,
        "budgets": [budget._asdict() for budget in snap.budgets],
        "forecast": {name: one._asdict() for name, one in snap.forecast.items()},
        "alerts": [_alert(alert) for alert in snap.alerts],
        "level": alerts.level(snap.alerts),
        "sparklines": rows.sparklines(sums),
        "prices": {
            "as_of": facts.prices_as_of,
            "source": facts.prices_source,
            "stale": facts.prices_stale,
            "unpriced_models": snap.unpriced,
            "estimated_models": snap.estimated,
        },
        "hooks": facts.hooks,
        "scan": facts.scan,
        "display": display(config, limited=bool(snap.limits), burn=snap.burn),
        "doctor": facts.doctor,
        "by_provider": {
            name: rows.provider_row(one, rows.project_rows(snap.projects, name))
            for name, one in snap.by_provider.items()
        },
    }
