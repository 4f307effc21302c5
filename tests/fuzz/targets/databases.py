"""Clients' databases: rows with any value in any column, and files that are damaged.

A seed says which rows each table holds, `{"table": [{"column": value}]}`; what is no scalar is stored as JSON, as the
clients store it. The tables are those the clients make.
"""

import json
import os
import sqlite3
import tempfile
from random import Random
from typing import Any

from aitop.providers import Source
from aitop.providers.load import load

from .. import corpus, mutate
from ..book import Book
from .records import START

HEAD = b"SQLite format 3\0"  # an input that begins so is a whole file
TABLES = {
    "opencode-database": """
        CREATE TABLE session (id, parent_id, directory, cost, time_updated, time_created);
        CREATE TABLE message (id, session_id, time_created, time_updated, data);
        CREATE TABLE part (id, message_id, session_id, time_updated, data);
        CREATE TABLE session_v2 (id, parent_id, directory, version, time_created, time_updated);
        CREATE TABLE session_message (id, session_id, type, seq, time_created, time_updated, data);""",
    "copilot-chat": """
        CREATE TABLE spans (span_id, trace_id, start_time_ms, end_time_ms, status_code, operation_name, agent_name,
          conversation_id, chat_session_id, request_model, response_model, input_tokens, output_tokens, cached_tokens,
          reasoning_tokens, tool_name, tool_call_id, ttft_ms);
        CREATE TABLE span_attributes (span_id, key, value);""",
}
FILES = {
    "opencode-database": ("opencode", "opencode.db"),
    "copilot-chat": ("copilot-chat", "agent-traces.db"),
}  # the provider, and the file's name


class Rows:
    """A provider's database, made anew for each input."""

    def __init__(self, name: str) -> None:
        self.name, self.now = name, START + 20
        self.client, file = FILES[name]
        guarded, _ = load()
        self.provider = next(one._provider for one in guarded if one.name == self.client)  # noqa: SLF001 - without its guard
        self.folder = tempfile.TemporaryDirectory(prefix="aitop-fuzz-")
        self.path = os.path.join(self.folder.name, file)
        self.seeds = corpus.documents(name)
        self.images = [self._image(seed) for seed in self.seeds]
        self.book: Book | None = None
        self.fresh()

    def fresh(self) -> None:
        if self.book is not None:
            self.book.close()
        self.book = Book(self.now)
        self.source: Source = self.provider.identify(self.path)

    def close(self) -> None:
        if self.book is not None:
            self.book.close()
            self.book = None
        self.folder.cleanup()

    def make(self, random: Random) -> bytes:
        if random.random() < 0.1:
            image = random.choice(self.images)
            return HEAD + mutate.battered(image[len(HEAD) :], random)
        return mutate.document(self.seeds, random)

    def check(self, data: bytes) -> None:
        assert self.book is not None
        self.write(data)
        try:
            for parsed in self.provider.read(self.path, self.source):
                self.book.parsed(self.client, self.path, parsed, data)
                if parsed.pending is not None:
                    self.source = self.source._replace(pending=parsed.pending)
        except OSError:
            pass  # a damaged file is named, and not read

    def write(self, data: bytes) -> None:
        """Put the database of an input in its place."""
        with open(self.path, "wb") as file:
            file.write(data if data.startswith(HEAD) else self._image(_value(data)))

    def settle(self) -> None:
        assert self.book is not None
        self.book.publish()

    def _image(self, value: Any) -> bytes:
        """The bytes of a database with these rows."""
        db = sqlite3.connect(":memory:")
        try:
            db.executescript(TABLES[self.name])
            names = [row[0] for row in db.execute("SELECT name FROM sqlite_master")]
            for table in names:
                rows = value.get(table) if isinstance(value, dict) else None
                columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
                for row in rows if isinstance(rows, list) else ():
                    if isinstance(row, dict):
                        marks = ", ".join("?" * len(columns))
                        db.execute(
                            f"INSERT INTO {table} VALUES ({marks})", [_stored(row.get(c)) for c in columns]
                        )
            return db.serialize()
        finally:
            db.close()


def _value(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _stored(value: Any) -> Any:
    """A value as SQLite can hold it: what is no scalar as JSON, what is no text as bytes."""
    if isinstance(value, dict | list):
        try:
            value = json.dumps(value, ensure_ascii=False)
        except RecursionError:
            return None
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return value.encode("utf-8", "surrogatepass")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return str(value)[:4000] if value.bit_length() < 10_000 else None
    return value
