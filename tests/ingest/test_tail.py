"""Reading files that grow, shrink, are replaced or are no files at all: every line once, nothing blocks."""

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.examples import examples
from support.lines import SESSION, assistant, encode

from aitop.ingest import tail
from aitop.providers import Parsed, Source


class Reader:
    """Tails one file as the history would have it done, and remembers the lines and the bytes read."""

    def __init__(self, path):
        self.path = str(path)
        self.job = tail.Job(self.path, "p", 0, 0, None, Source(None, None))
        self.lines = []
        self.chunks = []

    def parse(self, data, start, source):
        lines = data.split(b"\n")[:-1]
        self.lines.append((start, lines))
        return Parsed([], 0, None, "s", str(len(lines)))

    def read(self):
        """The lines of one visit; True in front when it began at the file's start again."""
        self.lines = []
        self.chunks = list(tail.chunks(self.job, self.parse, lambda _: Source("again", None)))
        for chunk in self.chunks:
            source = Source(chunk.parsed.session, None, chunk.parsed.pending)
            self.job = self.job._replace(offset=chunk.end, tail=chunk.tail, inode=chunk.inode, source=source)
        return [line for _, lines in self.lines for line in lines]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "t.jsonl"


def add(path, data):
    with open(path, "ab") as file:
        file.write(data)


def test_only_whole_lines_are_read_and_each_once(path):
    reader = Reader(path)
    seen = []
    for part, expected in (
        (b"one\ntw", [b"one"]),
        (b"", []),
        (b"o\n", [b"two"]),
        (b"three", []),
        (b"\n\n", [b"three", b""]),
    ):
        add(path, part)
        found = reader.read()
        assert found == expected
        seen += found
    assert seen == [b"one", b"two", b"three", b""]


@examples(60)
@given(st.lists(st.binary(max_size=40), max_size=8), st.integers(1, 40))
def test_however_a_file_grows_its_lines_are_read_once_in_order(tmp_path_factory, parts, size):
    path = tmp_path_factory.mktemp("t") / "t.jsonl"
    reader, seen = Reader(path), []
    path.touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tail, "CHUNK", size)
        for part in parts:
            add(path, part)
            seen += reader.read()
    assert seen == b"".join(parts).split(b"\n")[:-1]


def test_only_new_bytes_are_read(path, monkeypatch):
    add(path, b"x" * 99 + b"\n")
    for _ in range(9):
        add(path, b"y" * 999_999 + b"\n")
    reader = Reader(path)
    reader.read()
    read = []
    real = os.pread
    monkeypatch.setattr(os, "pread", lambda fd, size, offset: read.append(real(fd, size, offset)) or read[-1])
    add(path, b"new\n")
    assert reader.read() == [b"new"]
    assert sum(map(len, read)) <= 4 + 2 * tail.TAIL


def test_a_file_cut_short_is_read_from_its_start(path):
    path.write_bytes(b"one\ntwo\nthree\n")
    reader = Reader(path)
    reader.read()
    path.write_bytes(b"four\n")
    assert reader.read() == [b"four"]
    assert reader.chunks[0].start == 0


def test_a_new_file_of_the_same_name_is_read_from_its_start(path, tmp_path):
    path.write_bytes(b"one\n")
    reader = Reader(path)
    reader.read()
    other = tmp_path / "other"
    other.write_bytes(b"two\nthree\n")
    os.replace(other, path)
    assert reader.read() == [b"two", b"three"]
    assert reader.job.source == Source("s", None, "2")


def test_a_file_rewritten_in_place_is_read_from_its_start(path):
    path.write_bytes(b"first line\n")
    reader = Reader(path)
    reader.read()
    with open(path, "r+b") as file:
        file.write(b"other line\nand more\n")
    assert reader.read() == [b"other line", b"and more"]


def test_a_line_replaced_by_one_that_ends_alike_is_seen(path):
    lines = [b'{"id":"%d","rest":"%s"}\n' % (number, b"y" * 900) for number in range(5)]
    path.write_bytes(b"".join(lines[:4]))
    reader = Reader(path)
    reader.read()
    with open(path, "r+b") as file:
        file.write(b"".join([*lines[:3], lines[4]]))
    assert reader.read() == [line[:-1] for line in (*lines[:3], lines[4])]


def test_a_file_emptied_and_filled_beyond_its_old_size_is_read_from_its_start(path):
    path.write_bytes(b"a\n" * 50)
    reader = Reader(path)
    reader.read()
    with open(path, "wb") as file:
        file.write(b"b\n" * 80)
    assert reader.read() == [b"b"] * 80


def test_a_line_of_5_megabytes_is_one_line(path):
    long = b"x" * (5 << 20)
    path.write_bytes(b"a\n" + long + b"\nb\n")
    assert Reader(path).read() == [b"a", long, b"b"]


def test_a_line_beyond_the_longest_is_given_away_in_pieces_and_the_next_one_is_whole(path, monkeypatch):
    monkeypatch.setattr(tail, "CHUNK", 16)
    monkeypatch.setattr(tail, "LONGEST", 64)
    path.write_bytes(b"a\n" + b"x" * 200 + b"\nwhole\n")
    found = Reader(path).read()
    assert (found[0], found[-1]) == (b"a", b"whole")
    assert all(set(line) <= set(b"x") and len(line) <= 64 for line in found[1:-1])


def test_a_line_beyond_the_longest_that_still_grows_is_not_read_again_and_again(path, monkeypatch):
    monkeypatch.setattr(tail, "CHUNK", 16)
    monkeypatch.setattr(tail, "LONGEST", 64)
    path.write_bytes(b"a\n" + b"x" * 64)
    reader = Reader(path)
    assert reader.read()[0] == b"a"
    for _ in range(3):
        add(path, b"x" * 64)
        reader.read()
        assert all(chunk.start > 0 for chunk in reader.chunks)
    add(path, b"\nb\n")
    assert reader.read()[-1] == b"b"


@pytest.mark.parametrize("kind", ["fifo", "folder", "link", "device", "socket", "missing"])
def test_what_is_no_regular_file_is_never_read_and_never_blocks(tmp_path, kind):
    """In a process of its own: a reader that blocks must fail the test, not hang it."""
    path = tmp_path / "x.jsonl"
    (tmp_path / "real").write_bytes(b"a\n")
    make = {
        "fifo": lambda: os.mkfifo(path),
        "folder": path.mkdir,
        "link": lambda: path.symlink_to(tmp_path / "real"),
        "device": lambda: path.symlink_to("/dev/zero"),
        "socket": lambda: __import__("socket").socket(__import__("socket").AF_UNIX).bind(str(path)),
        "missing": lambda: None,
    }
    if kind == "socket":
        import socket

        with socket.socket(socket.AF_UNIX) as peer:
            os.chdir(tmp_path)
            peer.bind("x.jsonl")
    else:
        make[kind]()
    code = (
        "import sys; from aitop.ingest import tail; from aitop.providers import Source\n"
        "job = tail.Job(sys.argv[1], 'p', 0, 0, None, Source(None, None))\n"
        "try: print(list(tail.chunks(job, None, None)))\n"
        "except OSError as e: print('OSError')\n"
    )
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(tail.__file__))))
    found = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, timeout=20, text=True,
                           env=os.environ | {"PYTHONPATH": root})  # fmt: skip
    assert found.stdout.strip() in ("[]", "OSError"), found.stderr


def test_a_transcript_of_invalid_utf_8_keeps_its_good_lines(path):
    from aitop.providers.claude_code import paths, transcript

    path.write_bytes(
        b"\xff\xfe\x00garbage\n" + encode([assistant()]) + b'{"type":"assistant","usage":"\xff"}\n'
    )
    job = tail.Job(str(path), "claude-code", 0, 0, None, Source(SESSION, None))
    (chunk,) = tail.chunks(job, transcript.parse, paths.identify)
    assert chunk.parsed.bad_lines == 2
    assert chunk.parsed.events[0].usage.output_tokens == 50


# -- a last line without its newline -----------------------------------------------------------------------------


class Records(Reader):
    """A reader at some moment; `session` is the run's last line, so that what a run leaves behind shows."""

    def at(self, path, seconds):
        """What one visit reads of a file that has been at rest for so long."""
        self.job = self.job._replace(now=os.stat(path).st_mtime + seconds + 0.01)
        return self.read()


def test_a_whole_record_without_a_newline_counts_once_the_file_is_at_rest(path):
    add(path, b'{"a":1}\n{"b":2}')
    reader = Records(path)
    assert reader.at(path, 0) == [b'{"a":1}']
    assert reader.chunks[-1].size == tail.UNFINISHED
    assert reader.at(path, tail.AT_REST_SECONDS) == [b'{"b":2}']
    assert (reader.chunks[-1].end, reader.chunks[-1].size) == (8, 15)
    add(path, b'\n{"c":3}\n')
    assert reader.at(path, 0) == [b'{"b":2}', b'{"c":3}']


@pytest.mark.parametrize("line", [b'{"b":', b'{"b":2', b"zzz", b"\0\0", b'{"a":1}{"b":', b"[1]"])
def test_a_cut_off_record_at_the_end_of_a_file_at_rest_is_not_parsed(path, line):
    add(path, b'{"a":1}\n' + line)
    reader = Records(path)
    assert reader.at(path, tail.AT_REST_SECONDS) == [b'{"a":1}']
    assert reader.chunks[-1].size == 8 + len(line)


def test_the_note_to_the_next_run_stays_as_it_was_before_an_unfinished_line(path):
    add(path, b'{"a":1}\n{"a":1}\n{"b":2}')
    reader = Records(path)
    reader.at(path, tail.AT_REST_SECONDS)
    assert [chunk.parsed.pending for chunk in reader.chunks] == ["2", "2"]


def test_a_file_of_one_unfinished_line_is_looked_at_again(path):
    add(path, b'{"a":1}')
    reader = Records(path)
    assert reader.at(path, 1) == []
    assert [(chunk.start, chunk.end, chunk.size) for chunk in reader.chunks] == [(0, 0, tail.UNFINISHED)]
    assert reader.at(path, tail.AT_REST_SECONDS) == [b'{"a":1}']


def test_a_database_that_was_written_just_now_is_read_once_more(tmp_path):
    """Its log's bytes are there a moment before its transaction shows."""
    path, log = tmp_path / "a.db", tmp_path / "a.db-wal"
    path.write_bytes(b"x")
    log.write_bytes(b"y")

    def sizes(now):
        job = tail.Job(str(path), "p", 0, 0, None, Source(None, None), now)
        found = tail.chunks(job, None, None, lambda *_: iter([Parsed([], 0, None, None, None)]))
        return [chunk.size for chunk in found]

    written = log.stat().st_mtime
    assert sizes(written + 0.1) == [tail.UNFINISHED]
    assert sizes(written + 2) == [2]
    log.unlink()
    assert sizes(written + 0.1) == [1]
