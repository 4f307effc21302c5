"""Parts of a published state as displays need them: rows, levels, limits, budgets, alerts, one session.

Pure. A state may lack any key or hold another type there; nothing here raises for that. Texts are clean
(`text.clean`) but not escaped.
"""

from __future__ import annotations

from aitop.segments import humanize
from aitop.segments.text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from aitop.model.json_types import JsonObject

    Value = tuple[str, str, bool]
    State = JsonObject

number = humanize.number

LEVELS = ("ok", "warning", "critical")
COLOURED = (
    "burn",
    "context",
    "limit",
    "budget",
    "errors",
    "waiting",
)  # alerts with a placeholder of their own, which takes the level
MARKS = {"working": "●", "waiting": "◐", "idle": "○", "warning": "▲", "critical": "■"}
TEXT_CELLS = 24
PROJECT_CELLS = 40
MAX_PERCENT = 10_000  # what is above is no percentage; clients have written a time there
EMPTY: JsonObject = {}


def table(value: object) -> JsonObject:
    return value if isinstance(value, dict) else EMPTY


def rows(value: object) -> list[JsonObject]:
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


def session_sums(state: State, session: JsonObject) -> JsonObject:
    """The honesty marks of one session, in the words `money` knows; by its model where it has no counts."""
    prices = table(state.get("prices"))
    sums: JsonObject = {"understated_requests": 1 if session.get("understated") is True else 0}
    for kind in ("unpriced", "estimated"):
        models = prices.get(f"{kind}_models")
        many = humanize.number(session.get(f"{kind}_requests"))
        named = isinstance(models, list) and session.get("model") in models
        sums[f"{kind}_requests"] = int(named) if many is None else many
    return sums


def current_session(state: State) -> JsonObject:
    """The newest session that works, else waits, else idles; {} when all have ended."""
    sessions = rows(state.get("sessions"))
    named = table(state.get("context")).get("session")
    for status in ("working", "waiting", "idle"):
        matching = [session for session in sessions if session.get("status") == status]
        for session in matching:
            if session.get("id") == named:
                return session
        if matching:
            return matching[0]
    return EMPTY


class Limit:
    """One limit as displays show it: its label, percent used, seconds to its reset, level and window's name."""

    __slots__ = ("about", "label", "left", "level", "used", "window")

    def __init__(self, row: State, now: float, levels: object, *, account: str = "") -> None:
        used, resets = number(row.get("used_percent")) or 0.0, number(row.get("resets_at"))
        self.about = (
            "~" if row.get("estimated") is True else ""
        )  # judged by a plan, not reported by the client
        self.window = limit_label(row)
        self.label = f"{self.about}{self.window}{f' {account}' if account else ''}"
        self.used = used
        self.left = None if resets is None else resets - now
        self.level = level_of(used, levels)


def limits(state: State, now: float) -> list[Limit]:
    """Every limit still in force; the same limit of two accounts or clients is told apart by name."""
    in_force = limits_in_force(state, now)
    names = _accounts(in_force)
    return [Limit(row, now, bounds(state, "limit"), account=names.get(id(row), "")) for row in in_force]


def _accounts(in_force: list[JsonObject]) -> dict[int, str]:
    """The short name of each row's account or client, only where two rows would read alike."""
    names: dict[int, str] = {}
    for row in in_force:
        alike = [other for other in in_force if limit_label(other) == limit_label(row)]
        if len(alike) == 1:
            continue
        clients = {other.get("provider") for other in alike}
        account = clean(row.get("account"), 200).rstrip("/").rpartition("/")[2].lstrip(".")
        provider = clean(row.get("provider"), 16)
        if len(clients) == len(alike) or not account:
            names[id(row)] = provider
        else:
            names[id(row)] = account if len(clients) == 1 else f"{provider} {account}"
    return {key: clean(text, TEXT_CELLS) for key, text in names.items()}


def limits_in_force(state: State, now: float) -> list[JsonObject]:
    """Without those that have reset since, and those that hold a time instead of a percentage.

    Above 100 percent a limit is full.
    """
    in_force = []
    for row in rows(state.get("limits")):
        used, resets = number(row.get("used_percent")), number(row.get("resets_at"))
        if used is None or used > MAX_PERCENT or (resets is not None and resets <= now):
            continue
        in_force.append(row if used <= 100 else {**row, "used_percent": 100.0})
    return in_force


def limit_origin(row: JsonObject, now: float) -> str:
    """Where a limit comes from, and how old it is: `reported 3m ago`, `estimate: p90`; "" while it is fresh."""
    source, seen = clean(row.get("source"), TEXT_CELLS), number(row.get("seen_at"))
    if row.get("estimated") is True:
        return f"estimate: {source.partition(':')[2] or source}"
    if seen is None or now - seen < 60:
        return ""
    return f"reported {humanize.age(now - seen)} ago"


def limit_label(row: JsonObject) -> str:
    """five_hour → 5h, seven_day_opus → 7d opus; a limit of another name by its length."""
    name = clean(row.get("name"), TEXT_CELLS)
    for beginning, label in (("five_hour", "5h"), ("seven_day", "7d")):
        if name.startswith(beginning):
            return (label + " " + name[len(beginning) :].replace("_", " ").strip()).strip()
    minutes = number(row.get("window_minutes"))
    for length, unit in ((1440, "d"), (60, "h"), (1, "m")):
        if minutes and minutes >= length and minutes % length == 0:
            return f"{int(minutes // length)}{unit}"
    return name or "limit"


def alerts(state: State) -> list[JsonObject]:
    """Every alert, the gravest first."""
    return sorted(rows(state.get("alerts")), key=lambda row: -_rank(row.get("level")))


def budgets(state: State) -> list[JsonObject]:
    """The budgets, fullest first; what is no number is no budget."""
    judged = [row for row in rows(state.get("budgets")) if number(row.get("percent")) is not None]
    return sorted(judged, key=lambda row: -(number(row.get("percent")) or 0.0))


def budget_level(row: JsonObject) -> str:
    level = row.get("level")
    return level if level in ("warning", "critical") else ""


def alert_names(alerts: list[JsonObject]) -> Value:
    """Rules' names in the order given, each once; what a level already colours is left out."""
    names = dict.fromkeys(_rule(row) for row in alerts)
    shown = [name for name in names if name and name not in COLOURED]
    worst = next((row.get("level") for row in alerts if _rule(row) in shown), "")
    return (", ".join(shown), worst if worst in ("warning", "critical") else "", not shown)


def _rule(row: JsonObject) -> str:
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
