"""Counters never fall while their history is the same, and what they hold beyond it is told."""

import json
import os

from hypothesis import given
from hypothesis import strategies as st

from aitop.fleet.ledger import NAME, Ledger
from aitop.fleet.names import OTHER

KEYS = [("cost_usd", ("claude-code", "opus", "shop", "counted")), ("requests", ("claude-code", "opus", "shop")),
        ("errors", ("codex", "site"))]  # fmt: skip
counts = st.dictionaries(st.sampled_from(KEYS), st.integers(0, 10**15))
steps = st.lists(
    st.tuples(counts, st.lists(st.integers(0, 9), min_size=3, max_size=3), st.booleans()), max_size=8
)


def begun(home, history="h1", labels="l1", now=1000.0, first_at=500.0):
    ledger = Ledger(str(home))
    ledger.begin(history, labels, first_at, now)
    return ledger


@given(told=steps)
def test_a_counter_never_falls_and_less_its_correction_is_the_history(told, tmp_path_factory):
    home = tmp_path_factory.mktemp("h")
    ledger, before, buckets_before = begun(home), {}, [0, 0, 0]
    for exact, raw, killed in told:
        if killed:
            ledger = begun(home)
        buckets = [sum(raw[: n + 1]) for n in range(3)]
        shown = ledger.show(exact, {("request_duration_seconds", "codex"): buckets})
        for key in KEYS:
            assert shown.values.get(key, 0) >= before.get(key, 0)
            assert shown.values.get(key, 0) - shown.beyond.get(key, 0) == exact.get(key, 0)
        before = dict(shown.values)
        held = shown.buckets["request_duration_seconds", "codex"]
        assert held == sorted(held)
        assert all(now >= then for now, then in zip(held, buckets_before, strict=True))
        buckets_before = list(held)


def test_the_file_knows_a_number_before_it_leaves(tmp_path):
    begun(tmp_path).show({KEYS[1]: 7}, {})
    with open(tmp_path / NAME) as file:
        assert list(json.load(file)["values"].values()) == [7]
    assert os.stat(tmp_path / NAME).st_mode & 0o777 == 0o600


def test_the_first_start_was_created_with_the_history_and_a_restart_changes_nothing(tmp_path):
    assert begun(tmp_path).created == 500.0
    begun(tmp_path).show({KEYS[1]: 7}, {})
    assert begun(tmp_path, now=2000.0, first_at=400.0).created == 500.0


def test_another_history_begins_anew_and_says_since_when(tmp_path):
    begun(tmp_path).show({KEYS[1]: 7}, {})
    ledger = begun(tmp_path, history="h2", now=3000.0)
    assert ledger.created == 3000.0
    assert ledger.show({KEYS[1]: 2}, {}).values == {KEYS[1]: 2}


def test_a_damaged_file_is_as_none(tmp_path):
    for text in (
        "",
        "[]",
        '{"version":1}',
        "nonsense",
        '{"version":1,"values":[],"buckets":{},"sets":[[1]]}',
    ):
        (tmp_path / NAME).write_text(text)
        assert begun(tmp_path).show({KEYS[1]: 3}, {}).values == {KEYS[1]: 3}


def test_beyond_the_bound_new_sets_are_counted_in_other_for_good(tmp_path):
    ledger = begun(tmp_path)
    sets = [("claude-code", "opus", f"p{n}") for n in range(500)]
    admitted = [ledger.admit(one, 10) for one in sets]
    assert admitted[:10] == sets[:10]
    assert set(admitted[10:]) == {("claude-code", "opus", OTHER)}
    assert [ledger.admit(one, 10) for one in sets] == admitted
    odd = {ledger.admit(("p", f"m{n}", "x"), 10) for n in range(500)}
    assert len(odd | set(admitted)) <= 10 + 8 + 1


def test_admitted_sets_outlive_a_restart(tmp_path):
    ledger = begun(tmp_path)
    first = ledger.admit(("a", "b", "c"), 1)
    ledger.show({KEYS[1]: 1}, {})
    again = begun(tmp_path)
    assert again.admit(("a", "b", "d"), 1) == ("a", "b", OTHER)
    assert again.admit(("a", "b", "c"), 1) == first == ("a", "b", "c")


def test_other_labels_begin_other_series_of_the_same_age(tmp_path):
    begun(tmp_path).show({KEYS[1]: 7}, {})
    ledger = begun(tmp_path, labels="hashed")
    assert ledger.created == 500.0
    assert ledger.show({}, {}).values == {}
