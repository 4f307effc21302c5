"""What the rules beyond the last minutes' sums are judged by: plain facts of one moment."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from aitop.model.events import Limit
from aitop.model.sums import ZERO, Sum


class SessionFacts(NamedTuple):
    """One session as a rule sees it."""

    name: str
    project: str
    provider: str = "claude-code"
    status: str = "working"  # working, waiting, idle, ended
    quarter: Sum = ZERO  # its last fifteen minutes
    context_tokens: int | None = None
    context_limit: int = 200_000
    compactions: int = 0
    cache_expires_at: float | None = None  # the client's word on a warm cache
    lines_changed: int | None = None  # as the client counts them; None: it never said
    lines_since: float = 0.0  # when that number last changed, or was first told
    lines_told: float = 0.0  # when the client last told it


class More(NamedTuple):
    """Everything beyond the sums of the last minute and the last five."""

    sessions: tuple[SessionFacts, ...] = ()
    limits: tuple[Limit, ...] = ()
    budgets: tuple[
        Mapping[str, Any], ...
    ] = ()  # as published: name, scope, period, limit_usd, percent, level …
    cut_off: int = 0  # responses that ended at max_tokens in the last fifteen minutes
    day_started: float = 0.0
    today_cost: int = 0  # picodollars
    past_days: tuple[
        int, ...
    ] = ()  # picodollars of each finished day, oldest first; days without any left out
