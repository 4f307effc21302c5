"""Responses of other machines: over a real ssh, each counted once."""

import json
import os
import sqlite3
import sys
import time

import pytest
from golden.home import ROOT
from support import lines
from support.fleet_homes import Machine
from support.sshd import Sshd

from aitop.fleet import machines, records
from aitop.history import schema

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]
NOW = time.time() - 6 * 3600


def made(name, number, first=0, at=NOW, session=lines.SESSION):
    return [
        lines.assistant(f"msg_{name}_{n}", at + n, request_id=f"req_{name}_{n}", session=session,
                        usage=lines.usage(output=90 + n, uncached=20, read=9000, write=700))
        for n in range(first, first + number)
    ]  # fmt: skip


@pytest.fixture
def sshd(tmp_path):
    server = Sshd(tmp_path / "sshd", ["box1", "box2"])
    yield server
    server.close()


def remote(machine):
    """What aitop is called on that machine: ssh knows it by its home."""
    environ = " ".join(f"{key}={machine.environ[key]}" for key in ("HOME", "AITOP_HOME", "XDG_RUNTIME_DIR"))
    return f"env {environ} AITOP_PROVIDERS=builtin PYTHONPATH={ROOT} {sys.executable} -P -m aitop"


def configure(machine, sshd, command):
    with open(machine.config, "w") as file:
        file.write(f"[fleet]\nssh = '{sshd.command}'\ncommand = '{command}'\n")


def read(machine):
    assert machine.run("report", "models", "--json").returncode == 0


def by_host(machine):
    return {row["host"]: row for row in json.loads(machine.run("report", "--host", "--json").stdout)}


@pytest.fixture
def three(tmp_path, sshd):
    """This machine, box1 and box2. One transcript is synced between all of them, another between the boxes."""
    here, box1, box2 = (Machine(tmp_path, name) for name in ("here", "box1", "box2"))
    synced, boxes = made("synced", 10), made("boxes", 5, session=lines.OTHER)
    for machine, own in ((here, 20), (box1, 30), (box2, 40)):
        machine.transcript(synced)
        machine.transcript(made(machine.name, own, session=f"{own}111111-2222-4333-8444-555555555555"),
                           session=f"{own}111111-2222-4333-8444-555555555555")  # fmt: skip
    for machine in (box1, box2):
        machine.transcript(boxes, session=lines.OTHER)
    for machine in (here, box1, box2):
        read(machine)
    return here, box1, box2


def pull(here, sshd, machine):
    configure(here, sshd, remote(machine))
    return here.run("pull", machine.name)


def test_a_transcript_that_is_synced_between_machines_counts_once(three, sshd):
    here, box1, box2 = three
    for machine in (box1, box2):
        found = pull(here, sshd, machine)
        assert (found.returncode, found.stderr) == (0, ""), found.stderr
    rows = by_host(here)
    assert {name: row["requests"] for name, row in rows.items()} == {"here": 30, "box1": 35, "box2": 40}
    assert {name: row["shared_requests"] for name, row in rows.items()} == {"here": 0, "box1": 10, "box2": 15}
    one = here.spent() / 30
    assert rows["box2"]["spent_usd"] == pytest.approx(one * 40, rel=0.05)
    synced = sum(machine.spent() for machine in three) - sum(row["spent_usd"] for row in rows.values())
    assert synced > 0
    text = here.run("report", "--host").stdout
    assert "box1" in text
    assert "total" in text
    top = here.run("top", "--fleet", "--once").stdout
    assert "over ssh" in top
    assert "box2" in top


def test_only_what_is_new_travels_and_a_response_is_a_hundred_bytes_at_most(three, sshd):
    here, box1, _ = three
    assert pull(here, sshd, box1).stdout == "box1: 45 records\n"
    box1.transcript(made("late", 7, at=time.time()), session="late1111-2222-4333-8444-555555555555")
    read(box1)
    assert pull(here, sshd, box1).stdout == "box1: 52 records\n"  # the hour before the mark is sent again
    assert pull(here, sshd, box1).stdout == "box1: 7 records\n"
    whole = box1.run("state", "--records", "--since", "0").stdout
    assert len(whole) / 52 <= 100
    assert by_host(here)["box1"]["requests"] == 42


def test_a_correction_that_is_older_than_the_mark_is_noticed_and_everything_comes_again(three, sshd):
    here, box1, _ = three
    box1.transcript(made("late", 7, at=time.time()), session="late1111-2222-4333-8444-555555555555")
    read(box1)
    pull(here, sshd, box1)
    assert pull(here, sshd, box1).stdout == "box1: 7 records\n"
    before = by_host(here)["box1"]["spent_usd"]
    with sqlite3.connect(os.path.join(box1.home, "history.db")) as db:
        number = db.execute("SELECT id FROM response WHERE cost > 0 ORDER BY output DESC LIMIT 1").fetchone()[
            0
        ]
        db.execute("UPDATE response SET cost = cost + 1000000000000 WHERE id = ?", (number,))
    assert pull(here, sshd, box1).stdout == "box1: 52 records\n"
    assert by_host(here)["box1"]["spent_usd"] == pytest.approx(before + 1)


def test_a_machine_that_cannot_be_reached_keeps_its_numbers_with_their_age(three, sshd):
    here, box1, _ = three
    pull(here, sshd, box1)
    before = by_host(here)["box1"]
    sshd.close()
    found = pull(here, sshd, box1)
    assert found.returncode == 1
    assert "box1: " in found.stderr
    assert "Traceback" not in found.stderr
    assert by_host(here)["box1"] == before


def test_a_host_without_aitop_is_told_in_words(three, sshd):
    here, *_ = three
    configure(here, sshd, "no-such-aitop")
    found = here.run("pull", "box1")
    assert found.returncode == 1
    assert "See fleet.command" in found.stderr


@pytest.mark.parametrize("host", ["-oProxyCommand=touch RAN", "", "a\nb"])
def test_a_host_is_never_an_option(tmp_path, host):
    found = Machine(tmp_path, "one").run("pull", host)
    assert found.returncode == 2


@pytest.mark.parametrize(
    "sent",
    [[], ['{"v":1,"whole":true,"host":"x"}'], ["hello"], ['{"v":9,"whole":true}', '{"end":{}}'],
     ['{"v":1,"whole":true}', '["AAAAAAAAAAA",1,0,0,1]', '{"end":{"mark":"m","responses":0,"cost":0,"untracked":0}}'],
     ['{"v":1,"whole":true}', '{"s":[0,"a","b"]}', '{"m":[0,"x"]}', '["A",1,0,0,1]'], ["null"], ["3"]],
)  # fmt: skip
def test_nonsense_from_a_machine_changes_nothing(home, sent):
    db = machines.connect(home)
    good = ['{"v":1,"whole":true}', '{"s":[0,"claude-code","s","shop"]}', '{"m":[0,"opus"]}',
            '["AAAAAAAAAAA",1000,0,0,1,2,3,4,5,6,0]',
            '{"end":{"mark":"m","responses":1,"cost":6,"untracked":0}}']  # fmt: skip
    assert machines.take(db, "box", good, 5.0) == 1
    before = db.execute("SELECT * FROM record").fetchall()
    with pytest.raises(machines.PullError):
        machines.take(db, "box", sent, 6.0)
    assert db.execute("SELECT * FROM record").fetchall() == before
    assert machines.mark(db, "box") == "m"
    db.close()


GOOD = ['{"v":1,"whole":true}', '{"s":[0,"droid","s","shop"]}', '{"s":[1,"kiro","k","shop"]}',
        '{"s":[2,"claude-code","c","shop"]}', '{"m":[0,"opus"],"credits":2500000}',
        '["AAAAAAAAAAA",1000,0,0,1,2,3,4,5,6,0]',
        '{"m":[0,"opus"],"credits":1000000}', '["AAAAAAAAAAE",1000,0,0,1,2,3,4,5,6,0]',
        '{"m":[0,"opus"],"credits":7000000}', '["AAAAAAAAAAI",1000,1,0,1,2,3,4,5,0,2]',
        '["AAAAAAAAAAM",1000,2,0,1,2,3,4,5,6,0]']  # fmt: skip
END = {"mark": "m", "responses": 4, "cost": 18, "untracked": 0}


def end(**more):
    return json.dumps({"end": END | more})


def test_credits_come_by_client_and_are_never_added_over_clients(home):
    db = machines.connect(home)
    machines.take(db, "box", [*GOOD, end(credits=10_500_000)], 5.0)
    db.close()
    (row,) = machines.by_host(home)
    assert row.credits == {"droid": 3.5, "kiro": 7.0}


def test_a_machine_of_an_older_aitop_is_taken_and_its_credits_are_unknown(home):
    db = machines.connect(home)
    older = [line.replace(',"credits":', ',"x":') for line in GOOD]
    assert machines.take(db, "box", [*older, end()], 5.0) == 4
    (row,) = machines.by_host(home)
    assert (row.requests, row.credits) == (4, {"droid": None, "kiro": None})
    later = ['{"v":1,"whole":false}', end(credits=10_500_000)]
    with pytest.raises(machines.MismatchError):  # it was brought up to date: everything comes again
        machines.take(db, "box", later, 6.0)
    machines.take(db, "box", [*GOOD, end(credits=10_500_000)], 7.0)
    machines.take(db, "box", later, 8.0)
    db.close()
    assert machines.by_host(home)[0].credits == {"droid": 3.5, "kiro": 7.0}


def test_a_file_of_an_older_aitop_gets_the_column(home):
    db = sqlite3.connect(os.path.join(home, machines.NAME))
    db.executescript(machines.TABLES.replace(" credits INTEGER,", ""))
    db.execute("INSERT INTO host VALUES ('box', 'm', 1.0)")
    db.execute("INSERT INTO record VALUES ('box', 5, 1000, 'kiro', 's', 'p', 'm', 1, 1, 0, 0, 1, 1)")
    db.commit()
    db.close()
    (row,) = machines.by_host(home)
    assert (row.requests, row.credits) == (1, {"kiro": None})


def test_a_response_sends_its_credits_before_it_and_in_the_end_their_sum(tmp_path):
    from support.worlds import Book

    book = Book(tmp_path / "history.db")
    book.feed("/p/s.jsonl", [lines.assistant("m1", NOW), lines.assistant("m2", NOW + 1, request_id="r2")])
    book.commit()
    book.db.execute("UPDATE response SET credits = 2500000 WHERE id = 1")
    sent = [json.loads(line) for line in records.lines(book.db, "0", "box")]
    book.db.close()
    assert [line for line in sent if "m" in line] == [{"m": [0, lines.MODEL], "credits": 2_500_000}]
    assert sent[-1]["end"]["credits"] == 2_500_000


def test_credits_stand_in_a_column_of_their_own_where_a_machine_has_some():
    from aitop.reports import fleet_cli
    from aitop.segments.money import Currency

    row = machines.HostRow("box", 1.0, 4, 0, 1, 1, 5, 0, {"droid": 3.5, "kiro": None})
    assert fleet_cli._host(row, Currency(), 2.0)[4] == "droid 3.5, kiro -"


def test_records_hold_no_path_and_no_text(three):
    _, box1, _ = three
    db = schema.connect_read_only(os.path.join(box1.home, "history.db"))
    text = "\n".join(records.lines(db, "0", "box1"))
    db.close()
    assert "/work" not in text
    assert "fine" not in text
