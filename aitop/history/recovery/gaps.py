"""What a restored history may lack: the days with requests that only the old sums know.

The sums of the damaged file and of the backup are the witnesses; they are kept in the new history until the
clients' files have been read again, and then compared with what is there.
"""

import json
import os
import sqlite3
from typing import NamedTuple

from aitop.model import periods

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aitop.history.recovery.salvage import Damaged
    from aitop.history.store import History

KEPT_BY_CLIENTS = 30 * 86_400.0
MAX_REQUESTS_A_DAY = 1_000_000  # requests: a sum beyond it is damage


class Restored(NamedTuple):
    """What the last restore did, as the history remembers it. Times are epoch seconds."""

    at: float
    aside: str  # the damaged file's name now
    base: str | None  # the backup it began from
    carried: int  # rows taken from the damaged file
    expected: dict[str, int]  # local date → requests that the old sums spoke of
    unknown: str | None  # the span for which no old sums could be read
    incomplete: list[str] | None = None  # None until the clients' files have been read again

    def published(self) -> dict[str, object]:
        """As the state publishes it."""
        return {"at": self.at, "file": self.aside, "backup": self.base, "rows": self.carried,
                "incomplete_days": self.incomplete}  # fmt: skip


def last(db: sqlite3.Connection) -> Restored | None:
    """What the last restore of this history did, if there was one."""
    row = db.execute("SELECT value FROM meta WHERE name = 'restored'").fetchone()
    try:
        return Restored(*json.loads(row[0])) if row else None
    except (ValueError, TypeError):
        return None


def judge(history: "History") -> Restored | None:
    """After the clients' files were read again: which days hold less than the old sums said."""
    restored = last(history.db)
    if restored is None or restored.incomplete is not None:
        return restored
    have = _days(history.db.execute("SELECT at, requests FROM quarter").fetchall())
    short = sorted(day for day, requests in restored.expected.items() if have.get(day, 0) < requests)
    restored = restored._replace(incomplete=[*([restored.unknown] if restored.unknown else []), *short])
    history.begin()
    remember(history.db, restored)
    return restored


class Witness:
    """What the sums in the backup said, taken down before anything is added to it."""

    def __init__(self, db: sqlite3.Connection, now: float) -> None:
        self._now = now
        self._days = _days(db.execute("SELECT at, requests FROM quarter").fetchall())
        self._until = max(self._days, default=None)
        self._earlier = last(db)
        since = (now - KEPT_BY_CLIENTS) * 1e9
        young = db.execute("SELECT path FROM file WHERE mtime_ns > ?", (since,))
        self._deleted_early = any(not os.path.exists(path) for (path,) in young)

    def restored(self, damaged: "Damaged | None", aside: str, base: str | None, carried: int) -> Restored:
        """What to remember of this restore; the damaged file knows the days since the backup."""
        expected, earlier = dict(self._days), self._earlier
        if damaged is not None:
            earlier = _earlier(damaged) or earlier
            for day, requests in _days(_old_sums(damaged)).items():
                if self._until is None or day >= self._until:
                    expected[day] = max(expected.get(day, 0), requests)
        unseen = damaged is None or "quarter" in damaged.holes
        this_time = Restored(self._now, aside, base, carried, expected, self._unknown() if unseen else None)
        return this_time if earlier is None else _with_earlier(this_time, earlier)

    def _unknown(self) -> str | None:
        """The span without a witness, where the clients' files may not hold everything any more."""
        kept_from = periods.date_of(self._now - (0.0 if self._deleted_early else KEPT_BY_CLIENTS)).isoformat()
        if self._until and self._until > kept_from:
            return None
        return f"{self._until or 'the beginning'} to {kept_from}"


def remember(db: sqlite3.Connection, restored: Restored) -> None:
    """Keep it, inside the caller's transaction."""
    db.execute("INSERT OR REPLACE INTO meta VALUES ('restored', ?)", (json.dumps(restored),))


def _old_sums(damaged: "Damaged") -> list[tuple[int, int]]:
    sums = {(r["at"], r["session"], r["model"]): r["requests"] for r in damaged.rows("quarter")}
    return [(at, requests) for (at, _, _), requests in sums.items()]


def _days(quarters: list[tuple[int, int]]) -> dict[str, int]:
    """Local date → requests."""
    days: dict[str, int] = {}
    dates: dict[int, str] = {}
    for at, requests in quarters:
        if requests:
            day = dates.get(at) or dates.setdefault(at, periods.date_of(at).isoformat())
            days[day] = days.get(day, 0) + requests
    return {day: requests for day, requests in days.items() if 0 < requests < MAX_REQUESTS_A_DAY}


def _earlier(damaged: "Damaged") -> Restored | None:
    for row in damaged.rows("meta"):
        if row["name"] == "restored":
            try:
                return Restored(*json.loads(row["value"]))
            except (ValueError, TypeError):
                return None
    return None


def _with_earlier(restored: Restored, earlier: Restored) -> Restored:
    """A history damaged again: what an earlier restore missed is still missing."""
    expected = dict(restored.expected)
    if earlier.incomplete is None:
        for day, requests in earlier.expected.items():
            expected[day] = max(expected.get(day, 0), requests)
    else:
        for day in set(earlier.incomplete) & set(earlier.expected):
            expected[day] = max(expected.get(day, 0), earlier.expected[day])
    return restored._replace(expected=expected, unknown=restored.unknown or earlier.unknown)
