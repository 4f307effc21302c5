"""Histories of older versions become one of this version, with every row and every sum."""

import sqlite3
from pathlib import Path

import pytest
from support.worlds import PRICES

from aitop.history import columns, migrations, schema
from aitop.history.query import sums_since
from aitop.history.recovery import integrity, salvage
from aitop.history.store import History
from aitop.model.sums import Sum

OLD = Path(__file__).parent / "old"
VERSIONS = range(1, schema.VERSION)  # 1 and 2 are made of version 3's tables
LATENCIES = {
    "response": ("duration_ms", "ttft_ms", "billed"),
    "copy": ("duration_ms", "ttft_ms", "billed"),
    "session": ("timings",),
}


def shape(db):
    """Table → its columns' names, types and whether they must hold a value."""
    tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {t: {row[1:4] for row in db.execute(f"PRAGMA table_info({t})")} for t in tables}


def differences(older, fresh):
    """What a history that was led here has otherwise than a new one, as sentences."""
    have, wanted = shape(older), shape(fresh)
    sentences = []
    for table in sorted(have.keys() | wanted.keys()):
        ours, theirs = have.get(table, set()), wanted.get(table, set())
        for verb, columns_of in (("lacks", theirs - ours), ("has, unlike the other,", ours - theirs)):
            for name, kind, required in sorted(columns_of):
                sentences.append(f"{table} {verb} `{name}` {kind}{' NOT NULL' if required else ''}")
    return sentences


def indexes(db):
    return {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}


TABLES_OF_SUMS = ("session", "session_sum", "quarter", "day_sum", "quarter_all", "day_all")


def made(path, version):
    """A history as that version made it, with one session, one response and its sums."""
    tables = OLD / f"version{max(version, 3)}.sql"
    assert tables.exists(), (
        f"{tables.relative_to(OLD.parents[2])} is missing: check out the code before VERSION became {version + 1}, and "
        "there print schema.TABLES into it (CONTRIBUTING.md, Where a new number comes from)"
    )
    db = sqlite3.connect(path, isolation_level=None)
    if version >= 4:
        db.executescript((OLD / f"version{version}.sql").read_text() + OF_VERSION_4)
        db.execute(f"PRAGMA user_version = {version}")
        db.close()
        return
    db.executescript((OLD / "version3.sql").read_text())
    db.executescript(
        """
        INSERT INTO model VALUES (1, 'claude-opus-4-6');
        INSERT INTO file VALUES (1, 'claude-code', '/p/a.jsonl', 'a', NULL, 900, 1, 1, 10, 1, 10, 5, 0, NULL);
        INSERT INTO session (id, provider, name, cwd, branch, info_at, started_at, last_at, status_at, status_live,
          requests, uncached, output, cost, context_at)
          VALUES (1, 'claude-code', 'a', '/home/me/shop', 'main', 900, 900, 900, 0, 0, 1, 10, 20, 5000, 900);
        INSERT INTO response (id, session, at, model, uncached, output, cache_read, write_5m, write_1h, reasoning,
          searches, stop_reason, visible, file, end, cost, basis, incomplete, copies, message_id, request_id)
          VALUES (1, 1, 900, 1, 10, 20, 0, 0, 0, 0, 0, 'end_turn', 3, 1, 10, 5000, 0, 0, 0, 'msg_01A', 'req_01B');
        INSERT INTO alias VALUES (7, 1);
        INSERT INTO quarter VALUES (900, 1, 1, 1, 0, 10, 20, 0, 0, 0, 5000, 0, 0, 0, 0);
        INSERT INTO day_sum VALUES (0, 1, 1, 1, 0, 10, 20, 0, 0, 0, 5000, 0, 0, 0, 0);
        """
    )
    if version < 3:
        for table, columns in LATENCIES.items():
            for column in columns:
                db.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    if version < 2:
        db.execute("DROP TABLE day_sum")
        db.execute("DROP TABLE day_tool")
    db.execute(f"PRAGMA user_version = {version}")
    db.close()


OF_VERSION_4 = """
INSERT INTO model VALUES (1, 'claude-opus-4-6');
INSERT INTO place VALUES (1, '/home/me/shop', 'main');
INSERT INTO file VALUES (1, 'claude-code', '/p/a.jsonl', 'a', NULL, 900, 1, 1, 10, 1, 10, 5, 0, NULL);
INSERT INTO session (id, provider, name, cwd, branch, info_at, started_at, last_at, status_at, status_live,
  requests, uncached, output, cost, context_at)
  VALUES (1, 'claude-code', 'a', '/home/me/shop', 'main', 900, 900, 900, 0, 0, 1, 10, 20, 5000, 900);
INSERT INTO response (id, session, at, model, uncached, output, cache_read, write_5m, write_1h, reasoning,
  searches, stop_reason, visible, file, end, place, cost, basis, incomplete, copies, message_key, request_key)
  VALUES (1, 1, 900, 1, 10, 20, 0, 0, 0, 0, 0, 'end_turn', 3, 1, 10, 1, 5000, 0, 0, 0, 7, 8);
INSERT INTO alias VALUES (7, 1);
INSERT INTO quarter (at, session, model, place, requests, uncached, output, cost)
  VALUES (900, 1, 1, 1, 1, 10, 20, 5000);
INSERT INTO day_sum (at, session, model, place, requests, uncached, output, cost) VALUES (0, 1, 1, 1, 1, 10, 20, 5000);
INSERT INTO session_sum (session, model, place, requests, uncached, output, cost) VALUES (1, 1, 1, 1, 10, 20, 5000);
INSERT INTO quarter_all (at, provider, model, requests, uncached, output, cost)
  VALUES (900, 'claude-code', 1, 1, 10, 20, 5000);
INSERT INTO day_all (at, provider, model, requests, uncached, output, cost)
  VALUES (0, 'claude-code', 1, 1, 10, 20, 5000);
"""


@pytest.fixture(params=VERSIONS)
def older(tmp_path, request):
    path = str(tmp_path / "history.db")
    made(path, request.param)
    db = schema.connect(path)
    yield db
    db.close()


def test_an_older_history_gets_the_tables_of_a_new_one(older, tmp_path):
    fresh = schema.connect(str(tmp_path / "fresh.db"))
    assert differences(older, fresh) == [], (
        f"a history led to version {schema.VERSION} and a new one: see `STEPS` of aitop/history/migrations.py, and "
        "whether `VERSION` of aitop/history/schema.py was raised"
    )
    assert indexes(older) == indexes(fresh)
    fresh.close()


def test_an_older_history_keeps_its_sums(older):
    expected = Sum(requests=1, uncached_input_tokens=10, output_tokens=20, cost=5000)
    assert sums_since.since(older, 0) == expected
    assert History(older, PRICES).session("claude-code", "a").total == expected


@pytest.mark.parametrize("version", VERSIONS[2:-1])
def test_each_step_leads_to_the_tables_that_its_version_had(tmp_path, version):
    """A step that took its tables from the newest version would make a later column, which a later step adds again."""
    made(str(tmp_path / "old.db"), version)
    old = sqlite3.connect(tmp_path / "old.db", isolation_level=None)
    migrations.prepare(old)
    old.executescript(migrations.STEPS[version])
    was = sqlite3.connect(":memory:")
    was.executescript((OLD / f"version{version + 1}.sql").read_text())
    assert differences(old, was) == []
    assert indexes(old) == indexes(was)
    old.close()
    was.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_column_may_be_added_to_the_tables_of_sums_in_a_next_version(tmp_path, monkeypatch, version):
    added = "".join(f"ALTER TABLE {t} ADD COLUMN more INTEGER NOT NULL DEFAULT 0;" for t in TABLES_OF_SUMS)
    newest = schema.VERSION
    monkeypatch.setitem(migrations.STEPS, newest, added)
    monkeypatch.setattr(schema, "VERSION", newest + 1)
    path = str(tmp_path / "history.db")
    made(path, version)
    db = schema.connect(path)
    for table in TABLES_OF_SUMS:
        assert db.execute(f"SELECT more FROM {table}").fetchall() == [(0,)]
    db.close()


# -- a damaged history of an older version ------------------------------------------------------------------------

# What a sum of it is of, besides the summed columns.
KEPT = {
    "session": {"id": 1, "provider": "claude-code", "name": "a", "last_at": 900.0, "requests": 1, "uncached": 10,
                "output": 20, "cost": 5000},
    "response": {"id": 1, "session": 1, "at": 900.0, "model": 1, "uncached": 10, "output": 20, "cost": 5000},
    "quarter": {"at": 900, "session": 1, "model": 1, "requests": 1, "uncached": 10, "output": 20, "cost": 5000},
    "file": {"id": 1, "path": "/p/a.jsonl", "offset": 10},
    "model": {"id": 1, "name": "claude-opus-4-6"},
    "alias": {"key": 7, "response": 1},
}  # fmt: skip
LATER_HINT = "a column that this version added is not in `LATER` of aitop/history/recovery/salvage.py"


@pytest.mark.parametrize("version", VERSIONS)
def test_the_rows_of_a_damaged_older_history_are_read_into_the_columns_of_this_version(tmp_path, version):
    """What restores a history reads the damaged one as it is: no step has led it to this version."""
    made(str(tmp_path / "old.db"), version)
    damaged = salvage.open_damaged(str(tmp_path / "old.db"), latest=1000.0)
    for table, wanted in KEPT.items():
        rows = list(damaged.rows(table))
        assert [{name: row[name] for name in wanted} for row in rows] == [wanted], f"{table}: {LATER_HINT}"
        assert set(rows[0]) == set(salvage.expected(table))
    assert damaged.holes == set()
    damaged.close()


# `incomplete` is a mark in the one and a number of marks in the other.
IN_BOTH = sorted(
    set(salvage.expected("response")) & {sql for sql, _ in columns.STORED} - {"incomplete"}
)  # fmt: skip


@pytest.mark.parametrize("column", IN_BOTH)
def test_a_number_of_a_response_that_changed_by_itself_is_found(tmp_path, column):
    """One that its quarter hour holds too; a flipped bit is no error to SQLite."""
    made(str(tmp_path / "history.db"), schema.VERSION - 1)
    db = schema.connect(str(tmp_path / "history.db"))
    assert integrity.problem(db) is None
    db.execute(f"UPDATE response SET {column} = ifnull({column}, 0) + 1")
    assert integrity.problem(db) == "quarter hours and responses disagree", (
        f"`{column}` is not in `_COUNTS` of aitop/history/recovery/integrity.py"
    )
    db.close()
