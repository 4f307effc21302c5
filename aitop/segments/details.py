"""The lines behind the one line: what a tooltip or a menu adds to the text.

Clean text without any display's escaping; the display that shows them escapes them.
"""

from __future__ import annotations

from aitop.segments import fields, humanize
from aitop.segments.text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aitop.segments.fields import State, Value

    Blocks = dict[str, list[str]]

SESSIONS_SHOWN = 8


def blocks(values: dict[str, Value], state: State, now: float) -> Blocks:
    """Everything a tooltip or a menu shows, made once for all of them."""
    return {
        "alerts": alerts(state),
        "sums": [*money(values), *rates(values)],
        "limits": limits(state, now),
        "sessions": sessions(state, now),
    }


def money(values: dict[str, Value]) -> list[str]:
    today, week, month = (values[f"cost_{name}"][0] for name in ("today", "week", "month"))
    requests = values["requests_today"][0]
    return [f"Today {today} · {requests} requests", f"Week {week} · Month {month}"]


def rates(values: dict[str, Value]) -> list[str]:
    found = [] if values["burn_5m"][2] else [f"Burn {values['burn'][0]} · 5 min {values['burn_5m'][0]}"]
    if not values["cache_hit"][2]:
        found.append(f"Cache hits {values['cache_hit'][0]} · {values['tokens_1m'][0]} tokens/min")
    if not values["errors"][2]:
        found.append(f"{values['errors'][0]} errors in 15 minutes")
    if not values["untracked"][2]:
        found.append(f"Untracked {values['untracked'][0]}")
    return found


def limits(state: State, now: float) -> list[str]:
    found = []
    for label, used, left, _ in fields.limits(state, now):
        reset = "" if left is None else f" · resets in {humanize.duration(left)}"
        found.append(f"Limit {label}: {humanize.percent(used)}{reset}")
    return found


def sessions(state: State, now: float) -> list[str]:
    """The newest sessions that have not ended."""
    live = [row for row in fields.rows(state.get("sessions")) if row.get("status") != "ended"]
    return [session(state, row, now) for row in live[:SESSIONS_SHOWN]]


def session(state: State, row: fields.State, now: float) -> str:
    mark = {"working": "●", "waiting": "◐"}.get(str(row.get("status")), "○")
    name = clean(row.get("project"), fields.PROJECT_CELLS) or clean(row.get("id"), 8) or "session"
    branch, tag = clean(row.get("branch"), 16), clean(row.get("tag"), 16)
    parts = [f"{mark} {name}{f' ({branch})' if branch else ''}{f' [{tag}]' if tag else ''}"]
    parts.append(fields.money(state, row.get("cost_usd"), fields.session_sums(state, row)))
    filled = humanize.number(row.get("context_percent"))
    if filled is not None:
        parts.append(f"ctx {humanize.percent(filled)}")
    parts.append(fields.short_model(row.get("model")))
    last = humanize.number(row.get("last_activity_at"))
    if last is not None:
        # No seconds: a text that changed each second would be a redraw each second.
        parts.append(f"{humanize.age(now - last)} ago" if now - last >= 60 else "now")
    return " · ".join(part for part in parts if part)


def alerts(state: State) -> list[str]:
    return [f"! {clean(row.get('text'), 80)}" for row in fields.rows(state.get("alerts")) if row.get("text")]
