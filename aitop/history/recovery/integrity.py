"""What a sound history is: whole pages, this version's columns, references that lead somewhere, sums that agree.

SQLite keeps no checksums: a flipped bit in a number is another number, and no error. But every response
is counted in its row, its quarter hour, its day and its session, so a change of one is seen in the others.
Looks at everything: for a backup, a doctor and after a fault, never for a tick.
"""

# ruff: noqa: S608, ISC004 - every word of these questions stands in this file or in the tables it asks about
import json
import os
import sqlite3
from itertools import zip_longest

from aitop.history import columns, schema

# What a disk, a lock or a full memory does to a sound file, as SQLite's primary error codes.
_PASSING = frozenset(
    (
        sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_AUTH,
    )
)  # fmt: skip
_BROKEN = frozenset((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB))
NEXT_VERSIONS = 50  # a history's version grows by one, a few times a year
KEY_COLUMNS = 4  # at most: quarter hour, session, model, place
_KINDS = {"INTEGER": "('integer')", "REAL": "('real', 'integer')", "TEXT": "('text')"}
_COUNTS = "uncached, output, cache_read, write_5m, write_1h, cost, credits"
_ADDED = ", ".join(f"ifnull(sum({name}), 0)" for name in _COUNTS.split(", "))
_NAMES = [name for name, _ in columns.BY_MODEL]
_ALL = ", ".join(f"sum({name})" for name in _NAMES)
_ANY = " OR ".join(f"sum({name}) != 0" for name in _NAMES)
_ANY_OF_ONE = " OR ".join(f"{name} != 0" for name in _NAMES)

# What is kept twice: the same rows must come out of both questions.
_TWICE = {
    "quarter hours and responses": (
        f"SELECT CAST(at AS INTEGER) / 900 * 900, session, model, place, count(*), {_ADDED} FROM response "
        "GROUP BY 1, 2, 3, 4",
        f"SELECT at, session, model, place, requests, {_COUNTS} FROM quarter WHERE requests != 0 OR cost != 0",
    ),
    "days and quarter hours": (
        f"SELECT at / 86400 * 86400, session, model, place, {_ALL} FROM quarter GROUP BY 1, 2, 3, 4 HAVING {_ANY}",
        f"SELECT at, session, model, place, {_ALL} FROM day_sum GROUP BY 1, 2, 3, 4 HAVING {_ANY}",
    ),
    "sessions by model and days": (
        f"SELECT session, model, place, {_ALL} FROM day_sum GROUP BY 1, 2, 3 HAVING {_ANY}",
        f"SELECT session, model, place, {_ALL} FROM session_sum GROUP BY 1, 2, 3 HAVING {_ANY}",
    ),
    "sessions and their models": (
        f"SELECT session, {_ALL} FROM session_sum GROUP BY 1 HAVING {_ANY}",
        f"SELECT id, {columns.BY_MODEL_NAMES} FROM session WHERE {_ANY_OF_ONE}",
    ),
    "all sessions by quarter hours": (
        f"SELECT t.at, s.provider, t.model, {_ALL} FROM quarter t JOIN (SELECT id, provider FROM session) s "
        f"ON s.id = t.session GROUP BY 1, 2, 3 HAVING {_ANY}",
        f"SELECT at, provider, model, {_ALL} FROM quarter_all GROUP BY 1, 2, 3 HAVING {_ANY}",
    ),
    "all sessions by days": (
        f"SELECT at / 86400 * 86400, provider, model, {_ALL} FROM quarter_all GROUP BY 1, 2, 3 HAVING {_ANY}",
        f"SELECT at, provider, model, {_ALL} FROM day_all GROUP BY 1, 2, 3 HAVING {_ANY}",
    ),
    "untracked money and its sums": (
        "SELECT at / 900 * 900, session, model, sum(picodollars) FROM side_call GROUP BY 1, 2, 3",
        "SELECT at, session, model, sum(untracked) AS n FROM quarter GROUP BY 1, 2, 3 HAVING n != 0",
    ),
    "errors and their sums": (
        "SELECT CAST(at AS INTEGER) / 900 * 900, session, count(*) FROM incident "
        "WHERE kind != 'compaction' AND NOT (twin IS NOT NULL AND from_file = 0) GROUP BY 1, 2",
        "SELECT at, session, sum(errors) AS n FROM quarter GROUP BY 1, 2 HAVING n != 0",
    ),
    "tool calls and their sums": (
        "SELECT CAST(at AS INTEGER) / 900 * 900, session, name, count(*), sum(failed) FROM tool GROUP BY 1, 2, 3",
        "SELECT at, session, name, calls, failures FROM quarter_tool WHERE calls != 0",
    ),
    "days and quarter hours of tools": (
        "SELECT at / 86400 * 86400, session, name, sum(calls) AS n, sum(failures) FROM quarter_tool "
        "GROUP BY 1, 2, 3 HAVING n != 0",
        "SELECT at, session, name, calls, failures FROM day_tool WHERE calls != 0",
    ),
    "all sessions and tool calls": (
        "SELECT q.at, s.provider, sum(q.calls) AS n, sum(q.failures) FROM quarter_tool q "
        "JOIN (SELECT id, provider FROM session) s ON s.id = q.session GROUP BY 1, 2 HAVING n != 0",
        "SELECT at, provider, sum(tool_calls) AS n, sum(tool_failures) FROM quarter_all GROUP BY 1, 2 HAVING n != 0",
    ),
    "sessions and tool calls": (
        "SELECT session, sum(calls) AS n, sum(failures) FROM day_tool GROUP BY 1 HAVING n != 0",
        "SELECT id, tool_calls, tool_failures FROM session WHERE tool_calls != 0",
    ),
}
# (column, where it must lead); a session that has no row of its own shows in the sums
_LEADS = (
    ("copy.response", "response.id"), ("copy.model", "model.id"),
    ("quarter.model", "model.id"), ("incident.session", "session.id"),
)  # fmt: skip


def is_passing(error: BaseException) -> bool:
    """Whether an error says nothing against the file: full, read-only, locked, out of reach."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _PASSING and code != sqlite3.SQLITE_IOERR_SHORT_READ


def is_damage(error: BaseException) -> bool:
    """Whether SQLite says of its own that the file is no sound database."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and (code & 0xFF in _BROKEN or code == sqlite3.SQLITE_IOERR_SHORT_READ)


def problem_of(path: str) -> str | None:
    """`problem` of a file. Raises sqlite3.Error for what is passing; a file that is not there has none."""
    if not os.path.exists(path):
        return None
    try:
        db = sqlite3.connect(f"file:{schema.quoted(path)}?mode=ro", uri=True, isolation_level=None, timeout=5)
    except (sqlite3.Error, ValueError) as error:
        if is_passing(error):
            raise
        return str(error)
    try:
        return problem(db)
    finally:
        db.close()


def problem_of_pages(path: str) -> str | None:
    """What SQLite itself says against a copy that nothing writes to. Raises sqlite3.Error for what is passing.

    Reads each page once and compares no sums: a fraction of the cost of `problem_of`.
    """
    try:
        db = sqlite3.connect(f"file:{schema.quoted(path)}?mode=ro&immutable=1", uri=True, timeout=5)
        try:
            return _pages(db)
        finally:
            db.close()
    except (sqlite3.Error, ValueError) as error:
        if is_passing(error):
            raise
        return str(error)


def problem(db: sqlite3.Connection) -> str | None:
    """The first thing found wrong with a history, in words; None when it is sound. Raises sqlite3.Error as above."""
    try:
        db.execute("BEGIN")  # one view of it for all questions
        return _pages(db) or _columns(db) or _references(db) or _sums(db)
    except sqlite3.Error as error:
        if is_passing(error):
            raise
        return str(error)
    except ValueError as error:  # text that is no text, JSON that is none
        return str(error)
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


def recent_problem(db: sqlite3.Connection, since: float) -> str | None:
    """`problem`, of what a history gained since a UTC midnight, and of its coarse sums. Raises sqlite3.Error.

    Costs seconds where the whole check costs minutes: it reads the rows of the last days and no text of the others.
    """
    try:
        db.execute("BEGIN")
        for what, questions in _recently(since).items():
            if _disagree(db, questions):
                return f"{what} disagree"
        for what in ("sessions and their models", "all sessions by days", "sessions by model and days"):
            if _disagree(db, _TWICE[what]):
                return f"{what} disagree"
    except sqlite3.Error as error:
        if is_passing(error):
            raise
        return str(error)
    except ValueError as error:
        return str(error)
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")
    return None


def _recently(since: float) -> dict[str, tuple[str, str]]:
    """Questions about the rows and sums from a moment on."""
    at = f"at >= {int(since)}"
    return {
        "quarter hours and responses": (
            f"SELECT CAST(at AS INTEGER) / 900 * 900, session, model, place, count(*), {_ADDED} FROM response "
            f"WHERE {at} GROUP BY 1, 2, 3, 4",
            f"SELECT at, session, model, place, requests, {_COUNTS} FROM quarter "
            f"WHERE {at} AND (requests != 0 OR cost != 0)",
        ),
        "days and quarter hours": (
            f"SELECT at / 86400 * 86400, session, model, place, {_ALL} FROM quarter WHERE {at} "
            f"GROUP BY 1, 2, 3, 4 HAVING {_ANY}",
            f"SELECT at, session, model, place, {_ALL} FROM day_sum WHERE {at} GROUP BY 1, 2, 3, 4 HAVING {_ANY}",
        ),
        "tool calls and their sums": (
            f"SELECT CAST(at AS INTEGER) / 900 * 900, session, name, count(*), sum(failed) FROM tool WHERE {at} "
            "GROUP BY 1, 2, 3",
            f"SELECT at, session, name, calls, failures FROM quarter_tool WHERE {at} AND calls != 0",
        ),
    }


def is_history(path: str) -> bool:
    """Whether a file can be read and is a history of any version."""
    try:
        db = sqlite3.connect(f"file:{schema.quoted(path)}?mode=ro", uri=True, timeout=1)
        try:
            return db.execute("SELECT 1 FROM sqlite_master WHERE name = 'session'").fetchone() is not None
        finally:
            db.close()
    except (sqlite3.Error, ValueError):
        return False


def misnumbered(path: str) -> bool:
    """Whether a file that calls itself newer is of this version, with a flipped bit in its number.

    A newer version may have the same tables, and setting its history aside would lose it. So the tables and the one
    bit do not suffice: the number is also beyond any that a version of the next years has, or pages are damaged too.
    A low bit that flips alone is refused as newer, and nothing is lost.
    """
    db = sqlite3.connect(f"file:{schema.quoted(path)}?mode=ro", uri=True, timeout=5)
    try:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if (version ^ schema.VERSION).bit_count() != 1 or _shape(db) != _expected():
            return False
        return version > schema.VERSION + NEXT_VERSIONS or _pages(db) is not None
    except (sqlite3.Error, ValueError):
        return False
    finally:
        db.close()


def _pages(db: sqlite3.Connection) -> str | None:
    verdict: str = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    return None if verdict == "ok" else verdict


def _columns(db: sqlite3.Connection) -> str | None:
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version != schema.VERSION:
        return f"it says that it is of version {version}"
    shape = _shape(db)
    for table, wanted in _expected().items():
        if shape.get(table) != wanted:
            return f"table {table} has other columns"
        wrong = " OR ".join(
            f"{'' if required else f'{name} IS NOT NULL AND '}typeof({name}) NOT IN {_KINDS[kind]}"
            for name, kind, required in sorted(wanted)
        )
        if db.execute(f"SELECT 1 FROM {table} WHERE {wrong} LIMIT 1").fetchone():
            return f"table {table} holds a value of the wrong type"
        texts = ", ".join(name for name, kind, _ in sorted(wanted) if kind == "TEXT")
        if texts:
            for _ in db.execute(f"SELECT {texts} FROM {table}"):
                pass
    for table, column in (("session", "stop_reasons"), ("response", "modifiers"), ("copy", "modifiers")):
        for (text,) in db.execute(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL"):
            json.loads(text)
    return None


def _references(db: sqlite3.Connection) -> str | None:
    for source, target in _LEADS:
        (table, column), (other, key) = source.split("."), target.split(".")
        if db.execute(
            f"SELECT 1 FROM {table} AS t WHERE NOT EXISTS (SELECT 1 FROM {other} WHERE {key} = t.{column}) LIMIT 1"
        ).fetchone():
            return f"{source} leads nowhere"
    return None if _aliases_lead(db) else "alias.response leads nowhere"


def _aliases_lead(db: sqlite3.Connection) -> bool:
    """Two walks and a mark for each response: millions of names lead to them in no order."""
    highest, count = db.execute("SELECT ifnull(max(id), 0), count(*) FROM response").fetchone()
    if highest > 16 * count + 1_000_000:  # they are given out one after the other
        return False
    exists = bytearray(highest + 1)
    for (number,) in db.execute("SELECT id FROM response"):
        exists[number] = 1
    return all(
        0 < number < len(exists) and exists[number] for (number,) in db.execute("SELECT response FROM alias")
    )


def _sums(db: sqlite3.Connection) -> str | None:
    return next((f"{what} disagree" for what, questions in _TWICE.items() if _disagree(db, questions)), None)


def _disagree(db: sqlite3.Connection, questions: tuple[str, str]) -> bool:
    """Whether two questions have different answers; in one order, so that neither has to be held in memory."""
    width = len(db.execute(f"SELECT * FROM ({questions[0]}) LIMIT 0").description)
    order = ", ".join(str(column + 1) for column in range(min(width, KEY_COLUMNS)))
    one, other = (db.execute(f"SELECT * FROM ({ask}) ORDER BY {order}") for ask in questions)
    return any(first != second for first, second in zip_longest(one, other))


Column = tuple[str, str, bool]  # name, type, required


def _shape(db: sqlite3.Connection) -> dict[str, frozenset[Column]]:
    """Table → its columns; the order in which migrations added them does not matter."""
    tables = [
        name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    ]
    return {
        table: frozenset(
            (name, kind, bool(required))
            for _, name, kind, required, _, _ in db.execute(f"PRAGMA table_info({table})")
        )
        for table in tables
        if not table.startswith("sqlite_")
    }


def _expected() -> dict[str, frozenset[Column]]:
    db = sqlite3.connect(":memory:")
    try:
        db.executescript(schema.TABLES)
        return _shape(db)
    finally:
        db.close()
