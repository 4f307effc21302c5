"""Questions to the history by provider: sums since a moment, and the last hour record by record."""

import sqlite3

from aitop.history.query import spans, sums_since
from aitop.model.sums import Sum


def since(db: sqlite3.Connection, starts: dict[str, float]) -> dict[str, dict[str, Sum]]:
    """Provider → period → sum, for periods that begin on a quarter hour."""
    sums: dict[str, dict[str, Sum]] = {}
    for provider in with_data(db):
        only = spans.Only(provider=provider)
        for (period, _), value in zip(
            starts.items(),
            spans.sums(db, [(start, sums_since.END) for start in starts.values()], only),
            strict=True,
        ):
            if any(value):
                sums.setdefault(provider, {})[period] = value
    return sums


def tools_since(db: sqlite3.Connection, start: float) -> dict[str, dict[str, tuple[int, int]]]:
    """Provider → name → (calls, failures) of each tool since a moment."""
    tools: dict[str, dict[str, tuple[int, int]]] = {}
    for provider, name, calls, failures in db.execute(
        "SELECT s.provider, q.name, sum(q.calls), sum(q.failures) FROM quarter_tool q "
        "JOIN session s ON s.id = q.session WHERE q.at >= ? GROUP BY 1, 2 HAVING sum(q.calls) > 0",
        (start,),
    ):
        tools.setdefault(provider, {})[name] = (calls, failures)
    return tools


def stops_since(db: sqlite3.Connection, start: float) -> dict[str, dict[str, int]]:
    """Provider → stop reason → responses since a moment."""
    stops: dict[str, dict[str, int]] = {}
    for provider, reason, count in db.execute(
        "SELECT s.provider, r.stop_reason, count(*) FROM response r JOIN session s ON s.id = r.session "
        "WHERE r.at >= ? AND r.stop_reason IS NOT NULL GROUP BY 1, 2",
        (start,),
    ):
        stops.setdefault(provider, {})[reason] = count
    return stops


def recent(db: sqlite3.Connection, start: float) -> list[tuple[str, float, Sum]]:
    """(provider, at, difference) of everything since a moment, each at its own second."""
    return [
        (provider, at, value)
        for provider in with_data(db)
        for at, value in sums_since.past(db, start, provider)
    ]


def with_data(db: sqlite3.Connection) -> list[str]:
    """The providers with at least one session."""
    return sorted(provider for (provider,) in db.execute("SELECT DISTINCT provider FROM session"))
