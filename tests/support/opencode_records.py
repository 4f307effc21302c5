"""OpenCode's tables and messages as the client writes them."""

import json
import sqlite3

from support.desk import START

SESSION, CHILD = "ses_main", "ses_child"


MODEL = "gpt-5.1-codex"


TABLES = """
CREATE TABLE session (id TEXT PRIMARY KEY, parent_id TEXT, directory TEXT, cost REAL DEFAULT 0, time_updated INTEGER,
  time_created INTEGER DEFAULT 0);
CREATE TABLE message (id TEXT PRIMARY KEY, session_id TEXT, time_created INTEGER, time_updated INTEGER, data TEXT);
CREATE TABLE part (id TEXT PRIMARY KEY, message_id TEXT, session_id TEXT, time_updated INTEGER, data TEXT);
"""

TABLES_OF_TWO = """
CREATE TABLE IF NOT EXISTS session_v2 (id TEXT PRIMARY KEY, parent_id TEXT, directory TEXT, version TEXT,
  time_created INTEGER, time_updated INTEGER);
CREATE TABLE IF NOT EXISTS session_message (id TEXT PRIMARY KEY, session_id TEXT, type TEXT, seq INTEGER,
  time_created INTEGER, time_updated INTEGER, data TEXT);
"""


def ms(at):
    return int((START + at) * 1000)


def tokens(given=200, output=90, reasoning=10, read=1000, written=0):
    return {
        "input": given,
        "output": output,
        "reasoning": reasoning,
        "cache": {"read": read, "write": written},
    }


def said(at=0.0, completed=True, used=None, **more):
    time = {"created": ms(at)} | ({"completed": ms(at + 4)} if completed else {})
    return {"role": "assistant", "cost": 0, "tokens": used or tokens(), "modelID": MODEL, "providerID": "openai",
            "time": time, "path": {"cwd": "/work/shop"}, **({"finish": "stop"} if completed else {}), **more}  # fmt: skip  # noqa: E501


class Client:
    """A database as OpenCode keeps it, with its connection open."""

    def __init__(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA wal_autocheckpoint = 0")
        self.db.executescript(TABLES)
        self.session()

    def session(self, name=SESSION, parent=None, at=0.0, cost=0.0):
        row = (name, parent, "/work/shop", cost, ms(at), ms(at))
        self.db.execute("INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?, ?, ?)", row)

    def message(self, name="m1", data=None, at=0.0, session=SESSION):
        row = (name, session, ms(at), ms(at + 4), json.dumps(data or said(at)))
        self.db.execute("INSERT OR REPLACE INTO message VALUES (?, ?, ?, ?, ?)", row)
        self.db.execute("UPDATE session SET time_updated = ? WHERE id = ?", (ms(at + 5), session))

    def part(self, name, message="m1", **data):
        self.db.execute(
            "INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?, ?)",
            (name, message, SESSION, 0, json.dumps(data)),
        )
