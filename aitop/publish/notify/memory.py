"""What was sent already, so that nothing is sent twice: across ticks, levels and restarts. Pure.

The same id with the same cause is one piece of news. An alert without a cause is the same news until it
has been gone for the quiet time. A level that rises is news of its own, once.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from aitop.live.alerts import LEVELS, RULES, Alert
from aitop.model.json_types import JsonObject

KEEP_SECONDS = 40 * 86_400.0  # longer than any period a cause may name
MAX_REMEMBERED = 500
ONE_MOMENT = 300  # seconds: causes that are moments closer than this are one
SEEN_EVERY = 60.0  # seconds: how exactly it is kept when an alert was last there
_QUIET = {rule.name: rule.quiet_seconds for rule in RULES if rule.quiet_seconds is not None}


class Told(NamedTuple):
    """What was last sent about one alert."""

    level: str
    cause: str
    sent_at: float
    seen_at: float


class Memory(NamedTuple):
    """Id → what was sent; `changed` says that it should be written down."""

    told: Mapping[str, Told]
    changed: bool = False


def decide(
    memory: Memory, alerts: Iterable[Alert], least: str, mute: Iterable[str], quiet: float, now: float
) -> tuple[list[Alert], Memory]:
    """The alerts that are news at `now`, and the memory after they are sent.

    `quiet`: seconds within which one alert is sent once, unless its rule has a shorter time of its own. Good news
    (level `ok`) is sent as a warning would be.
    """
    sent = dict(memory.told)
    silent = set(mute)
    news, changed = [], False
    for alert in alerts:
        level = "warning" if alert.level == "ok" else alert.level
        if LEVELS.index(level) < LEVELS.index(least) or alert.rule in silent:
            continue
        earlier = sent.get(alert.id)
        if earlier is None or _is_news(alert, earlier, min(quiet, _QUIET.get(alert.rule, quiet)), now):
            news.append(alert)
            sent[alert.id] = Told(alert.level, alert.cause, now, now)
            changed = True
        elif now - earlier.seen_at >= SEEN_EVERY or now < earlier.seen_at:
            sent[alert.id] = earlier._replace(seen_at=now)
            changed = True
    if changed:
        sent = _kept(sent, now)
    return news, Memory(sent, changed)


def _is_news(alert: Alert, earlier: Told, quiet: float, now: float) -> bool:
    named = alert.cause or earlier.cause
    if _one(alert.cause, earlier.cause) if named else now - earlier.seen_at < quiet + SEEN_EVERY:
        return LEVELS.index(alert.level) > LEVELS.index(earlier.level)
    return now - earlier.sent_at >= quiet


def _one(cause: str, other: str) -> bool:
    """The same cause; a moment that a client reports as a wait is a little off each time."""
    moments = all(text.isdecimal() and len(text) >= 10 for text in (cause, other))  # shorter ones are counts
    return cause == other or (moments and abs(int(cause) - int(other)) < ONE_MOMENT)


def _kept(sent: dict[str, Told], now: float) -> dict[str, Told]:
    """The newest, none older than any period."""
    newest = sorted(sent.items(), key=lambda item: item[1].seen_at, reverse=True)[:MAX_REMEMBERED]
    return {name: one for name, one in newest if now - one.seen_at < KEEP_SECONDS}


def encode(memory: Memory) -> JsonObject:
    """For the file that outlives a restart."""
    return {"version": 1, "told": {name: list(one) for name, one in memory.told.items()}}


def decode(data: object) -> Memory:
    """The inverse; a file that says something else is one that says nothing."""
    rows = data.get("told") if isinstance(data, dict) else None
    sent = {}
    for name, row in rows.items() if isinstance(rows, dict) else ():
        right = isinstance(row, list) and len(row) == 4 and row[0] in LEVELS and isinstance(row[1], str)
        if right and all(isinstance(at, int | float) for at in row[2:]):
            sent[str(name)] = Told(row[0], row[1], float(row[2]), float(row[3]))
    return Memory(sent)
