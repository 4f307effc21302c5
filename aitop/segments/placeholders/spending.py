"""Placeholders of money: what was spent, how fast, and where it is going."""

from __future__ import annotations

from aitop.segments import fields, humanize, money
from aitop.segments.humanize import number
from aitop.segments.placeholders.view import MINUTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aitop.segments.placeholders import Field, Value
    from aitop.segments.placeholders.view import View

PERIODS = ("today", "week", "month")


def period(view: View, name: str) -> Value:
    """Spent in a period; never less than the session that speaks says it just spent."""
    sums = view.period(name)
    usd = money.spent(sums)
    if usd is not None:
        usd += view.ahead()
    return (view.spent(usd, sums), "", not usd)


def window(view: View, name: str) -> Value:
    sums = view.window(name)
    usd = money.spent(sums)
    return (view.spent(usd, sums), "", not usd)


def burn(view: View, name: str) -> Value:
    """The rate of a window; its level is that of the last five minutes, so that one expensive turn raises no alarm."""
    sums, five = view.window(name), view.window("5m")
    hourly = money.per_hour(sums, MINUTES[name])
    sustained = money.per_hour(five, MINUTES["5m"]) if five else hourly
    text = view.spent(hourly, sums)
    level = fields.level_of(sustained, fields.bounds(view.state, "burn"))
    return (text if hourly is None else text + "/h", level, not hourly)


def session(view: View) -> Value:
    usd = view.session_spent()
    counts = fields.session_sums(view.state, view.session)
    return (view.spent(usd, counts), "", usd is None if view.payload else not usd)


def untracked(view: View) -> Value:
    usd = number(view.session.get("untracked_usd"))
    return (view.money(usd), "", usd is None or abs(usd) < 0.005)


def project(view: View) -> Value:
    """Today's spending in the session's folder and below it."""
    folder = view.session.get("folder") if view.in_folder else None
    for row in fields.rows(view.state.get("folders_today")):
        if folder and row.get("folder") == folder:
            usd = money.spent(row)
            return (view.spent(usd, row), "", not usd)
    return ("", "", True)


def forecast(view: View, name: str) -> Value:
    usd = number(fields.table(view.period("forecast").get(name)).get("usd"))
    spent = money.spent(view.period("today" if name == "day" else name))
    if usd is not None and spent is not None:
        usd = max(usd, spent)  # no period ends below what it holds already
    return (view.money(usd), "", not usd)


def plan(view: View, name: str) -> Value:
    """What a subscription gave in its last days, in money or as a multiple of its price."""
    row = fields.table(view.state.get("plan"))
    if name == "value":
        return (view.money(row.get("value_usd"), row), "", not row)
    factor = number(row.get("factor"))
    return (humanize.UNKNOWN if factor is None else money.factor(factor, row), "", factor is None)


def spark(view: View) -> Value:
    text = humanize.spark(money.by_minute(view.period("sparklines")))
    return (text, "", not text)


FLEET_OLD = 600.0  # seconds after which a fleet's numbers are not shown as if they were new


def fleet(view: View, name: str) -> Value:
    """Spent by every machine together; nothing where the engine has not answered for ten minutes."""
    totals = fields.table(view.state.get("fleet"))
    at, usd = number(totals.get("at")), number(totals.get(f"{name}_usd"))
    if at is None or usd is None or abs(view.now - at) > FLEET_OLD:
        return ("-", "", True)
    return (view.money(usd), "", not usd)


def away(view: View) -> Value:
    """Machines of the fleet that have not been scraped."""
    count = number(fields.table(view.state.get("fleet")).get("stale_machines"))
    return ("-" if count is None else f"{count:.0f}", "", not count)


FIELDS: tuple[Field, ...] = (
    ("cost_today", "money", "spent today (local time)", lambda v: period(v, "today")),
    ("cost_week", "money", "spent this week", lambda v: period(v, "week")),
    ("cost_month", "money", "spent this month", lambda v: period(v, "month")),
    (
        "cost_session",
        "money",
        "spent by the current session: the newest that works, else waits, else idles",
        session,
    ),
    (
        "cost_project",
        "money",
        "spent today in the folder of the current session and below it; in a prompt, in that of $PWD",
        project,
    ),
    ("cost_1m", "money", "spent in the last minute", lambda v: window(v, "1m")),
    ("cost_5m", "money", "spent in the last 5 minutes", lambda v: window(v, "5m")),
    ("cost_15m", "money", "spent in the last 15 minutes", lambda v: window(v, "15m")),
    (
        "burn",
        "money/h",
        "burn rate of the last minute; level: burn, by the 5-minute rate",
        lambda v: burn(v, "1m"),
    ),
    ("burn_5m", "money/h", "burn rate of the last 5 minutes; level: burn", lambda v: burn(v, "5m")),
    ("burn_15m", "money/h", "burn rate of the last 15 minutes; level: burn", lambda v: burn(v, "15m")),
    (
        "untracked",
        "money",
        "what the client reports for the current session beyond what its records show",
        untracked,
    ),
    ("forecast_today", "money", "what today will have cost", lambda v: forecast(v, "day")),
    ("forecast_month", "money", "what this month will have cost", lambda v: forecast(v, "month")),
    (
        "plan_value",
        "money",
        "what Claude Code spent in the last 30 whole days, at API prices",
        lambda v: plan(v, "value"),
    ),
    (
        "plan_factor",
        "×",
        "that, divided by what your plan costs in as many days (limits.plan)",
        lambda v: plan(v, "factor"),
    ),
    ("fleet_today", "money", "spent today by every machine (fleet.read)", lambda v: fleet(v, "today")),
    ("fleet_month", "money", "spent this month by every machine", lambda v: fleet(v, "month")),
    ("fleet_total", "money", "all that every machine ever counted", lambda v: fleet(v, "total")),
    ("fleet_away", "number", "machines of the fleet that have not been scraped for ten minutes", away),
    ("spark", "bars", "cost of the last 20 minutes, one bar a minute", spark),
)
