"""What stands behind the one line: the rows of a tooltip or a menu.

Clean text in cells, without any display's escaping; the display that shows them escapes them. A row is
a list of texts, first its name. No seconds anywhere: a text that changed each second would be a redraw
each second.
"""

from __future__ import annotations

from aitop.segments import fields, humanize, money
from aitop.segments.text import clean, cut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aitop.model.json_types import JsonObject
    from aitop.segments.fields import State
    from aitop.segments.placeholders import Values

    Row = list[str]
    Blocks = JsonObject

SESSIONS_SHOWN = 8
PROJECTS_SHOWN = 12
NAME_CELLS = 24
BAR_CELLS = 10


def blocks(values: Values, state: State, now: float) -> Blocks:
    """Everything a tooltip or a menu shows, made once for all of them.

    alerts, budgets: (text, level); sums, windows, limits, projects: rows; rates, forecast: lines;
    coverage: lines; sessions: (row, rows of its details, level).
    """
    return {
        "alerts": alerts(state),
        "sums": sums(values, state),
        "windows": windows(values, state),
        "rates": rates(values),
        "limits": [
            limit(shown, fields.limit_origin(row, now))
            for shown, row in zip(fields.limits(state, now), fields.limits_in_force(state, now), strict=True)
        ],
        "budgets": [
            (text, level) for text, level in zip(budgets(state, now), budget_levels(state), strict=True)
        ],
        "forecast": [*paces(state, now), *forecast(state)],
        "coverage": coverage(state),
        "sessions": [session(state, row, now) for row in living(state)],
        "projects": projects(state),
    }


def alerts(state: State) -> list[tuple[str, str]]:
    return [
        (clean(row.get("text"), 80), str(row.get("level")))
        for row in fields.rows(state.get("alerts"))
        if clean(row.get("text"), 80).strip()
    ]


def sums(values: Values, state: State) -> list[Row]:
    table_rows = []
    for label, name in (("Today", "today"), ("Week", "week"), ("Month", "month")):
        requests = humanize.count(fields.table(state.get(name)).get("requests"))
        table_rows.append([label, values[f"cost_{name}"][0], f"{requests} requests"])
    return table_rows


def windows(values: Values, state: State) -> list[Row]:
    """The rolling windows in which anything happened."""
    table_rows = []
    published = fields.table(state.get("windows"))
    for label, name in (("1 min", "1m"), ("5 min", "5m"), ("15 min", "15m")):
        window = fields.table(published.get(name))
        if not humanize.number(window.get("requests")):
            continue
        burn = values["burn" if name == "1m" else f"burn_{name}"][0]
        tokens = humanize.count(window.get("tokens_per_minute"))
        table_rows.append([label, values[f"cost_{name}"][0], burn, f"{tokens} tok/min"])
    return table_rows


def rates(values: Values) -> list[str]:
    texts = []
    if not values["cache_hit"][2]:
        texts.append(f"Cache hits {values['cache_hit'][0]}")
    if not values["errors"][2]:
        many = values["errors"][0]
        texts.append(f"{many} error{'' if many == '1' else 's'} in 15 minutes")
    if not values["untracked"][2]:
        texts.append(f"Untracked {values['untracked'][0]}")
    return texts


def limit(shown: fields.Limit, origin: str) -> tuple[Row, str]:
    """A limit as a row: name, bar, percent, reset, and where it comes from if that is not plain."""
    full = min(BAR_CELLS, int(shown.used / 100 * BAR_CELLS + 0.5))
    reset = "" if shown.left is None else f"resets in {humanize.duration(shown.left)}"
    row = [shown.label, "█" * full + "░" * (BAR_CELLS - full), humanize.percent(shown.used), reset]
    return [*row, origin] if origin else row, shown.level


def limits(state: State, now: float) -> list[str]:
    """The limits as sentences."""
    texts = []
    for shown, row in zip(fields.limits(state, now), fields.limits_in_force(state, now), strict=True):
        reset = "" if shown.left is None else f" · resets in {humanize.duration(shown.left)}"
        origin = fields.limit_origin(row, now)
        texts.append(
            f"Limit {shown.label}: {humanize.percent(shown.used)}{reset}{f' · {origin}' if origin else ''}"
        )
    return [*texts, *paces(state, now)]


def paces(state: State, now: float) -> list[str]:
    """The limits that will not last until they reset."""
    ending = ((row, humanize.number(row.get("exhausts_at"))) for row in fields.rows(state.get("limits")))
    return [
        f"Limit {fields.limit_label(row)} used up in {humanize.duration(ends - now)} at this pace"
        for row, ends in ending
        if ends is not None and ends > now
    ]


def budget_levels(state: State) -> list[str]:
    return [fields.budget_level(row) for row in fields.budgets(state)]


def budgets(state: State, now: float) -> list[str]:
    texts = []
    for row in fields.budgets(state):
        used = money.of(state, row.get("used_usd"), row)
        limit, share = (
            money.of(state, row.get("limit_usd")),
            money.at_least(row) + humanize.percent(row.get("percent")),
        )
        resets = humanize.number(row.get("resets_at"))
        left = (
            f" · resets in {humanize.duration(resets - now)}" if resets is not None and resets > now else ""
        )
        mark = {"warning": "! ", "critical": "‼ "}.get(fields.budget_level(row), "")
        texts.append(
            f"{mark}Budget {clean(row.get('name'), fields.TEXT_CELLS)}: {used} of {limit} ({share}){left}"
        )
    return texts


def forecast(state: State) -> list[str]:
    """Where today and this month are going, with the interval where one is known."""
    texts = []
    for period, name in (("block", "Block"), ("day", "Today"), ("month", "Month")):
        row = fields.table(fields.table(state.get("forecast")).get(period))
        if not humanize.number(row.get("usd")):
            continue
        low, high = (humanize.number(row.get(f"{end}_usd")) for end in ("low", "high"))
        between = f" ({money.of(state, low)} to {money.of(state, high)})" if low is not None else ""
        texts.append(f"{name} will end at {money.of(state, row.get('usd'))}{between}")
    return texts


def plan(state: State) -> list[str]:
    """What a subscription gave, and how many times its price that is."""
    row = fields.table(state.get("plan"))
    usd, days, factor = (humanize.number(row.get(key)) for key in ("value_usd", "days", "factor"))
    if usd is None or days is None:
        return []
    of = (
        f": {money.factor(factor, row)} what {clean(row.get('name'), 12)} costs" if factor is not None else ""
    )
    return [f"Claude Code in {days:.0f} days: {money.of(state, usd, row)} at API prices{of}"]


def coverage(state: State) -> list[str]:
    """What the totals do not hold: clients that were found and cannot be counted, wholly or in part."""
    clients = fields.table(fields.table(state.get("coverage")).get("clients"))
    texts = []
    for name, row in sorted(clients.items()):
        row = fields.table(row)  # noqa: PLW2901
        client, reason = clean(name, 24), clean(row.get("reason"), 80)
        if row.get("found") is not True:
            continue
        if row.get("counted") is not True:
            texts.append(f"{client} is not counted: {reason or 'its records cannot be read'}")
            continue
        unread = humanize.number(row.get("unread")) or 0
        if unread or row.get("version_unknown"):
            why = reason or ("its format is new" if row.get("version_unknown") else "unreadable")
            files = f"{humanize.count(unread)} of {humanize.count(row.get('files'))} files"
            texts.append(f"{client} is at least: {files} not read ({why})")
    return texts


def living(state: State) -> list[State]:
    """The newest sessions that have not ended."""
    live = [row for row in fields.rows(state.get("sessions")) if row.get("status") != "ended"]
    return live[:SESSIONS_SHOWN]


def session(state: State, row: State, now: float) -> tuple[Row, list[Row], str]:
    """A session's row (mark and name, cost, context, model, age), its details, and its context's level."""
    mark = fields.MARKS.get(str(row.get("status")), fields.MARKS["idle"])
    name = clean(row.get("project"), NAME_CELLS) or clean(row.get("id"), 8) or "session"
    cost = money.of(state, money.spent(row), fields.session_sums(state, row))
    filled = humanize.number(row.get("context_percent"))
    context = "" if filled is None else f"ctx {humanize.percent(filled)}"
    last = humanize.number(row.get("last_activity_at"))
    age = "" if last is None else "now" if now - last < 60 else f"{humanize.age(now - last)} ago"
    shown = [f"{mark} {name}", cost, context, cut(fields.short_model(row.get("model")), 16), age]
    used, size = row.get("context_tokens"), row.get("context_limit")
    more = [
        ["Status", clean(row.get("status"), 16)],
        ["Branch", clean(row.get("branch"), NAME_CELLS)],
        ["Tag", clean(row.get("tag"), NAME_CELLS)],
        ["Title", clean(row.get("title"), 48)],
        ["Context", f"{humanize.size(used)}/{humanize.size(size)}" if humanize.number(used) else ""],
        ["Requests", humanize.count(row.get("requests"))],
        ["Tool calls", humanize.count(row.get("tool_calls"))],
        ["Output", f"{humanize.count(row.get('output_tokens'))} tokens"],
    ]
    level = fields.level_of(filled, fields.bounds(state, "context"))
    return shown, [pair for pair in more if pair[1]], level


def projects(state: State) -> list[Row]:
    """Today by project, dearest first."""
    return [
        [
            clean(row.get("project"), NAME_CELLS) or "unknown",
            money.of(state, money.spent(row), row),
            f"{humanize.count(row.get('requests'))} requests",
        ]
        for row in fields.rows(state.get("projects_today"))[:PROJECTS_SHOWN]
    ]
