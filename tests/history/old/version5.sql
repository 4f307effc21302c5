-- The tables of history version 5, as they were made.
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
    requests INTEGER NOT NULL DEFAULT 0, errors INTEGER NOT NULL DEFAULT 0, uncached INTEGER NOT NULL DEFAULT 0,
  output INTEGER NOT NULL DEFAULT 0, cache_read INTEGER NOT NULL DEFAULT 0, write_5m INTEGER NOT NULL DEFAULT 0,
  write_1h INTEGER NOT NULL DEFAULT 0, cost INTEGER NOT NULL DEFAULT 0, untracked INTEGER NOT NULL DEFAULT 0,
  tool_calls INTEGER NOT NULL DEFAULT 0, tool_failures INTEGER NOT NULL DEFAULT 0, unpriced INTEGER NOT NULL DEFAULT
  0, estimated INTEGER NOT NULL DEFAULT 0, client_priced INTEGER NOT NULL DEFAULT 0, incomplete INTEGER NOT NULL
  DEFAULT 0, understated INTEGER NOT NULL DEFAULT 0, compactions INTEGER NOT NULL DEFAULT 0,
  stop_reasons TEXT NOT NULL DEFAULT '{}',
  client_cost REAL, client_api_ms REAL, inherited INTEGER NOT NULL DEFAULT 0,
  client_at REAL, client_base REAL, client_models TEXT, began_by TEXT, -- see write/side_calls.py
  context_tokens INTEGER, context_at REAL, context_limit INTEGER,
  timings TEXT,                -- JSON: counts of its responses by duration, time to first token, speed
  UNIQUE (provider, name));
CREATE INDEX session_spent ON session (cost + untracked);
CREATE INDEX session_last ON session (last_at);
CREATE TABLE agent (session INTEGER NOT NULL, agent TEXT NOT NULL, PRIMARY KEY (session, agent)) WITHOUT ROWID;
CREATE TABLE response (
  id INTEGER PRIMARY KEY, session INTEGER NOT NULL,
  at REAL NOT NULL, model INTEGER NOT NULL,
  uncached INTEGER NOT NULL, output INTEGER NOT NULL, cache_read INTEGER NOT NULL,
  write_5m INTEGER NOT NULL, write_1h INTEGER NOT NULL, reasoning INTEGER NOT NULL, searches INTEGER NOT NULL,
  modifiers TEXT,              -- JSON [speed, geo, tier, advisor], NULL when all are plain
  stop_reason TEXT, visible INTEGER NOT NULL, agent TEXT, paying TEXT, file INTEGER NOT NULL, end INTEGER NOT NULL,
  duration_ms REAL, ttft_ms REAL, -- NULL: nothing measured it
  billed INTEGER,              -- picodollars it was billed
  claimed INTEGER,             -- picodollars by the client's own reckoning
  place INTEGER NOT NULL DEFAULT 0 -- 0: its session's
,
  cost INTEGER NOT NULL, basis INTEGER NOT NULL,  -- pricing.Basis
  incomplete INTEGER NOT NULL, copies INTEGER NOT NULL,
  message_key INTEGER, request_key INTEGER); -- digests of the client's ids, see keys.py
CREATE TABLE copy (response INTEGER NOT NULL,
  at REAL NOT NULL, model INTEGER NOT NULL,
  uncached INTEGER NOT NULL, output INTEGER NOT NULL, cache_read INTEGER NOT NULL,
  write_5m INTEGER NOT NULL, write_1h INTEGER NOT NULL, reasoning INTEGER NOT NULL, searches INTEGER NOT NULL,
  modifiers TEXT,              -- JSON [speed, geo, tier, advisor], NULL when all are plain
  stop_reason TEXT, visible INTEGER NOT NULL, agent TEXT, paying TEXT, file INTEGER NOT NULL, end INTEGER NOT NULL,
  duration_ms REAL, ttft_ms REAL, -- NULL: nothing measured it
  billed INTEGER,              -- picodollars it was billed
  claimed INTEGER,             -- picodollars by the client's own reckoning
  place INTEGER NOT NULL DEFAULT 0 -- 0: its session's
, PRIMARY KEY (response, file)) WITHOUT ROWID;
CREATE INDEX response_at ON response (at);
CREATE INDEX response_open ON response (at) WHERE stop_reason IS NULL AND incomplete = 0;
CREATE INDEX response_basis ON response (model, basis) WHERE basis > 0;
CREATE INDEX response_lone_request ON response (request_key) WHERE message_key IS NULL AND request_key IS NOT NULL;
CREATE INDEX copy_file ON copy (file);
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
CREATE TABLE quarter (         -- a quarter hour of a session
    at INTEGER NOT NULL, session INTEGER NOT NULL, model INTEGER NOT NULL, place INTEGER NOT NULL, requests INTEGER
  NOT NULL DEFAULT 0, errors INTEGER NOT NULL DEFAULT 0, uncached INTEGER NOT NULL DEFAULT 0, output INTEGER NOT NULL
  DEFAULT 0, cache_read INTEGER NOT NULL DEFAULT 0, write_5m INTEGER NOT NULL DEFAULT 0, write_1h INTEGER NOT NULL
  DEFAULT 0, cost INTEGER NOT NULL DEFAULT 0, untracked INTEGER NOT NULL DEFAULT 0, unpriced INTEGER NOT NULL DEFAULT
  0, estimated INTEGER NOT NULL DEFAULT 0, client_priced INTEGER NOT NULL DEFAULT 0, incomplete INTEGER NOT NULL
  DEFAULT 0, understated INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (at, session, model, place)) WITHOUT ROWID;
CREATE TABLE day_sum (         -- a UTC day of a session
    at INTEGER NOT NULL, session INTEGER NOT NULL, model INTEGER NOT NULL, place INTEGER NOT NULL, requests INTEGER
  NOT NULL DEFAULT 0, errors INTEGER NOT NULL DEFAULT 0, uncached INTEGER NOT NULL DEFAULT 0, output INTEGER NOT NULL
  DEFAULT 0, cache_read INTEGER NOT NULL DEFAULT 0, write_5m INTEGER NOT NULL DEFAULT 0, write_1h INTEGER NOT NULL
  DEFAULT 0, cost INTEGER NOT NULL DEFAULT 0, untracked INTEGER NOT NULL DEFAULT 0, unpriced INTEGER NOT NULL DEFAULT
  0, estimated INTEGER NOT NULL DEFAULT 0, client_priced INTEGER NOT NULL DEFAULT 0, incomplete INTEGER NOT NULL
  DEFAULT 0, understated INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (at, session, model, place)) WITHOUT ROWID;
CREATE TABLE session_sum (     -- a whole session
    session INTEGER NOT NULL, model INTEGER NOT NULL, place INTEGER NOT NULL, requests INTEGER NOT NULL DEFAULT 0,
  errors INTEGER NOT NULL DEFAULT 0, uncached INTEGER NOT NULL DEFAULT 0, output INTEGER NOT NULL DEFAULT 0,
  cache_read INTEGER NOT NULL DEFAULT 0, write_5m INTEGER NOT NULL DEFAULT 0, write_1h INTEGER NOT NULL DEFAULT 0,
  cost INTEGER NOT NULL DEFAULT 0, untracked INTEGER NOT NULL DEFAULT 0, unpriced INTEGER NOT NULL DEFAULT 0,
  estimated INTEGER NOT NULL DEFAULT 0, client_priced INTEGER NOT NULL DEFAULT 0, incomplete INTEGER NOT NULL DEFAULT
  0, understated INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (session, model, place)) WITHOUT ROWID;
CREATE TABLE quarter_all (     -- a quarter hour of all sessions of a provider; tool calls belong to model 0
    at INTEGER NOT NULL, provider TEXT NOT NULL, model INTEGER NOT NULL, requests INTEGER NOT NULL DEFAULT 0, errors
  INTEGER NOT NULL DEFAULT 0, uncached INTEGER NOT NULL DEFAULT 0, output INTEGER NOT NULL DEFAULT 0, cache_read
  INTEGER NOT NULL DEFAULT 0, write_5m INTEGER NOT NULL DEFAULT 0, write_1h INTEGER NOT NULL DEFAULT 0, cost INTEGER
  NOT NULL DEFAULT 0, untracked INTEGER NOT NULL DEFAULT 0, tool_calls INTEGER NOT NULL DEFAULT 0, tool_failures
  INTEGER NOT NULL DEFAULT 0, unpriced INTEGER NOT NULL DEFAULT 0, estimated INTEGER NOT NULL DEFAULT 0, client_priced
  INTEGER NOT NULL DEFAULT 0, incomplete INTEGER NOT NULL DEFAULT 0, understated INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (at, provider, model)) WITHOUT ROWID;
CREATE TABLE day_all (         -- a UTC day of all sessions of a provider
    at INTEGER NOT NULL, provider TEXT NOT NULL, model INTEGER NOT NULL, requests INTEGER NOT NULL DEFAULT 0, errors
  INTEGER NOT NULL DEFAULT 0, uncached INTEGER NOT NULL DEFAULT 0, output INTEGER NOT NULL DEFAULT 0, cache_read
  INTEGER NOT NULL DEFAULT 0, write_5m INTEGER NOT NULL DEFAULT 0, write_1h INTEGER NOT NULL DEFAULT 0, cost INTEGER
  NOT NULL DEFAULT 0, untracked INTEGER NOT NULL DEFAULT 0, tool_calls INTEGER NOT NULL DEFAULT 0, tool_failures
  INTEGER NOT NULL DEFAULT 0, unpriced INTEGER NOT NULL DEFAULT 0, estimated INTEGER NOT NULL DEFAULT 0, client_priced
  INTEGER NOT NULL DEFAULT 0, incomplete INTEGER NOT NULL DEFAULT 0, understated INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (at, provider, model)) WITHOUT ROWID;
CREATE TABLE quarter_tool (
  at INTEGER NOT NULL, session INTEGER NOT NULL, name TEXT NOT NULL,
  calls INTEGER NOT NULL, failures INTEGER NOT NULL,
  PRIMARY KEY (at, session, name)) WITHOUT ROWID;
CREATE TABLE day_tool (
  at INTEGER NOT NULL, session INTEGER NOT NULL, name TEXT NOT NULL,
  calls INTEGER NOT NULL, failures INTEGER NOT NULL,
  PRIMARY KEY (at, session, name)) WITHOUT ROWID;
