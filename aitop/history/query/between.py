"""What chosen sessions spent between two instants, to the second: the cost of one command. Reads only."""

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from aitop.history import columns
from aitop.model.sums import Sum, plus

Named = tuple[str, str]  # (provider, the client's own name of the session)


class Part(NamedTuple):
    """One session's use of one model; model "" holds what the client attributes to none."""

    provider: str
    session: str
    model: str
    sum: Sum


def sessions_of(db: sqlite3.Connection, records: Iterable[str]) -> set[Named]:
    """The sessions of clients' files, by the paths under which the history knows them."""
    sessions: set[Named] = set()
    for path in records:
        query = "SELECT provider, session FROM file WHERE path = ? AND session IS NOT NULL"
        sessions.update(db.execute(query, (path,)).fetchall())
    return sessions


def sessions_like(db: sqlite3.Connection, beginning: str) -> list[Named]:
    """The sessions with this id. Without one, the sessions with an id that begins with it. At most two."""
    exact = db.execute("SELECT provider, name FROM session WHERE name = ?", (beginning,)).fetchall()
    if exact:
        return exact[:2]
    query = "SELECT provider, name FROM session WHERE substr(name, 1, ?) = ? LIMIT 2"
    return db.execute(query, (len(beginning), beginning)).fetchall()


def active_since(db: sqlite3.Connection, start: float) -> list[Named]:
    """The sessions with any activity since a moment."""
    return db.execute("SELECT provider, name FROM session WHERE last_at >= ?", (start,)).fetchall()


def parts(db: sqlite3.Connection, sessions: Iterable[Named], start: float, end: float) -> list[Part]:
    """Responses and side calls of these sessions from `start` (included) to `end` (excluded), epoch seconds."""
    models = dict(db.execute("SELECT id, name FROM model"))
    sums: dict[tuple[Named, str], Sum] = {}
    for name in sorted(set(sessions)):
        row = db.execute("SELECT id FROM session WHERE provider = ? AND name = ?", name).fetchone()
        if row is None:
            continue
        key = (start, end, row[0])
        for model, *values in db.execute(
            f"SELECT model, {columns.OF_RESPONSES} FROM response "  # noqa: S608
            "WHERE at >= ? AND at < ? AND session = ? GROUP BY model",
            key,
        ):
            sums[name, models[model]] = columns.from_response(values)
        for model, amount in db.execute(
            "SELECT model, sum(picodollars) FROM side_call WHERE at >= ? AND at < ? AND session = ? GROUP BY model",
            (int(start), *key[1:]),
        ):
            sum_so_far = sums.get((name, models[model]), Sum())
            sums[name, models[model]] = plus(sum_so_far, Sum(untracked=amount))
    return [Part(*name, model, value) for (name, model), value in sums.items()]
