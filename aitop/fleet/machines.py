"""The responses of one's other machines, each counted once: `machines.db` beside the history.

A response that this machine's history has counts here; one that several other machines have counts for the first of
them by name. A pull is one transaction: broken off, it changes nothing. This file can be pulled again at any time.
"""

import base64
import json
import os
import sqlite3
from collections.abc import Iterable, Mapping
from struct import unpack
from typing import NamedTuple

from aitop import paths
from aitop.fleet import records
from aitop.history import schema
from aitop.model.json_types import JsonObject
from aitop.model.sums import Sum
from aitop.providers import credit_rates

NAME = "machines.db"
TABLES = """
CREATE TABLE IF NOT EXISTS host (name TEXT PRIMARY KEY, mark TEXT NOT NULL, pulled_at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS record (
  host TEXT NOT NULL, key INTEGER NOT NULL, at INTEGER NOT NULL, provider TEXT NOT NULL, session TEXT NOT NULL,
  project TEXT NOT NULL, model TEXT NOT NULL, input INTEGER NOT NULL, output INTEGER NOT NULL, cost INTEGER NOT NULL,
  untracked INTEGER NOT NULL, unpriced INTEGER NOT NULL, response INTEGER NOT NULL, credits INTEGER,
  PRIMARY KEY (host, key)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS record_key ON record (key);
"""
# Millionths of the client's own credits: 0 for a response without, NULL where an older aitop sent it.
LATER = "ALTER TABLE record ADD COLUMN credits INTEGER"
LONGEST = 400  # characters of a name
UNPRICED = 2  # pricing.Basis


class PullError(Exception):
    """What came is not what a machine sends; the message says why."""


class MismatchError(PullError):
    """Records were missed; a pull of everything mends it."""


class HostRow(NamedTuple):
    """One machine's part; what other machines have too is counted once, and told in `shared`."""

    host: str
    pulled_at: float | None
    requests: int
    shared: int
    input_tokens: int
    output_tokens: int
    spent: int  # picodollars
    unpriced: int
    credits: Mapping[str, float | None] = {}  # client that is billed in credits → its own; None: unknown


def connect(home: str) -> sqlite3.Connection:
    """The store, made where there is none. Raises sqlite3.Error, OSError."""
    path = os.path.join(home, NAME)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    db = sqlite3.connect(f"file:{schema.quoted(path)}", uri=True, isolation_level=None, timeout=10)
    db.executescript(TABLES)
    if "credits" not in {row[1] for row in db.execute("PRAGMA table_info(record)")}:
        db.execute(LATER)
    return db


def mark(db: sqlite3.Connection, host: str) -> str:
    """Since when this machine's records are wanted; "" for all."""
    row = db.execute("SELECT mark FROM host WHERE name = ?", (host,)).fetchone()
    return row[0] if row else ""


def take(db: sqlite3.Connection, host: str, lines: Iterable[str], now: float) -> int:
    """Keep what a machine sent, all or nothing; how many records came. Raises PullError, sqlite3.Error."""
    db.execute("BEGIN IMMEDIATE")
    try:
        count = _take(db, host, lines, now)
    except PullError:
        db.execute("ROLLBACK")
        raise
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        db.execute("ROLLBACK")
        raise PullError(
            f"{host}: what came cannot be read ({type(error).__name__}): is aitop there of this version?"
        ) from error
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
    return count


def _take(db: sqlite3.Connection, host: str, lines: Iterable[str], now: float) -> int:
    sessions: dict[int, list[str]] = {}
    models: dict[int, str] = {}
    at, count, ended, whole = 0, 0, None, None
    billed: dict[int, int] = {}  # key → credits, of the responses that have some
    credits_ = 0  # of the next response
    for line in lines:
        record = json.loads(line)
        if isinstance(record, list):
            key = unpack(">q", base64.urlsafe_b64decode(record[0] + "="))[0]
            at += int(record[1])
            row = (host, key, at, *sessions[record[2]], models[record[3]], *_numbers(record[4:]))
            db.execute(
                "INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)", row
            )
            billed[key], credits_ = credits_, 0
            count += 1
        elif "s" in record:
            number, *names = record["s"]
            sessions[number] = [str(name)[:LONGEST] for name in names[:3]]
        elif "m" in record:
            models[record["m"][0]] = str(record["m"][1])[:LONGEST]
            credits_ = int(record.get("credits", 0))
        elif "v" in record:
            if record["v"] != records.VERSION:
                raise PullError(
                    f"{host}: its aitop sends version {record['v']}, this one reads {records.VERSION}: upgrade"
                )
            whole = bool(record["whole"])
            if whole:
                db.execute("DELETE FROM record WHERE host = ?", (host,))
        else:
            ended = record["end"]
    if whole is None or ended is None:
        raise PullError(f"{host}: the connection ended before all records came; nothing was changed")
    _complete(db, host, ended, billed, whole=whole)
    db.execute("INSERT OR REPLACE INTO host VALUES (?, ?, ?)", (host, str(ended["mark"]), now))
    return count


def _complete(
    db: sqlite3.Connection, host: str, ended: JsonObject, billed: dict[int, int], *, whole: bool
) -> None:
    """Keep the credits where the machine sends them, and compare with its sums. Raises MismatchError."""
    if "credits" in ended:
        rows = ((value, host, key) for key, value in billed.items())
        db.executemany("UPDATE record SET credits = ? WHERE host = ? AND key = ?", rows)
    *had, unknown = db.execute(
        "SELECT ifnull(sum(response), 0), ifnull(sum(cost), 0), ifnull(sum(untracked), 0), "
        "ifnull(sum(credits), 0), ifnull(sum(response * (credits IS NULL)), 0) FROM record WHERE host = ?",
        (host,),
    ).fetchone()
    there = [ended.get(key, had[3]) for key in ("responses", "cost", "untracked", "credits")]
    if not whole and (had != there or ("credits" in ended and unknown)):
        raise MismatchError(f"{host}: {had[0]} responses are here, {ended['responses']} there")


def _numbers(values: list[int]) -> tuple[int, ...]:
    """(input, output, cost, untracked, unpriced, response) of a response or of untracked money."""
    if len(values) == 1:
        return (0, 0, 0, int(values[0]), 0, 0)
    uncached, output, read, write_5m, write_1h, cost, basis = map(int, values)
    return (uncached + read + write_5m + write_1h, output, cost, 0, int(basis == UNPRICED), 1)


def by_host(home: str, since: float = 0.0) -> list[HostRow]:
    """Each other machine's part since a moment, dearest first. Raises sqlite3.Error, OSError."""
    if not os.path.exists(os.path.join(home, NAME)):
        return []
    db = connect(home)
    try:
        _know_own(db, home)
        rows = db.execute(
            """
            SELECT h.name, h.pulled_at, ifnull(sum(own * response), 0), ifnull(sum((1 - own) * response), 0),
              ifnull(sum(own * input), 0), ifnull(sum(own * output), 0), ifnull(sum(own * (cost + untracked)), 0),
              ifnull(sum(own * unpriced), 0)
            FROM host h LEFT JOIN ("""  # noqa: S608
            f"{_OWN}) ON host = h.name GROUP BY h.name ORDER BY 7 DESC, 1",
            (since * 1000,),
        )
        credits_ = _credits(db, since)
        return [HostRow._make((*row, credits_.get(row[0], {}))) for row in rows]
    finally:
        db.close()


_OWN = """
SELECT *, NOT EXISTS (SELECT 1 FROM temp.here WHERE here.key = r.key)
  AND NOT EXISTS (SELECT 1 FROM record o WHERE o.key = r.key AND o.host < r.host) AS own
FROM record r WHERE at >= ?
"""


def _credits(db: sqlite3.Connection, since: float) -> dict[str, dict[str, float | None]]:
    """Host → client that is billed in credits → its own credits of what counts for this machine."""
    wanted = ", ".join("?" * len(credit_rates.RATES))
    rows = db.execute(
        "SELECT host, provider, sum(response), sum(cost), ifnull(sum(credits), 0), "  # noqa: S608
        f"sum(response * (credits IS NULL)) FROM ({_OWN}) WHERE own AND provider IN ({wanted}) GROUP BY 1, 2",
        (since * 1000, *credit_rates.RATES),
    )
    credits_by_host: dict[str, dict[str, float | None]] = {}
    for host, provider, requests, cost, credits_, unknown in rows:
        recorded = credit_rates.RATES[provider].per_usd is None
        value = Sum(requests=requests, cost=cost, credits=credits_)
        credits_by_host.setdefault(host, {})[provider] = (
            None if recorded and unknown else credit_rates.of(provider, value)
        )
    return credits_by_host


def _know_own(db: sqlite3.Connection, home: str) -> None:
    """The keys of what this machine's own history has, of those that came from elsewhere."""
    db.execute("CREATE TEMP TABLE here (key INTEGER PRIMARY KEY)")
    path = os.path.join(home, paths.HISTORY)
    if not os.path.exists(path):
        return
    db.execute("ATTACH ? AS own", (f"file:{schema.quoted(path)}?mode=ro",))
    db.execute(
        "INSERT INTO temp.here SELECT DISTINCT r.key FROM record r WHERE EXISTS "
        "(SELECT 1 FROM own.alias a WHERE a.key = r.key)"
    )
    for at, model, provider, session in db.execute(
        "SELECT c.at, m.name, s.provider, s.name FROM own.side_call c "
        "JOIN own.session s ON s.id = c.session JOIN own.model m ON m.id = c.model"
    ).fetchall():
        db.execute(
            "INSERT OR IGNORE INTO temp.here VALUES (?)",
            (records.side_call_key(provider, session, model, at),),
        )
    db.execute("DETACH own")
