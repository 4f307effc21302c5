"""The columns of each report for people: which field, its head, how it is written, what gives way first. Pure."""

from typing import Literal, NamedTuple

from aitop.model.sums import Sum

Kind = Literal["count", "money", "share", "moment", "names", "amount", "ratio", "text"]


class Column(NamedTuple):
    """`gives_way`: the order in which columns are left out where the terminal is narrow; 0: never."""

    key: str
    head: str
    kind: Kind = "count"
    gives_way: int = 0


# "input" is all input: what was new, what was read from the cache, and what was written to it.
USE = (
    Column("requests", "requests", gives_way=6),
    Column("input_tokens", "input", gives_way=5),
    Column("cache_write_tokens", "cache write", gives_way=2),
    Column("cache_read_tokens", "cache read", gives_way=3),
    Column("output_tokens", "output", gives_way=4),
    Column("total_tokens", "tokens", gives_way=7),
)
COST = Column("cost_usd", "cost", "money")
# Where a client reports more than its records show: counted + untracked = spent.
SPENT = (
    Column("cost_usd", "counted", "money", gives_way=8),
    Column("untracked_usd", "untracked", "money", gives_way=8),
    Column("spent_usd", "spent", "money"),
)
# What clients are billed in beside dollars; shown where a row has some.
CREDITS = Column("credits", "credits", "amount", gives_way=7)
ACTIVITY = (
    Column("last_activity_at", "last activity", "moment", gives_way=4),
    Column("models", "models", "names", gives_way=1),
)
TOOLS = (
    Column("tool_calls", "calls"),
    Column("tool_failures", "failed"),
    Column("failure_rate", "failed share", "share"),
)
COMMITS = (
    Column("requests", "requests", gives_way=1),
    Column("spent_usd", "cost", "money"),
    Column("lines", "lines"),
    Column("usd_per_line", "per line", "money"),
)

PULLS = (
    Column("sessions", "sessions", gives_way=1),
    Column("requests", "requests", gives_way=2),
    Column("last_activity_at", "last activity", "moment", gives_way=3),
    Column("merged_at", "merged", "moment", gives_way=4),
    Column("spent_usd", "spent", "money"),
)
SHIPPED = (
    Column("lines", "lines"),
    Column("share", "share", "share", gives_way=1),
    Column("spent_usd", "spent", "money"),
)
TRIES = (
    Column("turns", "turns", gives_way=4),
    Column("interrupted_rate", "interrupted", "share", gives_way=3),
    Column("edits_wanted", "edits", gives_way=2),
    Column("edits_first_try_rate", "at once", "share"),
    Column("retries_per_edit", "retries", "ratio", gives_way=1),
    Column("tool_calls_wanted", "other calls", gives_way=2),
    Column("tools_first_try_rate", "at once", "share"),
    Column("retries_per_tool_call", "retries", "ratio", gives_way=1),
)

# Tokens and cost are estimates here: a call's result is the growth of the next prompt.
CONTEXT = (
    Column("of", "kind", "text", gives_way=1),
    Column("calls", "calls", gives_way=3),
    Column("tokens", "\u2248 tokens", gives_way=4),
    Column("sent_again", "\u2248 sent again", "amount", gives_way=2),
    Column("cost_usd", "\u2248 cost", "money"),
    Column("cost_share", "share", "share", gives_way=5),
)


def columns(name: str, total: Sum, *, in_credits: bool = False) -> tuple[Column, ...]:
    """Those of a report by what its rows are named by; `in_credits`: whether a row has credits beside its dollars."""
    if name in ("tool", "commit"):
        return TOOLS if name == "tool" else COMMITS
    own = {"pull_request": PULLS, "fate": SHIPPED, "tries": TRIES, "part": CONTEXT}.get(name)
    if own is not None:
        return own
    money = SPENT if total.untracked else (COST,)
    return (*USE, *money, *((CREDITS,) if in_credits else ()), *(ACTIVITY if name == "session" else ()))
