"""What is counted of each client, and what is not: every client that was found has a line, with its reason."""

import os

import pytest
from support.desk import Desk
from support.lines import assistant, transcript

from aitop.ingest import coverage
from aitop.providers import places as places_room
from aitop.providers.claude_code import provider as claude
from aitop.providers.opencode import provider as opencode


def test_a_client_whose_records_are_read_is_counted(tmp_path):
    transcript(str(tmp_path / ".claude"), [assistant()])
    desk = Desk(claude, tmp_path / ".claude" / "projects").read()
    assert desk.ingest.coverage()["claude-code"] == {
        "found": True, "counted": True, "reason": None, "files": 1, "unread": 0, "version_unknown": 0,
    }  # fmt: skip


def test_a_client_without_a_folder_is_not_found(tmp_path):
    assert Desk(claude, tmp_path / "none").read().ingest.coverage()["claude-code"]["found"] is False


def test_a_file_of_an_unknown_format_is_told_with_its_reason_until_it_is_gone(tmp_path):
    import sqlite3

    path = tmp_path / "opencode.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE session_v9 (id TEXT, version TEXT, time_updated INTEGER)")
        db.execute("INSERT INTO session_v9 VALUES ('s', '9.1', 5)")
    desk = Desk(opencode, path).read()
    told = desk.ingest.coverage()["opencode"]
    assert (told["found"], told["counted"], told["unread"], told["version_unknown"]) == (True, True, 1, 1)
    assert told["reason"] == (
        "unknown format: its tables (session_v9) are not those of OpenCode 1 or 2 (written by version 9.1)"
    )
    db.execute("DROP TABLE session_v9")
    db.commit()
    db.close()
    os.utime(path, (1, 1))
    assert desk.read().ingest.coverage()["opencode"]["version_unknown"] == 0


def test_a_provider_that_is_switched_off_is_not_counted(tmp_path):
    desk = Desk(claude, tmp_path).read()
    desk.provider.problem = "switched off, wants(): ValueError"
    told = desk.ingest.coverage()["claude-code"]
    assert (told["counted"], told["reason"]) == (False, "switched off, wants(): ValueError")


def test_a_link_that_leads_out_is_told_until_it_is_gone(tmp_path):
    root = tmp_path / ".claude" / "projects"
    transcript(str(tmp_path / "elsewhere"), [assistant()])
    root.mkdir(parents=True)
    os.symlink(tmp_path / "elsewhere", root / "-shop")
    desk = Desk(claude, root).read()
    (path,) = desk.ingest.unreadable
    assert path == str(root / "-shop")
    assert str(tmp_path / "elsewhere") in desk.ingest.coverage()["claude-code"]["reason"]
    os.unlink(root / "-shop")
    assert desk.read().ingest.coverage()["claude-code"]["unread"] == 0


# -- clients that no provider reads --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", coverage.UNCOUNTABLE)
def test_every_client_that_cannot_be_counted_is_found_in_each_of_its_places(tmp_path, name):
    places, reason = coverage.UNCOUNTABLE[name]
    for number, place in enumerate(places):
        home = tmp_path / str(number)
        path = place.replace("CONFIG", ".config").replace("DATA", ".local/share").removeprefix("~/")
        os.makedirs(home / path)
        assert coverage.uncountable({"HOME": str(home)})[name] == {
            "found": True, "counted": False, "reason": reason, "files": 0, "unread": 0, "version_unknown": 0,
        }  # fmt: skip


def test_nothing_is_found_where_nothing_is(tmp_path):
    assert coverage.uncountable({"HOME": str(tmp_path)}) == {}


def test_a_client_that_a_provider_reads_is_not_among_them(tmp_path):
    os.makedirs(tmp_path / ".qwen" / "projects")
    assert coverage.uncountable({"HOME": str(tmp_path)}, ["qwen"]) == {}


def test_the_folders_of_applications_are_those_of_the_system(tmp_path, monkeypatch):
    monkeypatch.setattr(places_room.sys, "platform", "darwin")
    os.makedirs(tmp_path / "Library" / "Application Support" / "Cursor/User/globalStorage/state.vscdb")
    assert list(coverage.uncountable({"HOME": str(tmp_path)})) == ["cursor"]
    os.makedirs(tmp_path / "c" / "Cursor/User/globalStorage/state.vscdb")
    monkeypatch.setattr(places_room.sys, "platform", "linux")
    assert list(coverage.uncountable({"HOME": "/nowhere", "XDG_CONFIG_HOME": str(tmp_path / "c")})) == [
        "cursor"
    ]
