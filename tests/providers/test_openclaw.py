"""OpenClaw's database of an agent: pi's lines as rows, packed once they are old."""

import shutil
import sqlite3
import subprocess

import pytest
from support import client_samples as made
from support.desk import Desk, write

from aitop.providers import pi, zstd_stream
from aitop.providers.zstd_stream import unpacked_frames

OTHER = "01a22592-abea-722d-828d-ec3536626999"


def zstd(data):
    if shutil.which("zstd") is None:
        pytest.skip("the program zstd is missing")
    return subprocess.run(["zstd", "-qc"], input=data, capture_output=True, check=True).stdout


@pytest.fixture
def agents(tmp_path):
    return tmp_path / ".openclaw" / "agents"


@pytest.fixture
def store(agents):
    folder = agents / "main" / "agent"
    folder.mkdir(parents=True)
    db = sqlite3.connect(folder / "openclaw-agent.sqlite", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.executescript(made.OPENCLAW_TABLES)
    yield db
    db.close()


def insert(db, records, session=made.PI_SESSION, begin=0, packed=False):
    for number, record in enumerate(records, begin):
        db.execute(*made.openclaw_row(session, number, record, zstd if packed else None))


def of(desk):
    return {
        name: (one.requests, one.uncached_input_tokens, one.cache_read_tokens, one.output_tokens)
        for name, one in desk.totals().items() if one.requests
    }  # fmt: skip


GOLDEN = {made.PI_SESSION: (2, 3600, 14_900, 120)}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_a_database_comes_to_the_sums_of_the_same_lines_in_a_file(store, agents, packed):
    insert(store, made.PI, packed=packed)
    desk = Desk(pi.openclaw, agents).read()
    assert of(desk) == GOLDEN
    assert desk.session(made.PI_SESSION).cwd == "/work/shop"
    assert desk.ingest.unreadable == {}


def test_what_was_in_a_file_and_moved_into_the_database_counts_once(store, agents):
    write(str(agents / "main" / "sessions" / f"{made.PI_SESSION}.jsonl"), *made.PI)
    desk = Desk(pi.openclaw, agents).read()
    insert(store, made.PI)
    assert of(desk.read()) == GOLDEN


def test_rows_that_come_one_by_one_and_are_packed_later_count_once(store, agents):
    desk = Desk(pi.openclaw, agents)
    for number, record in enumerate(made.PI):
        insert(store, [record], begin=number)
        desk.read()
    store.execute("DELETE FROM transcript_events")
    insert(store, made.PI, packed=True)
    assert of(desk.read()) == GOLDEN


def test_a_session_that_was_deleted_stays_counted_and_one_that_gets_its_row_numbers_is_read(store, agents):
    insert(store, made.PI)
    desk = Desk(pi.openclaw, agents).read()
    store.execute("DELETE FROM transcript_events")
    insert(store, [made.pi_head(OTHER, 50), *(made.pi_answer(60 + n, 60 + n) for n in range(8))], OTHER)
    assert of(desk.read()) == GOLDEN | {OTHER: (8, 24_000, 48_000, 400)}


def test_a_damaged_packed_row_costs_no_other_one(store, agents):
    insert(store, made.PI)
    store.execute(
        "INSERT INTO transcript_events VALUES (?, 99, NULL, 5, ?, 40, NULL)",
        (made.PI_SESSION, b"(\xb5/\xfdxx"),
    )
    assert of(Desk(pi.openclaw, agents).read()) == GOLDEN


def test_tables_of_another_version_are_reported(store, agents):
    store.execute("ALTER TABLE transcript_events RENAME TO events")
    desk = Desk(pi.openclaw, agents).read()
    assert list(desk.ingest.unreadable.values()) == ["unknown format: it has no transcript_events"]


@pytest.mark.parametrize("module", [True, False], ids=["by a module", "by the program"])
def test_frames_are_unpacked_together_in_their_order(monkeypatch, module):
    if module and zstd_stream.decompressor() is None:
        pytest.skip("no module unpacks zstd here")
    if not module:
        monkeypatch.setattr(zstd_stream, "decompressor", lambda: None)
    texts = [b"a" * 900, b"b", b"{}" * 70]
    assert unpacked_frames([(zstd(text), len(text)) for text in texts]) == texts
    assert unpacked_frames([]) == []
