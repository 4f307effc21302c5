"""The types of advice: a rule, the hits that it yields, and the finding made of them."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from aitop.advice.record import Record
from aitop.pricing.table import PriceTable


class Hit(NamedTuple):
    """One occurrence in one session at one moment. A negative saving: following the advice would cost more there."""

    saving: int  # picodollars
    session: str
    project: str
    at: float
    number: int = 1
    tokens: int = 0
    about: str = ""


class Words(NamedTuple):
    """The texts of a finding: what was seen, what to do, how to check it."""

    evidence: str
    advice: str
    check: str


class Rule(NamedTuple):
    """One kind of finding. `judgement` marks a saving that holds only if the work would have been as good."""

    id: str
    about: str
    examine: Callable[[Record, PriceTable], Iterable[Hit]]
    say: Callable[[Sequence[Hit]], Words]
    judgement: bool = False
    least: int = 1  # fewer hits make no finding


class Finding(NamedTuple):
    """The hits of one rule in a period of the history, with their total saving in picodollars."""

    rule: Rule
    saving: int
    hits: tuple[Hit, ...]  # greatest saving first
    words: Words


def thousands(tokens: int) -> str:
    return f"{tokens / 1e6:,.1f}M" if tokens >= 1_000_000 else f"{tokens / 1000:,.0f}K"


def times(count: int, what: str) -> str:
    """`1 request`, `12 requests`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def sessions(hits: Iterable[Hit]) -> str:
    return times(len({hit.session for hit in hits}), "session")
