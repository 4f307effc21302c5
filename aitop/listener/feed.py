"""Everything that is summed, fed together: the whole, each provider's share, money over time.

Between the history and what is published. Asks the history, never writes to it; knows no clock.
"""

import sqlite3
from typing import Any

from aitop.history.query import by_provider, recent, sums_since
from aitop.history.store import History
from aitop.history.write.ledger import Changes
from aitop.live.aggregator import Aggregator
from aitop.live.by_provider import Shares
from aitop.live.money.keeper import Keeper
from aitop.model import periods
from aitop.publish.state_json import projects

PROJECTS_EVERY = 5.0  # seconds between sums by project


class Sums:
    """What a commit changed goes in by `fold`; what was before this start, by `recall` and `begin_day`."""

    def __init__(self, started_at: float) -> None:
        self.aggregator = Aggregator(started_at)
        self.keeper = Keeper()
        self.shares = Shares(started_at)
        self.folded = 0  # commits that changed something
        self._projects: tuple[object, float, list[dict[str, Any]]] = (None, 0.0, [])

    def fold(self, changes: Changes, history: History, now: float) -> None:
        """Take in what one commit changed."""
        self.folded += 1 if changes.anything() else 0
        self.aggregator.fold(changes, now)
        self.keeper.fold(changes, history.sessions.values())
        self.shares.fold(changes, history.provider_of, now)

    def recall(self, history: History, now: float) -> None:
        """What the history knew before this start: the last hour, limits, models without a listed price."""
        db, aggregator = history.db, self.aggregator
        aggregator.advance(now)
        aggregator.recall(sums_since.past(db, now - 3600))
        timed = recent.timed(db, now - 900)
        aggregator.recall_sessions(
            recent.by_session(db, now - 900), recent.cut_off(db, now - 900), timed, now
        )
        self.shares.recall(
            by_provider.recent(db, now - 3600),
            ((history.provider_of(session), at, timing) for at, session, timing in timed),
            now,
        )
        for limit in sums_since.limits(db, now):
            aggregator.limits[(limit.provider, limit.account or "", limit.name)] = limit
        for model, basis in sums_since.odd_models(db):
            aggregator.not_listed(model, basis)

    def begin_day(self, db: sqlite3.Connection, now: float) -> None:
        """Start the periods from the history's own sums. Raises sqlite3.Error."""
        starts = periods.starts(now)
        today = starts["today"]
        self.aggregator.begin_day(
            starts,
            {name: sums_since.since(db, start) for name, start in starts.items()},
            sums_since.tools_since(db, today),
            sums_since.stops_since(db, today),
            sums_since.compactions_since(db, today),
        )
        self.keeper.begin(db, now)
        self.aggregator.past_days = recent.past_days(db, today)
        self.shares.begin_day(starts, by_provider.since(db, starts))

    def projects_today(self, db: sqlite3.Connection, now: float) -> list[dict[str, Any]]:
        """Asked of the history when something was counted, every few seconds at most. Raises sqlite3.Error."""
        asked, when, found = self._projects
        wanted = (self.folded, self.aggregator.day)
        if wanted != asked and not 0 <= now - when < PROJECTS_EVERY:
            self._projects = (wanted, now, [])  # asked, even where it fails
            found = projects(sums_since.by_folder(db, self.aggregator.day))
            self._projects = (wanted, now, found)
        return found
