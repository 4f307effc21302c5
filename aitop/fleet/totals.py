"""The totals of the fleet as an engine has them, and their copy on disk: old numbers stay, marked as old.

`ask` is called by the listener's thread and by `report --fleet`. Displays read the copy alone.
"""

import json
import os

from aitop import paths
from aitop.fleet import queries
from aitop.fleet.engine import Engine, EngineError, Point
from aitop.model import periods
from aitop.model.json_types import JsonObject
from aitop.system import atomic_file

NAME = "fleet-totals.json"
STALE_SECONDS = 600.0  # since a machine was scraped
GROUPS = queries.GROUPS
LARGEST = 8 << 20


def ask(engine: Engine, now: float) -> JsonObject:
    """Everything that `top --fleet` and `report --fleet` show. Raises EngineError.

    {"at", "total_usd", "today_usd", "month_usd", "machines": [...], "host" … "provider": [{name, total_usd,
    today_usd, month_usd, requests}], "limits": [...]}; USD, epoch seconds. `null`: the engine does not know.
    """
    recorded = bool(engine.ask(f"count({queries.RECORDED})"))
    starts = periods.starts(now)
    windows = {name: f"{max(60, int(now - starts[name]))}s" for name in ("today", "month")}
    money = {
        "total_usd": queries.money(recorded=recorded),
        **{f"{name}_usd": queries.spent(window, recorded=recorded) for name, window in windows.items()},
    }
    answers: JsonObject = {"at": now, "recorded": recorded}
    for key, expression in money.items():
        answers[key] = _one(engine.ask(queries.total_by("", expression)))
    for label in GROUPS:
        rows: dict[str, JsonObject] = {}
        for key, expression in money.items():
            for point in engine.ask(queries.total_by(label, expression)):
                rows.setdefault(point.labels.get(label, ""), {})[key] = point.value
        for point in engine.ask(queries.requests(label)):
            rows.setdefault(point.labels.get(label, ""), {})["requests"] = int(point.value)
        answers[label] = [
            {"name": name, **dict.fromkeys((*money, "requests")), **row}
            for name, row in sorted(
                rows.items(), key=lambda item: (-(item[1].get("total_usd") or 0), item[0])
            )
        ]
    answers["machines"] = _machines(engine, now)
    answers["limits"] = _limits(engine)
    return answers


def _one(points: list[Point]) -> float | None:
    return points[0].value if points else None


def _machines(engine: Engine, now: float) -> list[JsonObject]:
    seen = {_key(point): point.value for point in engine.ask(queries.seen())}
    return [
        {
            "host": host, "user": user, "instance": instance, "seen_at": seen.get((host, user, instance)),
            "stale": now - seen.get((host, user, instance), 0.0) > STALE_SECONDS,
        }
        for host, user, instance in sorted({*seen, *(_key(point) for point in engine.ask(queries.known()))})
    ]  # fmt: skip


def _key(point: Point) -> tuple[str, str, str]:
    return (point.labels.get("host", ""), point.labels.get("user", ""), point.labels.get("instance", ""))


def _limits(engine: Engine) -> list[JsonObject]:
    resets = {tuple(sorted(point.labels.items())): point.value for point in engine.ask(queries.resets())}
    return [
        {
            **{key: point.labels.get(key, "") for key in ("user", "provider", "account", "limit")},
            "used_percent": point.value * 100,
            "resets_at": resets.get(tuple(sorted(point.labels.items()))),
        }
        for point in engine.ask(queries.limits())
    ]


# -- the copy on disk -----------------------------------------------------------------------------------------------


def refresh(home: str, url: str, credentials: str, now: float) -> JsonObject:
    """Ask, keep the answer, and return what is kept. A fault is `problem`; old numbers stay. Raises OSError."""
    before = read(home) or {}
    try:
        answers = ask(Engine(url, credentials), now) | {"url": url, "problem": None}
    except EngineError as error:
        last_answers = before if before.get("url") == url else {}
        answers = {"at": None, **last_answers, "url": url, "problem": str(error)}
    atomic_file.replace(os.path.join(home, NAME), json.dumps(answers, separators=(",", ":")).encode())
    return answers


def read(home: str) -> JsonObject | None:
    """What was kept last; None where nothing was, or not ours."""
    try:
        answers = json.loads(paths.read(os.path.join(home, NAME))[:LARGEST])
    except (OSError, ValueError, RecursionError):
        return None
    return answers if isinstance(answers, dict) and "url" in answers else None


def summary(answers: JsonObject) -> JsonObject:
    """What the state says of the fleet, for segments."""
    machines = answers.get("machines") or []
    return {
        "at": answers.get("at"),
        "problem": answers.get("problem"),
        **{key: answers.get(key) for key in ("today_usd", "month_usd", "total_usd")},
        "machines": len(machines),
        "stale_machines": sum(1 for one in machines if one.get("stale")),
    }
