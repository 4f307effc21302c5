"""What the placeholders say: the functions that fill the table of `placeholders.py`.

Pure: published state and `now` in, `name → (text, level, quiet)` out. `level` colours the part
("" = plain), `quiet` marks a value that has nothing to say: zero, none, unknown. Texts are clean
(`text.clean`) but not escaped.
"""

from __future__ import annotations

from aitop.segments import humanize
from aitop.segments.text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Value = tuple[str, str, bool]
    State = dict[str, Any]

number = humanize.number

LEVELS = ("ok", "warning", "critical")
COLOURED = ("burn", "context", "limit", "budget", "errors")  # alerts whose own placeholder takes the level
MARKS = {"working": "●", "waiting": "◐", "idle": "○", "warning": "▲", "critical": "■"}
TEXT_CELLS = 24
PROJECT_CELLS = 40
EMPTY: dict[str, Any] = {}


def values(state: State, now: float) -> dict[str, Value]:
    """Every placeholder. Never raises for a state that lacks keys."""
    found: dict[str, Value] = {}
    session = current_session(state)
    _add_money(found, state, session)
    _add_counts(found, state)
    _add_latency(found, state)
    _add_context(found, state, session)
    _add_limits(found, state, now)
    _add_budget(found, state, now)
    _add_sessions(found, state, session)
    return found


def table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else EMPTY


def rows(value: object) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def level_of(value: float | None, bounds: object) -> str:
    """Nothing, warning or critical for a value against its [warning, critical] bounds; 0 switches one off."""
    if value is None or not isinstance(bounds, list):
        return ""
    for name, bound in zip(("critical", "warning"), reversed(bounds[:2]), strict=False):
        limit = number(bound)
        if limit and value >= limit:
            return name
    return ""


def bounds(state: State, name: str) -> Any:
    return table(table(state.get("display")).get("levels")).get(name)


def is_subscription(state: State) -> bool:
    return table(state.get("display")).get("billing") == "subscription"


def money(state: State, usd: object, sums: dict[str, Any] | None = None, *, exact: bool = False) -> str:
    """USD in the user's currency with its honesty marks.

    `≥` a lower bound (requests without a price, or understated ones), `~` priced by family, `≈` what
    a subscription's use would cost at API prices.
    """
    display = table(state.get("display"))
    symbol = clean(display.get("symbol"), 8) or "$"
    factor = number(display.get("rate"))
    write = humanize.exact_money if exact else humanize.money
    shown = write(usd, symbol, 1.0 if factor is None else factor)
    if shown == humanize.UNKNOWN:
        return shown
    sums = sums or EMPTY
    below = any((number(sums.get(f"{kind}_requests")) or 0) > 0 for kind in ("unpriced", "understated"))
    about = (number(sums.get("estimated_requests")) or 0) > 0
    marks = ("≥" if below else "") + ("~" if about else "") + ("≈" if is_subscription(state) else "")
    return marks + shown


def session_sums(state: State, session: dict[str, Any]) -> dict[str, Any]:
    """The honesty marks of one session, in the words `money` knows; by its model where it has no counts."""
    prices = table(state.get("prices"))
    found: dict[str, Any] = {"understated_requests": 1 if session.get("understated") is True else 0}
    for kind in ("unpriced", "estimated"):
        models = prices.get(f"{kind}_models")
        many = humanize.number(session.get(f"{kind}_requests"))
        named = isinstance(models, list) and session.get("model") in models
        found[f"{kind}_requests"] = int(named) if many is None else many
    return found


def current_session(state: State) -> dict[str, Any]:
    """The newest session that works, else waits, else idles; {} when all have ended."""
    found = rows(state.get("sessions"))
    named = table(state.get("context")).get("session")
    for status in ("working", "waiting", "idle"):
        matching = [session for session in found if session.get("status") == status]
        for session in matching:
            if session.get("id") == named:
                return session
        if matching:
            return matching[0]
    return EMPTY


def _add_money(found: dict[str, Value], state: State, session: dict[str, Any]) -> None:
    windows = table(state.get("windows"))
    spans = [(f"cost_{name}", table(state.get(name))) for name in ("today", "week", "month")]
    spans += [(f"cost_{name}", table(windows.get(name))) for name in ("1m", "5m", "15m")]
    for name, sums in spans:
        usd = number(sums.get("cost_usd"))
        found[name] = (money(state, usd, sums), "", not usd)
    for name, window in (("burn", "1m"), ("burn_5m", "5m"), ("burn_15m", "15m")):
        sums = table(windows.get(window))
        hourly = number(sums.get("cost_usd_per_hour"))
        text = money(state, hourly, sums)
        text = text if hourly is None else text + "/h"
        found[name] = (text, level_of(hourly, bounds(state, "burn")), not hourly)
    usd = number(session.get("cost_usd"))
    found["cost_session"] = (money(state, usd, session_sums(state, session)), "", not usd)
    usd = number(session.get("untracked_usd"))
    found["untracked"] = (money(state, usd), "", usd is None or abs(usd) < 0.005)
    costs = table(state.get("sparklines")).get("cost_usd")
    spark = humanize.spark(costs)
    found["spark"] = (spark, "", not spark)


def _add_counts(found: dict[str, Value], state: State) -> None:
    windows, today = table(state.get("windows")), table(state.get("today"))
    minute, quarter = table(windows.get("1m")), table(windows.get("15m"))
    tokens = number(today.get("input_tokens"))
    total = None if tokens is None else tokens + (number(today.get("output_tokens")) or 0)
    for name, value in (
        ("tokens_1m", number(minute.get("tokens_per_minute"))),
        ("tokens_today", total),
        ("output_today", number(today.get("output_tokens"))),
        ("requests_today", number(today.get("requests"))),
        ("tools", number(today.get("tool_calls"))),
        ("tool_failures", number(today.get("tool_failures"))),
        ("compactions", number(state.get("compactions"))),
        ("sessions", number(state.get("active_sessions"))),
    ):
        found[name] = (humanize.count(value), "", not value)
    per_minute = number(minute.get("requests_per_minute"))
    found["rpm"] = (humanize.rate(per_minute), "", not per_minute)
    errors = number(quarter.get("errors"))
    found["errors"] = (humanize.count(errors), "warning" if errors else "", not errors)
    hits = number(table(windows.get("5m")).get("cache_hit_rate"))
    bound = number(bounds(state, "cache_hit"))
    low = hits is not None and bound is not None and hits * 100 < bound
    found["cache_hit"] = (humanize.share(hits), "warning" if low else "", hits is None)


def _add_latency(found: dict[str, Value], state: State) -> None:
    quarter = table(table(state.get("windows")).get("15m"))
    for name, key in (("latency", "duration_{}_ms"), ("ttft", "ttft_{}_ms")):
        for part in ("p50", "p95"):
            took = number(quarter.get(key.format(part)))
            found[name if part == "p50" else f"{name}_p95"] = (humanize.took(took), "", took is None)
    speed = number(quarter.get("output_tokens_per_second_p50"))
    found["tokens_per_second"] = (humanize.rate(speed), "", speed is None)


def _add_context(found: dict[str, Value], state: State, session: dict[str, Any]) -> None:
    context = table(state.get("context"))
    if context and context.get("session") == session.get("id"):
        used, limit, filled = context.get("tokens"), context.get("limit"), number(context.get("percent"))
    else:
        used, limit = session.get("context_tokens"), session.get("context_limit")
        filled = number(session.get("context_percent"))
    level = level_of(filled, bounds(state, "context"))
    quiet = not number(used)
    both = f"{humanize.size(used)}/{humanize.size(limit)}" if number(used) is not None else humanize.UNKNOWN
    found["context"] = (both, level, quiet)
    found["context_percent"] = (humanize.percent(filled), level, quiet or filled is None)


def limits(state: State, now: float) -> list[tuple[str, float, float | None, str]]:
    """(label, used percent, seconds to the reset, level) of every limit still in force."""
    found = []
    for row in limits_in_force(state, now):
        used, resets = number(row.get("used_percent")) or 0.0, number(row.get("resets_at"))
        left = None if resets is None else resets - now
        about = "~" if row.get("estimated") is True else ""  # judged by a plan, not told by the client
        found.append((about + limit_label(row), used, left, level_of(used, bounds(state, "limit"))))
    return found


def limits_in_force(state: State, now: float) -> list[dict[str, Any]]:
    """Without those that have reset since, and those a clock value leaked into."""
    found = []
    for row in rows(state.get("limits")):
        used, resets = number(row.get("used_percent")), number(row.get("resets_at"))
        if used is not None and used <= 101 and (resets is None or resets > now):
            found.append(row)
    return found


def limit_origin(row: dict[str, Any], now: float) -> str:
    """Whose word a limit is, and how old: `told 3m ago`, `estimate: p90`; "" while it is fresh."""
    source, seen = clean(row.get("source"), TEXT_CELLS), number(row.get("seen_at"))
    if row.get("estimated") is True:
        return f"estimate: {source.partition(':')[2] or source}"
    if seen is None or now - seen < 60:
        return ""
    return f"told {humanize.age(now - seen)} ago"


def limit_label(row: dict[str, Any]) -> str:
    """five_hour → 5h, seven_day_opus → 7d opus; a limit of another name by its length."""
    name = clean(row.get("name"), TEXT_CELLS)
    for known, label in (("five_hour", "5h"), ("seven_day", "7d")):
        if name.startswith(known):
            return (label + " " + name[len(known) :].replace("_", " ").strip()).strip()
    minutes = number(row.get("window_minutes"))
    if minutes and minutes >= 60:
        return f"{int(minutes // 1440)}d" if minutes % 1440 == 0 else f"{int(minutes // 60)}h"
    return name or "limit"


def _add_limits(found: dict[str, Value], state: State, now: float) -> None:
    known = limits(state, now)
    for label in ("5h", "7d"):
        same = [row for row in known if row[0] in (label, f"~{label}")]
        name, used, left, level = max(same, key=lambda row: row[1], default=(label, None, None, ""))
        about = "~" if name.startswith("~") else ""
        found[f"limit_{label}"] = (about + humanize.percent(used), level, used is None)
        text = "" if left is None else f"↻{humanize.duration(left)}"
        found[f"reset_{label}"] = (text, "", not text)
    worst = max(known, key=lambda row: row[1], default=None)
    if worst is None:
        found["limit_worst"] = (humanize.UNKNOWN, "", True)
    else:
        label, used, left, level = worst
        text = f"{label} {humanize.percent(used)}"
        found["limit_worst"] = (text if left is None else f"{text} ↻{humanize.duration(left)}", level, False)


def budgets(state: State) -> list[dict[str, Any]]:
    """The budgets, fullest first; what is no number is no budget."""
    known = [row for row in rows(state.get("budgets")) if number(row.get("percent")) is not None]
    return sorted(known, key=lambda row: -(number(row.get("percent")) or 0.0))


def budget_level(row: dict[str, Any]) -> str:
    level = row.get("level")
    return level if level in ("warning", "critical") else ""


def _add_budget(found: dict[str, Value], state: State, now: float) -> None:
    fullest = next(iter(budgets(state)), EMPTY)
    level, share = budget_level(fullest), humanize.percent(fullest.get("percent"))
    found["budget"] = (f"{clean(fullest.get('name'), TEXT_CELLS)} {share}".strip(), level, not fullest)
    found["budget_left"] = (money(state, fullest.get("left_usd")), level, not fullest)
    resets = number(fullest.get("resets_at"))
    text = f"↻{humanize.duration(resets - now)}" if resets is not None and resets > now else ""
    found["reset_budget"] = (text, "", not text)
    for name, period in (("forecast_today", "day"), ("forecast_month", "month")):
        usd = number(table(table(state.get("forecast")).get(period)).get("usd"))
        found[name] = (money(state, usd), "", not usd)
    five = [row for row in rows(state.get("limits")) if row.get("name") == "five_hour"]
    ends = [end for row in five if (end := number(row.get("exhausts_at"))) is not None]
    text = humanize.duration(min(ends) - now) if ends else ""
    found["exhausted_5h"] = (text, "warning" if text else "", not text)


def _add_sessions(found: dict[str, Value], state: State, session: dict[str, Any]) -> None:
    statuses = [row.get("status") for row in rows(state.get("sessions"))]
    for name, level in (("working", ""), ("waiting", "warning")):
        many = statuses.count(name)
        found[name] = (str(many), level if many else "", not many)
    for name in ("project", "branch", "tag", "title", "status"):
        text = clean(session.get(name), PROJECT_CELLS if name == "project" else TEXT_CELLS)
        found[name] = (text, "", not text)
    text = short_model(session.get("model"))
    found["model"] = (text, "", not text)
    text = clean(state.get("host"), TEXT_CELLS)
    found["host"] = (text, "", not text)
    level = overall(state)
    found["level"] = (level, "" if level == "ok" else level, level == "ok")
    busy = next((name for name in ("waiting", "working") if name in statuses), "idle")
    found["icon"] = (MARKS.get(level) or MARKS[busy], found["level"][1], False)
    alerts = rows(state.get("alerts"))
    worst = max(alerts, key=lambda row: _rank(row.get("level")), default=EMPTY)
    text = clean(worst.get("text"), 60)
    grave = worst.get("level")
    found["alert"] = (text, grave if grave in ("warning", "critical") else "", not text)
    found["alerts"] = (str(len(alerts)), found["alert"][1], not alerts)
    found["alert_names"] = alert_names(alerts)


def alert_names(alerts: list[dict[str, Any]]) -> Value:
    """Rules' names, the gravest first, each once; what a level already colours is left out."""
    gravest = sorted(alerts, key=lambda row: -_rank(row.get("level")))
    names = dict.fromkeys(_rule(row) for row in gravest)
    shown = [name for name in names if name and name not in COLOURED]
    worst = next((row.get("level") for row in gravest if _rule(row) in shown), "")
    return (", ".join(shown), worst if worst in ("warning", "critical") else "", not shown)


def _rule(row: dict[str, Any]) -> str:
    return clean(row.get("id"), TEXT_CELLS).partition(":")[0]


def overall(state: State) -> str:
    level = state.get("level")
    return level if isinstance(level, str) and level in LEVELS else "ok"


def short_model(model: object) -> str:
    """`claude-opus-4-6-20260101` → `opus-4-6`; other names as they are."""
    text = clean(model, 40)
    head, _, date = text.rpartition("-")
    if head and len(date) == 8 and date.isascii() and date.isdigit():
        text = head
    return clean(text.removeprefix("claude-"), TEXT_CELLS)


def _rank(level: object) -> int:
    return LEVELS.index(level) if level in LEVELS else -1
