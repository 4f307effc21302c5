"""How an older history becomes one of this version: the statements that lead from each version to the next.

They say what a version was when it was current, so they name their columns themselves and are never changed.
`schema.connect` runs them in one transaction, after a backup.
"""

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

_SPENT = "".join(
    f"ALTER TABLE {table} ADD COLUMN {column} INTEGER NOT NULL DEFAULT 0;\n"
    for table in ("session", "quarter", "day_sum")
    for column in ("untracked", "client_priced")
)

# version → the statements that lead from it to the next one
MIGRATIONS: dict[int, str] = {1: _DAYS + _FILL_DAYS, 2: _TIMINGS, 3: _SPENT}
