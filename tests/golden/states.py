"""The states the golden files are rendered from: nothing, ordinary, subscription, huge, wide, hostile."""

import copy

NOW = 1_700_000_000.0
HOSTILE = "#(reboot) $(id) `id` %F{red}<b>&| \\w #[fg=red] #{session_name} %n"
NASTY = "--:bolt:\x1b[31m\r\n\tA\u202eB\u200b\ud800漢字e\u0301\u0301\u0301\u0301!\"'\x01\x02\x7f"


def sums(cost=0.0, requests=0, **more):
    base = {
        "requests": requests,
        "errors": 0,
        "error_rate": 0.0 if requests else None,
        "input_tokens": requests * 52_000,
        "output_tokens": requests * 700,
        "cache_read_tokens": requests * 45_000,
        "cache_write_tokens": requests * 4_000,
        "cost_usd": cost,
        "tool_calls": requests,
        "tool_failures": 0,
        "unpriced_requests": 0,
        "estimated_requests": 0,
        "incomplete_requests": 0,
        "understated_requests": 0,
    }
    return base | more


def window(minutes, cost=0.0, requests=0, **more):
    base = sums(cost, requests)
    base |= {
        "requests_per_minute": requests / minutes,
        "tokens_per_minute": (base["input_tokens"] + base["output_tokens"]) / minutes,
        "cache_hit_rate": base["cache_read_tokens"] / base["input_tokens"] if requests else None,
        "cost_usd_per_hour": cost * 60 / minutes,
    }
    return base | more


def session(number, **more):
    base = {
        "id": f"00000000-0000-4000-8000-{number:012d}",
        "provider": "claude-code",
        "project": "shop",
        "cwd": "/home/ada/shop",
        "folder": "/home/ada/shop",
        "branch": "main",
        "model": "claude-opus-4-6-20260101",
        "tag": None,
        "pid": 4242,
        "status": "working",
        "started_at": NOW - 3600,
        "last_activity_at": NOW - 5,
        "requests": 31,
        "input_tokens": 1_612_000,
        "output_tokens": 21_700,
        "cache_read_tokens": 1_395_000,
        "cache_write_tokens": 124_000,
        "cost_usd": 1.2,
        "client_cost_usd": 1.25,
        "untracked_usd": 0.05,
        "context_tokens": 53_400,
        "context_limit": 200_000,
        "compactions": 1,
        "tool_calls": 30,
        "errors": 0,
        "stop_reasons": {"tool_use": 30, "end_turn": 1},
        "subagents": 0,
        "title": None,
        "pane": None,
        "context_percent": 26.7,
        "understated": False,
    }
    return base | more


def zero():
    return {
        "version": 1,
        "written_at": NOW - 0.5,
        "host": "loom",
        "listener": {"pid": 77, "started_at": NOW - 90, "version": "0.1.0"},
        "providers": ["claude-code"],
        "active_sessions": 0,
        "windows": {"1m": window(1), "5m": window(5), "15m": window(15)},
        "since_start": sums(),
        "today": sums(),
        "week": sums(),
        "month": sums(),
        "sessions": [],
        "context": None,
        "compactions": 0,
        "stop_reasons": {},
        "tools": {},
        "limits": [],
        "budgets": [],
        "forecast": {},
        "alerts": [],
        "level": "ok",
        "sparklines": {"cost_usd": [0.0] * 60, "tokens": [0] * 60},
        "prices": {
            "as_of": "2026-01-01",
            "source": "snapshot",
            "stale": False,
            "unpriced_models": [],
            "estimated_models": [],
        },
        "hooks": {"received": 0, "unique": 0, "rejected": 0, "by_event": {}},
        "scan": {"done_bytes": 10, "total_bytes": 10, "complete": True},
        "display": {
            "billing": "api",
            "symbol": "$",
            "rate": 1.0,
            "preset": "full",
            "levels": {
                "burn": [5.0, 20.0],
                "context": [80.0, 95.0],
                "limit": [80.0, 95.0],
                "cache_hit": 30.0,
            },
        },
    }


def api():
    state = zero()
    first = session(1)
    state |= {
        "active_sessions": 2,
        "windows": {"1m": window(1, 0.12, 3), "5m": window(5, 0.5, 10), "15m": window(15, 0.9, 24, errors=2)},
        "since_start": sums(2.0, 50),
        "today": sums(4.21, 92),
        "week": sums(31.5, 700),
        "month": sums(123.45, 2900),
        "sessions": [
            first,
            session(
                2,
                project="docs",
                branch=None,
                status="waiting",
                cost_usd=0.4,
                tag="review",
                last_activity_at=NOW - 65,
                context_percent=12.0,
                untracked_usd=None,
            ),
        ],
        "context": {"tokens": 53_400, "limit": 200_000, "percent": 26.7, "session": first["id"]},
        "compactions": 1,
        "stop_reasons": {"tool_use": 85, "end_turn": 6, "max_tokens": 1},
        "level": "warning",
        "tools": {"Bash": {"calls": 40, "failures": 2, "p50_ms": 120, "p95_ms": 900}},
        "alerts": [
            {"id": "burn", "level": "warning", "text": "burn rate $7.20/h over $5.00/h", "since": NOW - 30}
        ],
        "sparklines": {
            "cost_usd": [0.0] * 50 + [0.1, 0.2, 0.0, 0.4, 0.1, 0.0, 0.05, 0.3, 0.2, 0.12],
            "tokens": [0] * 60,
        },
    }
    return state


def limit(name, minutes, used, resets):
    return {
        "provider": "claude-code",
        "account": None,
        "name": name,
        "window_minutes": minutes,
        "used_percent": used,
        "resets_at": resets,
        "source": "statusline",
        "seen_at": NOW - 20,
    }


def subscription():
    state = api()
    state["display"]["billing"] = "subscription"
    state["limits"] = [
        limit("five_hour", 300, 42.3, NOW + 4230),
        limit("seven_day", 10_080, 81.0, NOW + 3 * 86_400 + 4 * 3600 + 60),
        limit("seven_day_opus", 10_080, 12.0, NOW + 86_400),
    ]
    return state


def huge():
    state = api()
    big = 9_999_999_999_999_999
    for name in ("today", "week", "month"):
        state[name] = sums(123_456_789.5, big)
    for name in state["windows"]:
        state["windows"][name] |= {
            "cost_usd": 99_999.996,
            "cost_usd_per_hour": 5_999_999.7,
            "errors": 999_950,
        }
    state["sessions"][0] |= {"cost_usd": 999.995, "context_tokens": 999_500, "context_limit": 1_000_000}
    state["context"] |= {"tokens": 999_500, "limit": 1_000_000, "percent": 99.95}
    state["today"] |= {"estimated_requests": 3, "unpriced_requests": 1}
    return state


def wide():
    state = api()
    state["sessions"][0] |= {
        "project": "漢字プロジェクト管理システム開発環境",
        "branch": "ｆｕｌｌ",
        "tag": "e\u0301a\u0308",
    }
    return state


def hostile():
    state = api()
    for name in ("project", "branch", "tag", "title", "model", "id"):
        state["sessions"][0][name] = HOSTILE
        state["sessions"][1][name] = NASTY
    state["sessions"][1] |= {"id": "x", "status": NASTY}
    state["context"]["session"] = HOSTILE
    state["alerts"] = [{"id": "x", "level": "critical", "text": HOSTILE, "since": NOW}]
    state["host"] = NASTY
    return state


ALL = {
    "zero": zero,
    "api": api,
    "subscription": subscription,
    "huge": huge,
    "wide": wide,
    "hostile": hostile,
}
NAMES_SHOWN = "{project} {branch} {tag} {title} {model} {cost_today} {burn} {alert}"


def with_name(name):
    """The busy state with one name everywhere a name can be."""
    state = copy.deepcopy(api())
    for row in state["sessions"]:
        row |= {"project": name, "branch": name, "tag": name, "title": name, "model": name}
    state["alerts"][0]["text"] = name
    return state
