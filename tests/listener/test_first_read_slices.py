"""What a listener writes between two ticks of a first read: slices, so that a status line is answered in between."""

import os
import select
import time

import pytest
from support.lines import assistant, transcript

from aitop.history import store
from aitop.history.write.bulk_insert import Bulk
from aitop.ingest import queue
from aitop.ingest.queue import Ingest
from aitop.listener.history_guard import HistoryGuard
from aitop.log import Log
from aitop.pricing import table
from aitop.providers.claude_code import provider

OLD = 5 * 86_400.0
FILES = 500
OF_ONE_MESSAGE = 130  # files of what two helpers send at once: the pipes hold 64 KB each


@pytest.fixture
def guard(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    made = HistoryGuard(
        str(home), table.load(), Log(str(home / "log"), debug=False, echo=False), time.time(), lambda: None
    )
    made.recall(time.time())
    yield made
    made.close()


def read_all(guard, root, monkeypatch):
    """Read as the listener's loop does; what each commit wrote: (files, responses and calls)."""
    monkeypatch.setattr(queue, "HELP_FROM", 1)
    now = time.time()
    ingest = Ingest(guard.history, [provider], {provider.name: [os.path.join(root, "projects")]}, 2)
    ingest.rescan(now)
    ingest.recruit(now)
    while ingest.waiting:
        for helper in select.select(ingest.helpers, [], [], 10)[0]:
            ingest.receive(helper, now)
        if not ingest.helpers:
            ingest.step(now)
        guard.write_slice(now, complete=False)
    guard.commit(now, complete=True)
    return guard.db.execute("SELECT count(*), sum(output) FROM response").fetchone()


def test_many_files_are_committed_some_at_a_time(guard, tmp_path, monkeypatch):
    start = time.time() - OLD
    for number in range(FILES):
        name = f"5e551011-0000-4000-8000-{number:012d}"
        line = assistant(f"m{number}", start + number, request_id=f"r{number}", session=name)
        transcript(tmp_path / "claude", [line], session=name)
    together = []
    commit = guard.history.commit
    monkeypatch.setattr(
        guard.history,
        "commit",
        lambda: together.append(len(guard.history._ledger.dirty_files)) or commit(),
    )
    assert read_all(guard, tmp_path / "claude", monkeypatch)[0] == FILES
    assert max(together) <= store.SLICE_FILES + OF_ONE_MESSAGE < FILES


def test_the_rows_of_a_large_file_are_written_some_at_a_time(guard, tmp_path, monkeypatch):
    count = 4 * store.SLICE_ROWS
    start = time.time() - OLD
    transcript(
        tmp_path / "claude",
        [assistant(f"m{number}", start + number, request_id=f"r{number}") for number in range(count)],
    )
    together = []
    write = Bulk.write
    monkeypatch.setattr(Bulk, "write", lambda bulk: together.append(bulk.rows) or write(bulk))
    assert read_all(guard, tmp_path / "claude", monkeypatch)[0] == count
    assert store.SLICE_ROWS <= max(together) < count
    assert sum(together) == count


def test_sums_follow_each_slice(guard, tmp_path, monkeypatch):
    start = time.time() - 60
    transcript(
        tmp_path / "claude",
        [assistant(f"m{n}", start - n / 100, request_id=f"r{n}") for n in range(2 * store.SLICE_SUMS)],
    )
    count, output = read_all(guard, tmp_path / "claude", monkeypatch)
    window = guard.feed.aggregator.window("15m")
    assert (window.requests, window.output_tokens) == (count, output)
