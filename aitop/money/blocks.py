"""Five-hour blocks from quarter hours: when one began, what it holds. Pure.

A block begins with the first request after the one before has ended, at that request's full hour, and
lasts five hours. Its end lies on a full hour, so quarter hours tell exactly what falls into it. The
client's own number, where known, moves the current block's border to the official one.
"""

from collections.abc import Iterable
from typing import NamedTuple

HOURS = 5
LENGTH = HOURS * 3600


class Block(NamedTuple):
    """One block of one provider; `tokens` are input and output outside the cache."""

    provider: str
    start: int
    end: int
    last: int  # its last quarter hour in use
    cost: int
    tokens: int
    requests: int


def split(rows: Iterable[tuple[int, str, int, int, int]]) -> list[Block]:
    """(at, provider, cost, tokens, requests) of quarter hours, oldest first → blocks, oldest first."""
    open_: dict[str, Block] = {}
    done: list[Block] = []
    for at, provider, cost, tokens, requests in rows:
        block = open_.get(provider)
        if block is None or at >= block.end:
            if block is not None:
                done.append(block)
            start = at // 3600 * 3600
            block = Block(provider, start, start + LENGTH, at, 0, 0, 0)
        open_[provider] = block._replace(
            last=at,
            cost=block.cost + cost,
            tokens=block.tokens + tokens,
            requests=block.requests + requests,
        )
    return sorted([*done, *open_.values()], key=lambda b: (b.start, b.provider))


def current(blocks: Iterable[Block], provider: str, now: float) -> Block | None:
    """The block that runs at `now`."""
    return next((b for b in blocks if b.provider == provider and b.start <= now < b.end), None)
