-- The tables of history version 3, as they were made.
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE model (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
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
  requests INTEGER NOT NULL DEFAULT 0, errors INTEGER NOT NULL DEFAULT 0,
  uncached INTEGER NOT NULL DEFAULT 0, output INTEGER NOT NULL DEFAULT 0, cache_read INTEGER NOT NULL DEFAULT 0,
  write_5m INTEGER NOT NULL DEFAULT 0, write_1h INTEGER NOT NULL DEFAULT 0, cost INTEGER NOT NULL DEFAULT 0,
  tool_calls INTEGER NOT NULL DEFAULT 0, tool_failures INTEGER NOT NULL DEFAULT 0,
  unpriced INTEGER NOT NULL DEFAULT 0, estimated INTEGER NOT NULL DEFAULT 0, incomplete INTEGER NOT NULL DEFAULT 0,
  understated INTEGER NOT NULL DEFAULT 0, compactions INTEGER NOT NULL DEFAULT 0,
  stop_reasons TEXT NOT NULL DEFAULT '{}',
  client_cost REAL, client_api_ms REAL, inherited INTEGER NOT NULL DEFAULT 0,
  context_tokens INTEGER, context_at REAL, context_limit INTEGER,
  timings TEXT,                -- JSON: counts of its responses by duration, time to first token, speed
  UNIQUE (provider, name));
CREATE TABLE agent (session INTEGER NOT NULL, agent TEXT NOT NULL, PRIMARY KEY (session, agent)) WITHOUT ROWID;
CREATE TABLE response (
  id INTEGER PRIMARY KEY, session INTEGER NOT NULL,
  at REAL NOT NULL, model INTEGER NOT NULL,
  uncached INTEGER NOT NULL, output INTEGER NOT NULL, cache_read INTEGER NOT NULL,
  write_5m INTEGER NOT NULL, write_1h INTEGER NOT NULL, reasoning INTEGER NOT NULL, searches INTEGER NOT NULL,
  modifiers TEXT,              -- JSON [speed, geo, tier, advisor], NULL when all are plain
  stop_reason TEXT, visible INTEGER NOT NULL, agent TEXT, paying TEXT, file INTEGER NOT NULL, end INTEGER NOT NULL,
  duration_ms REAL, ttft_ms REAL, -- NULL: nobody measured it
  billed INTEGER               -- picodollars, where the client said what it cost
,
  cost INTEGER NOT NULL, basis INTEGER NOT NULL,  -- 0 listed, 1 by family, 2 unpriced
  incomplete INTEGER NOT NULL, copies INTEGER NOT NULL,
  message_id TEXT, request_id TEXT, record_id TEXT);
CREATE INDEX response_at ON response (at);
CREATE INDEX response_open ON response (at) WHERE stop_reason IS NULL AND incomplete = 0;
CREATE INDEX response_basis ON response (model, basis) WHERE basis > 0;
CREATE TABLE copy (response INTEGER NOT NULL,
  at REAL NOT NULL, model INTEGER NOT NULL,
  uncached INTEGER NOT NULL, output INTEGER NOT NULL, cache_read INTEGER NOT NULL,
  write_5m INTEGER NOT NULL, write_1h INTEGER NOT NULL, reasoning INTEGER NOT NULL, searches INTEGER NOT NULL,
  modifiers TEXT,              -- JSON [speed, geo, tier, advisor], NULL when all are plain
  stop_reason TEXT, visible INTEGER NOT NULL, agent TEXT, paying TEXT, file INTEGER NOT NULL, end INTEGER NOT NULL,
  duration_ms REAL, ttft_ms REAL, -- NULL: nobody measured it
  billed INTEGER               -- picodollars, where the client said what it cost
, PRIMARY KEY (response, file)) WITHOUT ROWID;
CREATE INDEX copy_file ON copy (file);
CREATE TABLE alias (key INTEGER PRIMARY KEY, response INTEGER NOT NULL);
CREATE TABLE tool (
  key INTEGER PRIMARY KEY, session INTEGER NOT NULL, name TEXT NOT NULL, at REAL NOT NULL,
  from_file INTEGER NOT NULL,  -- the file whose word on session and time counts, 0: a hook's
  used INTEGER NOT NULL,       -- 1: `at` is its own record's time
  result_at REAL, client_ms REAL, failed INTEGER NOT NULL);
CREATE INDEX tool_at ON tool (at);
CREATE TABLE incident (
  key INTEGER PRIMARY KEY, kind TEXT NOT NULL, session INTEGER NOT NULL, at REAL NOT NULL, what TEXT NOT NULL,
  from_file INTEGER NOT NULL,  -- as for tools
  twin INTEGER);               -- the other source's row of the same incident: only one of the two counts
CREATE INDEX incident_session ON incident (session, kind, at);
CREATE TABLE quarter (
  at INTEGER NOT NULL, session INTEGER NOT NULL, model INTEGER NOT NULL,
  requests INTEGER NOT NULL, errors INTEGER NOT NULL, uncached INTEGER NOT NULL, output INTEGER NOT NULL,
  cache_read INTEGER NOT NULL, write_5m INTEGER NOT NULL, write_1h INTEGER NOT NULL, cost INTEGER NOT NULL,
  unpriced INTEGER NOT NULL, estimated INTEGER NOT NULL, incomplete INTEGER NOT NULL, understated INTEGER NOT NULL,
  PRIMARY KEY (at, session, model)) WITHOUT ROWID;
CREATE TABLE quarter_tool (
  at INTEGER NOT NULL, session INTEGER NOT NULL, name TEXT NOT NULL,
  calls INTEGER NOT NULL, failures INTEGER NOT NULL,
  PRIMARY KEY (at, session, name)) WITHOUT ROWID;
CREATE TABLE usage_limit (
  provider TEXT NOT NULL, account TEXT NOT NULL, name TEXT NOT NULL, window_minutes INTEGER NOT NULL,
  used_percent REAL NOT NULL, resets_at REAL NOT NULL, source TEXT NOT NULL, seen_at REAL NOT NULL,
  PRIMARY KEY (provider, account, name)) WITHOUT ROWID;

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
PRAGMA user_version = 3;
