"""What an agent is told: parts of the published state, cut down to what it can act on. Pure: state in, JSON out.

Money is USD, times are epoch seconds. With `hide_names`, names of projects, folders, branches, tags, budgets and
accounts are left out; a session then has only the client's own id. `checked` refuses a state that is old.
"""

from aitop import state as published
from aitop.model.json_types import JsonObject

WINDOW_KEYS = ("spent_usd", "cost_usd", "untracked_usd", "requests", "input_tokens", "output_tokens",
               "cache_hit_rate", "cost_usd_per_hour", "unpriced_requests", "estimated_requests",
               "understated_requests")  # fmt: skip
NAMES = frozenset(
    ("project", "cwd", "folder", "branch", "tag", "title", "pane", "name", "match", "account", "session_ids")
)
NO_LISTENER = "no listener is running, so the present numbers are unknown: `aitop start` starts it"

NO_HISTORY = "the history cannot be asked: `aitop doctor` says why"
SHORTEST_ID = 8  # characters: fewer could name another session


class UnknownError(Exception):
    """A question that cannot be answered now; the message says why and what to do."""


def checked(state: JsonObject | None, now: float) -> JsonObject:
    """The state, if it is fresh. Raises UnknownError."""
    if state is None or not published.is_fresh(state, now):
        raise UnknownError(NO_LISTENER)
    return state


def spend(state: JsonObject, *, hide_names: bool) -> JsonObject:
    """What is spent now: windows, today, week, month, how they will end, and what is wrong."""
    sums = {name: _some(state["windows"][name]) for name in state["windows"]}
    sums |= {name: _some(state[name]) for name in ("today", "week", "month")}
    return {
        "sums": sums,
        "forecast": state.get("forecast"),
        "level": state["level"],
        "alerts": [
            {"rule": alert["rule"], "level": alert["level"]} | ({} if hide_names else {"text": alert["text"]})
            for alert in state["alerts"]
        ],
        "complete": state["scan"]["complete"],
        "coverage": state.get("coverage", {}).get("responses"),
    }


def budgets(state: JsonObject, *, hide_names: bool) -> JsonObject:
    """Every budget: its period, its limit, what is left."""
    return {"budgets": [_without_names(row) if hide_names else row for row in state["budgets"]]}


def limits(state: JsonObject, now: float, *, hide_names: bool) -> JsonObject:
    """Every usage limit that a client told, with the seconds until its reset."""
    rows = [{**row, "resets_in_seconds": max(0.0, row["resets_at"] - now)} for row in state["limits"]]
    return {"limits": [_without_names(row) if hide_names else row for row in rows]}


def session(state: JsonObject, identity: str, *, hide_names: bool) -> JsonObject | None:
    """One session as the state has it; None where it does not list it."""
    for row in state["sessions"]:
        if row["id"] == identity:
            return _without_names(row) if hide_names else dict(row)
    return None


def findings(rows: list[JsonObject], *, hide_names: bool) -> JsonObject:
    """Advice; without the examples' projects where names are hidden."""
    if hide_names:
        rows = [{**row, "examples": [_without_names(one) for one in row["examples"]]} for row in rows]
    return {"findings": rows}


def _some(window: JsonObject) -> JsonObject:
    return {key: window[key] for key in WINDOW_KEYS if key in window}


def _without_names(row: JsonObject) -> JsonObject:
    return {key: value for key, value in row.items() if key not in NAMES}
