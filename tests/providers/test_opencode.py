"""OpenCode: its database is read beside its writer, its older documents once."""

import json
import sqlite3
import time

import pytest
from support.desk import Desk, write
from support.opencode_records import CHILD, MODEL, SESSION, TABLES, TABLES_OF_TWO, Client, ms, said, tokens

from aitop.model.events import ApiError, Response
from aitop.model.sums import Sum
from aitop.providers import Source
from aitop.providers.opencode import message as messages
from aitop.providers.opencode import provider


@pytest.fixture
def client(tmp_path):
    found = Client(tmp_path / "data" / "opencode.db")
    yield found
    found.db.close()


@pytest.fixture
def desk(tmp_path, client):
    return Desk(provider, *provider.folders([str(tmp_path / "data")], {}))


def test_input_is_beside_the_cache_and_reasoning_is_paid_as_output(client, desk):
    client.message()
    total = desk.read().total(SESSION)
    assert (total.requests, total.uncached_input_tokens, total.cache_read_tokens, total.output_tokens) == (
        1,
        200,
        1000,
        100,
    )
    assert desk.cost(SESSION) == pytest.approx((200 * 1.25 + 1000 * 0.125 + 100 * 10) / 1e6)


def test_what_is_only_in_the_write_ahead_log_is_seen(client, desk):
    client.message()
    assert desk.read().total(SESSION).requests == 1
    client.message("m2", at=10)
    assert desk.read().total(SESSION).requests == 2


def test_a_change_of_the_log_alone_is_found_by_its_path(tmp_path, client, desk):
    desk.read()
    client.message()
    assert desk.ingest.look(str(tmp_path / "data" / "opencode.db-wal"), time.time())
    assert desk.ingest.waiting


def test_only_what_changed_is_read_again(client, desk):
    for number in range(5):
        client.message(f"m{number}", at=number * 3600)
    desk.read()
    client.message("m9", at=9 * 3600)
    asked = list(provider.read(str(desk.ingest.folders[0][1]), pending(desk)))
    told = [event.message_id for event in asked[0].events if hasattr(event, "message_id")]
    assert told == ["m4", "m9"]  # the newest of last time once more: it may have been seen half way


def pending(desk):
    (file,) = desk.history.files.values()
    return Source(None, None, file.pending)


def test_a_message_that_grows_is_one_response(client, desk):
    client.message(data=said(completed=False, used=tokens(output=1, reasoning=0)))
    assert desk.read().total(SESSION).output_tokens == 1
    client.message()
    assert (desk.read().total(SESSION).requests, desk.total(SESSION).output_tokens) == (1, 100)


def test_every_step_of_a_message_is_one_response(client, desk):
    client.part("p1", type="step-finish", reason="tool-calls", tokens=tokens(100))
    client.part("p2", type="step-finish", reason="stop", tokens=tokens(300))
    client.message(data=said(used=tokens(300)))
    total = desk.read().total(SESSION)
    assert (total.requests, total.uncached_input_tokens) == (2, 400)
    assert desk.session(SESSION).stop_reasons == {"tool-calls": 1, "stop": 1}


def test_a_sub_agents_session_counts_to_the_one_that_started_it(client, desk):
    client.session(CHILD, parent=SESSION)
    client.message()
    client.message("m2", session=CHILD, at=5)
    session = desk.read().session(SESSION)
    assert (list(desk.totals()), session.total.requests, session.agents) == ([SESSION], 2, {CHILD})


def test_tools_tell_their_name_their_time_and_their_failure(client, desk):
    state = {"status": "error", "time": {"start": ms(1), "end": ms(2)}}
    client.part("p1", type="tool", tool="bash", callID="call_0", state=state)
    client.message()
    desk.read()
    assert desk.tools() == [("bash", 1)]
    assert [latency[2] for latency in desk.changes.latencies] == [1000]


def test_its_own_cost_of_each_response_is_told_and_0_is_unknown(client, desk):
    client.part("p1", type="step-finish", reason="tool-calls", tokens=tokens(100), cost=0.01)
    client.part("p2", type="step-finish", reason="stop", tokens=tokens(300), cost=0)
    client.message(data=said(cost=0.01))
    assert [one.client_usd for one in responses(desk)] == [0.01, None]
    assert desk.read().session(SESSION).client_cost is None  # its total holds nothing beyond its messages


def responses(desk):
    """What the database says, read from its beginning."""
    batches = provider.read(str(desk.ingest.folders[0][1]), Source(None, None))
    return [event for batch in batches for event in batch.events if isinstance(event, Response)]


def test_a_failed_request_is_an_error_and_an_abort_is_none():
    owner = messages.Owner(SESSION)
    failed = said(error={"name": "APIError"}, used=tokens(0, 0, 0, 0))
    assert [type(one) for one in messages.events("m", failed, owner, [])] == [ApiError]
    aborted = said(error={"name": "MessageAbortedError"}, used=tokens(0, 0, 0, 0))
    assert messages.events("m", aborted, owner, []) == []


def test_a_large_database_is_told_in_slices_and_only_the_last_moves_on(client, desk):
    for number in range(450):
        client.message(f"m{number}", at=number)
    batches = list(provider.read(str(desk.ingest.folders[0][1]), provider.identify("opencode.db")))
    assert [len(batch.events) > 200 for batch in batches] == [True, True, False, False]
    assert [batch.pending for batch in batches[:-1]] == ["0", "0", "0"]
    assert desk.read().total(SESSION).requests == 450


def test_a_database_that_cannot_be_read_is_named_and_tried_again(tmp_path, client, desk):
    client.db.execute("DROP TABLE part")
    client.message()
    desk.read()
    (why,) = desk.ingest.unreadable.values()
    assert why == "unknown format: its tables (message, session) are not those of OpenCode 1 or 2"
    assert desk.provider.problem is None
    client.db.executescript(TABLES.splitlines()[-1])
    client.message("m2", at=9)
    assert desk.read().total(SESSION).requests == 2


def document(tmp_path, name, session=SESSION, at=0.0, **more):
    folder = tmp_path / "data" / "storage" / "message" / session
    data = said(at) | {"id": name, "sessionID": session} | more
    write(str(folder / f"{name}.json"), json.dumps(data, indent=1).encode())


def test_older_documents_count_once_beside_the_database(tmp_path, client, desk):
    document(tmp_path, "m0", at=60)
    document(tmp_path, "m1")
    client.message("m1")
    assert desk.read().total(SESSION).requests == 2


@pytest.mark.parametrize("database_first", [True, False])
def test_the_steps_of_a_message_outrank_its_document(tmp_path, client, desk, database_first):
    if not database_first:
        document(tmp_path, "m1", tokens=tokens(300))
        assert desk.read().total(SESSION).requests == 1
    client.part("p1", type="step-finish", reason="tool-calls", tokens=tokens(100))
    client.part("p2", type="step-finish", reason="stop", tokens=tokens(300))
    client.message(data=said(used=tokens(300)))
    desk.read()
    document(tmp_path, "m1", tokens=tokens(300))
    total = desk.read().total(SESSION)
    assert (total.requests, total.uncached_input_tokens) == (2, 400)


def test_a_message_without_steps_that_gets_some_is_still_one_response(client, desk):
    client.message()
    assert desk.read().total(SESSION).requests == 1
    client.part("p1", type="step-finish", reason="stop", tokens=tokens())
    client.message(data=said(used=tokens()))
    assert desk.read().total(SESSION).requests == 1


# -- forks -------------------------------------------------------------------------------------------------------


def fork(client, name, names, at):
    """A session that begins with copies of messages under new ids, each with its step and its tool."""
    client.session(name, at=at)
    for number, message in enumerate(names):
        state = {"status": "completed", "time": {"start": ms(number * 60), "end": ms(number * 60 + 1)}}
        client.part(f"tool-{message}", message, type="tool", tool="bash", callID="call_1", state=state)
        client.part(f"step-{message}", message, type="step-finish", reason="stop", tokens=tokens(), cost=0.02)
        client.message(message, said(number * 60, cost=0.02), at=at + number, session=name)


def test_a_fork_counts_what_is_its_own_and_the_original_the_rest(client, desk):
    fork(client, SESSION, ["a1", "a2"], 0)
    fork(client, "ses_fork", ["b1", "b2", "b3"], 500)
    fork(client, "ses_aaa_fork_of_the_fork", ["c1", "c2", "c3", "c4"], 900)
    client.db.execute(
        "UPDATE session SET time_updated = ? WHERE id = ?", (ms(9000), SESSION)
    )  # it moved last
    desk.read()
    assert {name: total.requests for name, total in desk.totals().items()} == {
        SESSION: 2, "ses_fork": 1, "ses_aaa_fork_of_the_fork": 1,
    }  # fmt: skip
    assert desk.tools() == [("bash", 0)] * 4


def test_a_fork_that_is_read_later_counts_the_same(client, desk):
    fork(client, SESSION, ["a1", "a2"], 0)
    desk.read()
    fork(client, "ses_fork", ["b1", "b2", "b3"], 500)
    desk.read()
    assert {name: total.requests for name, total in desk.totals().items()} == {SESSION: 2, "ses_fork": 1}


def test_a_fork_among_the_older_documents_counts_to_the_original(tmp_path, client, desk):
    def identity(at):
        return f"msg_{(ms(at) * 4096) % (1 << 48):012x}abcdefghijklmn"

    for at in (0, 60):
        document(tmp_path, identity(at), "ses_b", at)
        document(tmp_path, identity(500 + at), "ses_a", at)  # the client's newer sessions sort first
    found = {name: total.requests for name, total in desk.read().totals().items() if any(total)}
    assert found == {"ses_b": 2}


def test_two_messages_with_equal_tokens_are_two(client, desk):
    for number in range(3):
        client.message(f"m{number}", said(number * 60, cost=0.02), at=number * 60)
    assert desk.read().total(SESSION).requests == 3


@pytest.mark.parametrize("odd", [{}, {"completed": None}, {"created": "x", "completed": "y"}, None])
def test_a_message_that_is_not_finished_has_no_name_of_its_content(odd):
    assert messages.content_name(said() | {"time": odd}) is None


# -- OpenCode 2 --------------------------------------------------------------------------------------------------


def second(client, name="m1", at=0.0, session=SESSION, kind="assistant", **more):
    """A message of OpenCode 2: its role in a column, its model in an object, its tools among its contents."""
    client.db.executescript(TABLES_OF_TWO)
    row = (session, None, "/work/shop", "2.0.8", ms(0), ms(at + 9))
    client.db.execute("INSERT OR REPLACE INTO session_v2 VALUES (?, ?, ?, ?, ?, ?)", row)
    tool = {"type": "tool", "id": "call_1", "name": "bash", "state": {"status": "error"},
            "time": {"created": ms(at), "ran": ms(at + 1), "completed": ms(at + 2)}}  # fmt: skip
    time = {"created": ms(at), "completed": ms(at + 4)}
    data = {"model": {"id": MODEL, "providerID": "openai"}, "cost": 0.02, "finish": "stop", "tokens": tokens(),
            "content": [{"type": "text", "text": "x"}, tool], "time": time}  # fmt: skip
    row = (name, session, kind, 1, ms(at), ms(at + 4), json.dumps(data | more))
    client.db.execute("INSERT OR REPLACE INTO session_message VALUES (?, ?, ?, ?, ?, ?, ?)", row)


def test_the_tables_of_opencode_2_are_read(client, desk):
    second(client)
    total = desk.read().total(SESSION)
    assert (total.requests, total.uncached_input_tokens, total.output_tokens) == (1, 200, 100)
    assert (desk.session(SESSION).model, desk.session(SESSION).cwd) == (MODEL, "/work/shop")
    assert desk.tools() == [("bash", 1)]
    assert desk.ingest.unreadable == {}


def test_a_message_in_the_tables_of_both_versions_is_one_response(client, desk):
    client.part("p1", type="step-finish", reason="stop", tokens=tokens(), cost=0.02)
    client.message("m1", said(cost=0.02))
    second(client, "m1")
    second(client, "copied", at=0)
    second(client, "m2", at=60)
    assert desk.read().total(SESSION).requests == 2


def test_of_opencode_2_too_only_what_changed_is_read_again(client, desk):
    second(client)
    second(client, "m2", at=1800)
    desk.read()
    second(client, "m3", at=5400)
    told = [one.message_id for batch in provider.read(str(desk.ingest.folders[0][1]), pending(desk))
            for one in batch.events if isinstance(one, Response)]  # fmt: skip
    assert told == ["m2", "m3"]


def test_a_message_without_the_role_of_an_assistant_is_no_response(client, desk):
    second(client, kind="user")
    assert desk.read().totals() == {SESSION: Sum()}


UNKNOWN_TABLES = ("CREATE TABLE session_v3 (id TEXT, version TEXT, time_updated INTEGER)",
                  "INSERT INTO session_v3 VALUES ('s', '3.1.4', 9)")  # fmt: skip


def test_tables_that_nobody_knows_are_named_beside_those_that_are_read(client, desk):
    client.message()
    for statement in UNKNOWN_TABLES:
        client.db.execute(statement)
    assert desk.read().total(SESSION).requests == 1
    assert list(desk.ingest.unreadable.values()) == [
        "unknown format: its tables (session_v3) are not those of OpenCode 1 or 2 (written by version 3.1.4)"
    ]
    assert not desk.read().ingest.waiting


def test_a_database_of_other_tables_is_a_problem_and_an_empty_one_is_none(tmp_path, client, desk):
    other = sqlite3.connect(tmp_path / "data" / "opencode-next.db")
    folders = provider.folders([str(tmp_path / "data")], {})
    desk = Desk(provider, *folders)
    assert desk.read().ingest.unreadable == {}
    other.execute("CREATE TABLE chats (id TEXT)")
    other.close()
    assert list(desk.read().ingest.unreadable.values()) == [
        "unknown format: its tables are not those of OpenCode 1 or 2"
    ]


def test_a_problem_is_found_again_after_a_restart(tmp_path, client, desk):
    for statement in UNKNOWN_TABLES:
        client.db.execute(statement)
    desk.read()
    again = Desk(provider, *provider.folders([str(tmp_path / "data")], {}))
    again.history, again.ingest.history = desk.history, desk.history
    assert again.read().ingest.unreadable == desk.ingest.unreadable != {}


# -- where -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("named", "path"),
    [
        ("/elsewhere/oc.db", "/elsewhere/oc.db"),
        ("mine.db", "/h/.local/share/opencode/mine.db"),
        (":memory:", None),
        ("", None),
    ],
)
def test_the_variable_names_one_more_database(named, path):
    usual = provider.folders([], {"HOME": "/h"})
    found = provider.folders([], {"HOME": "/h", "OPENCODE_DB": named})
    assert found == usual + ([path] if path else [])


def test_a_database_of_any_name_is_followed_where_the_variable_names_it(tmp_path):
    client = Client(tmp_path / "elsewhere" / "oc.db")
    path = str(tmp_path / "elsewhere" / "oc.db")
    desk = Desk(provider, *provider.folders([], {"HOME": str(tmp_path), "OPENCODE_DB": path}))
    assert desk.read().total(SESSION).requests == 0
    client.message()
    assert desk.ingest.look(path + "-wal", time.time())
    assert desk.read().total(SESSION).requests == 1
    client.db.close()


def test_the_users_files_in_its_data_folder_are_not_looked_at():
    assert not provider.wants("/h/.local/share/opencode/auth.json")
    assert not provider.wants("/h/.local/share/opencode/snapshot/x.db")
