"""The counts behind the marks of an amount, for what is not asked for as a whole sum. Reads sums only."""

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple


class Doubts(NamedTuple):
    """How many requests behind an amount make it a lower bound or an estimate; named as in a sum."""

    unpriced_requests: int = 0
    understated_requests: int = 0
    estimated_requests: int = 0

    def plus(self, other: "Doubts") -> "Doubts":
        return Doubts(*(one + two for one, two in zip(self, other, strict=True)))


def together(parts: Iterable[Doubts]) -> Doubts:
    """The sum of several."""
    whole = Doubts()
    for part in parts:
        whole = whole.plus(part)
    return whole


def of_provider(db: sqlite3.Connection, span: tuple[float, float], provider: str) -> Doubts:
    """Of one provider's requests in a span that begins and ends on quarter hours."""
    row = db.execute(
        "SELECT sum(unpriced), sum(understated), sum(estimated) FROM quarter_all "
        "WHERE at >= ? AND at < ? AND provider = ?",
        (*span, provider),
    ).fetchone()
    return Doubts(*(value or 0 for value in row))
