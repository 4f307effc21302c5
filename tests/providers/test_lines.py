"""Lines that hold more than one record, or a damaged one: every whole record counts, the rest is reported."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.examples import examples

from aitop.providers.lines import is_single, pieces, records

A = b'{"id":"a","n":{"x":[1,{"y":2}]},"t":"say {\\"hi\\"} {"}'
B = b'{"id":"b","t":"caf\xc3\xa9","m":{"id":"inner"}}'
C = b'{"id": "c", "n": {"x": 3}}'


def ids(data, **how):
    return [record and record["id"] for _, record in records(data, **how)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (A, ["a"]),
        (A + B, ["a", "b"]),
        (A + C + B, ["a", "c", "b"]),
        (A[:30] + B, [None, "b"]),
        (A[:5] + B, [None, "b"]),  # cut off inside a text
        (A[:6] + B, [None, "b"]),
        (b'{"id":' + B, [None, "b"]),  # cut off where a value would stand
        (b'{"list":[' + B, [None, "b"]),
        (b'{"id":"x",' + B + C, [None, "b", "c"]),
        (A + b"\0" * 512 + B, ["a", None, "b"]),
        (A + b"\0" * 512 + B + b"\0" * 512, ["a", None, "b"]),
        (b"\0" * 512 + A, [None, "a"]),
        (b"\xef\xbb\xbf" + A, ["a"]),
        (A + b"\r", ["a"]),
        (b"", []),
        (b"  ", []),
        (b"no json", [None]),
        (A[:-1], [None]),
        (b'{"m":{"id":"inner"},"id":"b', [None]),  # a part of a cut-off record is no record
        (b"[1]", [None]),
    ],
)
def test_every_whole_record_of_a_line_counts_and_the_rest_is_reported_once(line, expected):
    assert ids(line + b"\n") == expected


def test_the_offset_of_a_record_is_where_it_begins_in_the_file():
    data = A + b"\n" + A[:7] + B + C + b"\n"
    second = len(A) + 1
    assert [offset for offset, _ in records(data, 1000)] == [
        1000, 1000 + second, 1000 + second + 7, 1000 + second + 7 + len(B),
    ]  # fmt: skip


@pytest.mark.parametrize("tear", [3, 8, 20, len(A) - 1, len(A)])
def test_a_record_behind_a_skipped_one_is_not_skipped_with_it(tear):
    assert "b" in ids(A[:tear] + B + b"\n", skip=lambda line: line.startswith(b'{"id":"a"'))


def test_a_whole_line_is_skipped():
    assert ids(A + b"\n" + B + b"\n", skip=lambda line: line.startswith(b'{"id":"a"')) == ["b"]


@pytest.mark.parametrize(
    "line", [A, C, b'{"a":"ends in {"}', b'{"a":"{","b":1}', b'{"a":[{"b":1}, {"c":2}]}']
)
def test_a_single_record_looks_like_one(line):
    assert is_single(line)


@pytest.mark.parametrize("line", [B, A + B, A[:30] + B, A + b"\0", b"\xef\xbb\xbf" + A, A[:-1], b"[]", b""])
def test_a_line_in_doubt_does_not(line):
    assert not is_single(line)


values = st.recursive(
    st.none() | st.integers() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v), max_leaves=8
)
objects = st.dictionaries(st.text(alphabet="abc", min_size=1), values, min_size=1)


@examples(200)
@given(
    st.lists(
        st.tuples(objects, st.booleans(), st.sampled_from([b"", b"\0\0", b"\n", b"\xef\xbb\xbf"])),
        min_size=1,
        max_size=4,
    )
)
def test_whole_records_survive_whatever_stands_between_them(parts):
    data = b""
    for number, (value, spaced, between) in enumerate(parts):
        separators = (", ", ": ") if spaced else (",", ":")
        data += (
            json.dumps({"id": number} | value, separators=separators, ensure_ascii=False).encode() + between
        )
    assert [one for one in ids(data + b"\n") if one is not None] == list(range(len(parts)))


def test_a_hostile_line_takes_time_proportional_to_its_length():
    looked_at = pieces(b'{"a":[' * 100_000)
    assert [piece.whole for piece in looked_at] == [False]
