"""What was spent where since a moment, to the row: for the cost of a single commit. Reads only."""

import sqlite3
from typing import NamedTuple

from aitop.history import columns
from aitop.history.query import spans
from aitop.model.events import Place
from aitop.model.sums import Sum


class Spent(NamedTuple):
    """The responses of one session in one place. `branch` None: no record names one.

    `home`: the folder of the session itself, which stays where it was also for a worktree; "" where it is unknown.
    """

    cwd: str
    branch: str | None
    sum: Sum
    home: str = ""


def since(db: sqlite3.Connection, at: float, row: int) -> list[Spent]:
    """What responses cost that were made at `at` (epoch seconds) or later, and that have a row id above `row`."""
    rows = db.execute(
        f"SELECT session, place, {columns.OF_RESPONSES} FROM response WHERE at >= ? AND id > ? "  # noqa: S608
        "GROUP BY session, place",
        (at, row),
    ).fetchall()
    if not rows:
        return []
    places = spans.places(db)
    homes = {
        number: Place(cwd, branch)
        for number, cwd, branch in db.execute("SELECT id, cwd, branch FROM session")
    }
    return [
        Spent(where.cwd or "", where.branch or None, columns.from_response(values), _home(homes.get(session)))
        for session, place, *values in rows
        if (where := places.get(place) or homes.get(session)) is not None
    ]


def _home(session: Place | None) -> str:
    return (session.cwd if session else None) or ""


def last_row(db: sqlite3.Connection) -> int:
    """The newest response's row, 0 while there is none."""
    number: int | None = db.execute("SELECT max(id) FROM response").fetchone()[0]
    return number or 0
