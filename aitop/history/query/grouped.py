"""Sums of the history grouped by the database: by place, and the dearest sessions. For reports over many sessions.

What reports group in Python costs some microseconds for each session; these cost it once for each row of the answer.
Pure questions; no clock.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from aitop.history import columns
from aitop.history.query import spans
from aitop.history.query.spans import Only, SessionFacts, Span
from aitop.model.sums import Sum


class PlaceCell(NamedTuple):
    """What one client's model used in one place; model "" for errors and tool calls. "" where a record is silent."""

    cwd: str
    branch: str
    provider: str
    model: str
    sum: Sum


# What a table of sums by session and place is joined to, for the folder and the branch of each row.
OF_SESSION = (
    "(SELECT id AS owner, provider, ifnull(cwd, '') AS home, ifnull(branch, '') AS home_branch FROM session) "
    "ON owner = session"
)
OF_PLACE = "(SELECT id AS number, cwd, branch FROM place) ON number = place"
CWD = "iif(number IS NULL, home, cwd)"
BRANCH = "iif(number IS NULL, home_branch, branch)"


def by_place(db: sqlite3.Connection, span: Span, only: Only) -> Iterator[PlaceCell]:
    """A span by folder, branch, client and model; a place may come more than once."""
    models = dict(db.execute("SELECT id, name FROM model"))
    for table, part in spans.parts(db, ("session_sum", "day_sum", "quarter"), span):
        for cwd, branch, provider, model, *values in db.execute(
            f"SELECT {CWD}, {BRANCH}, provider, model, {columns.SUMS} FROM {table} "  # noqa: S608
            f"JOIN {OF_SESSION} LEFT JOIN {OF_PLACE} WHERE {only.where(timed=bool(part))} GROUP BY 1, 2, 3, 4",
            part,
        ):
            yield PlaceCell(cwd, branch, provider, models[model], columns.from_by_model(values))
    if only.models is None:
        for source, condition, part in spans.tool_sources(db, span, only):
            for cwd, branch, provider, calls, failures in db.execute(
                f"SELECT home, home_branch, provider, sum(calls), sum(failures) FROM {source} "  # noqa: S608
                f"JOIN {OF_SESSION} WHERE {condition} GROUP BY 1, 2, 3",
                part,
            ):
                yield PlaceCell(cwd, branch, provider, "", Sum(tool_calls=calls, tool_failures=failures))


def sessions_by_place(db: sqlite3.Connection, span: Span, only: Only) -> Iterator[tuple[str, str, int]]:
    """(folder, branch, session) of everything that `by_place` adds up; one may come more than once."""
    for table, part in spans.parts(db, ("session_sum", "day_sum", "quarter"), span):
        yield from db.execute(
            f"SELECT DISTINCT {CWD}, {BRANCH}, session FROM {table} "  # noqa: S608
            f"JOIN {OF_SESSION} LEFT JOIN {OF_PLACE} WHERE {only.where(timed=bool(part))}",
            part,
        )
    if only.models is None:
        for source, condition, part in spans.tool_sources(db, span, only):
            yield from db.execute(
                f"SELECT DISTINCT home, home_branch, session FROM {source} JOIN {OF_SESSION} WHERE {condition}",  # noqa: S608
                part,
            )


class Dearest(NamedTuple):
    """Some sessions of the whole history, the dearest first, and what all of them add up to."""

    sessions: list[int]
    used: int  # how many used anything
    total: Sum


_USED = "requests != 0 OR errors != 0 OR untracked != 0"


def dearest(db: sqlite3.Connection, offset: int, limit: int, *, cheapest: bool = False) -> Dearest:
    """By the index of what sessions have spent; `cheapest`: from the other end."""
    way = "ASC" if cheapest else "DESC"
    then = "DESC" if cheapest else "ASC"  # the cheapest first is the same order, turned round
    in_order = db.execute(
        f"SELECT id FROM session WHERE {_USED} ORDER BY cost + untracked {way}, CAST(id AS TEXT) {then} "  # noqa: S608
        "LIMIT ? OFFSET ?",
        (limit, offset),
    )
    sessions = [number for (number,) in in_order]
    used, *values = db.execute(
        f"SELECT count(*), {columns.STORED_SUMS} FROM session WHERE {_USED}"  # noqa: S608
    ).fetchone()
    return Dearest(sessions, used, columns.from_stored(values))


def dearest_of(db: sqlite3.Connection, span: Span, only: Only, most: int) -> tuple[list[int], int]:
    """The dearest sessions of a span in the order of `dearest`, and how many used anything in it."""
    sources, values = [], list[float]()
    for table, part in spans.parts(db, ("session_sum", "day_sum", "quarter"), span):
        sources.append(
            "SELECT session, sum(requests) AS requests, sum(errors) AS errors, sum(untracked) AS untracked, "  # noqa: S608
            f"sum(cost) AS cost FROM {table} WHERE {only.where(timed=bool(part))} GROUP BY session"
        )
        values += part
    rows = db.execute(
        f"SELECT session, count(*) OVER () FROM ({' UNION ALL '.join(sources)}) GROUP BY session "  # noqa: S608
        "HAVING sum(requests) != 0 OR sum(errors) != 0 OR sum(untracked) != 0 "
        "ORDER BY sum(cost) + sum(untracked) DESC, CAST(session AS TEXT) LIMIT ?",
        (*values, most),
    ).fetchall()
    return [session for session, _ in rows], rows[0][1] if rows else 0


def models_of(db: sqlite3.Connection, sessions: list[int]) -> dict[int, list[tuple[str, Sum]]]:
    """Session → its models and what each adds up to, without its tool calls."""
    models = dict(db.execute("SELECT id, name FROM model"))
    models_by_session: dict[int, list[tuple[str, Sum]]] = {number: [] for number in sessions}
    for number in sessions:
        for model, *values in db.execute(
            f"SELECT model, {columns.SUMS} FROM session_sum WHERE session = ? GROUP BY model",  # noqa: S608
            (number,),
        ):
            models_by_session[number].append((models[model], columns.from_by_model(values)))
    return models_by_session


def tool_calls_of(db: sqlite3.Connection, session: int) -> Sum:
    """A whole session's tool calls."""
    calls, failures = db.execute(
        "SELECT tool_calls, tool_failures FROM session WHERE id = ?", (session,)
    ).fetchone()
    return Sum(tool_calls=calls, tool_failures=failures)


def facts_of(db: sqlite3.Connection, sessions: Sequence[int]) -> dict[int, SessionFacts]:
    """The facts of these sessions."""
    facts = {}
    for number in sessions:
        row = db.execute(f"SELECT {spans.FACTS} FROM session WHERE id = ?", (number,)).fetchone()  # noqa: S608
        facts[number] = SessionFacts(*row)
    return facts
