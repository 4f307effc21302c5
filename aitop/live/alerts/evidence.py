"""The facts of one moment that the alert rules read."""

from typing import NamedTuple

from aitop.live.money.budgets import BudgetView
from aitop.live.money.burn import BurnThresholds
from aitop.model.events import Limit
from aitop.model.sums import ZERO, Sum


class SessionEvidence(NamedTuple):
    """One session as a rule sees it."""

    name: str
    project: str
    provider: str = "claude-code"
    status: str = "working"  # working, waiting, idle, ended
    recent: Sum = ZERO  # its last fifteen minutes
    five_minutes: Sum = ZERO
    context_tokens: int | None = None
    context_limit: int = 200_000
    compactions: int = 0
    cache_expires_at: float | None = (
        None  # epoch seconds, as the client reports it; None: it reports no warm cache
    )
    lines_changed: int | None = None  # as the client counts them; None: never reported
    lines_since: float = 0.0  # when that number last changed, or was first reported
    lines_told: float = 0.0  # when the client last reported it
    status_since: float = 0.0


class Evidence(NamedTuple):
    """All facts that the rules read. Sums are of the window that their name says."""

    five_minutes: Sum = ZERO
    fifteen_minutes: Sum = ZERO
    burn: BurnThresholds = BurnThresholds()
    context_percent: float | None = None  # of the shown gauge
    context_session: str | None = None
    sessions: tuple[SessionEvidence, ...] = ()  # newest first
    limits: tuple[Limit, ...] = ()  # those that were reset lately too
    budgets: tuple[BudgetView, ...] = ()
    cut_off: int = 0  # responses that ended at max_tokens in the last fifteen minutes
    day_started: float = 0.0
    today_spent: int = 0  # picodollars
    dearest_today: tuple[str, int] | None = None  # a session's name, picodollars
    past_days: tuple[int, ...] = ()  # picodollars of each finished day with any cost, oldest first

    def session(self, name: str | None) -> SessionEvidence | None:
        return next((one for one in self.sessions if one.name == name), None)

    def dearest(self) -> SessionEvidence | None:
        """The session that spent most in the last five minutes."""
        spenders = [one for one in self.sessions if one.five_minutes.spent > 0]
        return max(spenders, key=lambda one: one.five_minutes.spent, default=None)
