"""The history: exact, once, whatever the order; each number it keeps equals a recount of its rows."""

import os
import pathlib
import sqlite3
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.examples import examples
from support.lines import (
    START,
    append,
    assistant,
    compact,
    cost_state,
    gave_up,
    result,
    stamp,
    transcript,
    usage,
    use,
    user,
)
from support.worlds import NOW, PRICES, SESSIONS, Book, by_session, oracle, read, readings, worlds

from aitop.history import migrations, schema
from aitop.history.query import sums_since as questions
from aitop.history.recovery import backup, integrity, restore
from aitop.model.events import ApiError, ContextSize, Response, ToolResult, ToolUse, Usage
from aitop.model.sums import Sum
from aitop.pricing import table

A, B, C, D = SESSIONS
FILE_A, FILE_B = f"/p/-w/{A}.jsonl", f"/p/-w/{B}.jsonl"


@pytest.fixture
def book(tmp_path):
    found = Book(tmp_path / "history.db")
    yield found
    found.db.close()


def requests(book):
    return {name: total.requests for name, total in book.totals().items() if total.requests}


# -- any order ----------------------------------------------------------


@examples(120)
@given(st.data())
def test_any_order_and_any_split_of_files_give_the_totals_of_the_rules(data):
    files = data.draw(worlds())
    book = Book()
    try:
        read(book, files, data.draw(readings(files)))
        expected = oracle(files)
        assert book.seconds() == expected
        assert book.totals() == by_session(expected)
        book.check()
    finally:
        book.db.close()


@examples(60)
@given(st.data())
def test_what_was_not_committed_is_read_again_and_counts_once(data):
    files = data.draw(worlds())
    book = Book()
    try:
        for path, records in files.items():
            book.feed(path, records)
            if data.draw(st.booleans()):
                book.commit()
        book.restart()
        for path, records in files.items():
            known = book.history.files.get(path)
            if known is None or not known.offset:
                book.feed(path, records)
        book.settle()
        assert book.totals() == by_session(oracle(files))
        book.check()
    finally:
        book.db.close()


@examples(60)
@given(st.data())
def test_reading_every_file_again_changes_nothing(data):
    files = data.draw(worlds())
    book = Book()
    try:
        read(book, files, [(path, len(records)) for path, records in files.items()])
        before = book.totals()
        book.adopt()
        for path in data.draw(st.permutations(sorted(files))):
            book.feed(path, files[path])
        book.settle()
        assert book.totals() == before
        book.check()
    finally:
        book.db.close()


# -- responses ----------------------------------------------------------


def test_a_growing_response_moves_the_sums_by_the_difference_in_its_own_second(book):
    end = book.feed(FILE_A, [assistant(usage=usage(1), stop=None)])
    book.commit()
    for number, (output, stop) in enumerate(((40, None), (90, "end_turn"))):
        end = book.feed(FILE_A, [assistant(at=START + 30 + number, usage=usage(output), stop=stop)], end)
        book.commit()
    assert [(at, value.requests, value.output_tokens) for c in book.changes for at, _, value in c.sums] == [
        (START, 1, 1), (START, -1, -1), (START, 1, 40), (START, -1, -40), (START, 1, 90),
    ]  # fmt: skip
    assert book.seconds()[(int(START), A)].output_tokens == 90


def test_a_time_in_the_future_is_now_and_stays_what_it_was(book):
    book.feed(FILE_A, [assistant(at=NOW + 5000)])
    book.commit()
    assert [at for at, *_ in book.db.execute("SELECT at FROM response")] == [NOW]


def test_two_known_responses_become_one_when_a_record_shows_both_names(book):
    end = book.feed(FILE_A, [assistant("m", START, request_id=None, usage=usage(10))])
    end = book.feed(FILE_A, [assistant(None, START + 1, request_id="r", usage=usage(20))], end)
    book.commit()
    assert requests(book) == {A: 2}
    book.feed(FILE_A, [assistant("m", START + 2, request_id="r", usage=usage(30))], end)
    book.commit()
    assert requests(book) == {A: 1}
    assert book.totals()[A].output_tokens == 30
    assert book.db.execute("SELECT count(*) FROM response").fetchone()[0] == 1
    book.check()


def test_a_name_of_a_merged_response_finds_it_before_the_commit_too(book):
    end = book.feed(
        FILE_A,
        [assistant("m", request_id=None), assistant(None, request_id="r")],
    )
    book.commit()
    end = book.feed(FILE_A, [assistant("m", request_id="r", usage=usage(60))], end)
    book.feed(FILE_A, [assistant(None, request_id="r", usage=usage(70))], end)
    book.settle()
    assert (requests(book), book.totals()[A].output_tokens) == ({A: 1}, 70)
    book.check()


def test_responses_merged_while_unfinished_do_not_trouble_the_next_settling(book):
    end = book.feed(
        FILE_A, [assistant("m", request_id=None, stop=None), assistant(None, request_id="r", stop=None)]
    )
    book.feed(FILE_A, [assistant("m", request_id="r", stop=None)], end)
    book.settle()
    assert book.totals()[A].incomplete_requests == 1
    book.check()


def test_merging_settled_ones_already_in_the_history_counts_one(book):
    end = book.feed(
        FILE_A, [assistant("m", request_id=None, stop=None), assistant(None, request_id="r", stop=None)]
    )
    book.now = START + 10
    book.commit()
    book.feed(FILE_A, [assistant("m", request_id="r", stop=None)], end)
    book.settle(START + 500)
    assert (requests(book), book.totals()[A].incomplete_requests) == ({A: 1}, 1)
    book.check()


def test_without_a_stop_reason_a_response_is_incomplete_after_a_minute(book):
    book.now = START + 5
    end = book.feed(FILE_A, [assistant(stop=None)])
    book.settle(START + 60)
    assert book.totals()[A].incomplete_requests == 0
    book.settle(START + 61)
    assert book.totals()[A].incomplete_requests == 1
    book.feed(FILE_A, [assistant(stop="end_turn")], end)
    book.settle(START + 62)
    assert book.totals()[A].incomplete_requests == 0
    book.check()


def test_only_text_beyond_twice_the_output_makes_it_understated(book):
    little = [{"type": "text", "text": "x" * 90}]
    much = [{"type": "text", "text": "x" * 91}]
    book.feed(FILE_A, [assistant("a", request_id="a", usage=usage(10), stop=None, content=little),
                       assistant("b", request_id="b", usage=usage(10), stop=None, content=much)])  # fmt: skip
    book.settle()
    total = book.totals()[A]
    assert (total.incomplete_requests, total.understated_requests) == (2, 1)
    book.check()


# -- whose it is ----------------------------------------------------------


@pytest.mark.parametrize("first", [FILE_A, FILE_B])
def test_a_fork_s_copy_counts_for_the_session_it_names(book, first):
    files = {FILE_A: [user(at=START), assistant()], FILE_B: [user(at=START), assistant(requestSessionId=A)]}
    for path in sorted(files, key=lambda p: p != first):
        book.feed(path, files[path])
        book.commit()
    assert requests(book) == {A: 1}


@pytest.mark.parametrize("first", [FILE_A, FILE_B])
def test_an_unnamed_copy_counts_for_the_file_that_begins_earlier(book, first):
    files = {FILE_A: [user(at=START), assistant()], FILE_B: [user(at=START - 9), assistant()]}
    for path in sorted(files, key=lambda p: p != first):
        book.feed(path, files[path])
        book.commit()
    assert requests(book) == {B: 1}


@pytest.mark.parametrize("first", [FILE_A, FILE_B])
def test_files_that_begin_at_one_moment_are_decided_by_their_path(book, first):
    for path in sorted((FILE_A, FILE_B), key=lambda p: p != first):
        book.feed(path, [user(at=START), assistant()])
        book.commit()
    assert requests(book) == {A: 1}


def test_a_fork_of_a_session_whose_file_is_gone_counts_for_that_session(book):
    book.feed(FILE_B, [assistant(requestSessionId=A)])
    book.commit()
    assert requests(book) == {A: 1}


def test_a_copy_with_a_stop_reason_beats_one_without(book):
    book.feed(FILE_A, [user(at=START), assistant(usage=usage(3), stop=None)])
    book.feed(FILE_B, [user(at=START + 1), assistant(usage=usage(90), stop="end_turn", requestSessionId=A)])
    book.settle()
    assert book.totals() == by_session(oracle({FILE_A: [user(at=START), assistant(usage=usage(90))]}))


def test_a_sub_agent_counts_to_its_session_and_leaves_its_context_alone(book):
    book.feed(FILE_A, [assistant(usage=usage(5, 1000))])
    book.feed(
        f"/p/-w/{A}/subagents/agent-x.jsonl",
        [assistant("n", START + 5, request_id="q", usage=usage(5, 77_000))],
    )
    book.commit()
    session = book.session(A)
    assert (session.total.requests, session.context_tokens, session.agents) == (2, 1000, {"x"})


def test_a_compaction_empties_the_context_until_the_next_response(book):
    end = book.feed(FILE_A, [assistant(usage=usage(5, 1000))])
    end = book.feed(FILE_A, [compact(at=START + 5)], end)
    book.commit()
    assert (book.session(A).context_tokens, book.session(A).compactions) == (None, 1)
    book.feed(FILE_A, [assistant("n", START + 9, request_id="q", usage=usage(5, 300))], end)
    book.commit()
    assert book.session(A).context_tokens == 300


def test_what_a_fork_inherited_is_known_and_kept_apart(book):
    book.feed(FILE_A, [user(at=START), assistant()])
    book.feed(
        FILE_B, [user(at=START), assistant(requestSessionId=A), assistant("n", START + 9, request_id="q")]
    )
    book.feed(FILE_B + "", [cost_state(1.0, session=B)], book.history.files[FILE_B].offset)
    book.commit()
    cost = book.session(A).total.cost
    assert cost > 0
    assert (book.session(B).inherited, book.session(A).inherited) == (cost, 0)
    assert book.session(B).client_cost == 1.0


# -- tools ----------------------------------------------------------


def hook_use(at, tool="t1", name="Bash"):
    return ToolUse(A, at, tool, name)


def hook_result(at, took=41.0, failed=False, tool="t1"):
    return ToolResult(A, at, tool, "Bash", failed, took)


tool_steps = st.permutations(["pre", "post", "call", "result"])


@examples(50)
@given(tool_steps, st.booleans(), st.booleans(), st.booleans())
def test_hook_and_transcript_tell_of_one_call_in_any_order(steps, hook_failed, file_failed, commits):
    steps = [s for s in steps if s != "result"]
    steps.insert(steps.index("call") + 1, "result")  # a file tells of the call before its end
    book = Book()
    end = 0
    try:
        for step in steps:
            if step == "pre":
                book.apply(hook_use(START + 0.5))
            elif step == "post":
                book.apply(hook_use(START + 3), hook_result(START + 3, failed=hook_failed))
            elif step == "call":
                end = book.feed(FILE_A, [assistant(content=[use("t1")])], end)
            else:
                end = book.feed(FILE_A, [result("t1", START + 2, failed=file_failed)], end)
            if commits:
                book.commit()
            if commits:
                book.adopt()
        book.commit()
        total = book.totals()[A]
        assert (total.tool_calls, total.tool_failures) == (1, int(hook_failed or file_failed))
        assert book.seconds()[(int(START), A)].tool_calls == 1
        tools = questions.tools_since(book.db, 0)
        assert tools == [("Bash", 1, int(hook_failed or file_failed), [41.0])]
        book.check()
    finally:
        book.db.close()


def test_without_a_hook_the_latency_is_from_call_to_result(book):
    book.feed(FILE_A, [assistant(content=[use("t1")]), result("t1", START + 2.5)])
    changes = book.commit()
    assert changes.latencies == [(START, "Bash", 2500.0, None)]


def test_the_client_s_own_duration_replaces_the_one_reckoned_from_the_file(book):
    from aitop.live.aggregator import Aggregator, Day

    aggregator = Aggregator(START)
    aggregator.begin_day(Day({"today": 0.0, "week": 0.0, "month": 0.0}))
    book.feed(FILE_A, [assistant(content=[use("t1")]), result("t1", START + 2.5)])
    aggregator.fold(book.commit(), book.history.provider_of, NOW)
    book.apply(hook_use(START + 3), hook_result(START + 3, 41.0))
    aggregator.fold(book.commit(), book.history.provider_of, NOW)
    assert list(aggregator.tools["Bash"].latencies) == [41.0]


def test_a_failure_told_once_stays(book):
    book.apply(hook_result(START, failed=True))
    book.apply(hook_result(START, failed=False))
    book.commit()
    assert book.totals()[A].tool_failures == 1
    book.check()


def test_a_call_copied_by_a_fork_is_one_call_of_the_earlier_file(book):
    book.feed(FILE_B, [user(at=START), assistant(content=[use("t1")], requestSessionId=A), result("t1")])
    book.commit()
    book.feed(FILE_A, [user(at=START), assistant(content=[use("t1")]), result("t1")])
    book.commit()
    assert {name: total.tool_calls for name, total in book.totals().items()} == {A: 1}
    book.check()


def test_a_call_of_an_unknown_name_takes_it_from_who_knows(book):
    book.feed(FILE_A, [result("t1")])
    book.commit()
    assert list(book.tool_quarters()) == [(int(START) // 900 * 900, book.session(A).id, "unknown")]
    book.apply(hook_use(START + 3))
    book.commit()
    assert [key[2] for key in book.tool_quarters()] == ["Bash"]
    book.check()


# -- errors and compactions ----------------------------------------------------------


@pytest.mark.parametrize("steps", ["hf", "fh"])
@pytest.mark.parametrize("split", [False, True])
def test_one_error_told_by_hook_and_file_counts_once_at_the_file_s_time(book, steps, split):
    for step in steps:
        if step == "h":
            book.apply(ApiError(A, START + 2, f"{A}:1", "rate_limit", final=True))
        else:
            book.feed(FILE_A, [gave_up(at=START, session=A)])
        if split:
            book.commit()
            book.adopt()
    book.commit()
    assert book.totals()[A].errors == 1
    assert {key: value.errors for key, value in book.seconds().items()} == {(int(START), A): 1}
    book.check()


def test_two_errors_told_by_both_count_two(book):
    for at in (START, START + 4):
        book.apply(ApiError(A, at + 1, f"{A}:{at}", "rate_limit", final=True))
    book.feed(FILE_A, [gave_up("x1", START), gave_up("x2", START + 4)])
    book.commit()
    assert book.totals()[A].errors == 2
    book.check()


def test_errors_far_apart_are_two(book):
    book.apply(ApiError(A, START + 11, f"{A}:1", "rate_limit", final=True))
    book.feed(FILE_A, [gave_up(at=START)])
    book.commit()
    assert book.totals()[A].errors == 2


def test_an_error_copied_by_a_fork_is_the_earlier_file_s(book):
    book.feed(FILE_B, [user(at=START), gave_up(session=B)])
    book.commit()
    book.feed(FILE_A, [user(at=START - 5), gave_up(session=A)])
    book.commit()
    assert {name: total.errors for name, total in book.totals().items()} == {A: 1}
    book.check()


def test_a_compaction_told_by_hook_and_file_counts_once(book):
    from aitop.model.events import Compaction

    book.apply(Compaction(A, START + 30, f"{A}:1", "auto"))
    book.feed(FILE_A, [compact(at=START)])
    book.commit()
    assert book.session(A).compactions == 1
    assert questions.compactions_since(book.db, 0) == 1


# -- prices ----------------------------------------------------------


def test_new_prices_correct_every_sum(book):
    book.feed(
        FILE_A,
        [user(at=START), assistant(), assistant("n", START + 1, request_id="q", model="somebody-else")],
    )
    book.feed(FILE_B, [user(at=START), assistant(requestSessionId=A)])
    book.commit()
    old = book.totals()[A]
    assert old.unpriced_requests == 1
    book.history.prices = table.load({"somebody-else": {"input": 1.0, "output": 2.0},
                                      "claude-opus-4-6": {"input": 10.0, "output": 20.0}})  # fmt: skip
    after = 0
    while after is not None:
        after = book.history.reprice(after, 1, NOW)
        book.commit()
    total = book.totals()[A]
    assert total.unpriced_requests == 0
    assert total.cost == (10 * 10 + 50 * 20 + 10 * 1 + 50 * 2) * 1_000_000
    assert book.session(B).inherited == (10 * 10 + 50 * 20) * 1_000_000
    assert sum(value.cost for value in book.seconds().values()) == total.cost
    book.check()


# -- trouble ----------------------------------------------------------


class Raising:
    """A connection whose writing fails from some statement on: a full disk."""

    def __init__(self, db, after):
        self._db, self._left = db, after

    def __getattr__(self, name):
        return getattr(self._db, name)

    def _spend(self, sql):
        if sql.startswith(("INSERT", "UPDATE", "DELETE", "COMMIT")):
            self._left -= 1
            if self._left < 0:
                raise sqlite3.OperationalError("database or disk is full")

    def execute(self, sql, *rest):
        self._spend(sql)
        return self._db.execute(sql, *rest)

    def executemany(self, sql, rows):
        self._spend(sql)
        return self._db.executemany(sql, rows)


@pytest.mark.parametrize("after", range(0, 18, 2))
def test_a_failed_commit_loses_nothing(book, after):
    files = {FILE_A: [user(at=START), assistant(content=[use("t1")]), result("t1"), gave_up()],
             FILE_B: [user(at=START), assistant(usage=usage(70), requestSessionId=A), compact()]}  # fmt: skip
    book.feed(FILE_A, files[FILE_A][:2])
    book.commit()
    offset = book.history.files[FILE_A].offset
    real = book.db
    book.db = Raising(real, after)
    book.adopt()
    try:
        book.feed(FILE_A, files[FILE_A][2:], offset)
        book.feed(FILE_B, files[FILE_B])
        book.commit()
    except sqlite3.Error:
        book.history.abandon()
        assert book.history.files[FILE_A].offset == offset
        assert FILE_B not in book.history.files
        book.db = real
        book.adopt()
        book.feed(FILE_A, files[FILE_A][2:], offset)
        book.feed(FILE_B, files[FILE_B])
        book.commit()
    total = book.totals()[A]
    assert (total.requests, total.tool_calls, total.errors, total.output_tokens) == (1, 1, 1, 50)
    book.db = real
    book.check()


def test_when_even_reading_fails_nothing_half_done_is_written_later(book):
    book.feed(FILE_A, [assistant()])
    book.commit()
    offset = book.history.files[FILE_A].offset
    disk = Disk(book.db)
    real, book.db = book.db, disk
    book.adopt()
    book.feed(FILE_A, [gave_up(), assistant("n", START + 1, request_id="q")], offset)
    disk.gone = True
    for _ in range(2):
        with pytest.raises(sqlite3.Error):
            book.history.commit()
        with pytest.raises(sqlite3.Error):
            book.apply(ApiError(A, START, "z", "odd", final=True))
    disk.gone = False
    book.commit()
    assert book.history.files[FILE_A].offset == offset
    book.feed(FILE_A, [gave_up(), assistant("n", START + 1, request_id="q")], offset)
    book.commit()
    assert (requests(book), book.totals()[A].errors) == ({A: 2}, 1)
    book.db = real
    book.check()


class Disk:
    """A connection to a disk that may be gone: then it neither writes nor reads."""

    def __init__(self, db):
        self._db, self.gone = db, False

    def __getattr__(self, name):
        return getattr(self._db, name)

    def execute(self, sql, *rest):
        if self.gone and sql != "ROLLBACK":
            raise sqlite3.OperationalError("disk I/O error")
        return self._db.execute(sql, *rest)

    def executemany(self, sql, rows):
        if self.gone:
            raise sqlite3.OperationalError("disk I/O error")
        return self._db.executemany(sql, rows)


def test_another_process_sees_all_of_a_commit_or_nothing(book):
    book.feed(FILE_A, [assistant()])
    reader = schema.connect_read_only(book.path)
    assert questions.since(reader, 0).requests == 0
    book.commit()
    assert questions.since(reader, 0).requests == 1
    reader.close()


# -- the file ----------------------------------------------------------


def test_it_is_private_from_the_start(tmp_path):
    path = tmp_path / "history.db"
    schema.connect(str(path)).close()
    assert os.stat(path).st_mode & 0o777 == 0o600


def test_a_newer_history_is_refused_with_the_remedy_and_left_alone(tmp_path):
    path = tmp_path / "history.db"
    with schema.connect(str(path)) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(schema.HistoryError, match="written by a newer aitop"):
        schema.connect(str(path))
    with pytest.raises(schema.NewerError, match="version 99.*Upgrade this copy"):
        schema.connect_read_only(str(path))


@pytest.fixture
def migration(monkeypatch):
    now = schema.VERSION
    monkeypatch.setattr(schema, "VERSION", now + 2)
    monkeypatch.setattr(
        migrations,
        "STEPS",
        {now: "ALTER TABLE meta ADD COLUMN a TEXT;", now + 1: "ALTER TABLE meta ADD COLUMN b TEXT;"},
    )
    return now


def test_an_older_history_is_brought_forward_after_a_backup(tmp_path, request):
    path = str(tmp_path / "history.db")
    with schema.connect(path) as db:
        db.execute("INSERT INTO meta VALUES ('kept', 'yes')")
    db.close()
    before = request.getfixturevalue("migration")
    db = schema.connect(path)
    assert db.execute("SELECT name, value, a, b FROM meta WHERE name != 'born'").fetchall() == [
        ("kept", "yes", None, None)
    ]
    assert db.execute("PRAGMA user_version").fetchone() == (before + 2,)
    db.close()
    with sqlite3.connect(f"{path}.v{before}") as old:
        assert old.execute("PRAGMA user_version").fetchone() == (before,)
    old.close()


def test_a_migration_that_fails_changes_nothing(tmp_path, request, monkeypatch):
    path = str(tmp_path / "history.db")
    schema.connect(path).close()
    before = request.getfixturevalue("migration")
    monkeypatch.setitem(migrations.STEPS, before + 1, "ALTER TABLE nowhere ADD COLUMN b TEXT;")
    with pytest.raises(sqlite3.Error):
        schema.connect(path)
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (before,)
        assert [row[1] for row in db.execute("PRAGMA table_info(meta)")] == ["name", "value"]
    db.close()


def test_backups_are_whole_and_two_generations_are_kept(book, tmp_path):
    home = str(tmp_path)
    end = 0
    assert backup.due(home, NOW)
    for number in range(3):
        end = book.feed(FILE_A, [assistant(f"m{number}", START + number, request_id=f"r{number}")], end)
        book.commit()
        backup.make(book.path, home)
    counts = []
    for name in backup.GENERATIONS:
        with sqlite3.connect(os.path.join(home, name)) as db:
            counts.append(db.execute("SELECT count(*) FROM response").fetchone()[0])
        db.close()
        assert os.stat(os.path.join(home, name)).st_mode & 0o777 == 0o600
    assert counts == [3, 1]  # the second generation is the newest one that passed the whole check
    made = os.stat(os.path.join(home, backup.GENERATIONS[0])).st_mtime
    assert not backup.due(home, made + 86_399)
    assert backup.due(home, made + 86_400)


def test_a_damaged_history_never_replaces_a_good_backup(book, tmp_path):
    book.feed(FILE_A, [assistant(f"m{i}", START + i, request_id=f"r{i}") for i in range(400)])
    book.commit()
    backup.make(book.path, str(tmp_path))
    book.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    good = (tmp_path / backup.GENERATIONS[0]).read_bytes()
    damaged = bytearray(pathlib.Path(book.path).read_bytes())
    damaged[8192 : len(damaged) - 4096] = os.urandom(len(damaged) - 12_288)
    broken = tmp_path / "broken.db"
    broken.write_bytes(damaged)
    with pytest.raises(sqlite3.Error):
        backup.make(str(broken), str(tmp_path))
    assert (tmp_path / backup.GENERATIONS[0]).read_bytes() == good
    assert not (tmp_path / (backup.GENERATIONS[0] + ".new")).exists()


def test_money_survives_the_file_to_the_last_unit(book):
    odd = Usage(1, 1, 1, 1, 1, 0, 1, "fast", "us", "batch", (("claude-haiku-4-5", 1, 2, 3, 4, 5),))
    book.apply(Response(A, START, "claude-opus-4-6", odd, "m", "r", stop_reason="end_turn"))
    book.commit()
    before = book.totals()[A]
    book.adopt()
    assert book.history.reprice(0, 10, NOW) is None
    assert book.commit().sums == []
    assert book.totals()[A] == before


def test_ids_of_any_text_are_kept_apart(book):
    odd = ["", "é", "\u0000", "a" * 256, "'; DROP TABLE response;--"]
    book.apply(
        *[Response(A, START + i, "m", Usage(1), None, None, name, "end_turn") for i, name in enumerate(odd)]
    )
    book.commit()
    assert requests(book) == {A: 5}


__all__ = ["C", "D", "PRICES", "Sum", "append", "stamp", "transcript"]


@pytest.mark.parametrize("restarted", [False, True])
def test_a_context_window_belongs_to_the_model_that_it_was_told_for(tmp_path, restarted):
    book = Book(tmp_path / "history.db")
    book.apply(ContextSize(A, START, 1_000_000, model="claude-sonnet-4-6"))
    assert book.session(A).window() == 1_000_000
    end = book.feed(FILE_A, [assistant("m1", START + 1, request_id="r1", model="claude-sonnet-4-6-20260101")])
    assert book.session(A).window() == 1_000_000
    book.commit()
    if restarted:
        book.db.close()
        book.open()
    book.feed(FILE_A, [assistant("m2", START + 2, request_id="r2", model="claude-haiku-4-5")], end)
    assert book.session(A).window() is None
    book.apply(ContextSize(A, START + 3, 200_000, model="claude-haiku-4-5"))
    assert book.session(A).window() == 200_000
    book.db.close()


@pytest.mark.parametrize("agent_first", [False, True])
def test_a_sub_agents_own_file_outranks_its_parents_repetition(book, agent_first):
    own = f"/p/-w/{A}/subagents/agent-a1.jsonl"
    line = assistant("m", START + 9, request_id="r", usage=usage(900), stop=None, isSidechain=True)
    early = assistant("m", START + 9, request_id="r", usage=usage(1), stop=None)
    data = {"type": "agent_progress", "agentId": "a1", "message": early}
    repeated = {"type": "progress", "timestamp": stamp(START + 9), "sessionId": A, "data": data}
    steps = [(FILE_A, [user(at=START), repeated]), (own, [line])]
    for path, records in reversed(steps) if agent_first else steps:
        book.feed(path, records)
    book.settle()
    assert (requests(book), book.totals()[A].output_tokens) == ({A: 1}, 900)
    book.check()


def numbered(path, version, spoil=False):
    """A history that calls itself of another version; with `spoil` a page of it is zeros."""
    schema.connect(str(path)).close()
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {version}")
        (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'session_last'").fetchone()
        (size,) = db.execute("PRAGMA page_size").fetchone()
        db.execute("PRAGMA journal_mode = DELETE")
    db.close()
    if spoil:
        with open(path, "r+b") as file:
            file.seek((page - 1) * size)
            file.write(bytes(size))
    return str(path)


@pytest.mark.parametrize("higher", [1, 2, 8, 16, 32])
def test_the_history_of_a_next_version_with_the_same_tables_is_newer_and_not_damaged(tmp_path, higher):
    path = numbered(tmp_path / "history.db", schema.VERSION + higher)
    assert not integrity.misnumbered(path)
    with pytest.raises(schema.NewerError):
        restore.connect(str(tmp_path), time.time(), lambda _: None)
    assert not [name for name in os.listdir(tmp_path) if "damaged" in name]


def test_a_flipped_bit_in_the_version_is_damage_where_no_version_is_so_high_or_pages_are_damaged_too(
    tmp_path,
):
    assert integrity.misnumbered(numbered(tmp_path / "far", schema.VERSION ^ 1 << 20))
    assert not integrity.misnumbered(numbered(tmp_path / "two bits", schema.VERSION ^ 3 << 20))
    one = next(1 << bit for bit in range(9) if schema.VERSION ^ 1 << bit > schema.VERSION)
    assert integrity.misnumbered(numbered(tmp_path / "pages", schema.VERSION ^ one, spoil=True))
