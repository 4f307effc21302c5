"""A feed's response and a file's that share no id: paired by session, numbers and nearness in time.

Some clients' telemetry names a response differently than their records do. Either may come first. Each is paired
once, so two equal calls in one session stay two.
"""

import sqlite3
from typing import NamedTuple

from aitop.model.events import Response

ENDLESS = float("inf")
NEAR = 600.0  # seconds between the two words; a long answer's begin and end


class _Lone(NamedTuple):
    """A response known from a feed alone so far."""

    row: int
    at: float


class Pairing:
    """Finds the other record of a response. What waits for its file is read from the history at the start."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._lone: dict[tuple[str, str, int, int, int], list[_Lone]] = {}
        self._paired: set[int] = set()  # since the last flush: the database does not know it yet
        newest = db.execute("SELECT max(at) FROM response").fetchone()[0] or 0.0
        for row in db.execute(_WAITING, (newest - NEAR,)):
            identity, at, provider, session, *numbers = row
            self._lone.setdefault((provider, session, *numbers), []).append(_Lone(identity, at))

    def told(self, provider: str, r: Response, at: float) -> int | None:
        """A feed reports `r`: the file's row that it is, if no feed reported that one yet. Needs a flushed database."""
        session, *numbers = _key(provider, r)[1:]
        candidates = self._db.execute(
            _OF_FILE, (provider, session, session, at - NEAR, at + NEAR, *numbers, at)
        )
        row = next((identity for (identity,) in candidates if identity not in self._paired), None)
        if row is not None:
            self._paired.add(row)
        return row

    def wait(self, provider: str, r: Response, at: float, row: int) -> None:
        """No file holds `r` yet."""
        self._lone.setdefault(_key(provider, r), []).append(_Lone(row, at))

    def written(self, provider: str, r: Response, at: float) -> int | None:
        """A file holds `r`: the feed's row that it is, if one waits."""
        if not self._lone:
            return None
        for session in (r.session, r.agent):
            key = _key(provider, r._replace(session=session)) if session else None
            waiting = self._lone.get(key, []) if key else []
            near = [lone for lone in waiting if abs(lone.at - at) <= NEAR]
            if near and key:
                best = min(near, key=lambda lone: abs(lone.at - at))
                waiting.remove(best)
                if not waiting:
                    del self._lone[key]
                return best.row
        return None

    def begins(self) -> float:
        """The first moment at which a file's response may be one that waits; endless while none does."""
        if not self._lone:
            return ENDLESS
        return min((lone.at - NEAR for waiting in self._lone.values() for lone in waiting), default=ENDLESS)

    def flushed(self) -> None:
        """The database knows all pairs now. Drop what no file held within 20 minutes."""
        self._paired.clear()
        newest = max((lone.at for waiting in self._lone.values() for lone in waiting), default=0.0)
        for key, waiting in list(self._lone.items()):
            waiting[:] = [lone for lone in waiting if newest - lone.at <= 2 * NEAR]
            if not waiting:
                del self._lone[key]


def unnamed(r: Response) -> bool:
    """Whether a feed's response has no id that a file could know."""
    return r.message_id is None and r.request_id is None


def _key(provider: str, r: Response) -> tuple[str, str, int, int, int]:
    u = r.usage
    return (provider, r.session, u.input_tokens, u.output_tokens, u.cache_read_tokens)


_NUMBERS = "r.uncached + r.cache_read + r.write_5m + r.write_1h"
_WAITING = f"""
SELECT r.id, r.at, s.provider, s.name, {_NUMBERS}, r.output, r.cache_read
FROM response r JOIN session s ON s.id = r.session
WHERE r.at >= ? AND r.file = 0 AND r.copies = 0 AND r.message_key IS NULL AND r.request_key IS NULL
"""  # noqa: S608
_OF_FILE = f"""
SELECT r.id FROM response r JOIN session s ON s.id = r.session
WHERE s.provider = ? AND (s.name = ? OR r.agent = ?) AND r.at BETWEEN ? AND ?
  AND {_NUMBERS} = ? AND r.output = ? AND r.cache_read = ? AND r.file != 0
  AND NOT EXISTS (SELECT 1 FROM copy c WHERE c.response = r.id AND c.file = 0)
ORDER BY abs(r.at - ?)
"""  # noqa: S608
