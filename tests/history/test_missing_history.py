"""A history that is missing, empty, older or begun anew beside a fuller copy is restored; a reset is not."""

import os
import shutil

import pytest
from click.testing import CliRunner
from support.lines import START, assistant
from support.worlds import PRICES, SESSIONS, Book

from aitop.cli import main
from aitop.history.recovery import backup, fullness, restore
from aitop.history.recovery.copying import DamageError
from aitop.history.store import History

A, B = SESSIONS[:2]
DAYS, OFTEN = 5, 20


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home with a history of some days and its backup."""
    monkeypatch.setenv("AITOP_HOME", str(tmp_path))
    made(tmp_path / "history.db", DAYS)
    backup.make(str(tmp_path / "history.db"), str(tmp_path))
    return tmp_path


def made(path, days, session=A):
    book = Book(path, now=START + 100 * 86_400)
    lines = [
        assistant(f"{session[0]}{day}-{n}", START + day * 86_400 + n, request_id=f"r{session[0]}{day}-{n}")
        for day in range(days)
        for n in range(OFTEN)
    ]
    book.feed(f"/p/-w/{session}.jsonl", lines)
    book.settle()
    book.db.close()


def opened(home, said=None):
    """Requests that the history holds after a start."""
    said = [] if said is None else said
    db = restore.connect(str(home), START + 200 * 86_400, said.append)
    requests = sum(fullness.days_of(str(home / "history.db")).values())
    History(db, PRICES)
    db.close()
    return requests


def remove(home):
    for name in ("history.db", "history.db-wal", "history.db-shm"):
        (home / name).unlink(missing_ok=True)


def test_a_missing_history_is_restored_and_named(home):
    remove(home)
    said = []
    assert opened(home, said) == DAYS * OFTEN
    assert "history.db is missing beside history.backup-1.db" in said[0]
    assert "restored from history.backup-1.db" in said[1]


def test_an_older_history_put_in_its_place_is_restored(home):
    remove(home)
    made(home / "history.db", 2)
    assert opened(home) == DAYS * OFTEN


def test_a_history_begun_anew_is_restored_with_what_it_gained(home):
    remove(home)
    made(home / "history.db", 1, B)
    assert opened(home) == (DAYS + 1) * OFTEN


def test_the_fuller_of_two_copies_is_the_one_to_restore_from(home):
    shutil.move(home / "history.backup-1.db", home / "history.backup-2.db")
    remove(home)
    made(home / "history.db", 1)
    shutil.copy(home / "history.db", home / "history.backup-1.db")
    remove(home)
    assert opened(home) == DAYS * OFTEN


def test_a_history_without_any_copy_begins_empty(tmp_path):
    assert opened(tmp_path) == 0


def test_a_history_that_lost_a_few_requests_to_corrections_is_left_alone(home):
    said = []
    assert opened(home, said) == DAYS * OFTEN
    assert said == []


def test_a_poorer_history_displaces_no_copy(home):
    before = {name: fullness.days_of(str(home / name)) for name in backup.GENERATIONS}
    remove(home)
    made(home / "history.db", 1)
    with pytest.raises(DamageError, match="holds less than history"):
        backup.make(str(home / "history.db"), str(home))
    assert {name: fullness.days_of(str(home / name)) for name in backup.GENERATIONS} == before
    assert not (home / "history.backup-1.db.new").exists()


def test_the_second_copy_is_the_newest_that_passed_the_whole_check(home):
    path = str(home / "history.db")
    first = fullness.days_of(str(home / "history.backup-1.db"))
    made(home / "history.db", 2, B)
    backup.make(path, str(home))
    made(home / "history.db", 3, SESSIONS[2])
    backup.make(path, str(home))
    assert fullness.days_of(str(home / "history.backup-2.db")) == first
    backup.make(path, str(home), whole=True)
    backup.make(path, str(home))
    assert fullness.days_of(str(home / "history.backup-2.db")) == fullness.days_of(path)


def test_a_sum_that_was_damaged_lately_is_found_without_the_whole_check(home):
    book = Book(home / "history.db", now=START + 100 * 86_400)
    book.feed(f"/p/-w/{B}.jsonl", [assistant("new", START + DAYS * 86_400, request_id="new")])
    book.commit()
    book.db.execute("UPDATE response SET output = output + 1 WHERE id = (SELECT max(id) FROM response)")
    book.db.close()
    with pytest.raises(DamageError, match="disagree"):
        backup.make(str(home / "history.db"), str(home))


def test_a_reset_asks_and_then_begins_anew(home):
    asked = CliRunner().invoke(main, ["history", "reset"], input="n\n")
    assert asked.exit_code == 1
    assert (home / "history.db").exists()
    done = CliRunner().invoke(main, ["history", "reset"], input="y\n")
    assert done.exit_code == 0, done.output
    assert opened(home) == 0
    kept = [
        name for name in os.listdir(home) if name.startswith("history.before-reset-") and name.endswith(".db")
    ]
    assert sorted(sum(fullness.days_of(str(home / name)).values()) for name in kept) == [DAYS * OFTEN] * 2


def test_a_reset_beside_a_running_listener_says_what_to_do(home):
    import fcntl

    with open(home / "listener.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = CliRunner().invoke(main, ["history", "reset", "--yes"])
    assert (found.exit_code, "aitop stop" in found.stderr) == (1, True)
    assert (home / "history.db").exists()


def test_what_the_history_holds_is_said(home):
    found = CliRunner().invoke(main, ["history"])
    assert found.exit_code == 0, found.output
    assert f"history.db: {DAYS * OFTEN} requests" in found.output
    assert f"history.backup-1.db: {DAYS * OFTEN} requests" in found.output
