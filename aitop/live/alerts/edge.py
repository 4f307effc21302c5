"""How an alert is raised, held and ended. Rules must not decide this themselves."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from aitop.config import Config
from aitop.live.alerts.evidence import SessionEvidence
from aitop.live.alerts.rules import Rule

Level = Literal["ok", "warning", "critical"]
LEVELS: tuple[Level, ...] = ("ok", "warning", "critical")
RELEASE = 0.9


class Alert(NamedTuple):
    """One thing to look at; `since` is when it was first seen.

    `cause` names the event behind it, where there is one (a limit's reset, a budget's period). The same id with
    the same cause is the same news, also after a restart. Level `ok` is good news.
    """

    id: str
    level: Level
    text: str
    since: float
    cause: str = ""
    session: str | None = None
    provider: str | None = None

    @property
    def rule(self) -> str:
        """The name of the rule that raised it."""
        return self.id.partition(":")[0]


class Edge:
    """What every rule compares with: the alerts of the tick before, the thresholds and the time."""

    def __init__(self, before: Iterable[Alert], config: Config, now: float, *, limited: bool = False) -> None:
        """`limited`: the client reports usage limits. That means a subscription unless configured."""
        self._before = {alert.id: alert for alert in before}
        self.config, self.now = config, now
        billing = config["billing"]
        self._equivalent = billing == "subscription" or (billing == "auto" and limited)

    def raised(
        self, rule: Rule, level: Level | None, text: str, *, about: str = "", cause: str = "",
        session: SessionEvidence | None = None, provider: str | None = None,
    ) -> list[Alert]:  # fmt: skip
        """The alert, with `since` kept from the tick before; an empty list without a level."""
        if not level:
            return []
        name = _id(rule, about)
        before = self._before.get(name)
        return [
            Alert(
                name, level, text, before.since if before else self.now, cause,
                session.name if session else None, session.provider if session else provider,
            )
        ]  # fmt: skip

    def before(self, rule: Rule, about: str = "") -> Alert | None:
        """The same alert a tick ago."""
        return self._before.get(_id(rule, about))

    def held(self, rule: Rule, about: str = "", *, level: Level = "warning", cause: str = "") -> bool:
        """Whether the alert had this level or a worse one a tick ago, for the same cause."""
        before = self.before(rule, about)
        return (
            before is not None and before.cause == cause and LEVELS.index(before.level) >= LEVELS.index(level)
        )

    def over(
        self, rule: Rule, value: float, *, warning: float = 0.0, critical: float = 0.0, about: str = "",
        cause: str = "",
    ) -> Level | None:  # fmt: skip
        """The worst level reached, held until the value is a tenth below its threshold. A threshold of 0 is off."""
        thresholds: tuple[tuple[Level, float], ...] = (("critical", critical), ("warning", warning))
        for level, threshold in thresholds:
            held = self.held(rule, about, level=level, cause=cause)
            if threshold > 0 and value >= (threshold * RELEASE if held else threshold):
                return level
        return None

    def usd(self, value: float) -> str:
        """Money as the displays show it: in the user's currency, with `≈` on a subscription."""
        symbol = self.config["currency.symbol"]
        rate = self.config["currency.rate"]
        return f"{'≈' if self._equivalent else ''}{symbol}{value * rate:,.2f}"

    def number(self, key: str) -> float:
        """A threshold of the configuration, below `alerts.`; 0 is off. Raises KeyError for an unknown key."""
        return float(self.config[f"alerts.{key}"])


def _id(rule: Rule, about: str) -> str:
    return f"{rule.name}:{about}" if about else rule.name


def level(alerts: Iterable[Alert]) -> Level:
    """The worst level among alerts."""
    return max((alert.level for alert in alerts), key=LEVELS.index, default="ok")
