"""Reading what can be read of a damaged history: row by row, around the pages that cannot be.

SQLite's own messages quote the damaged bytes, so reading also fails with UnicodeDecodeError, a ValueError.

A span of keys that fails is halved until what fails is small enough to give up. Rows come out as they are
stored and only with values that a row of ours can hold; whether they are true is for the caller to judge.
"""

import os
import sqlite3
from collections.abc import Iterator
from typing import Any

from aitop.history import keys, schema
from aitop.history.rows import unpack_usage
from aitop.model.json_types import JsonObject

LATER = ("place", "untracked", "client_priced", "credits")  # columns that a later version added; 0 without
LOWEST, HIGHEST = -(1 << 63), (1 << 63) - 1
MAX_VALUE = 1 << 53  # no count, time or offset of ours is larger
FAILURES = 4000  # of one table: a file that is rubbish throughout is not worth more
# table → the column it is read along
KEYS = {
    "model": "id", "file": "id", "session": "id", "response": "id", "agent": "session", "copy": "response",
    "alias": "key", "tool": "key", "incident": "key", "quarter": "at", "usage_limit": "", "meta": "",
    "place": "id", "side_call": "session", "pull_request": "session",
}  # fmt: skip
_FREE = frozenset(
    ("key", "twin", "message_key", "request_key", "device", "inode", "mtime_ns", "tail")
)  # integers of any size
# A digest of an id → the id's kind and the column in which versions before 4 kept it.
_IDS = {"message_key": ("m", "message_id"), "request_key": ("r", "request_id")}
_SHARED = frozenset(
    ("agent", "copy", "pull_request", "quarter", "side_call")
)  # several rows of one key: some may come twice
Values = JsonObject


class Damaged:
    """A damaged history, opened to be read. `holes`: tables of which something could not be."""

    def __init__(self, db: sqlite3.Connection, pages: int, latest: float) -> None:
        self._db, self._pages, self._latest = db, pages, latest
        self.holes: set[str] = set()

    def rows(self, table: str) -> Iterator[Values]:
        """Every row of a table that can be read and can be one of ours, by column."""
        ours = expected(table)
        ids = {old: (new, kind) for new, (kind, old) in _IDS.items() if new in ours}
        names = [name for name in self._names(table) if name in ours or name in ids]
        key = KEYS[table]
        if any(
            required and name not in names and name not in LATER for name, (_, required) in ours.items()
        ) or key not in {
            "",
            *names,
        }:
            self.holes.add(table)
            return
        absent = {name: 0 if required else None for name, (_, required) in ours.items() if name not in names}
        for row in self._spans(table, key, names) if key else self._plain(table, names):
            values = absent | dict(zip(names, row, strict=True))
            for old in ids.keys() & set(names):
                new, kind = ids[old]
                text = values.pop(old)
                values[new] = keys.key(kind, text) if isinstance(text, str) and text else None
            if all(self._sane(name, value, *ours[name]) for name, value in values.items()):
                yield values
            else:
                self.holes.add(table)

    def _names(self, table: str) -> list[str]:
        try:
            return [row[1] for row in _info(self._db, table)]
        except (sqlite3.Error, ValueError):
            return []

    def close(self) -> None:
        self._db.close()

    def _plain(self, table: str, names: list[str]) -> Iterator[tuple[Any, ...]]:
        try:
            yield from self._db.execute(f"SELECT {', '.join(names)} FROM {table}")  # noqa: S608
        except (sqlite3.Error, ValueError):
            self.holes.add(table)

    def _spans(self, table: str, key: str, names: list[str]) -> Iterator[tuple[Any, ...]]:
        ask = f"SELECT {', '.join(names)} FROM {table} WHERE {key} BETWEEN ? AND ? ORDER BY {key}"  # noqa: S608
        where = names.index(key)
        spans = [(LOWEST if key == "key" else 0, self._last(table, key))]
        finest = 900 if key == "at" else max(1, (spans[0][1] - spans[0][0]) // (self._pages * 256))
        failures = 0
        while spans and failures < FAILURES:
            low, high = spans.pop()
            reached = low - 1
            try:
                for row in self._db.execute(ask, (low, high)):
                    if not isinstance(row[where], int | float) or not reached <= row[where] <= high:
                        raise sqlite3.DatabaseError("out of order")  # pages linked in a circle
                    reached = int(row[where])
                    yield row
            except (sqlite3.Error, ValueError):
                failures += 1
                self.holes.add(table)
                low = max(low, reached + (table not in _SHARED))
                if high - low >= finest:
                    middle = (low + high) // 2
                    spans += [(middle + 1, high), (low, middle)]

    def _last(self, table: str, key: str) -> int:
        """An upper end for the keys of a table."""
        if key == "key":
            return HIGHEST
        if key == "at":
            return int(self._latest)
        try:
            last = self._db.execute(f"SELECT max({key}) FROM {table}").fetchone()[0]  # noqa: S608
            if isinstance(last, int) and 0 <= last < MAX_VALUE:
                return last
        except (sqlite3.Error, ValueError):
            self.holes.add(table)
        return self._pages * 256

    def _sane(self, name: str, value: object, kind: str, required: bool) -> bool:
        if value is None:
            return not required
        if kind == "TEXT":
            return isinstance(value, str) and (name != "modifiers" or _unpacks(value))
        if not isinstance(value, int if kind == "INTEGER" else int | float):
            return False
        if name == "at" or (name.endswith("_at") and name != "resets_at"):
            return bool(0 <= value <= self._latest)
        return name in _FREE or bool(0 <= value < MAX_VALUE)


def _unpacks(modifiers: str) -> bool:
    try:
        unpack_usage((0,) * 7, modifiers)
    except (ValueError, TypeError):
        return False
    return True


def open_damaged(path: str, latest: float) -> Damaged | None:
    """The file with its write-ahead log, else without it; None where nothing of it can be read.

    `latest`: no row of ours is later.
    """
    try:
        pages = max(1, os.path.getsize(path) // 4096)
    except OSError:
        return None
    for how in ("mode=ro", "immutable=1"):
        db = None
        try:
            db = sqlite3.connect(
                f"file:{schema.quoted(path)}?{how}", uri=True, isolation_level=None, timeout=5
            )
            db.execute("PRAGMA writable_schema = ON")  # else one bad definition shuts every table
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except (sqlite3.Error, ValueError):
            if db is not None:
                db.close()
        else:
            return Damaged(db, pages, latest)
    return None


def expected(table: str) -> dict[str, tuple[str, bool]]:
    """Column → (type, required) of a table as this version makes it."""
    db = sqlite3.connect(":memory:")
    try:
        db.executescript(schema.TABLES)
        return {row[1]: (row[2], bool(row[3])) for row in _info(db, table)}
    finally:
        db.close()


def _info(db: sqlite3.Connection, table: str) -> list[tuple[Any, ...]]:
    return db.execute(f"PRAGMA table_info({table})").fetchall()
