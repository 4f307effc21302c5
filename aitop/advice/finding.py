"""What a rule is, and what it hands back."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from aitop.advice.record import Record
from aitop.pricing.table import PriceTable


class Hit(NamedTuple):
    """One place where money went: in one session, at one moment. A negative saving is a cost of the advice."""

    saving: int  # picodollars
    session: str
    project: str
    at: float
    number: int = 1
    tokens: int = 0
    about: str = ""


class Words(NamedTuple):
    """What a person reads."""

    evidence: str
    advice: str
    check: str


class Rule(NamedTuple):
    """One thing that may be said. `judgement` marks a saving that rests on the work being as good."""

    id: str
    about: str
    examine: Callable[[Record, PriceTable], Iterable[Hit]]
    say: Callable[[Sequence[Hit]], Words]
    judgement: bool = False
    least: int = 1  # hits before anything is said


class Finding(NamedTuple):
    """One rule's word on a stretch of history."""

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
