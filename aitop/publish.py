"""Writing what displays read: `state.json` each second, and one small file for each display.

Every file is written beside its target and renamed over it, so a reader never sees half of one; no
fsync, since all of it is worthless after a reboot. A segment's modification time is its expiry: ten
seconds after it was written, set before the rename. Where `$XDG_RUNTIME_DIR` exists the files live
there, in memory, and `$AITOP_HOME` holds links.
"""

import os
import stat
from typing import Any

import orjson

from aitop import __version__, paths
from aitop.config import Config
from aitop.model import PICO, Sum
from aitop.shares import Shares
from aitop.snapshot import SessionView, Snapshot, named, project, understated
from aitop.timings import METRICS, Timings

VERSION = 1
LIFE = 10.0  # seconds a segment may be shown after it was written
REFRESH = 4.0  # seconds after which an unchanged segment is written again
PROJECTS = 20  # published at most
SECONDS = {"1m": 60, "5m": 300, "15m": 900}


class Publisher:
    """The one writer of the published files of a home."""

    def __init__(self, home: str, runtime: str | None) -> None:
        self.home = home
        self._written: dict[str, tuple[str, float]] = {}
        self.prepare(runtime)

    def prepare(self, runtime: str | None) -> None:
        """Make the folders and links, again when somebody removed them (a logout does). Raises OSError."""
        self.folder = _make(runtime) if runtime and runtime != self.home else self.home
        self.segments = os.path.join(self.folder, paths.SEGMENTS)
        self._written.clear()
        if self.folder != self.home:
            for name in (paths.STATE, paths.SEGMENTS, paths.NOW):
                _link(os.path.join(self.folder, name), os.path.join(self.home, name))
        else:
            for name in (paths.STATE, paths.SEGMENTS, paths.NOW):
                path = os.path.join(self.home, name)
                if os.path.islink(path):
                    os.unlink(path)
        _make(self.segments)
        _touch(os.path.join(self.folder, paths.NOW))

    def state(self, state: dict[str, Any]) -> None:
        """Replace `state.json`. Raises OSError."""
        _replace(os.path.join(self.folder, paths.STATE), orjson.dumps(state), None)

    def write_segments(self, texts: dict[str, str], now: float) -> None:
        """Replace the segments whose text changed or whose life runs out; remove those no longer wanted."""
        for name, text in texts.items():
            known = self._written.get(name)
            if known and known[0] == text and 0 <= now - known[1] < REFRESH:
                continue
            line = f"{int(now)} {os.getpid()} {text}\n".encode("utf-8", "replace")
            _replace(os.path.join(self.segments, name), line, now + LIFE)
            self._written[name] = (text, now)
        for name in [name for name in self._written if name not in texts]:
            del self._written[name]
            _remove(os.path.join(self.segments, name))

    def tidy(self, wanted: set[str]) -> None:
        """Remove segments an earlier listener left that nobody renders now."""
        for name in os.listdir(self.segments):
            if name not in wanted:
                _remove(os.path.join(self.segments, name))

    def withdraw(self) -> None:
        """On a clean end: segments vanish at once instead of after ten seconds."""
        for name in self._written:
            _remove(os.path.join(self.segments, name))
        self._written.clear()


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
            name: _window(value, snap.timings[name], SECONDS[name]) for name, value in snap.windows.items()
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
        "display": _display(config, bool(snap.limits)),
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
                span: _window(share.windows.sum(span), share.timings.window(span), SECONDS[span])
                for span in SECONDS
            },
            "since_start": _sum(share.since_start.sum()),
            **{period: _sum(total.sum()) for period, total in share.periods.items()},
            "sparklines": {"cost_usd": [value / PICO for value in cost], "tokens": tokens},
        }
    return found


def _sum(value: Sum) -> dict[str, Any]:
    tried = value.requests + value.errors
    return {
        "requests": value.requests,
        "errors": value.errors,
        "error_rate": value.errors / tried if tried else None,
        "input_tokens": value.input_tokens,
        "output_tokens": value.output_tokens,
        "cache_read_tokens": value.cache_read_tokens,
        "cache_write_tokens": value.cache_write_tokens,
        "cost_usd": value.cost / PICO,
        "tool_calls": value.tool_calls,
        "tool_failures": value.tool_failures,
        "unpriced_requests": value.unpriced_requests,
        "estimated_requests": value.estimated_requests,
        "incomplete_requests": value.incomplete_requests,
        "understated_requests": value.understated_requests,
    }


def _window(value: Sum, timings: Timings, seconds: int) -> dict[str, Any]:
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
    total = Sum(*s.total)
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


def _display(config: Config, limited: bool) -> dict[str, Any]:
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
        "segments": [[s.name, s.display, s.preset, s.format] for s in config.segments],
    }


def _make(folder: str) -> str:
    """Make a folder private to this user, or make the one that is there private. Raises OSError."""
    if not os.path.isdir(folder):
        _remove(folder)  # whatever stands in its place
    os.makedirs(folder, mode=0o700, exist_ok=True)
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise OSError(f"{folder} is no folder of this user")
    if found.st_mode & 0o077:
        os.chmod(folder, 0o700)
    return folder


def _touch(path: str) -> None:
    """An empty file that any shell may write to without waiting: in its place stands no FIFO and no device."""
    if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
        (os.rmdir if os.path.isdir(path) and not os.path.islink(path) else os.unlink)(path)
    mark = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    os.fchmod(mark, 0o600)  # a shell may have made it first
    os.close(mark)


def _link(target: str, link: str) -> None:
    """Make `link` point to `target`, replacing what an earlier listener left there."""
    if os.path.islink(link) and os.readlink(link) == target:
        return
    if os.path.isdir(link) and not os.path.islink(link):
        for name in os.listdir(link):
            _remove(os.path.join(link, name))
        os.rmdir(link)
    fresh = f"{link}.{os.getpid()}"
    _remove(fresh)
    os.symlink(target, fresh)
    os.replace(fresh, link)


def _replace(path: str, data: bytes, expiry: float | None) -> None:
    folder, name = os.path.split(path)
    fresh = os.path.join(folder, f".{name}.{os.getpid()}")
    fd = os.open(fresh, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        if expiry is not None:
            os.utime(fd, (expiry, expiry))
    except BaseException:
        os.close(fd)
        _remove(fresh)
        raise
    os.close(fd)
    os.replace(fresh, path)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
