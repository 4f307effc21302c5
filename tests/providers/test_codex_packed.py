"""Rollouts that Codex packed with zstd: the same record as the plain file, by module or by program."""

import json
import os
import subprocess

import pytest
from support.codex_records import PARENT, A, B, count, meta, path, record, turn
from support.desk import Desk, write

from aitop.providers import zstd_stream
from aitop.providers.codex import packed, provider

LINES = [meta(), turn(), record("r1", A), record("r2", B, A)]


@pytest.fixture
def desk(tmp_path):
    return Desk(provider, *provider.folders([str(tmp_path)], {}))


def pack(plain, *, frames=1):
    """As Codex does it: a packed file beside the plain one. Returns its path."""
    with open(plain, "rb") as file:
        data = file.read()
    edges = [len(data) * n // frames for n in range(frames + 1)]
    parts = [
        subprocess.run(["zstd", "-qc"], input=data[begin:end], capture_output=True, check=True).stdout
        for begin, end in zip(edges, edges[1:], strict=False)
    ]
    with open(f"{plain}.zst", "wb") as file:
        file.write(b"".join(parts))
    return f"{plain}.zst"


@pytest.fixture(params=["module", "program"])
def unpacking(request, monkeypatch):
    if request.param == "program":
        monkeypatch.setattr(zstd_stream, "decompressor", lambda: None)
    elif zstd_stream.decompressor() is None:
        pytest.skip("Python has no module for zstd")
    return request.param


def leaves(total):
    return total.requests, total.input_tokens, total.cache_read_tokens, total.output_tokens


@pytest.mark.usefixtures("unpacking")
def test_a_packed_rollout_is_read_like_the_plain_one(tmp_path, desk):
    plain = write(path(tmp_path), *LINES)
    pack(plain)
    os.unlink(plain)
    assert leaves(desk.read().total(PARENT)) == (2, 2400, 1600, 120)


@pytest.mark.parametrize("order", ["plain first", "packed first", "both at once"])
@pytest.mark.parametrize("lines", [LINES, [meta(), turn(), count(A), count(B, A)]], ids=["records", "counts"])
def test_the_plain_file_and_its_packed_one_are_one_record(tmp_path, desk, order, lines):
    plain = write(path(tmp_path), *lines)
    if order == "plain first":
        desk.read()
    pack(plain)
    if order == "packed first":
        os.rename(plain, f"{plain}.aside")
        desk.read()
        os.rename(f"{plain}.aside", plain)
    desk.read()
    os.unlink(plain)
    assert leaves(desk.read().total(PARENT)) == (2, 2400, 1600, 120)


def test_a_packed_rollout_of_the_archive_is_read_too(tmp_path, desk):
    name = os.path.basename(path(tmp_path))
    plain = write(tmp_path / "archived_sessions" / name, *LINES)
    pack(plain)
    os.unlink(plain)
    assert desk.read().total(PARENT).requests == 2


def test_a_rollout_that_is_unpacked_again_goes_on(tmp_path, desk):
    plain = write(path(tmp_path), meta(), turn(), record("r1", A))
    pack(plain)
    os.unlink(plain)
    desk.read()
    write(path(tmp_path), *LINES)
    assert desk.read().total(PARENT).requests == 2


@pytest.mark.usefixtures("unpacking")
@pytest.mark.parametrize("frames", [1, 3])
def test_it_is_read_in_slices_of_whole_lines(tmp_path, monkeypatch, frames):
    monkeypatch.setattr(packed, "SLICE", 500)
    monkeypatch.setattr(zstd_stream, "PIECE", 97)
    many = [record(f"resp_{n:040}", A) for n in range(40)]
    plain = write(path(tmp_path), meta(), turn(), *many)
    batches = list(packed.read(pack(plain, frames=frames), provider.identify(plain)))
    assert len(batches) > 5
    names = [event.message_id for batch in batches for event in batch.events if hasattr(event, "message_id")]
    assert names == [f"{PARENT}:resp_{n:040}" for n in range(40)]
    assert [batch.pending for batch in batches[:-1]] == [provider.identify(plain).pending] * (
        len(batches) - 1
    )


def test_a_line_without_end_costs_only_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "SLICE", 500)
    monkeypatch.setattr(packed, "MAX_LINE", 1000)
    monkeypatch.setattr(zstd_stream, "PIECE", 100)
    plain = write(path(tmp_path), meta(), turn(), b'{"x": "' + b"y" * 9000 + b'"}\n', record("r1", A))
    batches = list(packed.read(pack(plain), provider.identify(plain)))
    events = [event for batch in batches for event in batch.events]
    assert sum(hasattr(event, "message_id") for event in events) == 1
    assert sum(batch.bad_lines for batch in batches) == 1


@pytest.mark.usefixtures("unpacking")
@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda _: b"no zstd at all"])
def test_a_damaged_file_is_named_and_disturbs_no_other(tmp_path, desk, damage):
    plain = write(path(tmp_path), *LINES)
    packed_file = pack(plain)
    os.unlink(plain)
    with open(packed_file, "rb") as file:
        data = file.read()
    with open(packed_file, "wb") as file:
        file.write(damage(data))
    other = "01990000-dddd-7000-8000-000000000009"
    write(path(tmp_path, other), meta(other), turn(), record("r9", A, thread=other))
    assert desk.read().total(other).requests == 1
    assert packed_file in desk.ingest.unreadable


def test_where_nothing_can_unpack_it_the_file_is_named_with_the_remedy(tmp_path, desk, monkeypatch):
    plain = write(path(tmp_path), *LINES)
    packed_file = pack(plain)
    os.unlink(plain)
    monkeypatch.setattr(zstd_stream, "decompressor", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert packed_file in desk.read().ingest.unreadable
    with pytest.raises(OSError, match="pip install"):
        list(packed.read(packed_file, provider.identify(packed_file)))


def test_a_file_that_unpacks_without_end_is_not_read_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(zstd_stream, "MAX_UNPACKED", 100_000)
    plain = write(path(tmp_path), *[json.dumps({"x": "y" * 1000}).encode() + b"\n"] * 200)
    with pytest.raises(OSError, match="unpacks to more"):
        list(packed.read(pack(plain), provider.identify(plain)))
