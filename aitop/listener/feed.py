"""Everything that is summed, fed together: live sums and money over time.

Stands between the history and what is published. It asks the history, never writes to it, and knows no clock.
"""

import sqlite3

from aitop.history.query import by_provider, recent, sums_since
from aitop.history.store import History
from aitop.history.write.ledger import Changes
from aitop.live.aggregator import Aggregator, Day
from aitop.live.alerts.limits import BACK_FOR
from aitop.live.money.tracker import MoneyTracker
from aitop.live.snapshot import ProjectToday
from aitop.model import periods

PROJECTS_EVERY = 5.0  # seconds between sums by project


class LiveFeed:
    """What a commit changed goes in by `fold`; what the history knew before, by `recall` and `begin_day`."""

    def __init__(self, started_at: float) -> None:
        self.aggregator = Aggregator(started_at)
        self.money = MoneyTracker()
        self.folded = 0  # commits that changed something
        self._projects: tuple[object, float, list[ProjectToday]] = (None, 0.0, [])

    def fold(self, changes: Changes, history: History, now: float) -> None:
        """Take in what one commit changed."""
        self.folded += 1 if changes.anything() else 0
        self.aggregator.fold(changes, history.provider_of, now)
        self.money.fold(changes, history.sessions.values())

    def recall(self, history: History, now: float) -> None:
        """What the history knew before this start: the last hour, limits, models without a listed price."""
        db, aggregator = history.db, self.aggregator
        aggregator.advance(now)
        aggregator.recall(by_provider.recent(db, now - 3600))
        timed = [
            (history.provider_of(session), at, timing) for at, session, timing in recent.timed(db, now - 900)
        ]
        aggregator.recall_sessions(
            recent.by_session(db, now - 900), recent.cut_off(db, now - 900), timed, now
        )
        for limit in sums_since.limits(db, now - BACK_FOR):
            aggregator.keep_limit(limit)
        for model, basis in sums_since.odd_models(db):
            aggregator.not_listed(model, basis)

    def begin_day(self, db: sqlite3.Connection, now: float) -> None:
        """Start the periods from the history's own sums. Raises sqlite3.Error."""
        starts = periods.starts(now)
        today = starts["today"]
        self.aggregator.begin_day(
            Day(
                starts=starts,
                sums={name: sums_since.since(db, start) for name, start in starts.items()},
                by_provider=by_provider.since(db, starts),
                tools=sums_since.tools_since(db, today),
                stop_reasons=sums_since.stops_since(db, today),
                tools_by_provider=by_provider.tools_since(db, today),
                stops_by_provider=by_provider.stops_since(db, today),
                compactions=sums_since.compactions_since(db, today),
                past_days=recent.past_days(db, today),
            )
        )
        self.money.begin(db, now)

    def projects_today(self, db: sqlite3.Connection, now: float) -> list[ProjectToday]:
        """Asked of the history when something was counted, every few seconds at most. Raises sqlite3.Error."""
        asked_for, asked_at, rows = self._projects
        wanted = (self.folded, self.aggregator.day_start)
        if wanted != asked_for and not 0 <= now - asked_at < PROJECTS_EVERY:
            self._projects = (wanted, now, [])  # asked, even where it fails
            rows = [ProjectToday(*row) for row in sums_since.by_folder(db, self.aggregator.day_start)]
            self._projects = (wanted, now, rows)
        return rows
