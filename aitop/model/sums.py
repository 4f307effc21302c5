"""What is added up everywhere: in windows, sessions, periods and quarter hours.

Units: tokens are whole numbers, money is integer picodollars (1e-12 USD), credits are integer millionths, so that a
sum is exact and does not depend on the order. Only the published state and the reports turn picodollars into USD.

`COLUMNS` is the one place that says what a summed number is called in Python, in the history's tables and
in published JSON. SQL and dictionaries are made from it; nothing may address a number of a sum by position.
"""

from collections.abc import Callable, Iterable
from operator import add, neg, sub
from typing import Literal, NamedTuple

PICO = 1_000_000_000_000
MICRO = 1_000_000


class Sum(NamedTuple):
    """One sum; as a difference its numbers may be negative."""

    requests: int = 0
    errors: int = 0
    uncached_input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    cost: int = 0  # picodollars of counted responses
    tool_calls: int = 0
    tool_failures: int = 0
    unpriced_requests: int = 0
    estimated_requests: int = 0
    incomplete_requests: int = 0
    understated_requests: int = 0  # incomplete, and what they show implies over twice their output
    untracked: int = 0  # picodollars that the client reports beyond the counted responses
    client_priced_requests: int = 0  # no price of ours: their cost is what the client said
    credits: int = 0  # millionths of the credits that a client records; those of two clients are not the same

    @property
    def cache_write_tokens(self) -> int:
        return self.cache_write_5m_tokens + self.cache_write_1h_tokens

    @property
    def input_tokens(self) -> int:
        return self.uncached_input_tokens + self.cache_read_tokens + self.cache_write_tokens

    @property
    def spent(self) -> int:
        """Picodollars: counted and untracked."""
        return self.cost + self.untracked


ZERO = Sum()

Unit = Literal["count", "picodollars", "millionths"]


class Column(NamedTuple):
    """One summed number and its names. `sql` is None for one that is derived from others.

    `published` is None for one that means nothing in a sum over several clients: it is shown for each client alone.
    `by_model`: kept for each model; tool calls belong to no model and have tables of their own.
    """

    attribute: str
    sql: str | None
    published: str | None
    unit: Unit = "count"
    by_model: bool = True


COLUMNS: tuple[Column, ...] = (
    Column("requests", "requests", "requests"),
    Column("errors", "errors", "errors"),
    Column("input_tokens", None, "input_tokens"),
    Column("uncached_input_tokens", "uncached", "uncached_input_tokens"),
    Column("output_tokens", "output", "output_tokens"),
    Column("cache_read_tokens", "cache_read", "cache_read_tokens"),
    Column("cache_write_tokens", None, "cache_write_tokens"),
    Column("cache_write_5m_tokens", "write_5m", "cache_write_5m_tokens"),
    Column("cache_write_1h_tokens", "write_1h", "cache_write_1h_tokens"),
    Column("cost", "cost", "cost_usd", "picodollars"),
    Column("untracked", "untracked", "untracked_usd", "picodollars"),
    Column("spent", None, "spent_usd", "picodollars"),
    Column("tool_calls", "tool_calls", "tool_calls", by_model=False),
    Column("tool_failures", "tool_failures", "tool_failures", by_model=False),
    Column("unpriced_requests", "unpriced", "unpriced_requests"),
    Column("estimated_requests", "estimated", "estimated_requests"),
    Column("client_priced_requests", "client_priced", "client_priced_requests"),
    Column("incomplete_requests", "incomplete", "incomplete_requests"),
    Column("understated_requests", "understated", "understated_requests"),
    Column("credits", "credits", None, "millionths"),
)


def in_usd(picodollars: int) -> float:
    """Picodollars as USD."""
    return picodollars / PICO


def published(value: Sum, usd: Callable[[int], float] = in_usd) -> dict[str, int | float]:
    """A sum as JSON has it: published key → tokens, counts, or USD as `usd` turns picodollars into it."""
    return {
        column.published: usd(number) if column.unit == "picodollars" else number
        for column in COLUMNS
        if column.published is not None
        for number in (getattr(value, column.attribute),)
    }


def plus(one: Sum, other: Sum) -> Sum:
    """Both together."""
    return Sum._make(map(add, one, other))


def minus(one: Sum, other: Sum) -> Sum:
    """What `one` holds beyond the other."""
    return Sum._make(map(sub, one, other))


def negative(value: Sum) -> Sum:
    """What takes a value away when it is added."""
    return Sum._make(map(neg, value))


def total(values: Iterable[Sum]) -> Sum:
    """All of them together; zero for none."""
    sums = list(values)
    return Sum._make(map(sum, zip(*sums, strict=True))) if sums else ZERO
