"""The built-in looks: templates of the same placeholders a user has.

A subscription's user sees limits first; dollars follow as what the use would cost at API prices.
Idle, `full` is `$0.00` alone: short and quiet, yet a sign that the listener runs and that nothing
was spent; an empty line would look the same as a broken one.
"""

from __future__ import annotations

NAMES = ("cost", "burn", "limits", "full")
DEFAULT = "full"

FIVE_HOURS = "5h {limit_5h}{? {reset_5h}}"
LIMITS = "{?" + FIVE_HOURS + " · }{?7d {limit_7d}{? {reset_7d}} · }{?{limit_other} · }"
TAIL = (
    "{? · {burn}}{? · ctx {context_percent}}{? · {budget}}{? · {errors} err}{? · {waiting} waiting}"
    "{? · {alert_names}}"
)
API = {
    "cost": "{cost_today} today{? · {cost_session} session}",
    "burn": "{burn}{? · {tokens_1m} tok/m}{? · {cost_today} today}",
    "limits": LIMITS + "{cost_today}{? · {budget}}",
    "full": "{cost_today}" + TAIL + "{? · " + FIVE_HOURS + "}",
}
SUBSCRIPTION = API | {
    "cost": "{?" + FIVE_HOURS + " · }" + API["cost"],
    "burn": "{?" + FIVE_HOURS + " · }" + API["burn"],
    "full": LIMITS + "{cost_today}" + TAIL,
}
# A menu bar has little room (macOS hides what does not fit), and the menu below it says the rest.
MENU_BAR = "{cost_today}{? · {burn}}{? · {budget}}{? · {waiting} waiting}"


def template(name: object, *, subscription: bool, display: str = "") -> str:
    """The template of a preset in a display; a name that is none means the default."""
    looks = SUBSCRIPTION if subscription else API
    if display == "swiftbar":
        looks = looks | {"full": "{?5h {limit_5h} · }" + MENU_BAR if subscription else MENU_BAR}
    return looks.get(name if isinstance(name, str) else DEFAULT, looks[DEFAULT])


# Claude Code's status line: parts between ` · `, each left out while it has nothing to say.
LINE_LIMITS = "5h {limit_5h}{? {reset_5h}} · 7d {limit_7d}{? {reset_7d}} · {limit_other}"
LINE_CONTEXT = "ctx {context_percent}"
LINE_MONEY = "{cost_session} · {cost_today} today"
LINE_END = "{budget} · {alert_names} · {?{waiting_elsewhere} waiting}"
STATUSLINE = {
    "cost": f"{{model}} · {LINE_MONEY}",
    "burn": "{model} · {burn} · {cost_today} today",
    "limits": f"{{model}} · {LINE_LIMITS} · {LINE_CONTEXT} · {{budget}}",
    "full": f"{{model}} · {LINE_CONTEXT} · {LINE_MONEY} · {{burn}} · {LINE_END} · {LINE_LIMITS}",
}
STATUSLINE_SUBSCRIPTION = STATUSLINE | {
    "full": f"{{model}} · {LINE_LIMITS} · {LINE_CONTEXT} · {LINE_MONEY} · {{burn}} · {LINE_END}",
}


def statusline(name: object, *, subscription: bool) -> str:
    """The template of a preset in Claude Code's status line; a name that is none means the default."""
    looks = STATUSLINE_SUBSCRIPTION if subscription else STATUSLINE
    return looks.get(name if isinstance(name, str) else DEFAULT, looks[DEFAULT])
