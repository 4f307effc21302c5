"""Copilot Chat in VS Code: a row of its traces is one call, read once and never twice, without its contents."""

import math
import sqlite3

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from support.desk import START, Desk
from support.examples import examples

from aitop.model.events import Response
from aitop.providers import Source
from aitop.providers.copilot_chat import provider, traces

SESSION, MODEL = "c0ffee00-0000-4000-8000-000000000001", "gpt-5.1-codex"
SECRET = "SECRET-91c2"
TABLES = """
CREATE TABLE schema_version (version INTEGER NOT NULL);
CREATE TABLE spans (
  span_id TEXT PRIMARY KEY, trace_id TEXT NOT NULL, parent_span_id TEXT, name TEXT NOT NULL,
  start_time_ms INTEGER NOT NULL, end_time_ms INTEGER NOT NULL, status_code INTEGER NOT NULL DEFAULT 0,
  status_message TEXT, operation_name TEXT, provider_name TEXT, agent_name TEXT, conversation_id TEXT,
  request_model TEXT, response_model TEXT, input_tokens INTEGER, output_tokens INTEGER, cached_tokens INTEGER,
  reasoning_tokens INTEGER, tool_name TEXT, tool_call_id TEXT, tool_type TEXT, chat_session_id TEXT,
  turn_index INTEGER, ttft_ms REAL);
CREATE TABLE span_attributes (span_id TEXT NOT NULL, key TEXT NOT NULL, value TEXT, PRIMARY KEY (span_id, key));
"""


class Database:
    """The database as the extension keeps it: write-ahead log, rows only added."""

    def __init__(self, tmp_path):
        self.path = tmp_path / "Code" / "User" / "globalStorage" / "github.copilot-chat" / "agent-traces.db"
        self.path.parent.mkdir(parents=True)
        self.db = sqlite3.connect(self.path, isolation_level=None)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.executescript(TABLES)

    def span(self, number, operation="chat", at=0.0, attributes=(), **more):
        row = {"span_id": f"{number:016x}", "trace_id": f"{7:032x}", "name": SECRET, "operation_name": operation,
               "start_time_ms": int((START + at) * 1000), "end_time_ms": int((START + at + 2) * 1000),
               "conversation_id": SESSION, "status_message": SECRET, **more}  # fmt: skip
        marks = ", ".join("?" * len(row))
        self.db.execute(
            f"INSERT OR REPLACE INTO spans ({', '.join(row)}) VALUES ({marks})", list(row.values())
        )
        for key, value in {"gen_ai.input.messages": SECRET, **dict(attributes)}.items():
            self.db.execute(
                "INSERT OR REPLACE INTO span_attributes VALUES (?, ?, ?)", (row["span_id"], key, value)
            )

    def call(self, number, at=0.0, given=9000, cached=6000, output=50, attributes=(), **more):
        self.span(number, "chat", at, attributes, request_model=MODEL, response_model=MODEL, input_tokens=given,
                  cached_tokens=cached, output_tokens=output, reasoning_tokens=20, ttft_ms=250.0, **more)  # fmt: skip


@pytest.fixture
def database(tmp_path):
    made = Database(tmp_path)
    yield made
    made.db.close()


@pytest.fixture
def desk(tmp_path, database):  # noqa: ARG001
    return Desk(provider, *provider.folders([str(tmp_path / "Code")], {}))


def test_each_call_is_one_response_and_the_agents_sum_is_none(database, desk):
    database.span(1, "invoke_agent", input_tokens=18_000, output_tokens=100)
    database.call(2, attributes={"gen_ai.usage.cache_creation.input_tokens": "500"})
    database.call(3, 3)
    total = desk.read().total(SESSION)
    assert (total.requests, total.uncached_input_tokens, total.cache_read_tokens) == (2, 5500, 12_000)
    assert (total.cache_write_5m_tokens, total.output_tokens) == (500, 100)


def test_only_new_rows_are_read_and_those_of_a_database_in_its_place_from_the_start(database, desk):
    database.call(1)
    database.call(2, 3)
    desk.read()
    database.call(3, 6)
    (file,) = desk.history.files.values()
    (parsed,) = list(provider.read(str(database.path), provider.identify("")._replace(pending=file.pending)))
    assert sum(hasattr(one, "usage") for one in parsed.events) == 1
    (parsed,) = list(provider.read(str(database.path), provider.identify("")._replace(pending="3:another")))
    assert sum(hasattr(one, "usage") for one in parsed.events) == 3
    assert desk.read().total(SESSION).requests == 3


def test_rows_that_the_extension_removes_stay_counted(database, desk):
    database.call(1)
    desk.read()
    database.db.execute("DELETE FROM spans")
    database.call(2, 9)
    assert desk.read().total(SESSION).requests == 2


def test_many_rows_come_in_batches(database, desk):
    for number in range(traces.ROWS_A_BATCH + 5):
        database.call(number, number)
    assert desk.read().total(SESSION).requests == traces.ROWS_A_BATCH + 5


def test_tools_failures_and_credits(database, desk):
    database.call(1, attributes={"copilot_chat.copilot_usage_nano_aiu": "2500000000"})
    database.span(2, "execute_tool", 3, tool_name="read_file", tool_call_id="call_1", status_code=2)
    database.span(3, "chat", 5, request_model=MODEL, status_code=2)
    assert desk.read().tools() == [("read_file", 1)]
    assert desk.total(SESSION).errors == 1
    (parsed,) = list(provider.read(str(database.path), provider.identify("")))
    (response,) = (one for one in parsed.events if hasattr(one, "usage"))
    assert (response.client_usd, response.duration_ms, response.ttft_ms) == (pytest.approx(0.025), 2000, 250)


@pytest.mark.parametrize("agent", ["copilotcli", "Claude", "Codex agent"])
def test_agents_with_records_of_their_own_are_left_to_them(database, desk, agent):
    database.call(1, agent_name=agent)
    database.call(2, 3, agent_name="GitHub Copilot Chat")
    assert desk.read().total(SESSION).requests == 1


def test_no_content_is_taken(database):
    database.call(1)
    database.span(2, "execute_tool", 3, tool_name="read_file")
    assert SECRET not in repr(list(provider.read(str(database.path), provider.identify(""))))


VALUES = st.one_of(
    st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.text(max_size=6), st.binary(max_size=6)
)  # fmt: skip
NAMES = [name for name in traces.COLUMNS if name not in ("rowid", "span_id")]


@examples(60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6), st.sampled_from(traces.ATTRIBUTES), VALUES
)
def test_no_value_whatsoever_breaks_it(database, row, key, value):
    database.db.executescript("DELETE FROM spans; DELETE FROM span_attributes;")
    kept = {name: one for name, one in row.items() if one is not None}
    database.span(1, **{"request_model": MODEL, "input_tokens": 9, **kept}, attributes={key: value})
    for parsed in traces.read(str(database.path), Source(None, None)):
        for event in parsed.events:
            if isinstance(event, Response):
                assert min(event.usage[:6]) >= 0
                assert math.isfinite(event.at)


def test_unknown_tables_are_named_and_never_nothing(tmp_path, database, desk):
    database.db.execute("ALTER TABLE spans RENAME COLUMN input_tokens TO tokens_in")
    desk.read()
    assert "input_tokens" in desk.ingest.unreadable[str(database.path)]


def test_its_database_is_found_in_each_editor():
    found = provider.folders([], {"HOME": "/u", "XDG_CONFIG_HOME": "/c"})
    assert "/c/Code/User/globalStorage/github.copilot-chat/agent-traces.db" in found or found[0].startswith(
        "/u/L"
    )
    assert "/u/.vscode-server/data/User/globalStorage/github.copilot-chat/agent-traces.db" in found
