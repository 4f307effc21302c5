"""The table's data, without a terminal: rows, sorting, filters, pages, and pictures that stay as they are."""

import json
import os
from dataclasses import replace

import pytest
from conftest import ROOT
from golden import states
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support import golden_files
from support.top_app import NOW, Choices, busy

from aitop.history.query.session_detail import Agent, Mix
from aitop.model.sums import Sum
from aitop.pricing.table import load
from aitop.segments import humanize, text
from aitop.top import charts, export, keys, navigation, paint, picture, sessions, table
from aitop.top.choices import Sorting
from aitop.top.paint import RICH, SIMPLE
from aitop.top.view_model import Answers, World


def world(state=None, **answers):
    return World(state=busy() if state is None else state, number=1, answers=Answers(**answers))


def shown(state, view, size=(120, 40), **more):
    return picture.text(picture.paint(world(state), Choices(view=view, **more), *size, RICH))


def priced():
    """What the history and a small price table answer."""
    names = ("claude-opus-4-1", "claude-sonnet-4-5", "claude-haiku-4-5")
    prices = load()
    prices = replace(prices, models={name: prices.models[name] for name in names})
    mixes = [
        Mix("claude-opus-4-1", 0, 120, 4_000, 90_000, 7_500_000, 800_000, 0, 0, 33_000_000_000_000, 0, 0),
        Mix("claude-haiku-4-5", 0, 31, 900, 12_000, 400_000, 60_000, 0, 0, 175_900_000_000, 0, 0),
    ]
    return {"mixes": {"today": mixes}, "prices": prices, "day": "2026-11-20"}


@pytest.mark.parametrize("size", [(80, 24), (200, 50), (40, 12)])
@pytest.mark.parametrize("view", ["overview", "sessions", "tools", "detail", "models", "compare"])
def test_the_main_screens_are_as_they_were(view, size):
    """Against text captures; `golden_files` says how to write them anew."""
    chosen = Choices(view=view, session="claude-code\t00000000-0000-4000-8000-000000000001")
    answers = priced() if view in ("models", "compare") else {}
    found = picture.text(picture.paint(world(busy(), **answers), chosen, *size, RICH)) + "\n"
    path = os.path.join(ROOT, "tests", "golden", "top", f"{view}-{size[0]}x{size[1]}.txt")
    golden_files.compare(path, found)


@given(
    st.sampled_from(sorted(states.ALL)), st.sampled_from([*keys.VIEWS, "detail", "compare"]),
    st.integers(1, 260), st.integers(1, 80), st.text(max_size=30), st.booleans(),
)  # fmt: skip
@settings(deadline=None)
def test_no_line_is_wider_than_the_screen_whatever_names_are_called(case, view, width, height, name, simple):
    state = states.ALL[case]()
    for session in state["sessions"]:
        session |= {"project": name, "branch": name, "tag": name, "model": name}
    chosen = Choices(view=view, shown="all", session="claude-code\t00000000-0000-4000-8000-000000000001")
    found = picture.paint(world(state), chosen, width, height, SIMPLE if simple else RICH)
    for line in (found.top, *found.banner, *found.head, *found.body, *found.tail, found.bottom):
        said = paint.text_of(line)
        assert text.cells(said) <= width
        assert "\n" not in said
        assert "\x1b" not in said


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers(-(10**20), 10**20) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(busy())), JSON, st.sampled_from([*keys.VIEWS, "detail"]))
@settings(deadline=None)
def test_no_strange_value_in_the_state_stops_the_picture(key, value, view):
    state = busy() | {key: value, "version": 1}
    picture.paint(world(state), Choices(view=view, session="claude-code\tx"), 100, 30, RICH)


@given(st.sampled_from(sorted(states.session(1))), JSON, st.sampled_from(["sessions", "detail"]))
@settings(deadline=None)
def test_no_strange_value_in_a_session_stops_the_picture(key, value, view):
    state = busy()
    state["sessions"][0][key] = value
    first = sessions.key_of(state["sessions"][0])
    picture.paint(world(state), Choices(view=view, session=first), 100, 30, RICH)


def test_a_session_row_says_what_the_state_says():
    session = busy()["sessions"][0]
    row = sessions.rows(busy(), Choices(), {("claude-code", session["id"]): 7.25}, {}, RICH)[0]
    for name, key in (("cost", "cost_usd"), ("requests", "requests"), ("input", "input_tokens"),
                      ("output", "output_tokens"), ("errors", "errors"), ("context", "context_percent")):  # fmt: skip
        assert row.values[name] == session[key]
    assert row.values["hourly"] == 7.25
    assert row.values["duration"] == NOW - session["started_at"]
    assert paint.text_of(row.shown["hourly"]) == "≈$7.25"


def test_sub_agents_stand_beneath_their_session_in_any_order():
    session = busy()["sessions"][0]
    key = sessions.key_of(session)
    agents = {
        sessions.named(session): [Agent("a1", "claude-haiku-5-5", NOW - 60, NOW, Sum(requests=3, cost=5))]
    }
    chosen = Choices(view="sessions", unfolded=frozenset({key}), sorting={"sessions": Sorting("cost", True)})
    found = picture.listed(world(agents=agents), chosen, RICH)
    assert [row.key[-1] for row in found] == ["2", "1", "1"]
    assert found[2].parent == key
    assert found[2].values["requests"] == 3


def test_unknown_values_come_last_whichever_way_a_list_is_sorted():
    found = [table.Row(str(n), {}, {"x": value}) for n, value in enumerate((None, 3, 1))]
    assert [row.key for row in table.arranged(found, Sorting("x", True))] == ["1", "2", "0"]
    assert [row.key for row in table.arranged(found, Sorting("x", False))] == ["2", "1", "0"]


def test_every_word_of_a_filter_must_occur_in_any_case():
    found = sessions.rows(busy(), Choices(shown="all"), {}, {}, RICH)
    assert [row.values["project"] for row in table.matching(found, "MAIN sho")] == ["shop"]
    assert len(table.matching(found, "")) == 4


def test_every_column_can_be_sorted_by_and_comes_round():
    choices = Choices(view="sessions")
    seen = set()
    for _ in sessions.COLUMNS:
        choices = navigation.step(choices, world(), "sort_by", (1,))
        seen.add(choices.sorting["sessions"].column)
        picture.listed(world(), choices, RICH)
    assert seen == {column.key for column in sessions.COLUMNS}


def test_columns_go_by_rank_when_there_is_no_room():
    wide = [fit.column.key for fit in table.fitted(sessions.COLUMNS, 250)]
    narrow = [fit.column.key for fit in table.fitted(sessions.COLUMNS, 40)]
    assert wide == [column.key for column in sessions.COLUMNS]
    assert narrow == ["status", "project", "cost"] or set(narrow) <= {"status", "project", "cost", "hourly"}


def test_the_cursor_falls_back_to_where_it_stood():
    assert navigation.cursor(["a", "b", "c"], "b", 0) == (1, "b")
    assert navigation.cursor(["a", "c"], "b", 1) == (1, "c")
    assert navigation.cursor(["a"], "b", 5) == (0, "a")
    assert navigation.cursor([], "b", 5) == (0, "")
    assert navigation.cursor(["a", "b"], "a", 0, 9) == (1, "b")


@given(st.floats(0, 1) | st.none(), st.integers(0, 50), st.booleans())
def test_a_gauge_is_as_wide_as_it_was_asked_to_be(share, width, simple):
    found = charts.gauge(share, width, "good", SIMPLE if simple else RICH)
    assert paint.width_of(found) == width


@given(st.lists(st.floats(0, 1e9), max_size=60), st.integers(10, 200), st.integers(3, 20))
@example([5e-324], 10, 3)  # the smallest float there is
@settings(deadline=None)
def test_a_chart_fills_its_height_and_shows_every_value_above_zero(values, width, height):
    found = charts.chart(values, width, height, RICH, lambda _: "good", lambda value: f"{value:.0f}")
    assert len(found) == height
    assert all(paint.width_of(line) <= max(width, 14) for line in found)
    top = charts.ceiling(max(values, default=0))
    assert top >= max(values, default=0) or top == 0


@given(st.floats(1e-9, 1e12))
def test_a_scale_ends_at_a_round_number_not_far_above(value):
    assert value <= charts.ceiling(value) * 1.000001
    assert charts.ceiling(value) <= value * 2


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [(0, "0ms"), (83.4, "83ms"), (999.6, "1.0s"), (1249, "1.2s"), (9949, "9.9s"), (9950, "10s"), (48_000, "48s"),
     (200_000, "3m20"), (None, "-")],
)  # fmt: skip
def test_a_latency_is_short(milliseconds, said):
    assert humanize.took(milliseconds) == said


TIMED = {"timed_requests": 31, "duration_p50_ms": 4200.0, "duration_p95_ms": 21_000.0, "ttft_p50_ms": 640.0,
         "ttft_p95_ms": 1900.0, "output_tokens_per_second_p50": 61.2, "output_tokens_per_second_p95": 88.0}  # fmt: skip


def drawn(state, view, width=200):
    return picture.text(picture.paint(world(state), Choices(view=view), width, 60, RICH))


@pytest.mark.parametrize("view", ["overview", "sessions"])
def test_latencies_are_shown_where_somebody_measured_them(view):
    state = busy()
    silent = drawn(state, view)
    for holder in (*state["windows"].values(), *state["sessions"]):
        holder.update(TIMED)
    shown = drawn(state, view)
    assert "4.2s" in shown
    assert "640ms" in shown
    assert "61" in shown
    assert "ttft" not in silent.lower()


def test_the_split_of_input_never_drops_a_part():
    line = paint.text_of(picture.overview.meters.split(busy()["today"], 40, RICH))
    assert text.cells(line) == 40


def test_exports_keep_numbers_and_disarm_formulas():
    state = busy()
    state["sessions"][0]["project"] = "=HYPERLINK(1)"
    found = sessions.rows(state, Choices(), {}, {}, RICH)
    line = export.as_csv(found).splitlines()[1]
    assert ",'=HYPERLINK(1)," in line
    assert ",1.5," in line
    assert json.loads(export.as_json(found))[0]["cost"] == 1.5


def test_no_two_keys_are_the_same():
    every = [name for key in keys.KEYS for name in key.keys.split(",")]
    assert len(every) == len(set(every))


@pytest.mark.parametrize("view", [*keys.VIEWS, "detail", "compare"])
def test_the_last_line_names_only_keys_that_do_something(view):
    for key in keys.footer(view):
        assert keys.allowed(key.action, view)
    assert keys.footer(view)[-1].action == "quit"


@given(st.lists(st.floats(0, 9), min_size=1, max_size=60), st.integers(1, 300))
def test_bars_fill_their_width_to_the_newest_value_at_the_right(values, width):
    found = charts.bars(values, width)
    assert len(found) == width
    assert found[-1] == values[-1]
    assert set(found) - {0.0} == set(values[-width:]) - {0.0}


@given(st.integers(1, 90), st.integers(1, 300))
def test_a_mark_stands_under_its_own_bar(many, width):
    found = charts.bars(range(1, many + 1), width)
    for number in range(many):
        cell = charts.cell_of(number, many, width)
        assert found[cell] == number + 1 if cell >= 0 else number < many - width
