"""Whether one history holds less of the past than another: the requests of each UTC day, compared. Reads only.

A history that was removed, swapped for an older one or begun anew holds less than its backup. Corrections move a few
requests of a day; only a day that lost more than a tenth counts as lacking.
"""

import sqlite3

from aitop.history import schema

MOVED = 0.9  # of a day's requests, at least, stay through corrections
Days = dict[int, int]  # begin of a UTC day → requests


def days_of(path: str, *, at_rest: bool = False) -> Days:
    """The days of a history of this version or the one before; none where it cannot be read.

    `at_rest`: nothing writes to it, as to a copy; then no file is made beside it.
    """
    how = "mode=ro&immutable=1" if at_rest else "mode=ro"
    try:
        db = sqlite3.connect(f"file:{schema.quoted(path)}?{how}", uri=True, timeout=1)
    except sqlite3.Error:
        return {}
    try:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        table = "day_all" if version >= 4 else "day_sum"
        return dict(db.execute(f"SELECT at, sum(requests) FROM {table} GROUP BY at HAVING sum(requests) > 0"))  # noqa: S608
    except (sqlite3.Error, ValueError):  # a message that quotes damaged bytes is no text
        return {}
    finally:
        db.close()


def lacking(history: Days, copy: Days) -> list[int]:
    """The days of which the history has less than the copy; the copy's last day was not over."""
    last = max(copy, default=0)
    return sorted(
        day for day, requests in copy.items() if day < last and history.get(day, 0) < MOVED * requests - 1
    )
