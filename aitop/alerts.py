"""What deserves attention now. Pure: facts in, alerts out; keeps nothing but what it is handed back.

Every alert asks for enough evidence that one odd request cannot raise it, and lets go only a tenth
below its threshold, so that a value at the edge does not flicker.
"""

from collections.abc import Iterable
from typing import NamedTuple

from aitop.config import Config
from aitop.model import PICO, Sum

LEVELS = ("ok", "warning", "critical")
RELEASE = 0.9
CACHE_REQUESTS = 5  # a session's first requests have no cache to read
CACHE_INPUT = 20_000


class Alert(NamedTuple):
    """One thing to look at; `since` is when it was first seen."""

    id: str
    level: str
    text: str
    since: float


def evaluate(
    before: Iterable[Alert], config: Config, now: float, one: Sum, five: Sum, context_percent: float | None
) -> tuple[Alert, ...]:
    """Alerts at `now`, given those of the tick before: burn rate, context, silent spending, cold cache."""
    known = {alert.id: alert for alert in before}
    found: list[Alert] = []

    def raise_(name: str, level: str | None, text: str) -> None:
        if level:
            since = known[name].since if name in known else now
            found.append(Alert(name, level, text, since))

    def over(name: str, value: float, key: str) -> str | None:
        for level in ("critical", "warning"):
            threshold = float(config.values.get(f"alerts.{key}_{level}") or 0)
            held = name in known and LEVELS.index(known[name].level) >= LEVELS.index(level)
            if threshold > 0 and (value >= threshold * RELEASE if held else value >= threshold):
                return level
        return None

    burn = one.cost * 60 / PICO
    raise_("burn", over("burn", burn, "burn"), f"burning ${burn:,.2f}/h")
    if context_percent is not None:
        raise_("context", over("context", context_percent, "context"), f"context {context_percent:.0f}% full")
    raise_("silent", _silent(five, config), f"{five.requests} requests in 5 minutes with next to no output")
    raise_(
        "cache",
        _cold(five, config, "cache" in known),
        f"cache hit rate {_hit_rate(five):.0f}% over 5 minutes",
    )
    return tuple(found)


def level(alerts: Iterable[Alert]) -> str:
    """The worst level among alerts."""
    return max((alert.level for alert in alerts), key=LEVELS.index, default="ok")


def _silent(five: Sum, config: Config) -> str | None:
    """Money without output; responses whose reported output is a placeholder say nothing either way."""
    least = config["alerts.silent_requests"]
    quiet = five.output_tokens <= five.requests and five.cost > 0 and not five.incomplete_requests
    return "warning" if least and five.requests >= least and quiet else None


def _cold(five: Sum, config: Config, held: bool) -> str | None:
    threshold = config["alerts.cache_hit_warning"]
    if not threshold or five.requests < CACHE_REQUESTS or five.input_tokens < CACHE_INPUT:
        return None
    return "warning" if _hit_rate(five) < (threshold / RELEASE if held else threshold) else None


def _hit_rate(value: Sum) -> float:
    return 100 * value.cache_read_tokens / value.input_tokens if value.input_tokens else 0.0
