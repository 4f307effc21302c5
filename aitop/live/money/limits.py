"""Usage limits judged at a moment: how fast they go, when they end, and an estimate where none is reported. Pure.

An official number is the client's own. Without one the five-hour block is measured against a plan's
usual allowance or the user's own busiest blocks, and says that it is an estimate.
"""

import os
from collections.abc import Iterable
from typing import NamedTuple

from aitop.live.money.blocks import HOURS, LENGTH, Block
from aitop.model.events import Limit
from aitop.model.sums import PICO

FIVE_HOUR = "five_hour"
LABELS = {FIVE_HOUR: "5-hour limit", "seven_day": "weekly limit"}
ESTIMATE = "estimate"
ABSURD = 1000.0  # percent: beyond, a client has put another number in its place
EARLY = 0.05  # of a window: before, a rate says nothing
ENOUGH_BLOCKS = 5


class Plan(NamedTuple):
    """What a plan is said to allow in five hours: tokens outside the cache, and USD at list price."""

    tokens: int
    usd: float


PLANS = {"pro": Plan(19_000, 18.0), "max5": Plan(88_000, 35.0), "max20": Plan(220_000, 140.0)}


class LimitView(NamedTuple):
    """A limit as it stands, in the published names and units."""

    provider: str
    account: str | None
    name: str
    window_minutes: int
    used_percent: float
    resets_at: float
    source: str
    seen_at: float
    age_seconds: float
    estimated: bool
    elapsed_percent: float | None
    pace_points: float | None
    exhausts_at: float | None


def judge(limits: Iterable[Limit], blocks: list[Block], plan: str, now: float) -> list[LimitView]:
    """Every limit in force, with pace and exhaustion; the block's estimate where no official one is known."""
    in_force = [limit for limit in limits if _holds(limit, now)]
    if not any(limit.name == FIVE_HOUR for limit in in_force):
        in_force += _estimate(blocks, plan, now)
    return [_view(limit, now) for limit in in_force]


def label(limit: Limit) -> str:
    """How people call a limit: by the length of its window, with its account where it has one."""
    name = LABELS.get(limit.name) or _by_length(limit)
    return (
        f"{name} ({os.path.basename(limit.account.rstrip('/')) or limit.account})" if limit.account else name
    )


def _by_length(limit: Limit) -> str:
    """`30-day limit`, `12-hour limit`; by its own name where it has no length."""
    hours = limit.window_minutes / 60
    if hours >= 24 and hours % 24 == 0:
        return f"{hours / 24:.0f}-day limit"
    return f"{hours:.0f}-hour limit" if hours >= 1 else limit.name.replace("_", " ")


def allowance(plan: str, finished: Iterable[Block]) -> Plan | None:
    """A plan's allowance; for `p90` the 90th percentile of the user's own blocks, None while they are few."""
    if plan != "p90":
        return PLANS.get(plan)
    every = [block for block in finished if block.requests]
    hit = [block for block in every if any(_reached(block, allowed) for allowed in PLANS.values())]
    chosen = hit if len(hit) >= ENOUGH_BLOCKS else every
    if len(chosen) < ENOUGH_BLOCKS:
        return None
    tokens = quantile([block.tokens for block in chosen], 0.9)
    usd = quantile([block.spent / PICO for block in chosen], 0.9)
    return Plan(max(int(tokens), PLANS["pro"].tokens), usd)


def quantile(values: Iterable[float], part: float) -> float:
    """Between the two nearest values, never beyond the largest one."""
    ordered = sorted(values)
    place = part * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _reached(block: Block, plan: Plan) -> bool:
    return 0.95 * plan.tokens <= block.tokens <= 1.05 * plan.tokens


def _holds(limit: Limit, now: float) -> bool:
    return limit.resets_at > now and 0 <= limit.used_percent <= ABSURD


def _estimate(blocks: list[Block], plan: str, now: float) -> list[Limit]:
    provider = "claude-code"  # only its plans are known
    mine = [block for block in blocks if block.provider == provider]
    allowed = allowance(plan, (block for block in mine if block.end <= now))
    block = next((block for block in mine if block.start <= now < block.end), None)
    if allowed is None or block is None:
        return []
    parts = [block.tokens / allowed.tokens]
    if allowed.usd > 0:
        parts.append(block.spent / PICO / allowed.usd)
    used = 100 * max(parts)
    return [Limit(provider, None, FIVE_HOUR, HOURS * 60, used, float(block.end), f"{ESTIMATE}:{plan}", now)]


def _view(limit: Limit, now: float) -> LimitView:
    length = limit.window_minutes * 60.0
    elapsed = None if length <= 0 else min(1.0, max(0.0, 1 - (limit.resets_at - now) / length))
    exhausts = _exhausts(limit, elapsed, length, now)
    return LimitView(
        **limit._asdict(),
        age_seconds=max(0.0, now - limit.seen_at),
        estimated=limit.source.startswith(ESTIMATE),
        elapsed_percent=None if elapsed is None else 100 * elapsed,
        pace_points=None if elapsed is None else limit.used_percent - 100 * elapsed,
        exhausts_at=exhausts,
    )


def _exhausts(limit: Limit, elapsed: float | None, length: float, now: float) -> float | None:
    """When it is used up at the mean rate of this window; None when it resets before, or it is too early."""
    if limit.used_percent >= 100:
        return now
    if elapsed is None or elapsed < EARLY or limit.used_percent <= 0:
        return None
    # The rate is of the time until the number was seen, not until now.
    begun = limit.resets_at - length
    measured = limit.seen_at - begun
    if measured <= 0:
        return None
    at = begun + measured * 100 / limit.used_percent
    return max(now, at) if at < limit.resets_at else None


__all__ = ["FIVE_HOUR", "LENGTH", "PLANS", "LimitView", "Plan", "allowance", "judge", "label", "quantile"]
