"""Spending cut twice: by consecutive spans of time, and by model, client or place. Reads sums only.

A chart of a year asks for some hundred spans; each reads its own stretch of an index. The numbers are
those of `spans`: whole UTC days where every border is a UTC midnight, quarter hours elsewhere.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from aitop.history.query.grouped import BRANCH, CWD, OF_PLACE, OF_SESSION
from aitop.history.query.spans import DAY, Only


class Cut(NamedTuple):
    """Picodollars of one span: the number of the span, and what they were spent on.

    `key` is a model's name, a client's, or (folder, branch), each "" where a record is silent.
    """

    number: int
    key: str | tuple[str, str]
    spent: int


def by_model(db: sqlite3.Connection, borders: Sequence[float], only: Only) -> list[Cut]:
    """By model; "" is untracked money that no model is named for. `borders`: n + 1 moments for n spans."""
    names = dict(db.execute("SELECT id, name FROM model"))
    return [
        Cut(number, names.get(model, ""), spent)
        for number, (model,), spent in _ask(db, borders, only, "model")
    ]


def by_provider(db: sqlite3.Connection, borders: Sequence[float], only: Only) -> list[Cut]:
    """By client."""
    if only.everything:
        return [
            Cut(number, str(client), spent)
            for number, (client,), spent in _ask(db, borders, only, "provider")
        ]
    clients = dict(db.execute("SELECT id, provider FROM session"))
    spent_by_cut: dict[tuple[int, str], int] = {}
    for number, (session,), spent in _ask(db, borders, only, "session"):
        key = (number, clients[session])
        spent_by_cut[key] = spent_by_cut.get(key, 0) + spent
    return [Cut(number, client, spent) for (number, client), spent in spent_by_cut.items()]


def by_place(db: sqlite3.Connection, borders: Sequence[float], only: Only) -> list[Cut]:
    """By folder and branch."""
    return [
        Cut(number, (str(cwd), str(branch)), spent)
        for number, (cwd, branch), spent in _ask(
            db,
            borders,
            only,
            "session, place",
            named=(f"{CWD}, {BRANCH}", f"{OF_SESSION} LEFT JOIN {OF_PLACE}"),
        )
    ]


def _ask(
    db: sqlite3.Connection,
    borders: Sequence[float],
    only: Only,
    key: str,
    named: tuple[str, str] | None = None,
) -> Iterator[tuple[int, tuple[int | str, ...], int]]:
    """(number of the span, key, picodollars) of every span and key in use.

    `named`: what to call a key by, and from which tables; keys of one name are one.
    """
    days = all(border % DAY == 0 for border in borders)
    together = only.everything and key in ("model", "provider")
    table = ("day_all" if days else "quarter_all") if together else ("day_sum" if days else "quarter")
    question = (
        f"SELECT sum(cost + untracked) AS spent, {key} FROM {table} "  # noqa: S608
        f"WHERE {only.where_all() if together else only.where()} GROUP BY {key} HAVING spent != 0"
    )
    if named is not None:
        names, tables = named
        question = f"SELECT sum(spent) AS all_spent, {names} FROM ({question}) JOIN {tables} GROUP BY {names}"  # noqa: S608
    for number, span in enumerate(pairwise(borders)):
        for spent, *values in db.execute(question, span):
            yield number, tuple(values), spent
