"""From files that changed to a history that knows: what is found, what is followed, who reads it."""

import os
import select
import signal
import time

import pytest
from support.lines import OTHER, SESSION, START, append, assistant, encode, stamp, transcript, user

from aitop.history import schema
from aitop.history.store import History
from aitop.ingest import queue as room
from aitop.ingest import workers
from aitop.ingest.queue import Ingest
from aitop.pricing import table
from aitop.providers.claude_code import provider

PRICES = table.load()


class Desk:
    """An ingest over a folder, driven without a listener."""

    def __init__(self, root, db=":memory:", helpers=0):
        self.root = str(root)
        os.makedirs(os.path.join(self.root, "projects"), exist_ok=True)
        self.db = schema.connect(str(db))
        self.history = History(self.db, PRICES)
        folders = {provider.name: [os.path.join(self.root, "projects")]}
        self.ingest = Ingest(self.history, [provider], folders, helpers)

    def read(self, rescan=True):
        now = time.time()
        if rescan:
            self.ingest.rescan(now)
        self.drain(now)
        self.history.commit()
        return self

    def drain(self, now):
        deadline = time.monotonic() + 30
        while self.ingest.waiting:
            assert time.monotonic() < deadline, "it does not come to an end"
            self.ingest.recruit(now)
            if self.ingest.helpers:
                ready, _, _ = select.select(self.ingest.helpers, [], [], 10)
                for helper in ready:
                    self.ingest.receive(helper, now)
            else:
                self.ingest.step(now)

    def look(self, path):
        found = self.ingest.look(str(path), time.time())
        self.drain(time.time())
        self.history.commit()
        return found

    def totals(self):
        return {
            name: values
            for name, *values in self.db.execute(
                "SELECT name, requests, output, cost, tool_calls, errors FROM session"
            )
            if any(values)
        }

    def requests(self):
        return sum(values[0] for values in self.totals().values())


@pytest.fixture
def desk(tmp_path):
    found = Desk(tmp_path / "claude", tmp_path / "history.db")
    yield found
    found.ingest.stop()
    found.db.close()


def fill(root, files=6, each=40):
    """Several sessions, some of them copying from each other."""
    for number in range(files):
        session = f"{number:08d}-2222-4333-8444-555555555555"
        lines = [user(at=START + number, session=session)]
        for n in range(each):
            owner = number if n % 5 else number // 2
            lines.append(assistant(f"m{owner}-{n}", START + n, request_id=f"r{owner}-{n}", session=session))
        transcript(root, lines, session=session)


# -- finding -------------------------------------------------------------------------------------------------------


def test_every_transcript_under_the_folder_is_found_and_nothing_else(desk):
    transcript(desk.root, [assistant()])
    transcript(desk.root, [assistant("m2", request_id="r2")], agent="a7")
    transcript(desk.root, [assistant("m3", request_id="r3")], session="agent-old")
    folder = os.path.join(desk.root, "projects", "-work-shop", SESSION, "subagents", "workflows", "wf_1")
    os.makedirs(folder)
    append(os.path.join(folder, "agent-w.jsonl"), assistant("m4", request_id="r4"))
    append(os.path.join(folder, "journal.jsonl"), assistant("m5", request_id="r5"))
    append(os.path.join(folder, "notes.txt"), assistant("m6", request_id="r6"))
    assert desk.read().totals().keys() == {SESSION}
    assert desk.requests() == 4
    assert desk.ingest.complete


def test_a_file_read_once_is_not_read_again(desk, monkeypatch):
    transcript(desk.root, [assistant()])
    desk.read()
    monkeypatch.setattr(os, "pread", lambda *_: pytest.fail("read again"))
    desk.read()
    desk.ingest.poll(time.time(), 3600)
    assert not desk.ingest.waiting


def test_what_was_added_is_read_after_a_restart_and_only_that(desk, tmp_path):
    path = transcript(desk.root, [assistant()])
    desk.read()
    append(path, assistant("m2", request_id="r2"))
    again = Desk(desk.root, tmp_path / "history.db")
    again.read()
    assert again.requests() == 2
    assert again.ingest.done_bytes == len(encode([assistant("m2", request_id="r2")]))
    again.db.close()


def test_a_transcript_that_grows_and_one_cut_short_are_seen_by_polling(desk):
    path = transcript(desk.root, [assistant()])
    desk.read()
    append(path, assistant("m2", request_id="r2"))
    desk.ingest.poll(time.time(), 3600)
    desk.read(rescan=False)
    assert desk.requests() == 2
    with open(path, "wb") as file:
        file.write(encode([assistant("m3", request_id="r3")]))
    desk.ingest.poll(time.time(), 3600)
    desk.read(rescan=False)
    assert desk.requests() == 3


def test_lines_no_parser_understands_are_counted_once_though_the_file_is_read_twice(desk):
    path = transcript(desk.root, [b"nonsense\n", assistant()])
    desk.read()
    assert desk.history.bad_lines == 1
    with open(path, "wb") as file:
        file.write(b"nonsense, longer than before\nmore\n" + encode([assistant()]))
    desk.read()
    assert desk.history.bad_lines == 2
    assert desk.requests() == 1


def test_a_file_deleted_while_it_waits_is_no_trouble(desk):
    path = transcript(desk.root, [assistant()])
    desk.ingest.rescan(time.time())
    os.unlink(path)
    desk.read(rescan=False)
    assert (desk.ingest.complete, desk.ingest.unreadable) == (True, {})


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named_and_the_rest_is_read(desk):
    path = transcript(desk.root, [assistant()])
    os.chmod(path, 0)
    transcript(desk.root, [assistant("m2", request_id="r2")], session=OTHER)
    desk.read()
    assert list(desk.ingest.unreadable) == [path]
    assert desk.requests() == 1
    os.chmod(path, 0o600)
    os.utime(path)
    assert desk.read().requests() == 2
    assert desk.ingest.unreadable == {}


def test_a_file_that_fails_to_be_read_is_named_and_the_rest_is_read(desk, monkeypatch):
    path = transcript(desk.root, [assistant()])
    transcript(desk.root, [assistant("m2", request_id="r2")], session=OTHER)
    real = os.open

    def opened(name, *rest, **more):
        if name == path:
            raise PermissionError(13, "Permission denied")
        return real(name, *rest, **more)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", opened)
        desk.read()
    assert desk.ingest.unreadable == {path: "Permission denied"}
    assert desk.requests() == 1
    os.utime(path)
    assert desk.read().requests() == 2
    assert desk.ingest.unreadable == {}


@pytest.mark.parametrize("kind", ["fifo", "folder", "link", "loop"])
def test_things_named_like_transcripts_that_are_none_are_passed_by(desk, tmp_path, kind):
    transcript(desk.root, [assistant()])
    path = os.path.join(desk.root, "projects", "-work-shop", "x.jsonl")
    outside = tmp_path / "outside.jsonl"
    outside.write_bytes(encode([assistant("m2", request_id="r2")]))
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        os.mkdir(path)
    else:
        os.symlink(path if kind == "loop" else outside, path)
    desk.look(path)
    assert desk.read().requests() == 1
    assert desk.ingest.complete


def test_a_name_that_is_no_text_is_passed_by_and_named(desk):
    transcript(desk.root, [assistant()])
    folder = os.fsencode(os.path.join(desk.root, "projects", "-work-shop"))
    with open(os.path.join(folder, b"\xff\xfe.jsonl"), "wb") as file:
        file.write(encode([assistant("m2", request_id="r2")]))
    assert desk.read().requests() == 1
    (named,) = desk.ingest.unreadable
    named.encode()  # it can be published


# -- what a hook may point to ----------------------------------------------------------------------------------------


def test_a_path_is_followed_only_under_a_folder_of_ours(desk, tmp_path):
    outside = tmp_path / "elsewhere" / "x.jsonl"
    outside.parent.mkdir()
    outside.write_bytes(encode([assistant()]))
    root = os.path.join(desk.root, "projects")
    os.symlink(outside.parent, os.path.join(root, "way"))
    for path in (
        outside,
        f"{root}/../../elsewhere/x.jsonl",
        f"{root}/way/x.jsonl",
        f"{root}x/x.jsonl",
        "x.jsonl",
        "",
        "/",
        f"{root}/-w/\0x.jsonl",
        f"{root}/\0/x.jsonl",
        root + "/" + "a" * 5000 + ".jsonl",
        "/\udcff.jsonl",
        "/" * 5000,
    ):
        assert not desk.look(path) or desk.requests() == 0
    assert desk.requests() == 0


def test_a_path_under_a_folder_of_ours_is_followed_however_it_is_written(desk, tmp_path):
    """By the folder's real name, or as the client was told of it, which may be a link."""
    path = transcript(desk.root, [assistant()])
    os.symlink(desk.root, tmp_path / "alias")
    by_alias = Desk(tmp_path / "alias", tmp_path / "other.db")
    for found in (path, path.replace(desk.root, by_alias.root)):
        assert by_alias.look(found.replace("-work-shop", "-work-shop/../-work-shop"))
    assert by_alias.requests() == 1
    assert by_alias.read().requests() == 1
    assert by_alias.db.execute("SELECT count(*) FROM file").fetchone() == (1,)


def test_a_path_that_does_not_exist_yet_is_ours_all_the_same(desk):
    assert desk.look(os.path.join(desk.root, "projects", "-new", f"{SESSION}.jsonl"))


# -- helpers ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def eager(monkeypatch):
    monkeypatch.setattr(room, "HELP_FROM", 1)


def helped(tmp_path, name="helped.db"):
    return Desk(tmp_path / "claude", tmp_path / name, helpers=2)


def test_helpers_give_the_same_result_as_one_process(tmp_path, eager, desk):
    fill(tmp_path / "claude")
    alone = desk
    alone.read()
    with_help = helped(tmp_path)
    with_help.ingest.rescan(time.time())
    with_help.ingest.recruit(time.time())
    assert len(with_help.ingest.helpers) == 2
    with_help.read(rescan=False)
    assert with_help.totals() == alone.totals()
    offsets = "SELECT path, session, offset, tail, size, bad_lines FROM file ORDER BY path"
    assert with_help.db.execute(offsets).fetchall() == alone.db.execute(offsets).fetchall()
    with_help.db.close()


def test_a_helper_that_is_killed_leaves_nothing_unread(tmp_path, eager):
    fill(tmp_path / "claude")
    one = helped(tmp_path)
    one.ingest.rescan(time.time())
    one.ingest.recruit(time.time())
    for helper in one.ingest.helpers:
        os.kill(helper.pid, signal.SIGKILL)
    one.read(rescan=False)
    assert one.ingest.complete
    assert one.requests() > 0
    expected = one.totals()
    two = Desk(tmp_path / "claude", tmp_path / "alone.db")
    assert two.read().totals() == expected
    one.db.close()
    two.db.close()


def test_what_is_written_while_helpers_read_is_read_too(tmp_path, eager):
    path = transcript(tmp_path / "claude", [assistant()])
    one = helped(tmp_path)
    one.ingest.rescan(time.time())
    one.ingest.recruit(time.time())
    select.select(one.ingest.helpers, [], [], 10)
    append(path, assistant("m2", request_id="r2"))
    one.ingest.look(path, time.time())
    one.read(rescan=False)
    assert one.requests() == 2
    one.db.close()


def test_a_large_file_without_any_line_end_does_not_send_for_helpers_forever(tmp_path, eager, monkeypatch):
    path = transcript(tmp_path / "claude", [b"x" * 4096])
    one = helped(tmp_path)
    begun = []
    real = workers.start
    monkeypatch.setattr(workers, "start", lambda *rest: begun.append(1) or real(*rest))
    one.read()
    assert (len(begun), one.ingest.complete) == (1, True)
    append(path, b"\n", assistant())
    assert one.read().requests() == 1
    one.db.close()


def test_helpers_that_were_let_go_may_still_be_asked(tmp_path, eager):
    fill(tmp_path / "claude")
    one = helped(tmp_path)
    one.ingest.rescan(time.time())
    one.ingest.recruit(time.time())
    helpers = list(one.ingest.helpers)
    one.ingest.forget()
    for helper in helpers:
        one.ingest.receive(helper, time.time())
        with pytest.raises(ProcessLookupError):
            os.kill(helper.pid, 0)
    assert one.read().requests() > 0
    one.db.close()


def test_a_chunk_that_does_not_follow_is_dropped(desk):
    from aitop.ingest.tail import chunks

    path = transcript(desk.root, [assistant()])
    desk.read()
    append(path, assistant("m2", request_id="r2"))
    job = desk.ingest._job(path, provider.name, 0.0)
    (chunk,) = chunks(job, provider.parse, provider.identify)
    desk.ingest.apply(chunk, time.time())
    desk.ingest.apply(chunk, time.time())
    desk.history.commit()
    assert desk.requests() == 2
    assert desk.history.files[path].offset == os.path.getsize(path)


def test_the_newest_files_are_read_first(desk):
    names = []
    for number, age in enumerate((50, 10, 90, 30)):
        session = f"{number:08d}-2222-4333-8444-555555555555"
        path = transcript(
            desk.root, [assistant(f"m{number}", request_id=f"r{number}", session=session)], session=session
        )
        os.utime(path, (time.time() - age, time.time() - age))
        names.append((age, path))
    desk.ingest.rescan(time.time())
    order = []
    while desk.ingest.step(time.time()):
        order.append(max(desk.history.files.values(), key=lambda f: f.id).path)
    assert order == [path for _, path in sorted(names)]
    assert stamp(START) in encode([assistant()]).decode()


# -- a last line without its newline -------------------------------------------------------------------------------


@pytest.mark.parametrize("helpers", [0, 2])
def test_an_unfinished_last_line_counts_when_the_file_is_at_rest_and_still_once_with_its_newline(
    tmp_path, monkeypatch, helpers
):
    monkeypatch.setattr(room, "HELP_FROM", 0)
    desk = Desk(tmp_path / "claude", tmp_path / "history.db", helpers)
    data = encode([assistant(), assistant("m2", START + 1, request_id="r2")])
    path = transcript(desk.root, [])
    with open(path, "wb") as file:
        file.write(data[:-1])
    at = os.stat(path).st_mtime
    for seconds, requests in ((1, 1), (4, 1), (6, 2), (7, 2)):
        desk.ingest.look_at_rested(at + seconds)
        desk.ingest.rescan(at + seconds)
        desk.drain(at + seconds)
        desk.history.commit()
        assert desk.requests() == requests
    assert not desk.ingest.waiting
    with open(path, "ab") as file:
        file.write(b"\n")
    assert desk.read().requests() == 2
    desk.ingest.stop()
    desk.db.close()


def test_a_file_at_rest_is_looked_at_again_without_a_look_at_the_folders(desk):
    data = encode([assistant()])
    path = transcript(desk.root, [])
    with open(path, "wb") as file:
        file.write(data[:-1])
    at = os.stat(path).st_mtime
    desk.ingest.rescan(at)
    desk.drain(at)
    desk.ingest.look_at_rested(at + 4.9)
    assert not desk.ingest.waiting
    desk.ingest.look_at_rested(at + 5.5)
    desk.drain(at + 5.5)
    desk.history.commit()
    assert desk.requests() == 1


@pytest.mark.parametrize("kind", ["file", "folder", "fifo"])
def test_a_root_that_appears_is_noticed_once(desk, tmp_path, kind):
    root = tmp_path / "later" / "records.jsonl"
    root.parent.mkdir()
    desk.ingest.add_roots({provider.name: [str(root)]})
    desk.read()
    assert not desk.ingest.appeared()
    {"file": root.touch, "folder": root.mkdir, "fifo": lambda: os.mkfifo(root)}[kind]()
    assert desk.ingest.appeared()
    desk.read()
    assert not desk.ingest.appeared()


def test_it_says_once_when_the_newest_files_of_the_first_look_have_been_read(tmp_path):
    now = time.time()
    old, new = (transcript(tmp_path, [assistant(f"m{n}", now - 60)], session=f"{n}" * 8) for n in (1, 2))
    os.utime(old, (now - 5 * 86_400,) * 2)
    ingest = Desk(tmp_path).ingest
    assert not ingest.newest_came()
    ingest.rescan(now)
    assert not ingest.newest_came()
    while not ingest.newest_came():
        assert ingest.step(now)
    assert ingest.history.files[str(new)].offset > 0
    assert str(old) not in ingest.history.files
    while ingest.step(now):
        assert not ingest.newest_came()
