"""Sums: each number has one name in each place, and nothing is addressed by position."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aitop.history import columns, schema
from aitop.model import sums
from aitop.model.sums import COLUMNS, ZERO, Sum

PACKAGE = Path(sums.__file__).parents[1]
ANY = st.lists(st.integers(-(10**15), 10**15), min_size=len(ZERO), max_size=len(ZERO)).map(Sum._make)


def test_every_number_of_a_sum_is_a_column():
    assert {c.attribute for c in COLUMNS if c.sql} == set(Sum._fields)


@pytest.mark.parametrize("of", ["attribute", "published"])
def test_no_two_columns_share_a_name(of):
    found = [getattr(c, of) for c in COLUMNS]
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(("table", "kept"), [
    ("session", columns.STORED), ("quarter", columns.BY_MODEL), ("day_sum", columns.BY_MODEL)
])  # fmt: skip
def test_every_table_of_sums_holds_every_column(table, kept):
    body = re.search(
        rf"CREATE TABLE {table} \((.*?)\);|CREATE TABLE {table} \((.*?)WITHOUT", schema.TABLES, re.DOTALL
    )
    text = body.group(1) or body.group(2)
    assert all(re.search(rf"\b{sql} INTEGER NOT NULL", text) for sql, _ in kept)


@given(ANY)
def test_a_sum_comes_back_from_the_columns_of_a_session(value):
    assert columns.from_stored(columns.stored(value)) == value


@given(ANY)
def test_a_sum_comes_back_from_the_columns_of_a_quarter_hour(value):
    assert columns.from_by_model(columns.by_model(value), value.tool_calls, value.tool_failures) == value


@given(ANY, ANY)
def test_what_is_added_and_taken_away_leaves_what_there_was(one, other):
    assert sums.minus(sums.plus(one, other), other) == one
    assert sums.plus(one, sums.negative(one)) == ZERO


@given(st.lists(ANY))
def test_a_total_is_the_sum_of_each_number(values):
    assert sums.total(values) == Sum(*(sum(getattr(v, name) for v in values) for name in Sum._fields))


def test_published_money_is_usd_and_spent_is_both_kinds():
    found = sums.published(Sum(requests=2, cost=3 * sums.PICO, untracked=sums.PICO))
    assert (found["requests"], found["cost_usd"], found["untracked_usd"], found["spent_usd"]) == (2, 3, 1, 4)


def test_no_sum_is_read_by_position():
    by_number = re.compile(r"\b(total|value|values|sum)\[:?-?\d+:?\]")
    rooms = [*PACKAGE.glob("model/*.py"), *PACKAGE.glob("history/**/*.py"), *PACKAGE.glob("live/**/*.py")]
    found = {str(path.relative_to(PACKAGE)) for path in rooms if by_number.search(path.read_text())}
    assert found <= {"live/money/tracker.py"}  # three numbers of a quarter hour, not a sum
