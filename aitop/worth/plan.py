"""A subscription's value at API prices, and what smaller or larger plans would have allowed. Pure.

Makers do not publish what a plan allows, so every allowance is an interval. It is measured where the client reports
how much of its five-hour limit is used: what was spent in that window, divided by the percent. The other plans follow
by the multiples in their names (Pro, 5 x, 20 x). Without a report it lies between what users of other monitors found
for the plan in tokens and in USD (docs/money.md). A block above the upper end was over in any case, one above the
lower end perhaps. An interval over future months comes from drawing your own weeks again and again.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

from aitop.live.money.blocks import Block
from aitop.live.money.limits import PLANS, quantile
from aitop.live.money.plan import MONTH_DAYS, USD_A_MONTH
from aitop.model import periods
from aitop.model.sums import PICO

SIZE = {"pro": 1.0, "max5": 5.0, "max20": 20.0}
LEAST_PERCENT = 5.0  # of a limit: below, the rounding of the percent says more than the spend
ROUNDING = 0.5  # percent points that a report may be off
DRAWS = 2000
WEEK = 7
ENOUGH_WEEKS = 3
INSIDE = (0.1, 0.9)  # eight of ten drawn months lie in the interval


class Allowance(NamedTuple):
    """USD at API prices that a plan allows in one block; `measured`: from the client's own percent."""

    low: float
    high: float
    measured: bool


class Fit(NamedTuple):
    """How one plan would have done. A `*_high` counts what was over perhaps, a `*_low` what was in any case."""

    plan: str
    usd_a_month: float
    allowance: Allowance
    blocks_low: int
    blocks_high: int
    days_low: tuple[date, ...]
    days_high: tuple[date, ...]
    month_low: float | None  # days over in a month like these, eight of ten; None for fewer than three weeks
    month_high: float | None


class Percent(NamedTuple):
    """What one percent of a limit was, in the window that runs."""

    name: str
    used_percent: float
    usd: float
    tokens: float  # input and output outside the cache


class Use(NamedTuple):
    """What was used in a limit's window until the client reported it. Picodollars, tokens outside the cache."""

    name: str
    used_percent: float
    spent: int
    tokens: int


def percents(uses: Iterable[Use]) -> list[Percent]:
    """Of each limit that is used far enough to say it."""
    return [
        Percent(
            use.name, use.used_percent, use.spent / PICO / use.used_percent, use.tokens / use.used_percent
        )
        for use in uses
        if use.used_percent >= LEAST_PERCENT and use.spent > 0
    ]


def allowances(own: str | None, five_hours: Use | None) -> dict[str, Allowance]:
    """USD that each plan allows in a block. `own`: the plan in force, needed for a measured one."""
    if (
        own in SIZE
        and five_hours is not None
        and five_hours.used_percent >= LEAST_PERCENT
        and five_hours.spent > 0
    ):
        usd = five_hours.spent / PICO * 100
        low, high = (usd / (five_hours.used_percent + off) for off in (ROUNDING, -ROUNDING))
        return {
            plan: Allowance(low * size / SIZE[own], high * size / SIZE[own], measured=True)
            for plan, size in SIZE.items()
        }
    return {}


def fits(
    blocks: Sequence[Block], first: date, last: date, measured: dict[str, Allowance], seed: int = 0
) -> list[Fit]:
    """Each plan against the finished blocks of these days, the cheapest plan first."""
    return [_fit(plan, blocks, first, last, measured.get(plan), seed) for plan in USD_A_MONTH]


def sufficient(found: Sequence[Fit], *, surely: bool) -> Fit | None:
    """The cheapest plan that no block was over, `surely`: not even perhaps."""
    return next((fit for fit in found if not (fit.blocks_high if surely else fit.blocks_low)), None)


def _fit(
    plan: str, blocks: Sequence[Block], first: date, last: date, measured: Allowance | None, seed: int
) -> Fit:
    allowance = measured or _told(plan, blocks)
    over = [_over(plan, block, measured) for block in blocks]
    sure = [block for block, (low, _) in zip(blocks, over, strict=True) if low]
    perhaps = [block for block, (_, high) in zip(blocks, over, strict=True) if high]
    days_low, days_high = _days(sure), _days(perhaps)
    month = _month(days_low, days_high, first, last, Random(seed))  # noqa: S311 - the same draws each time
    return Fit(
        plan,
        USD_A_MONTH[plan],
        allowance,
        len(sure),
        len(perhaps),
        days_low,
        days_high,
        *(month or (None, None)),
    )


def _over(plan: str, block: Block, measured: Allowance | None) -> tuple[bool, bool]:
    """Whether a block was over the plan in any case, and perhaps."""
    usd = block.spent / PICO
    if measured is not None:
        return usd > measured.high, usd > measured.low
    told = PLANS[plan]
    beyond = (usd > told.usd, block.tokens > told.tokens)
    return all(beyond), any(beyond)


def _told(plan: str, blocks: Sequence[Block]) -> Allowance:
    """What users found, in USD: their USD, and their tokens at what a token of these blocks cost."""
    told = PLANS[plan]
    tokens, spent = sum(block.tokens for block in blocks), sum(block.spent for block in blocks)
    by_tokens = told.tokens * spent / PICO / tokens if tokens else told.usd
    return Allowance(min(told.usd, by_tokens), max(told.usd, by_tokens), measured=False)


def _days(blocks: Iterable[Block]) -> tuple[date, ...]:
    return tuple(sorted({periods.date_of(block.start) for block in blocks}))


def _month(
    sure: Sequence[date], perhaps: Sequence[date], first: date, last: date, random: Random
) -> tuple[float, float] | None:
    """Days over in a month of weeks drawn from these: from the low end of the sure to the high end of the others."""
    weeks = ((last - first).days + 1) // WEEK
    if weeks < ENOUGH_WEEKS:
        return None
    start = last - timedelta(days=weeks * WEEK - 1)
    ends = []
    for days, part in ((sure, INSIDE[0]), (perhaps, INSIDE[1])):
        by_week = [0] * weeks
        for day in days:
            if day >= start:
                by_week[(day - start).days // WEEK] += 1
        drawn = [
            sum(random.choice(by_week) for _ in range(4)) * MONTH_DAYS / (4 * WEEK) for _ in range(DRAWS)
        ]
        ends.append(quantile(drawn, part))
    return ends[0], ends[1]
