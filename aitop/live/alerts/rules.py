"""Every alert rule once: its name, when it speaks, its keys of the configuration. The page of alerts is made from it.

An alert can be raised only for a rule of this file, so none can be missing from the list or from the page.
"""

from typing import NamedTuple


class Rule(NamedTuple):
    """One rule. Its name is an alert's id up to the colon, and the one word that says why a display is coloured."""

    name: str
    when: str
    keys: tuple[str, ...] = ()  # of the configuration, below `alerts.`
    quiet_seconds: float | None = None  # people are not told again within it; None: `notify.cooldown_minutes`


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
    "3 requests in five minutes cost money and put out next to nothing",
    ("silent_requests",),
)
CACHE = Rule(
    "cache",
    "the cache hit rate over five minutes is below 30 %, from 5 requests and 20,000 input tokens on",
    ("cache_hit_warning",),
)
LIMIT = Rule(
    "limit",
    "a usage limit that the client reports is used 80 %; critical at 95 %",
    ("limit_warning", "limit_critical"),
)
LIMIT_BACK = Rule(
    "limit-back",
    "a limit that was used up has been reset in the last ten minutes. Its level is `ok`: it colours nothing",
    ("limit_back",),
)
PACE = Rule(
    "pace",
    "a limit's used percent is 15 points ahead of its elapsed time, once 10 % of the time and 20 % of the limit "
    "are gone; by a report of the last 15 minutes",
    ("pace_points",),
)
BUDGET = Rule(
    "budget", "a budget of yours is near or over: see [budgets](money.md#budgets) for its thresholds"
)
ANOMALY = Rule(
    "anomaly",
    "today costs more than your own days do: 3.5 robust standard deviations above their median, 1.5 times the "
    "median and $1 more, from 10 days with any cost on (of the last 60)",
    ("anomaly_score",),
)
RUNAWAY = Rule(
    "runaway",
    "a working session spent $5 in 15 minutes with 10 requests and no changed line, by the client's own count of "
    "lines in its status line; or made 30 requests with fewer than 20 tokens of output each",
    ("runaway_usd", "runaway_requests"),
)
COMPACTION = Rule(
    "compaction",
    "a working Claude Code session is 10,000 tokens from its automatic compaction (33,000 below its limit)",
    ("compaction_tokens",),
)
CACHE_EXPIRY = Rule(
    "cache-expiry",
    "a session at rest with 50,000 tokens of context has a cache that expires within 60 s, by the client's own "
    "word in its status line",
    ("cache_expiry_seconds",),
)
WAITING = Rule(
    "waiting",
    "a session has waited for you for a minute: for a permission or for an answer",
    ("waiting_seconds",),
    quiet_seconds=300.0,
)
MAX_TOKENS = Rule(
    "max-tokens",
    "2 responses in 15 minutes were cut off at their output limit",
    ("max_tokens",),
)
ERRORS = Rule("errors", "5 API requests failed in five minutes, and a fifth of all", ("errors",))

ALL: tuple[Rule, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Rule))
