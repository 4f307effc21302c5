"""Questions to the history that a listener asks: sums since a moment. Reads only; reports ask `spans`."""

import sqlite3

from aitop.history import columns
from aitop.history.query import spans
from aitop.model.events import Limit
from aitop.model.sums import Sum

TOOL_LATENCIES = 512
END = float(1 << 40)  # epoch seconds after everything


def since(db: sqlite3.Connection, start: float) -> Sum:
    """Everything from a moment on; the moment falls on a quarter hour, as every local midnight does."""
    ((value,),) = [list(spans.sums(db, [(start, END)], spans.Only()))]
    return value


def outputs(db: sqlite3.Connection, start: float | None, end: float | None) -> list[tuple[str, int, int]]:
    """(model, requests, output tokens), dearest first. Times fall on a quarter hour, the end is excluded."""
    return db.execute(
        "SELECT m.name, sum(q.requests), sum(q.output) FROM quarter_all q JOIN model m ON m.id = q.model "
        "WHERE m.name != '' AND q.at >= ifnull(?, q.at) AND q.at < ifnull(?, q.at + 1) "
        "GROUP BY m.name HAVING sum(q.requests) > 0 ORDER BY sum(q.cost) DESC, m.name",
        (start, end),
    ).fetchall()


def by_folder(db: sqlite3.Connection, start: float) -> list[tuple[str, str, Sum]]:
    """(provider, folder, sum) since a moment on a quarter hour, by the folder of each response.

    What belongs to no response (untracked money) is booked in its session's folder.
    """
    rows = db.execute(
        f"SELECT s.provider, coalesce(p.cwd, s.cwd, ''), {columns.SUMS} FROM quarter q "  # noqa: S608
        "JOIN (SELECT id AS owner, provider, cwd FROM session) s ON s.owner = q.session "
        "LEFT JOIN (SELECT id AS number, cwd FROM place) p ON p.number = q.place WHERE q.at >= ? "
        "GROUP BY 1, 2 HAVING sum(requests) > 0 OR sum(untracked) > 0",
        (start,),
    )
    return [(provider, cwd, columns.from_by_model(values)) for provider, cwd, *values in rows]


def past(db: sqlite3.Connection, start: float, provider: str | None = None) -> list[tuple[float, Sum]]:
    """Every difference since a moment, at its own second: what windows and sparklines are filled from."""
    mine = "" if provider is None else " AND session IN (SELECT id FROM session WHERE provider = ?)"
    values = (start,) if provider is None else (start, provider)
    dated = [
        (at, columns.from_response(numbers))
        for at, *numbers in db.execute(
            f"SELECT at, {columns.OF_RESPONSE} FROM response WHERE at >= ?{mine}",  # noqa: S608
            values,
        )
    ]
    dated += [
        (at, Sum(untracked=amount))
        for at, amount in db.execute(f"SELECT at, picodollars FROM side_call WHERE at >= ?{mine}", values)  # noqa: S608
    ]
    dated += [
        (at, Sum(tool_calls=1, tool_failures=failed))
        for at, failed in db.execute(f"SELECT at, failed FROM tool WHERE at >= ?{mine}", values)  # noqa: S608
    ]
    dated += [
        (at, Sum(errors=1))
        for (at,) in db.execute(
            "SELECT at FROM incident WHERE at >= ? AND kind != 'compaction' "  # noqa: S608
            f"AND NOT (twin IS NOT NULL AND from_file = 0){mine}",
            values,
        )
    ]
    return dated


def tools_since(db: sqlite3.Connection, start: float) -> list[tuple[str, int, int, list[float]]]:
    """(name, calls, failures, newest latencies in milliseconds, oldest first) of each tool since a moment."""
    latencies: dict[str, list[float]] = {}
    for name, took in db.execute(
        "SELECT name, coalesce(client_ms, CASE WHEN used AND result_at >= at THEN (result_at - at) * 1000 END) AS took "
        "FROM tool WHERE at >= ? AND took IS NOT NULL ORDER BY at",
        (start,),
    ):
        latencies.setdefault(name, []).append(took)
    rows = db.execute(
        "SELECT name, sum(calls), sum(failures) FROM quarter_tool WHERE at >= ? GROUP BY name HAVING sum(calls) > 0",
        (start,),
    )
    return [(name, calls, bad, latencies.get(name, [])[-TOOL_LATENCIES:]) for name, calls, bad in rows]


def stops_since(db: sqlite3.Connection, start: float) -> dict[str, int]:
    return dict(
        db.execute(
            "SELECT stop_reason, count(*) FROM response WHERE at >= ? AND stop_reason IS NOT NULL GROUP BY stop_reason",
            (start,),
        )
    )


def compactions_since(db: sqlite3.Connection, start: float) -> int:
    count: int = db.execute(
        "SELECT count(*) FROM incident WHERE kind = 'compaction' AND at >= ? "
        "AND NOT (twin IS NOT NULL AND from_file = 0)",
        (start,),
    ).fetchone()[0]
    return count


def limits(db: sqlite3.Connection, now: float) -> list[Limit]:
    """Limits that have not been reset since the client reported them."""
    rows = db.execute(
        "SELECT provider, account, name, window_minutes, used_percent, resets_at, source, seen_at FROM usage_limit "
        "WHERE resets_at > ?",
        (now,),
    )
    return [Limit(row[0], row[1] or None, *row[2:]) for row in rows]


def odd_models(db: sqlite3.Connection) -> set[tuple[str, int]]:
    """(model, basis) of responses that are not at a listed price."""
    return set(
        db.execute(
            "SELECT DISTINCT m.name, r.basis FROM response r JOIN model m ON m.id = r.model WHERE r.basis > 0"
        )
    )


def meta(db: sqlite3.Connection, name: str) -> str | None:
    row = db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return row[0] if row else None
