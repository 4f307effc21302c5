"""Questions to the history by provider: sums since a moment, and the last hour record by record."""

import sqlite3

from aitop.history import columns
from aitop.history.query import sums_since
from aitop.model.sums import Sum


def since(db: sqlite3.Connection, starts: dict[str, float]) -> dict[str, dict[str, Sum]]:
    """Provider → period → sum, for periods that begin on a quarter hour."""
    found: dict[str, dict[str, Sum]] = {}
    for period, start in starts.items():
        calls = {
            provider: (count, failures)
            for provider, count, failures in db.execute(
                "SELECT s.provider, sum(q.calls), sum(q.failures) FROM quarter_tool q "
                "JOIN session s ON s.id = q.session WHERE q.at >= ? GROUP BY s.provider",
                (start,),
            )
        }
        rows = {
            provider: tuple(row)
            for provider, *row in db.execute(
                f"SELECT p.provider, {columns.SUMS} FROM quarter q "  # noqa: S608
                "JOIN (SELECT id AS owner, provider FROM session) p ON p.owner = q.session "
                "WHERE q.at >= ? GROUP BY p.provider",
                (start,),
            )
        }
        for provider in {*calls, *rows}:
            value = columns.from_by_model(
                rows.get(provider) or (0,) * len(columns.BY_MODEL), *calls.get(provider, (0, 0))
            )
            found.setdefault(provider, {})[period] = value
    return found


def recent(db: sqlite3.Connection, start: float) -> list[tuple[str, float, Sum]]:
    """(provider, at, difference) of everything since a moment, each at its own second."""
    return [
        (provider, at, value)
        for provider in with_data(db)
        for at, value in sums_since.past(db, start, provider)
    ]


def with_data(db: sqlite3.Connection) -> list[str]:
    """The providers that ever told of a session."""
    return sorted(provider for (provider,) in db.execute("SELECT DISTINCT provider FROM session"))
