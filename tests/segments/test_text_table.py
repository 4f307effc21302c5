"""Text tables: columns stay straight whatever the characters are."""

from hypothesis import given
from hypothesis import strategies as st

from aitop.segments import text_table
from aitop.segments.text import cells, printable

CELLS = st.lists(st.text(max_size=12).map(printable), min_size=3, max_size=3)


def test_wide_characters_keep_the_columns_straight():
    found = text_table.lines([["漢字", "1.5", "x"], ["shop", "12.25", "y"]], "lrl")
    assert found == ["漢字    1.5  x", "shop  12.25  y"]


def test_texts_that_start_like_numbers_stand_to_the_right_by_themselves():
    assert text_table.lines([["today", "$4.21", "ok"], ["month", "≈$123.45", "-"]]) == [
        "today     $4.21  ok",
        "month  ≈$123.45  -",
    ]


def test_heads_and_foot_stand_apart_by_a_rule_as_wide_as_the_table():
    found = text_table.lines([["a", "1"]], "lr", heads=["name", "n"], foot=["total", "1"])
    assert found == ["name   n", "────────", "a      1", "────────", "total  1"]


def test_a_column_yields_where_the_terminal_is_too_narrow_and_says_so():
    (line,) = text_table.lines([["a very long name", "$1.00"]], "lr", width=16)
    assert line == "a very l…  $1.00"


@given(st.lists(CELLS, min_size=1, max_size=5), st.integers(20, 60))
def test_every_column_begins_at_the_same_cell(rows, width):
    marked = [[*row, "|"] for row in rows]
    found = text_table.lines(marked, "l", width=width)
    assert len({cells(line) for line in found}) == 1
