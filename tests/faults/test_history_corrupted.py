"""A damaged history: found, set aside, restored from what is left; every number is right again, or its day is named.

The clients' files are the record, so while they are there nothing may be missing. Where they are gone the
backup and the readable rows must carry on, and whatever is missing after that must be told.
"""

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time

import pytest
from conftest import ROOT
from support.lines import append, assistant

from aitop.config import Config
from aitop.history import schema
from aitop.history.recovery import backup, gaps, integrity, restore
from aitop.listener.maintenance import Maintenance
from aitop.log import Log
from aitop.model import periods

from .conftest import LONG
from .ground import aitop, catch_up, fill, name, numbers, recount

pytestmark = pytest.mark.timeout(1800 if LONG else 180)
SEEDS = 150 if LONG else 8
REQUESTS = 0  # of a cell's numbers


@pytest.fixture
def ground(home, claude, tmp_path, noon):
    """A home that has read some days of transcripts: (path of its history, what a clean count says)."""
    fill(claude, time.time())
    catch_up(home)
    wanted = recount(tmp_path)
    assert numbers(home) == wanted
    settle(home)
    return os.path.join(home, "history.db"), wanted


def settle(home):
    """Everything into the one file."""
    db = sqlite3.connect(os.path.join(home, "history.db"))
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def anew(home, kept):
    shutil.rmtree(home)
    shutil.copytree(kept, home)


def flipped(data, chance, most=20):
    found = bytearray(data)
    for _ in range(chance.choice([1, 3, most])):
        found[chance.randrange(len(found))] ^= 1 << chance.randrange(8)
    return bytes(found)


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def find_and_restore(home):
    """What the daily check and the next start do; what was wrong, None for what no check can see."""
    path = os.path.join(home, "history.db")
    trouble = integrity.problem_of(path)
    if trouble is not None:
        restore.suspect(home, trouble)
    catch_up(home)
    assert integrity.problem_of(path) is None or trouble is None
    return trouble


def by_day(home):
    """Local date → requests."""
    db = schema.connect_read_only(os.path.join(home, "history.db"))
    try:
        days = {}
        for at, requests in db.execute("SELECT at, requests FROM quarter"):
            day = periods.date_of(at).isoformat()
            days[day] = days.get(day, 0) + requests
        return {day: requests for day, requests in days.items() if requests}
    finally:
        db.close()


def told_of(home):
    """The days that are said to be incomplete; None when a span without a witness is."""
    db = schema.connect_read_only(os.path.join(home, "history.db"))
    try:
        known = gaps.last(db)
        return (set(), False) if known is None else (set(known.incomplete), known.unknown is not None)
    finally:
        db.close()


# -- the transcripts are there ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("saved", [True, False], ids=["with a backup", "without one"])
def test_flipped_bits_cost_nothing_that_a_transcript_holds(saved, home, ground, tally, tmp_path):
    path, wanted = ground
    if saved:
        backup.make(path, home)
    kept, good = str(tmp_path / "kept"), read(path)
    shutil.copytree(home, kept)
    for seed in range(SEEDS):
        with tally.fault():
            write(path, flipped(good, random.Random(seed)))
            find_and_restore(home)
            tally.same(numbers(home), wanted, f"seed {seed}:")
        anew(home, kept)


def half(data):
    return data[: len(data) // 2 + 100]


def one_page(data):
    return data[:4096]


def cut_in_the_header(data):
    return data[:50]


def text(_):
    return b"this was a letter to somebody\n" * 4000


def zeros(data):
    return bytes(len(data))


def another_header(data):
    return os.urandom(100) + data[100:]


def of_no_version(data):
    return data[:60] + bytes(4) + data[64:]


def empty(_):
    return b""


@pytest.mark.parametrize("saved", [True, False], ids=["with a backup", "without one"])
@pytest.mark.parametrize(
    "damage", [half, one_page, cut_in_the_header, text, zeros, another_header, of_no_version, empty]
)
def test_a_file_that_is_no_database_any_more_is_set_aside_and_made_again(damage, saved, home, ground, tally):
    path, wanted = ground
    if saved:
        backup.make(path, home)
    bad = damage(read(path))
    with tally.fault():
        write(path, bad)
        catch_up(home)
        tally.same(numbers(home), wanted)
        if bad or saved:
            (aside,) = [n for n in os.listdir(home) if n.startswith("history.damaged-") and n.endswith(".db")]
            assert read(os.path.join(home, aside)) == bad


def spoilt(log, how, chance):
    if how == "flipped":
        return flipped(log, chance)
    return log[: chance.randrange(len(log))] if how == "cut" else chance.randbytes(len(log))


@pytest.mark.parametrize("how", ["flipped", "cut", "rubbish", "gone"])
def test_a_damaged_write_ahead_log_costs_nothing(how, home, ground, claude, tally, tmp_path):
    path, _ = ground
    aside = str(tmp_path / "aside")
    fill(claude, time.time() - 9, sessions=9, seed=2)
    holder = sqlite3.connect(path)  # while it reads, the log stays
    holder.execute("BEGIN")
    holder.execute("SELECT count(*) FROM response").fetchone()
    catch_up(home)
    shutil.copytree(home, aside)
    holder.close()
    wanted = recount(tmp_path)
    log = read(os.path.join(aside, "history.db-wal"))
    assert len(log) > 40_000
    for seed in range(SEEDS // 2):
        chance = random.Random(seed)
        with tally.fault():
            anew(home, aside)
            os.unlink(path + "-shm")
            if how == "gone":
                os.unlink(path + "-wal")
            else:
                write(path + "-wal", spoilt(log, how, chance))
            find_and_restore(home)
            tally.same(numbers(home), wanted, f"seed {seed}:")


# -- the transcripts are gone ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("saved", [True, False], ids=["with a backup", "without one"])
def test_what_no_transcript_holds_any_more_is_carried_over_or_its_day_is_named(
    saved, home, ground, claude, tally, tmp_path
):
    path, wanted = ground
    truth = by_day(home)
    if saved:
        backup.make(path, home)
    fill(claude, time.time(), sessions=9, responses=8, days=0.2, seed=3)  # after the backup
    catch_up(home)
    wanted, truth = recount(tmp_path), by_day(home)
    settle(home)
    shutil.rmtree(claude)
    kept, good = str(tmp_path / "kept"), read(path)
    shutil.copytree(home, kept)
    for seed in range(SEEDS):
        with tally.fault():
            write(path, flipped(good, random.Random(seed), most=6))
            trouble = find_and_restore(home)
            have = by_day(home)
            days, unknown = told_of(home)
            short = {day for day, requests in truth.items() if have.get(day, 0) < requests}
            if trouble is not None and not (unknown or short <= days):
                tally.lost += 1
                pytest.fail(f"seed {seed}: {short - days} are short and nobody says so ({trouble})")
            more = {
                key: value
                for key, value in numbers(home).items()
                if value[REQUESTS] > wanted.get(key, (0,))[0]
            }
            assert sum(value[REQUESTS] for value in numbers(home).values()) <= sum(
                v[0] for v in wanted.values()
            ), more
        anew(home, kept)


def test_of_a_history_that_is_lost_altogether_the_backup_comes_back_and_the_days_after_it_are_named(
    home, ground, claude, tally
):
    path, _ = ground
    backup.make(path, home)
    saved = numbers(home)
    shutil.rmtree(claude)
    made = time.time() - 40 * 86_400
    with tally.fault():
        db = sqlite3.connect(os.path.join(home, backup.GENERATIONS[0]))  # an old one
        for table in ("response", "tool", "incident", "quarter", "day_sum", "quarter_all", "day_all",
                      "quarter_tool", "day_tool"):  # fmt: skip
            db.execute(f"UPDATE {table} SET at = at - 3456000")
        db.commit()
        db.close()
        write(path, b"nothing" * 1000)
        catch_up(home)
        assert sum(v[REQUESTS] for v in numbers(home).values()) == sum(v[REQUESTS] for v in saved.values())
        (span,) = told_of(home)[0]
        assert span.startswith(periods.date_of(made).isoformat()[:7]) or " to " in span


def spoil_a_page_that_no_sum_is_read_from(copy):
    """One page of an index: the days of the copy can still be read."""
    db = sqlite3.connect(copy)
    (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'response_at'").fetchone()
    (size,) = db.execute("PRAGMA page_size").fetchone()
    db.close()
    data = bytearray(read(copy))
    data[(page - 1) * size : page * size] = bytes(size)
    write(copy, bytes(data))


def spoil_all_but_the_first_pages(copy):
    write(copy, flipped(read(copy)[:8192], random.Random(1)) + random.Random(2).randbytes(9000))


def spoil_the_header(copy):
    write(copy, bytes(100) + read(copy)[100:])


DAMAGES = [spoil_a_page_that_no_sum_is_read_from, spoil_all_but_the_first_pages, spoil_the_header]


@pytest.mark.parametrize("spoil", DAMAGES)
def test_the_older_backup_serves_where_the_newer_one_is_damaged(spoil, home, ground, claude, tally):
    path, wanted = ground
    for _ in range(2):
        backup.make(path, home)
    shutil.rmtree(claude)
    with tally.fault():
        newest = os.path.join(home, backup.GENERATIONS[0])
        spoil(newest)
        write(path, b"nothing" * 1000)
        catch_up(home)
        tally.same(numbers(home), wanted)
        assert not os.path.exists(newest)  # or it would take the good one's place tomorrow


@pytest.mark.parametrize("spoil", DAMAGES)
@pytest.mark.parametrize("which", [0, 1])
def test_a_copy_that_was_damaged_at_rest_never_displaces_a_good_one(which, spoil, home, ground, tally):
    path, wanted = ground
    for _ in range(2):
        backup.make(path, home, whole=True)
    with tally.fault():
        spoil(os.path.join(home, backup.GENERATIONS[which]))
        backup.make(path, home, whole=True)
        good = [name for name in backup.GENERATIONS if integrity.problem_of(os.path.join(home, name)) is None]
        assert backup.GENERATIONS[0] in good
        assert which == 1 or backup.GENERATIONS[1] in good
        os.unlink(path)
        catch_up(home)
        tally.same(numbers(home), wanted)


def test_a_history_damaged_twice_keeps_both_files_and_what_was_missing(
    home, ground, claude, tally, monkeypatch
):
    path, _ = ground
    truth = by_day(home)
    shutil.rmtree(claude)
    write(path, half(read(path)))
    with tally.fault(2):
        catch_up(home)
        first = told_of(home)
        monkeypatch.setattr(restore, "AGAIN", 0.0)
        settle(home)
        write(path, half(read(path)))
        catch_up(home, time.time() + 2)
        days, unknown = told_of(home)
        assert (
            len([n for n in os.listdir(home) if n.startswith("history.damaged-2") and n.endswith(".db")]) == 2
        )
        have = by_day(home)
        assert unknown or {day for day in truth if have.get(day, 0) < truth[day]} <= days
        assert first[0] <= days or unknown


# -- sound ones are left alone ---------------------------------------------------------------------------------------


def test_what_is_sound_passes_every_check(home, ground, tally):
    assert integrity.problem_of(ground[0]) is None
    assert not [n for n in os.listdir(home) if "damaged" in n]


@pytest.mark.parametrize(
    "change",
    ["UPDATE response SET output = output + 1 WHERE id = 3", "UPDATE quarter SET cost = cost + 4096 WHERE requests > 0",
     "UPDATE session SET uncached = uncached + 64 WHERE id = 2", "UPDATE tool SET at = at - 86400",
     "UPDATE day_tool SET calls = calls + 1", "DELETE FROM incident", "UPDATE response SET session = 77 WHERE id = 1",
     "UPDATE alias SET response = 999999 WHERE response = 1", "UPDATE session SET stop_reasons = '{' WHERE id = 1",
     "UPDATE response SET at = 'noon' WHERE id = 2"],
)  # fmt: skip
def test_a_change_that_sqlite_cannot_see_is_seen_by_what_is_kept_twice(change, home, ground, tally):
    path, wanted = ground
    with tally.fault():
        db = sqlite3.connect(path)
        db.execute(change)
        db.commit()
        db.close()
        assert find_and_restore(home) is not None
        tally.same(numbers(home), wanted)


def test_a_damaged_history_makes_no_backup_and_says_so_by_its_exit_code(home, ground, tally):
    path, _ = ground
    backup.make(path, home)
    good = read(os.path.join(home, backup.GENERATIONS[0]))
    db = sqlite3.connect(path)
    db.execute("UPDATE session SET cost = cost + 1 WHERE id = 1")
    db.commit()
    db.close()
    with tally.fault():
        assert backup.run(path, home) == backup.DAMAGED
        assert read(os.path.join(home, backup.GENERATIONS[0])) == good


def test_damaged_again_within_a_minute_is_left_to_people(home, ground, tally):
    path, _ = ground
    write(path, b"nothing" * 1000)
    catch_up(home)
    write(path, b"nothing" * 1000)
    with tally.fault(), pytest.raises(schema.HistoryError, match="look after the disk"):
        catch_up(home)


# -- the listener ----------------------------------------------------------------------------------------------------


def test_a_listener_that_finds_its_history_damaged_restores_it_and_says_so(listener, ground, tally):
    path, wanted = ground
    backup.make(path, listener.home)
    with tally.fault():
        write(path, half(read(path)))
        state = listener.start().wait_for(lambda s: s["scan"]["complete"] and s["doctor"]["history_restored"])
        listener.wait_for(lambda s: s["doctor"]["history_restored"]["incomplete_days"] == [])
        assert "restored from history.backup-1.db" in listener.log()
        assert os.path.exists(os.path.join(listener.home, state["doctor"]["history_restored"]["file"]))
        said = aitop("doctor").stdout
        assert "the history was damaged and was restored" in said
        assert "nothing is missing" in said
        listener.end()
        tally.same(numbers(listener.home), wanted)


@pytest.mark.parametrize("where", ["everything but the header", "the header"])
def test_damage_under_a_running_listener_ends_with_a_working_history(
    where, listener, ground, claude, tally, tmp_path
):
    path, _ = ground
    backup.make(path, listener.home)
    transcript = os.path.join(claude, "projects", "-work-0", f"{name(0)}.jsonl")
    listener.start().wait_for(lambda s: s["scan"]["complete"])
    with tally.fault():
        size = os.path.getsize(path)
        fd = os.open(path, os.O_WRONLY)
        start, end = (0, 100) if where == "the header" else (4096, size)
        os.pwrite(fd, os.urandom(end - start), start)
        os.close(fd)
        for number in range(200):
            append(
                transcript,
                assistant(f"late{number}", time.time(), request_id=f"late{number}", session=name(0)),
            )
            time.sleep(0.02)
        try:
            listener.wait_for(lambda s: s["doctor"]["history_restored"] is not None, 4)
        except pytest.fail.Exception:  # served from memory so far: the next start sees it
            listener.end()
            listener.start()
        listener.wait_for(lambda s: s["scan"]["complete"] and s["today"]["requests"] >= 200, 20)
        assert listener.end() == 0
        assert integrity.problem_of(path) is None
        tally.same(numbers(listener.home), recount(tmp_path))


def test_a_fault_that_damage_explains_ends_in_a_restore_and_not_in_a_traceback(
    listener, ground, claude, tally, tmp_path
):
    path, _ = ground
    transcript = os.path.join(claude, "projects", "-work-0", f"{name(0)}.jsonl")
    listener.start().wait_for(lambda s: s["scan"]["complete"])
    with tally.fault():
        db = sqlite3.connect(path, timeout=20)
        db.execute("UPDATE alias SET response = response + 1000000")  # to SQLite as good as any
        db.commit()
        db.close()
        append(transcript, assistant("m0-0", time.time(), request_id="r0-0", session=name(0)))
        append(transcript, assistant("new", time.time(), request_id="new", session=name(0)))
        listener.wait_for(lambda s: s["doctor"]["history_restored"] and s["scan"]["complete"])
        assert "Traceback" not in listener.output()
        assert listener.end() == 0
        tally.same(numbers(listener.home), recount(tmp_path))


def test_the_daily_check_of_a_listener_finds_what_nothing_stumbled_on(home, ground, tally):
    path, _ = ground
    db = sqlite3.connect(path)
    db.execute("UPDATE session SET cost = cost + 1 WHERE id = 1")
    db.commit()
    db.close()
    maintenance = Maintenance(home, Log(os.path.join(home, "aitop.log"), debug=False, echo=False))
    maintenance._next_backup = 0.0
    with tally.fault():
        found = None
        while found is None:
            maintenance._next = 0.0
            found = maintenance.tick(time.time(), Config(), True)
            time.sleep(0.05)
        assert found == "damaged"
        assert not os.path.exists(os.path.join(home, backup.GENERATIONS[0]))


def test_a_restore_killed_at_any_step_is_finished_by_the_next_start(home, ground, tally, tmp_path):
    path, wanted = ground
    backup.make(path, home)
    write(path, half(read(path)))
    kept, counts = str(tmp_path / "kept"), str(tmp_path / "steps")
    shutil.copytree(home, kept)
    chance = random.Random(5)
    child(f"record {counts}", "report", "sessions", "--json")
    steps = {
        "replace": 9,
        "unlink": 12,
        "execute": 60,
        "executemany": 20,
        "open": 6,
        "close": 9,
        "fsync": 1,
        "stat": 9,
    }
    for number in range(60 if LONG else 8):
        step = ("replace", "execute", "unlink", *steps)[number] if number < 3 else chance.choice(list(steps))
        at = chance.randint(1, steps[step]) * chance.choice([1, -1])
        anew(home, kept)
        with tally.fault():
            child(f"kill {step} {at}", "report", "sessions", "--json")
            rows = json.loads(aitop("report", "sessions", "--json").stdout)
            assert rows
            tally.same(numbers(home), wanted, f"killed at {step} {at}:")
            assert integrity.problem_of(path) is None


def child(plan, *words):
    script = os.path.join(os.path.dirname(__file__), "child.py")
    return subprocess.run([sys.executable, script, plan, *words], env=os.environ | {"PYTHONPATH": ROOT},
                          capture_output=True, text=True, timeout=60)  # fmt: skip
