"""What alerts are judged by and the published sums do not hold. Reads only."""

import sqlite3

from aitop.history import columns
from aitop.model import periods
from aitop.model.events import Timing
from aitop.model.sums import Sum

DAYS = 60
DAY = 86_400


def by_session(db: sqlite3.Connection, start: float) -> list[tuple[float, int, Sum]]:
    """(at, session, what it added) of every response, side call, tool call and failed request since a moment."""
    rows = db.execute(
        f"SELECT at, session, {columns.OF_RESPONSE} FROM response WHERE at >= ?",  # noqa: S608
        (start,),
    )
    responses = [(at, session, columns.from_response(values)) for at, session, *values in rows]
    side_calls = db.execute("SELECT at, session, picodollars FROM side_call WHERE at >= ?", (start,))
    tools = db.execute("SELECT at, session, failed FROM tool WHERE at >= ?", (start,))
    errors = db.execute(
        "SELECT at, session FROM incident WHERE at >= ? AND kind != 'compaction' "
        "AND NOT (twin IS NOT NULL AND from_file = 0)",
        (start,),
    )
    return [
        *responses,
        *((at, session, Sum(untracked=amount)) for at, session, amount in side_calls),
        *((at, session, Sum(tool_calls=1, tool_failures=failed)) for at, session, failed in tools),
        *((at, session, Sum(errors=1)) for at, session in errors),
    ]


def timed(db: sqlite3.Connection, start: float) -> list[tuple[float, int, Timing]]:
    """(at, session, how long it took) of every response since a moment that was timed."""
    rows = db.execute(
        "SELECT at, session, duration_ms, ttft_ms, output FROM response "
        "WHERE at >= ? AND (duration_ms IS NOT NULL OR ttft_ms IS NOT NULL)",
        (start,),
    )
    return [(at, session, Timing(*rest)) for at, session, *rest in rows]


def cut_off(db: sqlite3.Connection, start: float) -> list[float]:
    """When responses ended at their output limit, since a moment."""
    rows = db.execute("SELECT at FROM response WHERE at >= ? AND stop_reason = 'max_tokens'", (start,))
    return [at for (at,) in rows]


def past_days(db: sqlite3.Connection, today: float) -> tuple[int, ...]:
    """Picodollars spent on each of the last sixty local days before today, oldest first; days without any left out."""
    days: dict[float, int] = {}
    begins, ends = 0.0, 0.0
    rows = db.execute(
        "SELECT at, sum(cost + untracked) FROM quarter_all WHERE at >= ? AND at < ? GROUP BY at ORDER BY at",
        (today - DAYS * DAY, today),
    )
    for at, cost in rows:
        if at >= ends:
            begins, ends = periods.starts(at)["today"], periods.next_midnight(at)
        days[begins] = days.get(begins, 0) + cost
    return tuple(cost for _, cost in sorted(days.items()) if cost > 0)
