"""The journal of alerts: what was raised and when it ended, across restarts, and nothing that harms the listener."""

import json
import os
import stat

import pytest

from aitop.live.alerts import Alert
from aitop.publish import alert_journal
from aitop.publish.alert_journal import AlertJournal, read

NOW = 1_790_000_000.0


def alert(name="burn", level="warning", text="burning $7.50/h", cause="", session=None):
    return Alert(name, level, text, NOW, cause, session, "claude-code")


def told(home, start=NOW - 1e6, end=NOW + 1e6):
    return [
        (one.id, one.level, one.at - NOW, one.ended and one.ended - NOW) for one in read(home, start, end)
    ]


def test_an_alert_has_its_beginning_and_its_end(home):
    journal = AlertJournal(home)
    for second in range(10):
        journal.note([alert(text=f"burning ${second}/h")] if 2 <= second < 7 else [], NOW + second)
    assert told(home) == [("burn", "warning", 2, 7)]
    (one,) = read(home, NOW, NOW + 60)
    assert (one.text, one.session, one.provider) == ("burning $2/h", None, "claude-code")


def test_a_level_that_changes_and_a_new_cause_are_news(home):
    journal = AlertJournal(home)
    journal.note([alert(level="warning")], NOW)
    journal.note([alert(level="critical")], NOW + 5)
    journal.note([], NOW + 9)
    assert told(home) == [("burn", "warning", 0, 5), ("burn", "critical", 5, 9)]


def test_while_nothing_changes_nothing_is_written(home):
    journal = AlertJournal(home)
    journal.note([alert(), alert("limit", session="s1")], NOW)
    size = os.path.getsize(os.path.join(home, "alerts.jsonl"))
    for second in range(100):
        journal.note([alert(text=f"burning ${second}/h"), alert("limit")], NOW + second)
    assert os.path.getsize(os.path.join(home, "alerts.jsonl")) == size


def test_an_alert_that_stands_at_a_restart_is_one_alert(home):
    AlertJournal(home).note([alert(), alert("limit")], NOW)
    after = AlertJournal(home)
    after.note([alert()], NOW + 100)  # the other one ended while no listener ran
    after.note([], NOW + 200)
    assert told(home) == [("burn", "warning", 0, 200), ("limit", "warning", 0, 100)]


def test_what_stood_when_the_listener_ended_for_good_has_no_end(home):
    AlertJournal(home).note([alert()], NOW)
    assert told(home) == [("burn", "warning", 0, None)]
    AlertJournal(home).note([], NOW + 50)
    assert told(home) == [("burn", "warning", 0, 50)]


def test_a_span_has_the_alerts_that_stood_in_it(home):
    journal = AlertJournal(home)
    journal.note([alert()], NOW)
    journal.note([], NOW + 100)
    assert [len(told(home, *span)) for span in ((NOW - 9, NOW), (NOW - 9, NOW + 1), (NOW + 50, NOW + 60),
                                                (NOW + 101, NOW + 200))] == [0, 1, 1, 0]  # fmt: skip


def test_it_is_for_its_owner_alone_and_bounded(home, monkeypatch):
    monkeypatch.setattr(alert_journal, "LIMIT", 4000)
    journal = AlertJournal(home)
    for second in range(200):
        journal.note([alert(f"a{second}", text="x" * 2000)], NOW + second)
    path = os.path.join(home, "alerts.jsonl")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert os.path.getsize(path) <= 4000
    assert os.path.getsize(path + ".1") <= 4000
    assert told(home)[-1][:2] == ("a199", "warning")


def test_damaged_lines_are_left_out(home):
    path = os.path.join(home, "alerts.jsonl")
    good = [
        {"at": NOW, "id": "burn", "level": "warning", "text": "t"},
        {"at": NOW + 5, "id": "burn", "ended": True},
    ]
    odd = [b"{", b"[]", b"null", b"\xff\x00", b'{"at": "x", "id": 3}', b'{"at": 1, "id": "n", "level": 2}',
           b'{"at": 1e999, "id": null}']  # fmt: skip
    with open(path, "wb") as file:
        file.write(b"\n".join([odd[0], json.dumps(good[0]).encode(), *odd, json.dumps(good[1]).encode()]))
    assert told(home) == [("burn", "warning", 0, 5)]


@pytest.mark.parametrize("odd", ["missing", "folder", "fifo", "link"])
def test_where_nothing_can_be_written_the_listener_goes_on(home, odd, tmp_path):
    path = os.path.join(home, "alerts.jsonl")
    journal = AlertJournal(os.path.join(home, "none") if odd == "missing" else home)
    if odd == "folder":
        os.mkdir(path)
    elif odd == "fifo":
        os.mkfifo(path)
    elif odd == "link":
        os.symlink(tmp_path / "theirs", path)
    journal.note([alert()], NOW)
    assert read(home, 0, NOW * 2) == []
    assert not (tmp_path / "theirs").exists()


def test_a_line_that_a_full_disk_cut_does_not_spoil_the_next(home, monkeypatch):
    journal = AlertJournal(home)
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:20]))
    journal.note([alert()], NOW)
    monkeypatch.undo()
    monkeypatch.setenv("AITOP_HOME", home)
    journal.note([alert(), alert("limit")], NOW + 1)
    assert told(home) == [("limit", "warning", 1, None)]


def test_a_line_that_is_nested_too_deeply_is_left_out(home):
    AlertJournal(home).note([alert()], NOW)
    with open(os.path.join(home, "alerts.jsonl"), "a", encoding="utf-8") as file:
        file.write("[" * 100_000 + "\n")
    assert told(home) == [("burn", "warning", 0, None)]


def test_after_a_torn_line_of_the_listener_before_the_first_line_of_the_next_one_counts(home):
    AlertJournal(home).note([alert()], NOW)
    with open(os.path.join(home, "alerts.jsonl"), "a", encoding="utf-8") as file:
        file.write('{"at": 17959443')
    AlertJournal(home).note([], NOW + 100)
    assert told(home) == [("burn", "warning", 0, 100)]
