"""The one place that knows how an alert is raised, held and let go."""

from collections.abc import Iterable
from typing import NamedTuple

from aitop.config import Config

LEVELS = ("ok", "warning", "critical")
RELEASE = 0.9


class Alert(NamedTuple):
    """One thing to look at; `since` is when it was first seen.

    `cause` names what it is about where the facts give it a name (a limit's reset, a budget's
    period): the same id with the same cause is the same news, also after a restart.
    """

    id: str
    level: str
    text: str
    since: float
    cause: str = ""


class Edge:
    """The tick before, the thresholds and the time: what every rule is judged by."""

    def __init__(self, before: Iterable[Alert], config: Config, now: float, *, limited: bool = False) -> None:
        """`limited`: the client reports usage limits, which says subscription unless the configuration knows better."""
        self.known = {alert.id: alert for alert in before}
        self.config, self.now = config, now
        billing = config["billing"]
        self._equivalent = billing == "subscription" or (billing == "auto" and limited)

    def raised(self, name: str, level: str | None, text: str, cause: str = "") -> list[Alert]:
        """The alert, since when it has been there; nothing without a level."""
        if not level:
            return []
        known = self.known.get(name)
        return [Alert(name, level, text, known.since if known else self.now, cause)]

    def held(self, name: str, level: str = "warning", cause: str = "") -> bool:
        """Whether it stood at this level or above, for the same cause, a tick ago."""
        known = self.known.get(name)
        return known is not None and known.cause == cause and LEVELS.index(known.level) >= LEVELS.index(level)

    def over(self, name: str, value: float, thresholds: dict[str, float], cause: str = "") -> str | None:
        """The worst level whose threshold is reached, or not yet left by a tenth. 0 switches a level off."""
        for level in ("critical", "warning"):
            threshold = float(thresholds.get(level) or 0)
            held = self.held(name, level, cause)
            if threshold > 0 and (value >= threshold * RELEASE if held else value >= threshold):
                return level
        return None

    def over_key(self, name: str, value: float, key: str, cause: str = "") -> str | None:
        """The same with the thresholds of `alerts.KEY_warning` and `alerts.KEY_critical`."""
        levels = {level: float(self.number(f"{key}_{level}")) for level in ("warning", "critical")}
        return self.over(name, value, levels, cause)

    def usd(self, value: float) -> str:
        """Money as the displays show it: in the user's currency, `≈` where a subscription pays otherwise."""
        symbol, rate = (
            self.config["currency.symbol"],
            self.config["currency.rate"],
        )
        return f"{'≈' if self._equivalent else ''}{symbol}{value * rate:,.2f}"

    def number(self, key: str) -> float:
        return float(self.config[f"alerts.{key}"])


def level(alerts: Iterable[Alert]) -> str:
    """The worst level among alerts."""
    return max((alert.level for alert in alerts), key=LEVELS.index, default="ok")
