"""Rows of the published state: sums, windows, sessions, projects. Pure; picodollars become USD here."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import TYPE_CHECKING, cast

from aitop.live.aggregator import SumsView
from aitop.live.snapshot import Gauge, ProjectToday, ProviderView, SessionView, folder_name, project
from aitop.live.windows import WINDOW_SECONDS
from aitop.model.events import CacheState
from aitop.model.histograms import Timings
from aitop.model.sums import PICO, ZERO, Sum, plus
from aitop.providers import credit_rates

if TYPE_CHECKING:
    from aitop.publish import state_types as published

MAX_PROJECTS = 20
MAX_FOLDERS = 30
DURATION, TTFT, SPEED = range(3)  # metrics of `Timings`, in their order


def sum_row(value: Sum) -> published.Sum:
    tried = value.requests + value.errors
    return {
        "spent_usd": value.spent / PICO,
        "cost_usd": value.cost / PICO,
        "untracked_usd": value.untracked / PICO,
        "requests": value.requests,
        "errors": value.errors,
        "error_rate": value.errors / tried if tried else None,
        "input_tokens": value.input_tokens,
        "output_tokens": value.output_tokens,
        "cache_read_tokens": value.cache_read_tokens,
        "cache_write_tokens": value.cache_write_tokens,
        "tool_calls": value.tool_calls,
        "tool_failures": value.tool_failures,
        "unpriced_requests": value.unpriced_requests,
        "estimated_requests": value.estimated_requests,
        "client_priced_requests": value.client_priced_requests,
        "incomplete_requests": value.incomplete_requests,
        "understated_requests": value.understated_requests,
    }


def latencies_row(value: Timings) -> published.Latencies:
    def percentile(metric: int, part: float) -> float | None:
        milliseconds = value.percentile(metric, part)
        return None if milliseconds is None else round(milliseconds, 1)

    return {
        "timed_requests": value.timed(),
        "duration_p50_ms": percentile(DURATION, 0.5),
        "duration_p95_ms": percentile(DURATION, 0.95),
        "ttft_p50_ms": percentile(TTFT, 0.5),
        "ttft_p95_ms": percentile(TTFT, 0.95),
        "output_tokens_per_second_p50": percentile(SPEED, 0.5),
        "output_tokens_per_second_p95": percentile(SPEED, 0.95),
    }


def window_row(value: Sum, timings: Timings, seconds: int) -> published.Window:
    """`seconds`: the window's length."""
    minutes = seconds / 60
    return {
        **sum_row(value),
        **latencies_row(timings),
        "requests_per_minute": value.requests / minutes,
        "tokens_per_minute": (value.input_tokens + value.output_tokens) / minutes,
        "cache_hit_rate": value.cache_read_tokens / value.input_tokens if value.input_tokens else None,
        "spent_usd_per_hour": value.spent * (3600 // seconds) / PICO,
        "cost_usd_per_hour": value.cost * (3600 // seconds) / PICO,
    }


def windows_rows(sums: SumsView) -> published.Windows:
    def row(name: str) -> published.Window:
        return window_row(sums.windows[name], sums.timings[name], WINDOW_SECONDS[name])

    return {"1m": row("1m"), "5m": row("5m"), "15m": row("15m")}


def sparklines(sums: SumsView) -> published.Sparklines:
    return {
        "spent_usd": [spent / PICO for spent in sums.minute_spent],
        "cost_usd": [cost / PICO for cost in sums.minute_costs],
        "tokens": sums.minute_tokens,
    }


def context_row(gauge: Gauge | None) -> published.Context | None:
    if gauge is None:
        return None
    return {"tokens": gauge.tokens, "limit": gauge.limit, "percent": gauge.percent, "session": gauge.session}


def session_row(one: SessionView) -> published.Session:
    session = one.session
    total = session.total
    return {
        "id": session.name,
        "provider": session.provider,
        "project": project(one),
        "cwd": session.cwd,
        "folder": one.folder,
        "branch": session.branch or None,
        "git_dirty": None,
        "title": None,  # clients keep theirs in their transcripts: words of a conversation
        "model": session.model or "",
        "tag": one.tag,
        "pid": session.pid,
        "pane": session.pane,
        "status": cast("published.SessionStatus", one.status),
        "status_since": session.status_at or None,
        "active": one.active,
        "started_at": session.started_at,
        "last_activity_at": session.last_at,
        "requests": total.requests,
        "errors": total.errors,
        "input_tokens": total.input_tokens,
        "output_tokens": total.output_tokens,
        "cache_read_tokens": total.cache_read_tokens,
        "cache_write_tokens": total.cache_write_tokens,
        "spent_usd": total.spent / PICO,
        "cost_usd": total.cost / PICO,
        "untracked_usd": total.untracked / PICO if session.client_cost is not None else None,
        "client_cost_usd": session.client_cost,
        "context_tokens": session.context_tokens or 0,
        "context_limit": one.context_limit,
        "context_percent": one.context_percent,
        "compactions": session.compactions,
        "tool_calls": total.tool_calls,
        "tool_failures": total.tool_failures,
        "stop_reasons": session.stop_reasons,
        "subagents": len(session.agents),
        "unpriced_requests": total.unpriced_requests,
        "estimated_requests": total.estimated_requests,
        "client_priced_requests": total.client_priced_requests,
        "incomplete_requests": total.incomplete_requests,
        "understated": total.understated_requests > 0,
        "client_api_ms": session.client_api_ms,
        **latencies_row(session.timings),
        "prompt_cache": _prompt_cache(session.cache),
    }


def _prompt_cache(cache: CacheState | None) -> published.PromptCache | None:
    if cache is None:
        return None
    return {
        "warm": cache.warm,
        "expires_at": cache.expires_at,
        "ttl": cache.ttl,
        "hit_ratio": cache.hit_ratio,
    }


def project_rows(today: Iterable[ProjectToday], provider: str | None = None) -> list[published.Project]:
    """Dearest first: folders of one name are one project. `provider`: only that client's."""
    by_name: dict[str, Sum] = {}
    for one in today:
        if provider is None or one.provider == provider:
            name = folder_name(one.cwd) or "unknown"
            by_name[name] = plus(by_name.get(name, ZERO), one.sum)
    dearest = sorted(by_name.items(), key=lambda item: (-item[1].spent, item[0]))[:MAX_PROJECTS]
    return [{"project": name, **_money(value)} for name, value in dearest]


def folder_rows(
    today: Iterable[ProjectToday], sessions: Iterable[SessionView], provider: str | None = None
) -> list[published.Folder]:
    """What was spent in each listed session's folder and below it. `provider`: only that client's."""
    spent = [one for one in today if provider is None or one.provider == provider]
    folders = dict.fromkeys(one.folder for one in sessions if one.folder)
    rows: list[published.Folder] = []
    for folder in list(folders)[:MAX_FOLDERS]:
        inside = (
            one.sum for one in spent if one.cwd == folder or one.cwd.startswith(folder.rstrip("/") + "/")
        )
        rows.append({"folder": folder, **_money(reduce(plus, inside, ZERO))})
    return rows


def _money(value: Sum) -> published.Money:
    return {
        "spent_usd": value.spent / PICO,
        "cost_usd": value.cost / PICO,
        "untracked_usd": value.untracked / PICO,
        "requests": value.requests,
        "unpriced_requests": value.unpriced_requests,
        "estimated_requests": value.estimated_requests,
        "client_priced_requests": value.client_priced_requests,
        "understated_requests": value.understated_requests,
    }


def credits_row(name: str, one: ProviderView) -> published.Credits | None:
    """A client's periods in the credits it is billed in."""
    rate = credit_rates.RATES.get(name)
    if rate is None:
        return None
    today, week, month = (
        credit_rates.of(name, one.sums.periods[period]) for period in ("today", "week", "month")
    )
    return {"unit": rate.unit, "per_usd": rate.per_usd, "today": today, "week": week, "month": month}


def provider_row(
    name: str, one: ProviderView, projects: list[published.Project], folders: list[published.Folder]
) -> published.Provider:
    """One client's part, in the shape of the whole."""
    return {
        "windows": windows_rows(one.sums),
        "since_start": sum_row(one.sums.since_start),
        "today": sum_row(one.sums.periods["today"]),
        "week": sum_row(one.sums.periods["week"]),
        "month": sum_row(one.sums.periods["month"]),
        "sparklines": sparklines(one.sums),
        "burn": cast("published.Burn", one.burn._asdict()),
        "active_sessions": one.active,
        "waiting_sessions": one.waiting,
        "context": context_row(one.gauge),
        "compactions": one.compactions,
        "stop_reasons": dict(one.stop_reasons),
        "tools": {tool: cast("published.Tool", row._asdict()) for tool, row in one.tools.items()},
        "projects_today": projects,
        "folders_today": folders,
        "credits": credits_row(name, one),
    }
