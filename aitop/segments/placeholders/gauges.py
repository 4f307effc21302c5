"""Placeholders of what fills up: the context, limits of a plan, budgets, the prompt cache's time."""

from __future__ import annotations

from aitop.segments import fields, humanize, money
from aitop.segments.humanize import number
from aitop.segments.text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aitop.model.json_types import JsonObject
    from aitop.segments.placeholders import Field, Value
    from aitop.segments.placeholders.view import View

    Number = int | float | None

BAR_CELLS = 8


def context_now(view: View) -> tuple[Number, Number, Number]:
    """Tokens, size and percent of the session's context: by its client's newest word, else by the state."""
    reported = view.said("context_window")
    if number(reported.get("used_percentage")) is not None:
        used = number(reported.get("total_input_tokens"))
        return used, number(reported.get("context_window_size")), number(reported.get("used_percentage"))
    context, session = view.period("context"), view.session
    if context and context.get("session") == session.get("id"):
        return number(context.get("tokens")), number(context.get("limit")), number(context.get("percent"))
    used, size = number(session.get("context_tokens")), number(session.get("context_limit"))
    return used, size, number(session.get("context_percent"))


def _context_level(view: View, percent: Number) -> str:
    return fields.level_of(percent, fields.bounds(view.state, "context") or [80, 95])


def context(view: View) -> Value:
    used, size, percent = context_now(view)
    text = humanize.UNKNOWN if used is None else f"{humanize.size(used)}/{humanize.size(size)}"
    return (text, _context_level(view, percent), not used)


def context_percent(view: View) -> Value:
    used, _, percent = context_now(view)
    quiet = percent is None or used == 0 or (used is None and not view.payload)
    return (humanize.percent(percent), _context_level(view, percent), quiet)


def context_bar(view: View) -> Value:
    used, _, percent = context_now(view)
    text = "" if percent is None else bar(percent)
    return (text, _context_level(view, percent), not text or used == 0)


def bar(percent: float) -> str:
    """`███░░░░░`."""
    full = max(0, min(BAR_CELLS, int(percent / 100 * BAR_CELLS + 0.5)))
    return "█" * full + "░" * (BAR_CELLS - full)


def cache_left(view: View) -> Value:
    """How long the session's prompt cache stays warm."""
    cache = view.said("prompt_cache") or fields.table(view.session.get("prompt_cache"))
    ends = number(cache.get("expires_at"))
    if cache.get("warm") is not True or ends is None or ends <= view.now:
        return ("cold" if cache and ends is not None else "", "", not cache or ends is None)
    left = ends - view.now
    return (humanize.duration(left), "warning" if left < 60 else "", False)


def limits(view: View) -> list[fields.Limit]:
    """The limits that concern the view: those its client just said, else those of the state."""
    reported = view.said("rate_limits")
    listed = [
        {"name": name, "used_percent": row.get("used_percentage"), "resets_at": row.get("resets_at")}
        for name, row in reported.items()
        if isinstance(row, dict)
    ]
    if view.payload and not listed:
        client = view.session.get("provider")
        rows = fields.rows(view.state.get("limits"))
        listed = [row for row in rows if client and row.get("provider") == client]
    return fields.limits({**view.state, "limits": listed} if view.payload else view.state, view.now)


def limit(view: View, name: str) -> Value:
    same = [row for row in limits(view) if row.window == name]
    fullest = max(same, key=lambda row: row.used, default=None)
    if fullest is None:
        return (humanize.UNKNOWN, "", True)
    return (fullest.about + humanize.percent(fullest.used), fullest.level, False)


def reset(view: View, name: str) -> Value:
    same = [row for row in limits(view) if row.window == name]
    fullest = max(same, key=lambda row: row.used, default=None)
    text = "" if fullest is None or fullest.left is None else f"↻{humanize.duration(fullest.left)}"
    return (text, "", not text)


def _limit_text(row: fields.Limit) -> str:
    text = f"{row.label} {humanize.percent(row.used)}"
    return text if row.left is None else f"{text} ↻{humanize.duration(row.left)}"


def limit_worst(view: View) -> Value:
    worst = max(limits(view), key=lambda row: row.used, default=None)
    if worst is None:
        return (humanize.UNKNOWN, "", True)
    return (_limit_text(worst), worst.level, False)


def limits_all(view: View) -> Value:
    """Every limit in force, one after the other."""
    shown = limits(view)
    grave = [row.level for row in shown if row.level]
    level = "critical" if "critical" in grave else "warning" if grave else ""
    return (" · ".join(_limit_text(row) for row in shown), level, not shown)


def limits_more(view: View) -> Value:
    """The fullest limit while it is none of the two usual ones: 30 days, a model's own week."""
    worst = max(limits(view), key=lambda row: row.used, default=None)
    if worst is None or worst.window in ("5h", "7d"):
        return ("", "", True)
    return (_limit_text(worst), worst.level, False)


def exhausted(view: View) -> Value:
    five = [row for row in fields.rows(view.state.get("limits")) if row.get("name") == "five_hour"]
    ends = [end for row in five if (end := number(row.get("exhausts_at"))) is not None]
    text = humanize.duration(min(ends) - view.now) if ends else ""
    return (text, "warning" if text else "", not text)


def budget(view: View) -> Value:
    fullest = next(iter(fields.budgets(view.state)), fields.EMPTY)
    text = f"{clean(fullest.get('name'), fields.TEXT_CELLS)} {_share(fullest)}"
    return (text.strip(), fields.budget_level(fullest), not fullest)


def _share(budget: JsonObject) -> str:
    """How far a budget is used: `≥83%` where its sum is a lower bound."""
    shown = humanize.percent(budget.get("percent"))
    return shown if shown == humanize.UNKNOWN else money.at_least(budget) + shown


def budget_left(view: View) -> Value:
    fullest = next(iter(fields.budgets(view.state)), fields.EMPTY)
    at_most = "≤" if money.at_least(fullest) else ""
    return (at_most + view.money(fullest.get("left_usd")), fields.budget_level(fullest), not fullest)


def reset_budget(view: View) -> Value:
    resets = number(next(iter(fields.budgets(view.state)), fields.EMPTY).get("resets_at"))
    text = f"↻{humanize.duration(resets - view.now)}" if resets is not None and resets > view.now else ""
    return (text, "", not text)


FIELDS: tuple[Field, ...] = (
    ("context", "tokens", "context of the current session: used/size; level: context", context),
    ("context_percent", "%", "context of the current session; level: context", context_percent),
    ("context_bar", "bars", "the same as a bar of eight cells; level: context", context_bar),
    ("cache_left", "time", "how long the session's prompt cache stays warm, or cold", cache_left),
    ("limit_5h", "%", "used of the five-hour limit; level: limit", lambda v: limit(v, "5h")),
    ("reset_5h", "time", "until the five-hour limit resets", lambda v: reset(v, "5h")),
    ("limit_7d", "%", "used of the seven-day limit; level: limit", lambda v: limit(v, "7d")),
    ("reset_7d", "time", "until the seven-day limit resets", lambda v: reset(v, "7d")),
    ("limit_other", "text", "a limit of another length (30d, a model's own) while it is the fullest",
     limits_more),
    ("limit_worst", "text", "the fullest limit of any name, with its reset; level: limit", limit_worst),
    ("limits", "text", "every limit in force, with its reset", limits_all),
    ("exhausted_5h", "time", "until the five-hour limit is used up at its pace, where that is before its reset",
     exhausted),
    ("budget", "text", "the fullest budget and how much of it is used; level: its own", budget),
    ("budget_left", "money", "what is left of it", budget_left),
    ("reset_budget", "time", "until it begins anew", reset_budget),
)  # fmt: skip
