"""The history's tables: made, migrated, refused when newer.

SQLite in WAL mode: a killed writer loses at most its open transaction, and file offsets move in
the same transaction as what was read, so nothing is lost or read twice. Every migration runs in
one transaction after a backup. Money is integer picodollars, times are epoch seconds.

`response` holds what counts. While one file alone holds a response, its row is the whole
evidence; as soon as a second file repeats it (forks, resumes, sub-agents) each file's version
moves to `copy`, and the row is computed from those, so any reading order ends the same.
`alias`, `tool` and `incident` are keyed by a 64-bit digest of the client's ids (`keys.py`).
"""

import os
import sqlite3
import stat

from aitop.history import columns

VERSION = 6

_EVIDENCE = """
  at REAL NOT NULL, model INTEGER NOT NULL,
  uncached INTEGER NOT NULL, output INTEGER NOT NULL, cache_read INTEGER NOT NULL,
  write_5m INTEGER NOT NULL, write_1h INTEGER NOT NULL, reasoning INTEGER NOT NULL, searches INTEGER NOT NULL,
  modifiers TEXT,              -- JSON [speed, geo, tier, advisor], NULL when all are plain
  stop_reason TEXT, visible INTEGER NOT NULL, agent TEXT, paying TEXT, file INTEGER NOT NULL, end INTEGER NOT NULL,
  duration_ms REAL, ttft_ms REAL, -- NULL: nothing measured it
  billed INTEGER,              -- picodollars it was billed
  claimed INTEGER,             -- picodollars by the client's own reckoning
  place INTEGER NOT NULL DEFAULT 0, -- 0: its session's
  credits INTEGER              -- millionths of the client's own credits
"""
_BY_MODEL = columns.definitions(columns.BY_MODEL)
_STORED = columns.definitions(columns.STORED)
_SUM_KEY = "session INTEGER NOT NULL, model INTEGER NOT NULL, place INTEGER NOT NULL"

# Sums are kept at several grains, all moved in the same transaction as the rows. A question reads the
# coarsest grain that can answer it, so a report over years does not depend on the number of responses.
SUM_TABLES = f"""
CREATE TABLE quarter (         -- a quarter hour of a session
  at INTEGER NOT NULL, {_SUM_KEY}, {_BY_MODEL}, PRIMARY KEY (at, session, model, place)) WITHOUT ROWID;
CREATE TABLE day_sum (         -- a UTC day of a session
  at INTEGER NOT NULL, {_SUM_KEY}, {_BY_MODEL}, PRIMARY KEY (at, session, model, place)) WITHOUT ROWID;
CREATE TABLE session_sum (     -- a whole session
  {_SUM_KEY}, {_BY_MODEL}, PRIMARY KEY (session, model, place)) WITHOUT ROWID;
CREATE TABLE quarter_all (     -- a quarter hour of all sessions of a provider; tool calls belong to model 0
  at INTEGER NOT NULL, provider TEXT NOT NULL, model INTEGER NOT NULL, {_STORED},
  PRIMARY KEY (at, provider, model)) WITHOUT ROWID;
CREATE TABLE day_all (         -- a UTC day of all sessions of a provider
  at INTEGER NOT NULL, provider TEXT NOT NULL, model INTEGER NOT NULL, {_STORED},
  PRIMARY KEY (at, provider, model)) WITHOUT ROWID;
CREATE TABLE quarter_tool (
  at INTEGER NOT NULL, session INTEGER NOT NULL, name TEXT NOT NULL,
  calls INTEGER NOT NULL, failures INTEGER NOT NULL,
  PRIMARY KEY (at, session, name)) WITHOUT ROWID;
CREATE TABLE day_tool (
  at INTEGER NOT NULL, session INTEGER NOT NULL, name TEXT NOT NULL,
  calls INTEGER NOT NULL, failures INTEGER NOT NULL,
  PRIMARY KEY (at, session, name)) WITHOUT ROWID;
"""

RESPONSE_TABLES = f"""
CREATE TABLE response (
  id INTEGER PRIMARY KEY, session INTEGER NOT NULL, {_EVIDENCE},
  cost INTEGER NOT NULL, basis INTEGER NOT NULL,  -- pricing.Basis
  incomplete INTEGER NOT NULL, copies INTEGER NOT NULL,
  message_key INTEGER, request_key INTEGER); -- digests of the client's ids, see keys.py
CREATE TABLE copy (response INTEGER NOT NULL, {_EVIDENCE}, PRIMARY KEY (response, file)) WITHOUT ROWID;
"""
RESPONSE_INDEXES = """
CREATE INDEX response_at ON response (at);
CREATE INDEX response_open ON response (at) WHERE stop_reason IS NULL AND incomplete = 0;
CREATE INDEX response_basis ON response (model, basis) WHERE basis > 0;
CREATE INDEX response_lone_request ON response (request_key) WHERE message_key IS NULL AND request_key IS NOT NULL;
CREATE INDEX copy_file ON copy (file);
"""

TABLES = f"""
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE model (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE place (id INTEGER PRIMARY KEY, cwd TEXT NOT NULL, branch TEXT NOT NULL, UNIQUE (cwd, branch));
CREATE TABLE file (
  id INTEGER PRIMARY KEY, provider TEXT NOT NULL, path TEXT NOT NULL UNIQUE, session TEXT, agent TEXT, first_at REAL,
  device INTEGER, inode INTEGER, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
  offset INTEGER NOT NULL,     -- everything before it is in the history
  tail INTEGER NOT NULL,       -- checksum of the bytes just before offset: notices a file rewritten in place
  bad_lines INTEGER NOT NULL,
  pending TEXT);               -- an API request begun and not yet answered
CREATE TABLE session (
  id INTEGER PRIMARY KEY, provider TEXT NOT NULL, name TEXT NOT NULL,
  cwd TEXT, branch TEXT, model TEXT, tag TEXT, pid INTEGER, pane TEXT, info_at REAL,
  started_at REAL, last_at REAL, status TEXT, status_at REAL, status_live INTEGER,
  {_STORED}, compactions INTEGER NOT NULL DEFAULT 0,
  stop_reasons TEXT NOT NULL DEFAULT '{{}}',
  client_cost REAL, client_api_ms REAL, inherited INTEGER NOT NULL DEFAULT 0,
  client_at REAL, client_base REAL, client_models TEXT, began_by TEXT, -- see write/side_calls.py
  context_tokens INTEGER, context_at REAL, context_limit INTEGER,
  timings TEXT,                -- JSON: counts of its responses by duration, time to first token, speed
  UNIQUE (provider, name));
CREATE INDEX session_spent ON session (cost + untracked);
CREATE INDEX session_last ON session (last_at);
CREATE TABLE agent (session INTEGER NOT NULL, agent TEXT NOT NULL, PRIMARY KEY (session, agent)) WITHOUT ROWID;
{RESPONSE_TABLES}{RESPONSE_INDEXES}
CREATE TABLE alias (key INTEGER PRIMARY KEY, response INTEGER NOT NULL);
CREATE TABLE side_call (       -- what a client reports beyond its records, booked at that second
  session INTEGER NOT NULL, model INTEGER NOT NULL, at INTEGER NOT NULL, picodollars INTEGER NOT NULL,
  PRIMARY KEY (session, model, at)) WITHOUT ROWID;
CREATE INDEX side_call_at ON side_call (at);
CREATE TABLE pull_request (    -- the pull requests that a session's client names
  session INTEGER NOT NULL, repository TEXT NOT NULL, number INTEGER NOT NULL, at REAL NOT NULL, -- when first named
  PRIMARY KEY (session, repository, number)) WITHOUT ROWID;
CREATE TABLE tool (
  key INTEGER PRIMARY KEY, session INTEGER NOT NULL, name TEXT NOT NULL, at REAL NOT NULL,
  from_file INTEGER NOT NULL,  -- the file that decides its session and time, 0: a hook
  used INTEGER NOT NULL,       -- 1: `at` is its own record's time
  result_at REAL, client_ms REAL, failed INTEGER NOT NULL);
CREATE INDEX tool_at ON tool (at);
CREATE TABLE incident (
  key INTEGER PRIMARY KEY, kind TEXT NOT NULL, session INTEGER NOT NULL, at REAL NOT NULL, what TEXT NOT NULL,
  from_file INTEGER NOT NULL,  -- as for tools
  twin INTEGER);               -- the other source's row of the same incident: only one of the two counts
CREATE INDEX incident_session ON incident (session, kind, at);
CREATE TABLE usage_limit (
  provider TEXT NOT NULL, account TEXT NOT NULL, name TEXT NOT NULL, window_minutes INTEGER NOT NULL,
  used_percent REAL NOT NULL, resets_at REAL NOT NULL, source TEXT NOT NULL, seen_at REAL NOT NULL,
  PRIMARY KEY (provider, account, name)) WITHOUT ROWID;
{SUM_TABLES}"""

# What tells this history from another one: when it was made, and chance.
_BORN = """
INSERT INTO meta VALUES ('born', strftime('%Y-%m-%dT%H:%M:%SZ ', 'now') || lower(hex(randomblob(4))));"""


class HistoryError(Exception):
    """The history cannot be used; the message says what to do."""


class NewerError(HistoryError):
    """A newer aitop wrote it."""


def connect(path: str) -> sqlite3.Connection:
    """Open, create or migrate the history for its one writer. Raises HistoryError, sqlite3.Error."""
    if path != ":memory:":
        _stand(path)
    db = sqlite3.connect(path, isolation_level=None, cached_statements=256, timeout=5)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA cache_size = -4096")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise _newer(path, version)  # noqa: TRY301
        if version == 0:
            _make(db)
        elif version < VERSION:
            _migrate(db, path, version)
    except BaseException:
        db.close()
        raise
    return db


def _stand(path: str) -> None:
    """Make the file, private from birth, where there is none. Raises HistoryError for what is no file."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except FileExistsError as error:
            raise HistoryError(f"{path} is a link to a file that does not exist: remove the link") from error
    except OSError as error:
        raise HistoryError(f"{path}: {error.strerror}: move it away") from error
    else:
        if not stat.S_ISREG(status.st_mode):
            raise HistoryError(f"{path} is not a file: move it away")


def connect_read_only(path: str) -> sqlite3.Connection:
    """Open the history for a report beside its writer. Raises HistoryError, sqlite3.Error."""
    db = sqlite3.connect(f"file:{quoted(path)}?mode=ro", uri=True, isolation_level=None, timeout=5)
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version != VERSION:
        db.close()
        if version > VERSION:
            raise _newer(path, version)
        raise HistoryError(
            f"{path} has history version {version}, this aitop reads {VERSION}: run `aitop start`"
        )
    return db


def _newer(path: str, version: int) -> NewerError:
    return NewerError(
        f"{path} was written by a newer aitop (history version {version}, this one knows {VERSION}). "
        "Upgrade this copy, or run the newer one: `which -a aitop` lists them"
    )


def _make(db: sqlite3.Connection) -> None:
    _script(db, TABLES + _BORN, VERSION)


def _migrate(db: sqlite3.Connection, path: str, version: int) -> None:
    from aitop.history import migrations
    from aitop.history.recovery.copying import copy

    copy(db, f"{path}.v{version}")
    migrations.prepare(db)
    _script(db, "\n".join(migrations.STEPS[step] for step in range(version, VERSION)), VERSION)


def _script(db: sqlite3.Connection, statements: str, version: int) -> None:
    """Several statements and the version they lead to, all or nothing."""
    try:
        db.executescript(f"BEGIN IMMEDIATE;\n{statements}\nPRAGMA user_version = {version};\nCOMMIT;")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def quoted(path: str) -> str:
    """A path as part of a `file:` address of SQLite."""
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
