"""Five-hour blocks from quarter hours: when one began, what it holds. Pure.

A block begins with the first request after the one before has ended, at that request's full hour, and
lasts five hours. Its end lies on a full hour, so quarter hours tell exactly what falls into it. The
client's own number, where known, moves the current block's border to the official one.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

HOURS = 5
LENGTH = HOURS * 3600


class Block(NamedTuple):
    """One block of one provider; `tokens` are input and output outside the cache."""

    provider: str
    start: int
    end: int
    last: int  # its last quarter hour in use
    spent: int  # picodollars
    tokens: int
    requests: int


def split(rows: Iterable[tuple[int, str, int, int, int]]) -> list[Block]:
    """(at, provider, picodollars, tokens, requests) of quarter hours, oldest first → blocks, oldest first."""
    open_: dict[str, list[int]] = {}  # provider → start, last, cost, tokens, requests
    done: list[Block] = []
    for at, provider, cost, tokens, requests in rows:
        block = open_.get(provider)
        if block is None or at >= block[0] + LENGTH:
            if block is not None:
                done.append(_block(provider, block))
            block = open_[provider] = [at // 3600 * 3600, at, 0, 0, 0]
        block[1] = at
        block[2] += cost
        block[3] += tokens
        block[4] += requests
    done += [_block(provider, block) for provider, block in open_.items()]
    return sorted(done, key=lambda b: (b.start, b.provider))


def _block(provider: str, quarters: list[int]) -> Block:
    start, *rest = quarters
    return Block(provider, start, start + LENGTH, *rest)


def borders(used: Callable[[int], int | None]) -> Iterator[tuple[int, int]]:
    """Begin and end of each block of one provider, by the first quarter hour in use at or after a moment."""
    at = used(0)
    while at is not None:
        start = at // 3600 * 3600
        yield start, start + LENGTH
        at = used(start + LENGTH)
