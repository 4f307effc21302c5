"""Find where a conversation's cached prefix was written a second time, and the reason the record shows. Pure.

The second of two requests of one thread should read the prefix from the cache. The prefix counts as rebuilt
when at least half of it was written again and the conversation did not shrink. Each rebuild has one reason, so
no two rules claim the same dollars.
"""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from aitop.advice.record import Call, Record

LEAST = 20_000  # tokens: a smaller rewrite is no more than a system prompt
SHORT, LONG = 300.0, 3600.0  # seconds a cache lives
ONE_MOMENT = 1.0  # seconds: lines that a client copied all carry the same time, so their gap says nothing
EARLY = 0.9  # of a cache's life: between this share and the whole the cause of its loss is not certain


class Rebuild(NamedTuple):
    """`why`: "pause", "long pause" (beyond an hour), "model" or "unknown"."""

    before: Call
    call: Call
    tokens: int
    why: str
    gap: float


def find(record: Record) -> Iterator[Rebuild]:
    """The rebuilds of a session's main thread."""
    life = SHORT
    calls = record.main()
    for before, call in pairwise(calls):
        if before.usage.cache_write_tokens:
            life = LONG if before.usage.cache_write_1h_tokens else SHORT
        prefix = before.cached
        again = min(prefix - call.usage.cache_read_tokens, call.usage.cache_write_tokens)
        shrunk = call.usage.input_tokens < EARLY * prefix
        if again < LEAST or again < prefix / 2 or shrunk or _compacted(record, before.at, call.at):
            continue
        gap = call.at - before.at
        why = _why(before, call, gap, life)
        if why:
            yield Rebuild(before, call, again, why, gap)


def _why(before: Call, call: Call, gap: float, life: float) -> str | None:
    """The one reason the record shows; None with two reasons at once, or with none that is certain."""
    if gap > LONG:
        return "long pause"
    if before.model != call.model:
        return "model" if ONE_MOMENT <= gap < EARLY * life else None
    if gap > life:
        return "pause"
    return "unknown" if ONE_MOMENT <= gap < EARLY * life else None


def _compacted(record: Record, start: float, end: float) -> bool:
    """Whether the context was summarised between two moments."""
    return bisect_right(record.compactions, end) > bisect_right(record.compactions, start)
