"""Reads the user's own past in slices: daily sums of a year, then quarter hours and blocks of the last days in use.

Asks the history, writes nothing. No start waits for it: the listener calls `step` once a tick.
"""

import sqlite3
from datetime import date, timedelta

from aitop.history.query import spans
from aitop.history.query.doubts import Doubts, of_provider
from aitop.live.money import blocks, forecast, plan
from aitop.live.money.burn import BurnThresholds, learn
from aitop.live.money.methods import BLOCK_SLOTS, DAY_SLOTS
from aitop.model import periods
from aitop.model.sums import PICO

QUARTER = 900
DAY = 86_400
KEPT_DAYS = 400  # of daily sums a forecast looks back on
SLOT_DAYS = 60  # days with any cost, known by the quarter hour
DAYS_A_STEP = 20


class Learner:
    """Call `step` until it says that everything is read; then ask."""

    def __init__(self, db: sqlite3.Connection, now: float) -> None:
        self._db = db
        self._now = now
        today = periods.date_of(now)
        bounds = spans.bounds(db)
        first = (
            today if bounds is None else max(periods.date_of(bounds[0]), today - timedelta(days=KEPT_DAYS))
        )
        self._first = first
        self._dates = [first + timedelta(days=n) for n in range((today - first).days)]
        self._days: list[float] = []  # USD of each date
        self._slots: list[list[float]] = []
        self._first_slot_day: int | None = None  # the first day read by quarter hour
        self._rows: list[tuple[int, str, int, int, int]] = []
        self.finished: list[blocks.Block] = []

    def step(self) -> bool:
        """Read one slice; whether that was all. Raises sqlite3.Error."""
        if len(self._days) < len(self._dates):
            at = len(self._days)
            dates = self._dates[at : at + DAYS_A_STEP]
            self._days += [spans.cost(self._db, _span(day)) / PICO for day in dates]
            return False
        if self._first_slot_day is None:
            used = [number for number, cost in enumerate(self._days) if cost > 0]
            self._first_slot_day = min(used[-SLOT_DAYS:], default=len(self._days))
        at = self._first_slot_day + len(self._slots)
        for day in self._dates[at : at + DAYS_A_STEP]:
            self._read_slots(_span(day))
        if self._first_slot_day + len(self._slots) < len(self._dates):
            return False
        self._split()
        return True

    def past(self) -> forecast.Past:
        costs = {(row[0], row[1]): row[2] / PICO for row in self._rows}
        by_block = [
            [costs.get((block.start + n * QUARTER, block.provider), 0.0) for n in range(BLOCK_SLOTS)]
            for block in self.finished
        ]
        return forecast.Past(self._first, self._days, self._slots, by_block)

    def burn(self) -> BurnThresholds:
        """From every quarter hour read."""
        by_quarter: dict[int, int] = {}
        for at, _, cost, _, _ in self._rows:
            by_quarter[at] = by_quarter.get(at, 0) + cost
        return learn(cost / PICO for cost in by_quarter.values())

    def anchors(self) -> dict[str, float]:
        """Where each client's next block may begin."""
        return {block.provider: float(block.end) for block in self.finished}

    def of_plan(self) -> tuple[int, date, Doubts]:
        """Picodollars that the client of plans spent in the days of a plan's value, the last of these days, and how
        many of its requests are in doubt.
        """
        today = periods.date_of(self._now)
        start, end = periods.midnight(today - timedelta(days=plan.DAYS)), periods.midnight(today)
        mine = (row for row in self._rows if row[1] == plan.CLIENT and start <= row[0] < end)
        doubts = of_provider(self._db, (start, end), plan.CLIENT)
        return sum(row[2] for row in mine), today - timedelta(days=1), doubts

    def _read_slots(self, span: spans.Span) -> None:
        rows = spans.quarters(self._db, span)
        slots = [0.0] * DAY_SLOTS
        for at, _, cost, _, _ in rows:
            slots[min(int(at - span[0]) // QUARTER, DAY_SLOTS - 1)] += cost / PICO
        self._slots.append(slots)
        self._rows += rows

    def _split(self) -> None:
        """Blocks that began before yesterday are settled; later ones go on from the start of the next."""
        start_of_today = periods.midnight(periods.date_of(self._now))
        every = blocks.split([*self._rows, *spans.quarters(self._db, (start_of_today, float("inf")))])
        settled = start_of_today - DAY
        self.finished = [block for block in every if block.end <= settled]


def _span(day: date) -> spans.Span:
    return periods.midnight(day), periods.midnight(day + timedelta(days=1))
