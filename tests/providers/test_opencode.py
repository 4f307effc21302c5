"""OpenCode: its database is read beside its writer, its older documents once."""

import json
import time

import pytest
from support.desk import Desk, write
from support.opencode_records import CHILD, MODEL, SESSION, TABLES, Client, ms, said, tokens

from aitop.model.events import ApiError
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
    from aitop.providers import Source

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


def test_its_own_cost_is_kept_beside_ours(client, desk):
    client.message()
    client.session(cost=0.02, at=9)
    session = desk.read().session(SESSION)
    assert (session.client_cost, session.cwd, session.model) == (0.02, "/work/shop", MODEL)


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
    assert len(batches) == 3
    assert [batch.pending for batch in batches[:-1]] == ["0", "0"]
    assert desk.read().total(SESSION).requests == 450


def test_a_database_that_cannot_be_read_is_named_and_tried_again(tmp_path, client, desk):
    client.db.execute("DROP TABLE part")
    client.message()
    desk.read()
    assert "no such table" in next(iter(desk.ingest.unreadable.values()))
    assert desk.provider.problem is None
    client.db.executescript(TABLES.splitlines()[-1])
    client.message("m2", at=9)
    assert desk.read().total(SESSION).requests == 2


def test_older_documents_count_once_beside_the_database(tmp_path, client, desk):
    folder = tmp_path / "data" / "storage" / "message" / SESSION
    write(str(folder / "m1.json"), json.dumps(said() | {"id": "m1", "sessionID": SESSION}, indent=1).encode())
    write(str(folder / "m0.json"), json.dumps(said() | {"id": "m0", "sessionID": SESSION}, indent=1).encode())
    client.message("m1")
    assert desk.read().total(SESSION).requests == 2


def test_the_users_files_in_its_data_folder_are_not_looked_at():
    assert not provider.wants("/h/.local/share/opencode/auth.json")
    assert not provider.wants("/h/.local/share/opencode/snapshot/x.db")
