"""Clients that write another client's records: the folders of each, and the trap that is its own."""

import pytest
from support.desk import Desk, write
from support.lines import SESSION, assistant, encode, user
from support.opencode_records import SESSION as OPENCODE_SESSION
from support.opencode_records import Client, said, tokens

from aitop.providers import load
from aitop.providers.claude_code.relatives import openclaude
from aitop.providers.opencode import kilo, mimo, provider


@pytest.mark.parametrize(("member", "database"), [(kilo, "kilo/kilo.db"), (mimo, "mimocode/mimocode.db")])
def test_a_relative_of_opencode_is_read_from_its_own_folder(tmp_path, member, database):
    client = Client(tmp_path / ".local" / "share" / database)
    client.part("p1", type="step-finish", reason="stop", tokens=tokens())
    client.message()
    desk = Desk(member, *member.folders([], {"HOME": str(tmp_path)})).read()
    total = desk.total(OPENCODE_SESSION)
    assert (total.requests, total.uncached_input_tokens, total.output_tokens) == (1, 200, 100)
    assert desk.history.session(member.name, OPENCODE_SESSION).total == total
    client.message("m2", at=10)
    assert desk.read().total(OPENCODE_SESSION).requests == 2
    client.db.close()


def fork_at_no_cost(client):
    """A fork as Kilo 7.7 writes it: its copies of earlier messages cost 0."""
    client.message("a1", said(cost=0.02))
    client.session("ses_fork", at=500)
    client.message("b1", said(cost=0), at=500, session="ses_fork")
    client.message("b2", said(501, cost=0.03), at=501, session="ses_fork")


def test_a_fork_of_kilos_counts_once_though_its_copies_cost_nothing(tmp_path):
    client = Client(tmp_path / "kilo.db")
    fork_at_no_cost(client)
    desk = Desk(kilo, tmp_path / "kilo.db").read()
    assert {name: total.requests for name, total in desk.totals().items()} == {
        OPENCODE_SESSION: 1,
        "ses_fork": 1,
    }
    client.db.close()


def test_kilos_variable_names_its_database_and_no_other_clients():
    assert kilo.folders([], {"HOME": "/h", "KILO_DB": "/x.db", "OPENCODE_DB": "/y.db"})[-1] == "/x.db"
    assert (
        provider.folders([], {"HOME": "/h", "KILO_DB": "/x.db"})[-1]
        == "/h/.local/share/opencode/storage/message"
    )
    assert mimo.environment == ()


def test_databases_of_one_member_are_not_another_ones(tmp_path):
    assert kilo.wants("/d/kilo/kilo-dev.db")
    assert not kilo.wants("/d/opencode/opencode.db")
    assert not provider.wants("/d/kilo/kilo.db")


def test_openclaude_writes_claude_codes_transcripts_into_its_own_folder(tmp_path):
    path = tmp_path / ".openclaude" / "projects" / "-w" / f"{SESSION}.jsonl"
    write(str(path), encode([user("go"), assistant(model="qwen3-coder", request_id=None)]))
    desk = Desk(openclaude, *openclaude.folders([], {"HOME": str(tmp_path)})).read()
    assert desk.total(SESSION).requests == 1
    assert desk.session(SESSION).model == "qwen3-coder"
    assert openclaude.feed({}, {"session_id": SESSION, "hook_event_name": "Stop"}, 1.0) is None


def test_every_member_is_among_the_built_in_providers():
    assert {"kilo", "mimo", "openclaude"} <= set(load.BUILTIN)
