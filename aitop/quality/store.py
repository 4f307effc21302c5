"""What is kept: numbers alone, in `$AITOP_HOME/quality.db`, readable by the user alone.

A turn is named by a digest of its ids. No column holds words of a conversation.
"""

import os
import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from aitop import paths
from aitop.quality.prompt import Score

FILE = "quality.db"
TABLES = """
CREATE TABLE IF NOT EXISTS turn (
  key TEXT PRIMARY KEY, session TEXT NOT NULL, model TEXT NOT NULL, began REAL NOT NULL, ended REAL NOT NULL,
  judge TEXT NOT NULL, prompt INTEGER NOT NULL, judged_at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS score (
  turn TEXT NOT NULL, metric TEXT NOT NULL, score REAL NOT NULL, confidence REAL NOT NULL,
  PRIMARY KEY (turn, metric)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS call (at REAL NOT NULL, picodollars INTEGER NOT NULL, failed INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS sent (turn TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mark (session TEXT PRIMARY KEY, good INTEGER NOT NULL, at REAL NOT NULL) WITHOUT ROWID;
"""


class Judged(NamedTuple):
    """One judged turn. `scores`: metric → 0 to 1."""

    key: str
    session: str
    model: str
    began: float
    ended: float
    judge: str
    prompt: int
    scores: dict[str, float]


class Scored(NamedTuple):
    """One score as it is sent; `at`: when it was judged."""

    turn: str
    session: str
    model: str
    at: float
    judge: str
    prompt: int
    metric: str
    score: float
    confidence: float


def connect() -> sqlite3.Connection:
    """Open the store, made private where there is none. Raises OSError, sqlite3.Error."""
    path = paths.in_home(FILE)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    db = sqlite3.connect(path, isolation_level=None, timeout=5)
    db.executescript(TABLES)
    return db


def exists() -> bool:
    """Whether anything was ever judged or marked."""
    return os.path.exists(paths.in_home(FILE))


def keep(
    db: sqlite3.Connection, turn: tuple[str, str, str, float, float], judge: str, prompt: int,
    scores: Iterable[Score], now: float,
) -> None:  # fmt: skip
    """Keep a judgement; `turn` is (key, session, model, began, ended)."""
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT OR REPLACE INTO turn VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*turn, judge, prompt, now))
    db.executemany(
        "INSERT OR REPLACE INTO score VALUES (?, ?, ?, ?)", ((turn[0], *score) for score in scores)
    )
    db.execute("COMMIT")


def called(db: sqlite3.Connection, at: float, picodollars: int, *, failed: bool) -> None:
    """A request to the judge and what it cost, at most where it failed."""
    db.execute("INSERT INTO call VALUES (?, ?, ?)", (at, picodollars, failed))


def spent(db: sqlite3.Connection, since: float) -> tuple[int, int]:
    """(picodollars, requests) since a moment."""
    row: tuple[int, int] = db.execute(
        "SELECT ifnull(sum(picodollars), 0), count(*) FROM call WHERE at >= ?", (since,)
    ).fetchone()
    return row


def known(db: sqlite3.Connection) -> set[str]:
    """The turns that were judged."""
    return {key for (key,) in db.execute("SELECT key FROM turn")}


def judged(db: sqlite3.Connection, since: float) -> list[Judged]:
    """The judged turns that ended since a moment, oldest first."""
    scores: dict[str, dict[str, float]] = {}
    for turn, metric, score in db.execute("SELECT turn, metric, score FROM score"):
        scores.setdefault(turn, {})[metric] = score
    rows = db.execute(
        "SELECT key, session, model, began, ended, judge, prompt FROM turn WHERE ended >= ? ORDER BY ended",
        (since,),
    )
    return [Judged._make((*row, scores.get(row[0], {}))) for row in rows]


def not_sent(db: sqlite3.Connection, since: float) -> list[Scored]:
    """The scores of turns judged since a moment that no receiver took, oldest first."""
    rows = db.execute(
        "SELECT turn.key, session, model, judged_at, judge, prompt, metric, score, confidence "
        "FROM turn JOIN score ON score.turn = turn.key WHERE judged_at >= ? "
        "AND turn.key NOT IN (SELECT turn FROM sent) ORDER BY judged_at, turn.key, metric",
        (since,),
    )
    return [Scored._make(row) for row in rows]


def sent(db: sqlite3.Connection, turns: Iterable[str], now: float) -> None:
    """A receiver took the scores of these turns."""
    db.executemany("INSERT OR REPLACE INTO sent VALUES (?, ?)", ((turn, now) for turn in turns))


def mark(db: sqlite3.Connection, session: str, *, good: bool, now: float) -> None:
    """The user's own word on a session."""
    db.execute("INSERT OR REPLACE INTO mark VALUES (?, ?, ?)", (session, good, now))


def unmark(db: sqlite3.Connection, session: str) -> None:
    """Take the user's word back."""
    db.execute("DELETE FROM mark WHERE session = ?", (session,))


def marks(db: sqlite3.Connection) -> dict[str, bool]:
    """Session → whether the user found it good."""
    return {session: bool(good) for session, good in db.execute("SELECT session, good FROM mark")}
