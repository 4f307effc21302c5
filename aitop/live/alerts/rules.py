"""Every alert rule once: its name, when it is raised, its keys of the configuration. docs/alerts.md is made from it.

An alert can be raised only for a rule of this file, so none can be missing from the list or from the page.
"""

from typing import NamedTuple


class Rule(NamedTuple):
    """One rule. Its name is an alert's id up to the colon, and the one word that says why a display is coloured."""

    name: str
    when: str
    keys: tuple[str, ...] = ()  # of the configuration, below `alerts.`
    quiet_seconds: float | None = None  # no second notification within it; None: `notify.cooldown_minutes`


BURN = Rule(
    "burn",
    "the burn rate over five minutes is above what is usual for you; critical when it stays above a much higher "
    "rate for fifteen minutes",
    ("burn_warning", "burn_critical"),
)
CONTEXT = Rule(
    "context",
    "the context of the newest working session is 80 % full",
    ("context_warning", "context_critical"),
)
SILENT = Rule(
    "silent",
    "3 or more requests in five minutes cost money and returned next to no output",
    ("silent_requests",),
)
CACHE = Rule(
    "cache",
    "the cache hit rate over five minutes is below 30 %, once they have 5 requests and 20,000 input tokens",
    ("cache_hit_warning",),
)
LIMIT = Rule(
    "limit",
    "80 % of a usage limit that the client reports is used; critical at 95 %",
    ("limit_warning", "limit_critical"),
)
LIMIT_BACK = Rule(
    "limit-back",
    "a limit that was used up has been reset in the last ten minutes. Its level is `ok`: it colours nothing",
    ("limit_back",),
)
PACE = Rule(
    "pace",
    "the used percent of a limit is 15 points above the elapsed percent of its window. The alert needs a report "
    "of the last 15 minutes, 10 % of the window elapsed and 20 % of the limit used",
    ("pace_points",),
)
BUDGET = Rule(
    "budget", "a budget of yours is near or over: see [budgets](money.md#budgets) for its thresholds"
)
ANOMALY = Rule(
    "anomaly",
    "today costs much more than your usual day: 3.5 robust standard deviations above the median, at least 1.5 times "
    "the median, and at least $1 more. It needs 10 days with any cost in the last 60",
    ("anomaly_score",),
)
RUNAWAY = Rule(
    "runaway",
    "a working session spent $5 in 15 minutes with 10 requests, and the client's status line counts no changed line; "
    "or it made 30 requests with fewer than 20 tokens of output each",
    ("runaway_usd", "runaway_requests"),
)
COMPACTION = Rule(
    "compaction",
    "the context of a working Claude Code session is within 10,000 tokens of automatic compaction, which begins "
    "33,000 tokens below the context limit",
    ("compaction_tokens",),
)
CACHE_EXPIRY = Rule(
    "cache-expiry",
    "the cache of a session at rest with 50,000 or more tokens of context expires within 60 s, as the client's "
    "status line reports",
    ("cache_expiry_seconds",),
)
WAITING = Rule(
    "waiting",
    "a session has waited a minute for your permission or answer",
    ("waiting_seconds",),
    quiet_seconds=300.0,
)
MAX_TOKENS = Rule(
    "max-tokens",
    "2 or more responses in 15 minutes were cut off at their output limit",
    ("max_tokens",),
)
ERRORS = Rule(
    "errors",
    "5 or more API requests failed in five minutes, and they are at least a fifth of all",
    ("errors",),
)

ALL: tuple[Rule, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Rule))
