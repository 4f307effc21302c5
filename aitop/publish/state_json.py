"""A snapshot as the published contract, `state.json` version 1: money in USD, times in epoch seconds. Pure."""

from typing import Any

from aitop import __version__
from aitop.config import Config
from aitop.live.by_provider import Shares
from aitop.live.snapshot import SessionView, Snapshot, named, project, understated
from aitop.model.histograms import METRICS, Timings
from aitop.model.sums import PICO, Sum, published

VERSION = 1
PROJECTS = 20  # published at most
ONLY_IN_REPORTS = ("uncached_input_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens")
SECONDS = {"1m": 60, "5m": 300, "15m": 900}


def encode(
    snap: Snapshot, config: Config, *, listener: dict[str, Any], providers: list[str], prices: dict[str, Any],
    hooks: dict[str, Any], scan: dict[str, Any], doctor: dict[str, Any], host: str,
    projects: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """A snapshot as the published contract (state version 1): money in USD, times in epoch seconds."""
    return {
        "version": VERSION,
        "written_at": snap.at,
        "host": host,
        "listener": {**listener, "version": __version__},
        "providers": providers,
        "active_sessions": snap.active,
        "windows": {
            name: window(value, snap.timings[name], SECONDS[name]) for name, value in snap.windows.items()
        },
        "since_start": _sum(snap.since_start),
        **{name: _sum(value) for name, value in snap.periods.items()},
        "sessions": [_session(v) for v in snap.sessions],
        "projects_today": projects or [],
        "context": snap.gauge._asdict() if snap.gauge else None,
        "compactions": snap.compactions,
        "stop_reasons": snap.stop_reasons,
        "tools": {
            name: {"calls": calls, "failures": failures, "p50_ms": p50, "p95_ms": p95}
            for name, calls, failures, p50, p95 in snap.tools
        },
        "limits": [limit._asdict() for limit in snap.limits],
        "budgets": [],
        "forecast": {},
        "alerts": [alert._asdict() for alert in snap.alerts],
        "level": max((a.level for a in snap.alerts), key=("ok", "warning", "critical").index, default="ok"),
        "sparklines": {"cost_usd": [cost / PICO for cost in snap.spark_cost], "tokens": snap.spark_tokens},
        "prices": {**prices, "unpriced_models": snap.unpriced, "estimated_models": snap.estimated},
        "hooks": hooks,
        "scan": scan,
        "display": display(config, bool(snap.limits)),
        "doctor": doctor,
    }


def projects(rows: list[tuple[str, int, int, int, int, int]]) -> list[dict[str, Any]]:
    """Today by project, dearest first, from sums by folder: folders of one name are one project."""
    found: dict[str, list[int]] = {}
    for cwd, *values in rows:
        total = found.setdefault(named(cwd) or "unknown", [0] * len(values))
        total[:] = [one + other for one, other in zip(total, values, strict=True)]
    keys = ("requests", "unpriced_requests", "estimated_requests", "understated_requests")
    dearest = sorted(found.items(), key=lambda item: (-item[1][0], item[0]))[:PROJECTS]
    return [
        {"project": name, "cost_usd": cost / PICO, **dict(zip(keys, counts, strict=True))}
        for name, (cost, *counts) in dearest
    ]


def shares(known: Shares, now: float) -> dict[str, Any]:
    """Each provider's part of the sums, in the shape of the whole."""
    known.advance(now)
    found = {}
    for name, share in sorted(known.by_provider.items()):
        cost, tokens = share.minutes.values(now)
        found[name] = {
            "windows": {
                span: window(share.windows.sum(span), share.timings.window(span), SECONDS[span])
                for span in SECONDS
            },
            "since_start": _sum(share.since_start.sum()),
            **{period: _sum(total.sum()) for period, total in share.periods.items()},
            "sparklines": {"cost_usd": [value / PICO for value in cost], "tokens": tokens},
        }
    return found


def _sum(value: Sum) -> dict[str, Any]:
    tried = value.requests + value.errors
    numbers = published(value)
    for key in ONLY_IN_REPORTS:
        del numbers[key]
    return {**numbers, "error_rate": value.errors / tried if tried else None}


def window(value: Sum, timings: Timings, seconds: int) -> dict[str, Any]:
    minutes = seconds / 60
    return {
        **_sum(value),
        "requests_per_minute": value.requests / minutes,
        "tokens_per_minute": (value.input_tokens + value.output_tokens) / minutes,
        "cache_hit_rate": value.cache_read_tokens / value.input_tokens if value.input_tokens else None,
        "cost_usd_per_hour": value.cost * (3600 // seconds) / PICO,
        **_timings(timings),
    }


def _timings(value: Timings) -> dict[str, Any]:
    """Medians and 95th percentiles, null where nobody measured."""
    found: dict[str, Any] = {"timed_requests": value.timed()}
    for number, metric in enumerate(METRICS):
        for name, part in (("p50", 0.5), ("p95", 0.95)):
            percentile = value.percentile(number, part)
            found[metric.format(name)] = None if percentile is None else round(percentile, 1)
    return found


def _session(v: SessionView) -> dict[str, Any]:
    s = v.session
    total = s.total
    return {
        "id": s.name,
        "provider": s.provider,
        "project": project(s),
        "cwd": s.cwd,
        "branch": s.branch or None,
        "model": s.model or "",
        "tag": s.tag,
        "title": None,  # clients keep theirs in their transcripts: words of a conversation
        "pid": s.pid,
        "pane": s.pane,
        "status": v.status,
        "started_at": s.started_at,
        "last_activity_at": s.last_at,
        "requests": total.requests,
        "input_tokens": total.input_tokens,
        "output_tokens": total.output_tokens,
        "cache_read_tokens": total.cache_read_tokens,
        "cache_write_tokens": total.cache_write_tokens,
        "cost_usd": total.cost / PICO,
        "client_cost_usd": s.client_cost,
        "untracked_usd": v.untracked,
        "context_tokens": s.context_tokens or 0,
        "context_limit": v.context_limit,
        "context_percent": v.context_percent,
        "compactions": s.compactions,
        "tool_calls": total.tool_calls,
        "tool_failures": total.tool_failures,
        "errors": total.errors,
        "stop_reasons": s.stop_reasons,
        "subagents": len(s.agents),
        "unpriced_requests": total.unpriced_requests,
        "estimated_requests": total.estimated_requests,
        "incomplete_requests": total.incomplete_requests,
        "understated": understated(s),
        "client_api_ms": s.client_api_ms,
        **_timings(s.timings),
        "prompt_cache": None
        if s.cache is None
        else {
            "warm": s.cache.warm,
            "expires_at": s.cache.expires_at,
            "ttl": s.cache.ttl,
            "hit_ratio": s.cache.hit_ratio,
        },
    }


def display(config: Config, limited: bool) -> dict[str, Any]:
    billing = config["billing"]
    return {
        "billing": ("subscription" if limited else "api") if billing == "auto" else billing,
        "symbol": config["currency.symbol"],
        "rate": config["currency.rate"],
        "preset": config["preset"],
        "levels": {
            "burn": [config["alerts.burn_warning"], config["alerts.burn_critical"]],
            "context": [config["alerts.context_warning"], config["alerts.context_critical"]],
            "limit": [config["alerts.limit_warning"], config["alerts.limit_critical"]],
            "cache_hit": config["alerts.cache_hit_warning"],
        },
        "statusline": {name: config[f"statusline.{name}"] for name in ("format", "preset", "style")},
        "segments": [[s.name, s.display, s.preset, s.format] for s in config.segments],
    }
