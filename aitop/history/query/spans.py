"""Sums of the history cut into spans of time: what every report, budget and forecast is made of.

Reads sums only, never the responses (but for `responses`): whole UTC days where a span holds them,
quarter hours at its ends. So a year of two million responses is a fraction of a second in any time
zone. A span begins on a quarter hour, as every local midnight does. Pure questions; no clock.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from aitop.history import columns
from aitop.history.query.doubts import Doubts
from aitop.model.events import Place
from aitop.model.sums import ZERO, Sum, minus, negative, plus
from aitop.pricing.basis import Basis

QUARTER = 900
DAY = 86_400
LONG = DAY * 3 // 4  # seconds: a shorter span reads less by its quarter hours alone
Span = tuple[float, float]  # begin, end (excluded), epoch seconds


class Cell(NamedTuple):
    """One session's use of one model in one place; "" for errors and tool calls, which belong to no model.

    `place` None: its session's own. A cell of all sessions together has session 0 and names its provider.
    """

    session: int
    model: str
    sum: Sum
    place: Place | None = None
    provider: str | None = None


class ToolCell(NamedTuple):
    """Calls of one tool."""

    name: str
    calls: int
    failures: int


class Only(NamedTuple):
    """What is let through: a part of the sessions, of the places, of the models, one provider; else everything.

    `sessions` and `places` need `let_through`; `numbers` names some of the sessions by itself.
    """

    sessions: bool = False
    models: tuple[int, ...] | None = None
    provider: str | None = None
    places: bool = False
    numbers: tuple[int, ...] | None = None

    @property
    def everything(self) -> bool:
        """Whether the sums of all sessions together can answer."""
        return not (self.sessions or self.places) and self.numbers is None

    def where(self, *, by_place: bool = True, timed: bool = True) -> str:
        """As a condition on a table of sums by session; `by_place`: it has places, `timed`: it has times."""
        parts = ["at >= ? AND at < ?"] if timed else ["true"]
        if self.provider is not None:
            mine = f"SELECT id FROM session WHERE provider = {_quoted(self.provider)}"  # noqa: S608
            parts.append(f"session IN ({mine})")
        if self.sessions:
            parts.append("session IN temp.allowed")
        if self.numbers is not None:
            parts.append(f"session IN ({','.join(str(int(number)) for number in self.numbers)})")
        if self.places:
            at_home = "session IN temp.at_home"
            elsewhere = f"(place IN temp.allowed_place OR (place = 0 AND {at_home}))"
            parts.append(elsewhere if by_place else at_home)
        return " AND ".join([*parts, *self._of_models()])

    def where_all(self) -> str:
        """As a condition on a table of sums of all sessions together."""
        parts = ["at >= ? AND at < ?"]
        if self.provider is not None:
            parts.append(f"provider = {_quoted(self.provider)}")
        return " AND ".join([*parts, *self._of_models()])

    def _of_models(self) -> list[str]:
        if self.models is None:
            return []
        return [f"model IN ({','.join(str(int(model)) for model in self.models)})"]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


FACTS = "id, provider, name, cwd, branch, model, tag, started_at, last_at, client_cost, compactions"


class SessionFacts(NamedTuple):
    """What is known of a session besides its sums."""

    id: int
    provider: str
    name: str
    cwd: str | None
    branch: str | None
    model: str | None
    tag: str | None
    started_at: float | None
    last_at: float | None
    client_cost: float | None
    compactions: int


def bounds(db: sqlite3.Connection) -> Span | None:
    """From the first quarter hour that holds anything to the end of the last, None while there is none."""
    # two questions: one alone finds its end of the index at once, both together read all of it
    first, last = (
        db.execute(f"SELECT {end}(at) FROM quarter_all").fetchone()[0]  # noqa: S608
        for end in ("min", "max")
    )
    return None if first is None else (first, last + QUARTER)


def let_through(
    db: sqlite3.Connection, sessions: Iterable[int], places: Iterable[int] = (), at_home: Iterable[int] = ()
) -> None:
    """Name what `Only` lets through, for this connection.

    `places` are those asked for, `at_home` the sessions with one of them for a folder of their own.
    """
    for table, numbers in (("allowed", sessions), ("allowed_place", places), ("at_home", at_home)):
        db.execute(f"CREATE TEMP TABLE IF NOT EXISTS {table} (id INTEGER PRIMARY KEY)")
        db.execute(f"DELETE FROM temp.{table}")  # noqa: S608
        db.executemany(f"INSERT INTO temp.{table} VALUES (?)", ((number,) for number in numbers))  # noqa: S608


def places(db: sqlite3.Connection) -> dict[int, Place]:
    """The places that responses were made in, by number."""
    return {
        i: Place(cwd, branch or None) for i, cwd, branch in db.execute("SELECT id, cwd, branch FROM place")
    }


def sums(db: sqlite3.Connection, spans: Iterable[Span], only: Only) -> Iterator[Sum]:
    """Everything of each span in one sum; tool calls belong to no model and are left out where one is asked for.

    Long spans are whole UTC days, corrected at both ends by the quarter hours between the nearest UTC
    midnight and the border; where spans meet, a border is read once.
    """
    beyond: dict[float, Sum] = {}
    for start, end in spans:
        if end - start < LONG:
            yield _quarters(db, (start, end), only)
            continue
        for border in (start, end):
            if border not in beyond:
                beyond[border] = _beyond(db, border, only)
        days = _days(db, (_nearest(start), _nearest(end)), only)
        yield plus(minus(days, beyond[start]), beyond[end])


def _nearest(moment: float) -> int:
    """The UTC midnight a moment is closest to."""
    return (int(moment) + DAY // 2) // DAY * DAY


def _beyond(db: sqlite3.Connection, border: float, only: Only) -> Sum:
    """What lies between the nearest UTC midnight and a border after it; negative for one before."""
    midnight = _nearest(border)
    if border == midnight:
        return ZERO
    part = (midnight, border) if border > midnight else (border, midnight)
    beyond = _quarters(db, part, only)
    return beyond if border > midnight else negative(beyond)


def _days(db: sqlite3.Connection, span: Span, only: Only) -> Sum:
    return _all(db, "day_all", span, only) if only.everything else _one(db, "day_sum", "day_tool", span, only)


def _quarters(db: sqlite3.Connection, span: Span, only: Only) -> Sum:
    if only.everything:
        return _all(db, "quarter_all", span, only)
    return _one(db, "quarter", "quarter_tool", span, only)


def _all(db: sqlite3.Connection, table: str, span: Span, only: Only) -> Sum:
    """Of all sessions together."""
    row = db.execute(f"SELECT {columns.STORED_SUMS} FROM {table} WHERE {only.where_all()}", span)  # noqa: S608
    return columns.from_stored(row.fetchone())


def _one(db: sqlite3.Connection, table: str, tools: str, span: Span, only: Only) -> Sum:
    values = db.execute(f"SELECT {columns.SUMS} FROM {table} WHERE {only.where()}", span).fetchone()  # noqa: S608
    calls: tuple[int | None, int | None] = (0, 0)
    if only.models is None:
        calls = db.execute(
            f"SELECT sum(calls), sum(failures) FROM {tools} WHERE {only.where(by_place=False)}",  # noqa: S608
            span,
        ).fetchone()
    return columns.from_by_model(values, *calls)


def cells(db: sqlite3.Connection, span: Span, only: Only) -> Iterator[Cell]:
    """A span by session, model and place."""
    models = dict(db.execute("SELECT id, name FROM model"))
    where = places(db)
    key = "session, model, place"
    for table, part in parts(db, ("session_sum", "day_sum", "quarter"), span):
        for session, model, place, *values in db.execute(
            f"SELECT {key}, {columns.SUMS} FROM {table} WHERE {only.where(timed=bool(part))} GROUP BY {key}",  # noqa: S608
            part,
        ):
            yield Cell(session, models[model], columns.from_by_model(values), where.get(place))
    if only.models is not None:
        return
    for source, condition, part in tool_sources(db, span, only):
        for session, calls, failures in db.execute(
            f"SELECT session, sum(calls), sum(failures) FROM {source} WHERE {condition} GROUP BY session",  # noqa: S608
            part,
        ):
            yield Cell(session, "", Sum(tool_calls=calls, tool_failures=failures))


def tool_sources(
    db: sqlite3.Connection, span: Span, only: Only
) -> Iterator[tuple[str, str, Span | tuple[()]]]:
    """(what to select calls by session from, under which condition, with which values) for each part of a span."""
    for table, part in parts(db, ("session_tool", "day_tool", "quarter_tool"), span):
        source = _SESSION_TOOL if table == "session_tool" else table
        yield source, only.where(by_place=False, timed=bool(part)), part


_SESSION_TOOL = (
    "(SELECT id AS session, tool_calls AS calls, tool_failures AS failures "
    "FROM session WHERE tool_calls != 0 OR tool_failures != 0)"
)


def by_model(db: sqlite3.Connection, span: Span, only: Only) -> Iterator[Cell]:
    """A span by provider and model, of all sessions together; `only.everything` must hold."""
    models = dict(db.execute("SELECT id, name FROM model"))
    for table, part in parts(db, ("", "day_all", "quarter_all"), span):
        for provider, model, *values in db.execute(
            f"SELECT provider, model, {columns.STORED_SUMS} FROM {table} WHERE {only.where_all()} "  # noqa: S608
            "GROUP BY provider, model",
            part,
        ):
            yield Cell(0, models.get(model, ""), columns.from_stored(values), None, provider)


def tools(db: sqlite3.Connection, span: Span, only: Only) -> Iterator[ToolCell]:
    """A span's calls by tool; a tool may come more than once."""
    for table, part in parts(db, ("", "day_tool", "quarter_tool"), span):
        for row in db.execute(
            f"SELECT name, sum(calls), sum(failures) FROM {table} "  # noqa: S608
            f"WHERE {only._replace(models=None).where(by_place=False)} "
            "GROUP BY name HAVING sum(calls) != 0 OR sum(failures) != 0",
            part,
        ):
            yield ToolCell(*row)


def parts(
    db: sqlite3.Connection, tables: tuple[str, str, str], span: Span
) -> list[tuple[str, Span | tuple[()]]]:
    """A span cut into the coarsest tables: of whole sessions ("": there is none), of UTC days, of quarter hours."""
    whole, days, quarters_ = tables
    start, end = span
    edges = bounds(db) if whole else None
    if edges is not None and start <= edges[0] and end >= edges[1]:
        return [(whole, ())]
    first, last = -(-int(start) // DAY) * DAY, int(end) // DAY * DAY
    if first >= last:
        return [(quarters_, span)]
    return [(days, (first, last)), *((quarters_, p) for p in ((start, first), (last, end)) if p[0] < p[1])]


def facts(db: sqlite3.Connection, since: float = 0.0) -> dict[int, SessionFacts]:
    """The facts of every session active since a moment, by its number."""
    rows = db.execute(
        f"SELECT {FACTS} FROM session WHERE ifnull(last_at, 0) >= ?",  # noqa: S608
        (since,),
    )
    return {row[0]: SessionFacts(*row) for row in rows}


def quarters(db: sqlite3.Connection, span: Span) -> list[tuple[int, str, int, int, int]]:
    """(at, provider, spent, input and output tokens outside the cache, requests) of each quarter hour in use."""
    return db.execute(
        "SELECT at, provider, sum(cost + untracked), sum(uncached + output), sum(requests) FROM quarter_all "
        "WHERE at >= ? AND at < ? GROUP BY at, provider HAVING sum(requests) > 0 OR sum(untracked) != 0",
        span,
    ).fetchall()


def first_use(db: sqlite3.Connection, since: float, provider: str) -> int | None:
    """The first quarter hour from a moment on in which a provider's requests were answered."""
    first = db.execute(
        "SELECT at FROM quarter_all WHERE at >= ? AND provider = ? AND requests > 0 ORDER BY at LIMIT 1",
        (since, provider),
    ).fetchone()
    return first[0] if first else None


def cost(db: sqlite3.Connection, span: Span) -> int:
    """Picodollars spent in one span."""
    picodollars: int | None = db.execute(
        "SELECT sum(cost + untracked) FROM quarter_all WHERE at >= ? AND at < ?", span
    ).fetchone()[0]
    return picodollars or 0


def costs(db: sqlite3.Connection, start: float, end: float) -> list[tuple[int, int, int, int, int]]:
    """(session, picodollars spent, unpriced, estimated, understated requests) of a span; a session may come more
    than once.
    """
    return [
        row
        for table, part in parts(db, ("", "day_sum", "quarter"), (start, end))
        for row in db.execute(
            f"SELECT session, sum(cost + untracked), sum(unpriced), sum(estimated), "  # noqa: S608
            f"sum(understated) FROM {table} "
            "WHERE at >= ? AND at < ? GROUP BY session",
            part,
        )
    ]


class ResponseCost(NamedTuple):
    """One response by itself. `place` is the number of its own, 0 for its session's; `cost` is in picodollars."""

    at: float
    session: int
    place: int
    cost: int
    doubts: Doubts


def responses(db: sqlite3.Connection, span: Span) -> Iterator[ResponseCost]:
    """Each response of a span, oldest first: for what needs the second."""
    rows = db.execute(
        f"SELECT at, session, place, cost, basis = ?, {columns.UNDERSTATED}, basis = ? "  # noqa: S608
        "FROM response WHERE at >= ? AND at < ? ORDER BY at",
        (Basis.UNPRICED, Basis.FAMILY, *span),
    )
    for at, session, place, cost_, *of in rows:
        yield ResponseCost(at, session, place, cost_, Doubts(*of))
