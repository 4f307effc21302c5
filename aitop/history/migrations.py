"""How an older history becomes one of this version: the statements that lead from each version to the next.

They say what a version was when it was current: once released, a step is never changed. So nothing here is taken
from `schema.py`, which says what the newest version is. `schema.connect` runs the steps in one transaction, after a
backup.
"""

# ruff: noqa: S608 - every word of these statements stands in this file or in the tables it makes
import sqlite3

from aitop.history import keys

_DAYS = """
CREATE TABLE day_sum (
  at INTEGER NOT NULL, session INTEGER NOT NULL, model INTEGER NOT NULL,
  requests INTEGER NOT NULL, errors INTEGER NOT NULL, uncached INTEGER NOT NULL, output INTEGER NOT NULL,
  cache_read INTEGER NOT NULL, write_5m INTEGER NOT NULL, write_1h INTEGER NOT NULL, cost INTEGER NOT NULL,
  unpriced INTEGER NOT NULL, estimated INTEGER NOT NULL, incomplete INTEGER NOT NULL, understated INTEGER NOT NULL,
  PRIMARY KEY (at, session, model)) WITHOUT ROWID;
CREATE TABLE day_tool (
  at INTEGER NOT NULL, session INTEGER NOT NULL, name TEXT NOT NULL,
  calls INTEGER NOT NULL, failures INTEGER NOT NULL,
  PRIMARY KEY (at, session, name)) WITHOUT ROWID;
"""

_FILL_DAYS = """
INSERT INTO day_sum SELECT at / 86400 * 86400, session, model, sum(requests), sum(errors), sum(uncached), sum(output),
  sum(cache_read), sum(write_5m), sum(write_1h), sum(cost), sum(unpriced), sum(estimated), sum(incomplete),
  sum(understated) FROM quarter GROUP BY 1, 2, 3;
INSERT INTO day_tool SELECT at / 86400 * 86400, session, name, sum(calls), sum(failures) FROM quarter_tool
  GROUP BY 1, 2, 3;
"""

_TIMINGS = (
    "".join(
        f"ALTER TABLE {table} ADD COLUMN {column};\n"
        for table in ("response", "copy")
        for column in ("duration_ms REAL", "ttft_ms REAL", "billed INTEGER")
    )
    + "ALTER TABLE session ADD COLUMN timings TEXT;"
)

_EVIDENCE_4 = """
  at REAL NOT NULL, model INTEGER NOT NULL,
  uncached INTEGER NOT NULL, output INTEGER NOT NULL, cache_read INTEGER NOT NULL,
  write_5m INTEGER NOT NULL, write_1h INTEGER NOT NULL, reasoning INTEGER NOT NULL, searches INTEGER NOT NULL,
  modifiers TEXT, stop_reason TEXT, visible INTEGER NOT NULL, agent TEXT, paying TEXT,
  file INTEGER NOT NULL, end INTEGER NOT NULL, duration_ms REAL, ttft_ms REAL, billed INTEGER, claimed INTEGER,
  place INTEGER NOT NULL DEFAULT 0
"""
_RESPONSE_TABLES_4 = f"""
CREATE TABLE response (
  id INTEGER PRIMARY KEY, session INTEGER NOT NULL, {_EVIDENCE_4}, cost INTEGER NOT NULL, basis INTEGER NOT NULL,
  incomplete INTEGER NOT NULL, copies INTEGER NOT NULL, message_key INTEGER, request_key INTEGER);
CREATE TABLE copy (response INTEGER NOT NULL, {_EVIDENCE_4}, PRIMARY KEY (response, file)) WITHOUT ROWID;
"""
_RESPONSE_INDEXES_4 = """
CREATE INDEX response_at ON response (at);
CREATE INDEX response_open ON response (at) WHERE stop_reason IS NULL AND incomplete = 0;
CREATE INDEX response_basis ON response (model, basis) WHERE basis > 0;
CREATE INDEX response_lone_request ON response (request_key) WHERE message_key IS NULL AND request_key IS NOT NULL;
CREATE INDEX copy_file ON copy (file);
"""
_TOKENS_4 = """requests INTEGER NOT NULL DEFAULT 0, errors INTEGER NOT NULL DEFAULT 0,
  uncached INTEGER NOT NULL DEFAULT 0, output INTEGER NOT NULL DEFAULT 0, cache_read INTEGER NOT NULL DEFAULT 0,
  write_5m INTEGER NOT NULL DEFAULT 0, write_1h INTEGER NOT NULL DEFAULT 0, cost INTEGER NOT NULL DEFAULT 0,
  untracked INTEGER NOT NULL DEFAULT 0"""
_TOOLS_4 = "tool_calls INTEGER NOT NULL DEFAULT 0, tool_failures INTEGER NOT NULL DEFAULT 0"
_MARKED_4 = """unpriced INTEGER NOT NULL DEFAULT 0, estimated INTEGER NOT NULL DEFAULT 0,
  client_priced INTEGER NOT NULL DEFAULT 0, incomplete INTEGER NOT NULL DEFAULT 0,
  understated INTEGER NOT NULL DEFAULT 0"""
_KEY_4 = "session INTEGER NOT NULL, model INTEGER NOT NULL, place INTEGER NOT NULL"
_SUM_TABLES_4 = (
    "".join(
        f"""
CREATE TABLE {table} (
  {at}{_KEY_4}, {_TOKENS_4}, {_MARKED_4}, PRIMARY KEY ({key}session, model, place)) WITHOUT ROWID;"""
        for table, at, key in (
            ("quarter", "at INTEGER NOT NULL, ", "at, "),
            ("day_sum", "at INTEGER NOT NULL, ", "at, "),
            ("session_sum", "", ""),
        )
    )
    + "".join(
        f"""
CREATE TABLE {table} (
  at INTEGER NOT NULL, provider TEXT NOT NULL, model INTEGER NOT NULL, {_TOKENS_4}, {_TOOLS_4}, {_MARKED_4},
  PRIMARY KEY (at, provider, model)) WITHOUT ROWID;"""
        for table in ("quarter_all", "day_all")
    )
    + "".join(
        f"""
CREATE TABLE {table} (
  at INTEGER NOT NULL, session INTEGER NOT NULL, name TEXT NOT NULL,
  calls INTEGER NOT NULL, failures INTEGER NOT NULL,
  PRIMARY KEY (at, session, name)) WITHOUT ROWID;"""
        for table in ("quarter_tool", "day_tool")
    )
)

# Rows of responses get digests in place of ids, sums get a place, and there are more grains of sums.
_RESPONSE = (
    "at, model, uncached, output, cache_read, write_5m, write_1h, reasoning, searches, modifiers, stop_reason, "
    "visible, agent, paying, file, end, duration_ms, ttft_ms, billed"
)
_SUMMED = (
    "requests, errors, uncached, output, cache_read, write_5m, write_1h, cost, unpriced, estimated, incomplete, "
    "understated"
)
_ADDED = ", ".join(f"sum({name})" for name in _SUMMED.split(", "))
_OLD = ("response", "copy", "quarter", "day_sum", "quarter_tool", "day_tool")
_PLACES = (
    "".join(f"ALTER TABLE {table} RENAME TO old_{table};\n" for table in _OLD)
    + "".join(
        f"ALTER TABLE session ADD COLUMN {column};\n"
        for column in (
            "untracked INTEGER NOT NULL DEFAULT 0",
            "client_priced INTEGER NOT NULL DEFAULT 0",
            "client_at REAL",
            "client_base REAL",
            "client_models TEXT",
            "began_by TEXT",
        )
    )
    + """
DROP INDEX response_at; DROP INDEX response_open; DROP INDEX response_basis; DROP INDEX copy_file;
CREATE INDEX session_spent ON session (cost + untracked);
CREATE INDEX session_last ON session (last_at);
CREATE TABLE place (id INTEGER PRIMARY KEY, cwd TEXT NOT NULL, branch TEXT NOT NULL, UNIQUE (cwd, branch));
CREATE TABLE side_call (
  session INTEGER NOT NULL, model INTEGER NOT NULL, at INTEGER NOT NULL, picodollars INTEGER NOT NULL,
  PRIMARY KEY (session, model, at)) WITHOUT ROWID;
CREATE INDEX side_call_at ON side_call (at);
"""
    + _SUM_TABLES_4
    + _RESPONSE_TABLES_4
    + f"""
INSERT INTO place (cwd, branch)
  SELECT DISTINCT cwd, ifnull(branch, '') FROM session WHERE cwd IS NOT NULL AND cwd != '';
CREATE TEMP TABLE place_of (session INTEGER PRIMARY KEY, place INTEGER NOT NULL);
INSERT INTO place_of SELECT s.id, p.id FROM session s JOIN place p
  ON p.cwd = s.cwd AND p.branch = ifnull(s.branch, '');
INSERT INTO response (id, session, {_RESPONSE}, cost, basis, incomplete, copies, message_key, request_key, place)
  SELECT id, session, {_RESPONSE}, cost, basis, incomplete, copies, aitop_key('m', message_id),
  aitop_key('r', request_id), ifnull((SELECT place FROM place_of WHERE place_of.session = r.session), 0)
  FROM old_response r ORDER BY id;
INSERT INTO copy (response, {_RESPONSE}, place) SELECT c.response, {_RESPONSE},
  ifnull((SELECT place FROM place_of WHERE session = (SELECT session FROM old_response WHERE id = c.response)), 0)
  FROM old_copy c;
"""
    + "".join(
        f"""
INSERT INTO {table} (at, session, model, place, {_SUMMED}) SELECT at, session, model,
  CASE WHEN requests != 0
  THEN ifnull((SELECT place FROM place_of WHERE place_of.session = t.session), 0) ELSE 0 END,
  {_SUMMED} FROM old_{table} t ORDER BY 1, 2, 3;
"""
        for table in ("quarter", "day_sum")
    )
    + f"""
INSERT INTO session_sum (session, model, place, {_SUMMED})
  SELECT session, model, place, {_ADDED} FROM day_sum GROUP BY 1, 2, 3;
INSERT INTO quarter_tool SELECT * FROM old_quarter_tool;
INSERT INTO day_tool SELECT * FROM old_day_tool;
"""
    + "".join(
        f"""
INSERT INTO {to} (at, provider, model, {_SUMMED})
  SELECT t.at, s.provider, t.model, {", ".join(f"sum(t.{name})" for name in _SUMMED.split(", "))}
  FROM {of} t JOIN session s ON s.id = t.session GROUP BY 1, 2, 3;
INSERT INTO {to} (at, provider, model, tool_calls, tool_failures)
  SELECT t.at, s.provider, 0, sum(t.calls), sum(t.failures) FROM {tools} t JOIN session s ON s.id = t.session
  GROUP BY 1, 2;
"""
        for to, of, tools in (("quarter_all", "quarter", "quarter_tool"), ("day_all", "day_sum", "day_tool"))
    )
    + "".join(f"DROP TABLE old_{table};\n" for table in _OLD)
    + "DROP TABLE place_of;\n"
    + "DELETE FROM alias WHERE key IN (SELECT request_key FROM response WHERE message_key IS NOT NULL);\n"
    + _RESPONSE_INDEXES_4
)

# version → the statements that lead from it to the next one
_PULL_REQUESTS = """
CREATE TABLE pull_request (
  session INTEGER NOT NULL, repository TEXT NOT NULL, number INTEGER NOT NULL, at REAL NOT NULL,
  PRIMARY KEY (session, repository, number)) WITHOUT ROWID;
"""

_CREDITS = "".join(
    f"ALTER TABLE {table} ADD COLUMN credits INTEGER;\n" for table in ("response", "copy")
) + "".join(
    f"ALTER TABLE {table} ADD COLUMN credits INTEGER NOT NULL DEFAULT 0;\n"
    for table in ("session", "session_sum", "quarter", "day_sum", "quarter_all", "day_all")
)

STEPS: dict[int, str] = {1: _DAYS + _FILL_DAYS, 2: _TIMINGS, 3: _PLACES, 4: _PULL_REQUESTS, 5: _CREDITS}


def prepare(db: sqlite3.Connection) -> None:
    """Give a connection what the statements call."""
    db.create_function("aitop_key", 2, _key, deterministic=True)


def _key(kind: str, text: str | None) -> int | None:
    return keys.key(kind, text) if text else None
