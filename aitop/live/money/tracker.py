"""Money over more than a quarter of an hour: what budgets, limits, blocks and forecasts are judged by.

Keeps sums by session and period, quarter hours, and the user's past. Filled from the history when a day begins,
moved by the same changes as every other sum, read at any `now`. The past is learned in slices once everything
is read, so that no start waits for it.
"""

import sqlite3
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from aitop.config import Config
from aitop.config.budgets_and_tags import tag_of
from aitop.history.query import spans
from aitop.history.query.doubts import Doubts
from aitop.history.rows import Session
from aitop.history.write.ledger import Changes
from aitop.live.money import blocks, budgets, forecast, limits, plan
from aitop.live.money.budgets import BudgetView, Spender, Spent
from aitop.live.money.burn import BurnThresholds
from aitop.live.money.forecast import PeriodForecast
from aitop.live.money.learner import DAY, QUARTER, Learner
from aitop.live.money.limits import LimitView
from aitop.live.money.methods import BLOCK_SLOTS, DAY_SLOTS
from aitop.live.money.plan import PlanView
from aitop.model import periods
from aitop.model.events import Limit
from aitop.model.sums import PICO, Sum

FORECAST_ORDER = ("day", "block", "month")
PERIODS = {"day": "today", "week": "week", "month": "month"}


class BlockView(NamedTuple):
    """The running five-hour block, in the published names and units."""

    provider: str
    started_at: float
    ends_at: float
    spent_usd: float
    cost_usd: float
    tokens: int
    requests: int
    estimated: bool  # its borders, not its cost


class _Known(NamedTuple):
    """What budgets ask of a session."""

    provider: str
    name: str
    cwd: str | None
    branch: str | None
    tag: str | None  # of its shell


class MoneyTracker:
    """Everything about money that depends on more than a quarter of an hour."""

    def __init__(self) -> None:
        self.tags_by_hand: dict[str, str] = {}  # session → tag
        self.burn = BurnThresholds()
        self.past: forecast.Past | None = None
        self._starts: dict[str, float] = {}
        self._ends: dict[str, float] = {}
        self._spent: dict[int, dict[str, Spent]] = {}
        self._totals: dict[str, int] = {}  # picodollars by period, over all of `_spent`
        self._dearest: int | None = None  # the session that cost most today; None: to be looked for
        self._known: dict[int, _Known] = {}
        self._quarters: dict[tuple[int, str], list[int]] = {}  # cost, tokens, requests
        self._finished: list[blocks.Block] = []
        self._anchors: dict[str, float] = {}
        self._scores: forecast.Scores = {}
        self._plan_spent, self._plan_until = 0, date.min  # of its client in the days of a plan's value
        self._plan_doubts = Doubts()
        self._learner: Learner | None = None
        self._source: sqlite3.Connection | None = None
        self._now = 0.0  # when the day's sums were taken
        self._past_changed = False
        self._untested: list[str] = []

    @property
    def learned(self) -> bool:
        """Whether the past is known and every forecast has its method."""
        waiting = self._past_changed or self._learner is not None or self._untested
        return self.past is not None and not waiting

    def begin(self, db: sqlite3.Connection, now: float) -> None:
        """Start from the history's own sums: at the start, and at each local midnight.

        Raises sqlite3.Error; then all stays as it was, so that no sum is short of what is spent.
        """
        starts, ends = periods.starts(now), periods.ends(now)
        spent: dict[int, dict[str, Spent]] = {}
        for name, key in PERIODS.items():
            for session, *values in spans.costs(db, starts[key], ends["today"] + DAY):
                mine = spent.setdefault(session, {})
                mine[name] = mine.get(name, Spent()).plus(Spent(*values))
        facts = {
            row.id: _Known(row.provider, row.name, row.cwd, row.branch, row.tag)
            for row in spans.facts(db, min(starts.values())).values()
        }
        quarters = spans.quarters(db, (starts["today"] - 2 * DAY, float("inf")))
        self._starts = {name: starts[key] for name, key in PERIODS.items()}
        self._ends = {name: ends[key] for name, key in PERIODS.items()}
        self._spent, self._known, self._quarters = spent, facts, {}
        self._totals = {
            name: sum(mine[name].amount for mine in spent.values() if name in mine) for name in PERIODS
        }
        self._dearest = None
        self._remember(quarters)
        self._finished, self._anchors = [], {}
        self.past, self._scores, self._untested = None, {}, []
        self._source, self._now = db, now
        self._learner, self._past_changed = None, True

    def learn(self) -> None:
        """One slice of the past; when it is all there, choose each forecast's method. Raises sqlite3.Error."""
        if self._untested and self.past is not None:
            name = self._untested.pop()
            self._scores[name] = forecast.TESTS[name](self.past)
            return
        if self._learner is None:
            if not self._past_changed or self._source is None:
                return
            self._past_changed = False
            self._learner = Learner(self._source, self._now)
        if not self._learner.step():
            return
        self.past = self._learner.past()
        self.burn = self._learner.burn()
        self._finished = self._learner.finished
        self._anchors = self._learner.anchors()
        self._plan_spent, self._plan_until, self._plan_doubts = self._learner.of_plan()
        self._learner = None
        self._untested = list(forecast.TESTS)

    def fold(self, changes: Changes, sessions: Iterable[Session]) -> None:
        """Take in what one commit changed."""
        if not changes.sums:
            return
        for session in sessions:
            self._known[session.id] = _facts(session)
        if any(at < self._starts.get("day", 0.0) for at, _, _ in changes.sums):
            self._past_changed = True  # old files were read, or a client reported money of another day
        self._dearest = None
        for at, session_id, value in changes.sums:
            difference = _spent(value)
            for name, start in self._starts.items():
                if at >= start:
                    mine = self._spent.setdefault(session_id, {})
                    mine[name] = mine.get(name, Spent()).plus(difference)
                    self._totals[name] += difference.amount
            if session_id in self._known and value.requests | value.spent | value.output_tokens:
                tokens = value.uncached_input_tokens + value.output_tokens
                quarter = int(at) // QUARTER * QUARTER
                row = (quarter, self._known[session_id].provider, value.spent, tokens, value.requests)
                self._remember([row])

    def tag(self, session: Session, config: Config) -> str | None:
        """The tag a session goes by."""
        return tag_of(
            self.tags_by_hand.get(session.name), session.tag, session.cwd, session.branch, config.tags
        )

    def budgets(
        self, sessions: Iterable[Session], active: set[str], shown: set[str], config: Config
    ) -> list[BudgetView]:
        """Every budget as it stands. `active`, `shown`: names of sessions."""
        if not config.budgets:
            return []
        totals: dict[int, Spent] = {}
        for session in sessions:
            self._known[session.id] = _facts(session)
            totals[session.id] = _spent(session.total)
        spenders = []
        for identity in self._spent.keys() | totals.keys():
            if identity not in self._known:
                continue
            one = self._known[identity]
            tag = tag_of(self.tags_by_hand.get(one.name), one.tag, one.cwd, one.branch, config.tags)
            spent = self._spent.get(identity, {}) | {"session": totals.get(identity, Spent())}
            spenders.append(Spender(one.name, one.cwd, tag, one.name in active, one.name in shown, spent))
        return [budgets.judge(budget, spenders, self._ends) for budget in config.budgets]

    def dearest_today(self) -> tuple[str, int] | None:
        """The session that cost most today: its name and picodollars."""
        if self._dearest is None:
            today = (session for session, spent in self._spent.items() if "day" in spent)
            self._dearest = max(today, key=self._today, default=None)
        dearest = self._dearest
        if dearest is None or dearest not in self._known or self._today(dearest) <= 0:
            return None
        return self._known[dearest].name, self._today(dearest)

    def limits(self, official: Iterable[Limit], config: Config, now: float) -> list[LimitView]:
        """Every limit in force, or the plan's estimate."""
        return limits.judge(official, self._blocks(), config["limits.plan"], now)

    def block(self, official: Iterable[Limit], now: float) -> BlockView | None:
        """The running five-hour block, bordered by the official reset where one is known."""
        running = [b for b in self._blocks() if b.start <= now < b.end]
        newest = max(running, key=lambda b: b.last, default=None)
        official_limit = next(
            (one for one in official if one.name == limits.FIVE_HOUR and one.resets_at > now), None
        )
        if official_limit is not None:
            newest = self._official_block(official_limit)
        if newest is None:
            return None
        return BlockView(
            provider=newest.provider,
            started_at=newest.start,
            ends_at=newest.end,
            spent_usd=newest.spent / PICO,
            cost_usd=newest.spent / PICO,
            tokens=newest.tokens,
            requests=newest.requests,
            estimated=official_limit is None,
        )

    def plan(self, config: Config) -> PlanView | None:
        """What a subscription gave in its last days; None until the past is known."""
        return plan.view(self._plan_spent, self._plan_until, config["limits.plan"], self._plan_doubts)

    def forecasts(self, block: BlockView | None, now: float) -> dict[str, PeriodForecast]:
        """How day, block and month will end; empty until the past is known."""
        if self.past is None or not self._scores.keys() >= forecast.TESTS.keys():
            return {}
        start, end = self._starts["day"], self._ends["day"]
        if not start <= now < end:
            return {}
        today, elapsed = periods.date_of(now), (now - start) / (end - start)
        slots = self._slots(start, now, DAY_SLOTS, None)
        spent = sum(slots)
        so_far = {name: amount / PICO for name, amount in self._totals.items()}
        by_period: dict[str, tuple[forecast.Forecast, float]] = {}  # with its end
        day = forecast.day(self.past, today, slots, elapsed, self._scores["day"])
        if block is not None:
            begun = block.started_at
            gone = (now - begun) / blocks.LENGTH
            slots = self._slots(begun, now, BLOCK_SLOTS, block.provider)
            one = forecast.block(self.past, slots, min(1.0, gone), self._scores["block"])
            one = forecast.at_least(one, block.spent_usd)
            by_period["block"] = one, block.ends_at
            if block.ends_at <= end:
                day = forecast.at_least(day, spent + one.usd - sum(slots))
        day = forecast.at_least(day, so_far["day"])
        month = forecast.month(self.past, today, spent, elapsed, self._scores["month"])
        # What the past holds of this month may be older than the month's own sum; that one is always whole.
        month = forecast.at_least(month, so_far["month"] + max(0.0, day.usd - so_far["day"]))
        by_period |= {"day": (day, end), "month": (month, self._ends["month"])}
        return {
            name: PeriodForecast(*by_period[name][0], ends_at=by_period[name][1])
            for name in FORECAST_ORDER
            if name in by_period
        }

    def _today(self, session: int) -> int:
        """Picodollars that a session has spent today."""
        return self._spent[session]["day"].amount

    def _remember(self, rows: Iterable[tuple[int, str, int, int, int]]) -> None:
        for at, provider, *values in rows:
            sums = self._quarters.setdefault((at, provider), [0, 0, 0])
            for i, value in enumerate(values):
                sums[i] += value

    def _rows(self, since: float) -> list[tuple[int, str, int, int, int]]:
        return [
            (at, provider, cost, tokens, requests)
            for (at, provider), (cost, tokens, requests) in sorted(self._quarters.items())
            if at >= since and (requests > 0 or cost > 0)  # side calls alone are use as well
        ]

    def _blocks(self) -> list[blocks.Block]:
        """Finished ones, then those of today and yesterday from a border that is known."""
        rows = [row for row in self._rows(0) if row[0] >= self._anchors.get(row[1], 0)]
        return [*self._finished, *blocks.split(rows)]

    def _official_block(self, limit: Limit) -> blocks.Block:
        end = int(limit.resets_at)
        start = end - limit.window_minutes * 60
        rows = [row for row in self._rows(start - QUARTER + 1) if row[1] == limit.provider]
        return blocks.Block(
            limit.provider, start, end, rows[-1][0] if rows else start,
            sum(r[2] for r in rows), sum(r[3] for r in rows), sum(r[4] for r in rows),
        )  # fmt: skip

    def _slots(self, start: float, now: float, most: int, provider: str | None) -> list[float]:
        """USD by quarter hour from a moment to now, the current one last."""
        many = min(most, int(now - start) // QUARTER + 1)
        costs = [0.0] * many
        for (at, of), values in self._quarters.items():
            number = int(at - start) // QUARTER
            if at >= start and (provider is None or of == provider):
                costs[min(number, many - 1)] += values[0] / PICO
        return costs


def _spent(value: Sum) -> Spent:
    return Spent(value.spent, value.unpriced_requests, value.estimated_requests, value.understated_requests)


def _facts(s: Session) -> _Known:
    return _Known(s.provider, s.name, s.cwd, s.branch, s.tag)
