"""Money as text: currency, marks, and what was spent."""

import pytest

from aitop.segments import details, money, placeholders


@pytest.mark.parametrize(
    ("counts", "subscription", "marks"),
    [
        ({}, False, ""),
        ({"estimated_requests": 2}, False, "~"),
        ({"unpriced_requests": 1}, False, "≥"),
        ({"understated_requests": 1, "estimated_requests": 1}, False, "≥~"),
        ({"uncounted_sessions": 1}, True, "≥≈"),
        ({"unpriced_requests": "3", "estimated_requests": None}, False, ""),
    ],
)
def test_marks_come_from_the_counts_beside_a_sum(counts, subscription, marks):
    shown = money.text(1.5, money.Currency(subscription=subscription), counts)
    assert shown == f"{marks}$1.50"


def test_an_amount_is_shown_in_the_currency_of_the_state():
    state = {"display": {"symbol": "€", "rate": 0.5, "billing": "api"}}
    assert money.of(state, 3.0) == "€1.50"
    assert money.of(state, 0.5, exact=True) == "€0.2500"


@pytest.mark.parametrize("display", [None, [], {"rate": "x", "symbol": 3}, {"rate": float("nan")}])
def test_a_broken_display_means_plain_dollars(display):
    assert money.of({"display": display}, 2) == "$2.00"


@pytest.mark.parametrize("usd", [None, "1", True, float("inf"), 10**400])
def test_an_unknown_amount_has_no_marks_and_is_no_zero(usd):
    assert money.text(usd, money.Currency(subscription=True), {"unpriced_requests": 1}) == "-"


def test_what_was_spent_includes_what_the_client_reports_beyond_its_records():
    assert money.spent({"cost_usd": 1.0, "spent_usd": 1.25}) == 1.25
    assert money.spent({"cost_usd": 1.0}) == 1.0
    assert money.spent({}) is None


def test_a_rate_stands_on_the_length_of_its_own_window():
    assert money.per_hour({"spent_usd": 0.5, "cost_usd_per_hour": 1.0}, 5) == 6.0
    assert money.per_hour({"cost_usd_per_hour": 4.8}, 5) == 4.8


def test_a_minute_shows_what_was_spent_side_calls_included():
    assert money.by_minute({"cost_usd": [1.0, 0.0], "spent_usd": [1.5, 0.0]}) == [1.5, 0.0]
    assert money.by_minute({"cost_usd": [1.0]}) == [1.0]
    assert money.by_minute(None) is None


@pytest.mark.parametrize(
    ("counts", "used", "share", "left"),
    [({}, "$8.30", "83%", "$1.70"), ({"understated_requests": 1}, "≥$8.30", "≥83%", "≤$1.70")],
)
def test_a_budget_of_a_lower_bound_is_one_wherever_it_is_shown(counts, used, share, left):
    row = {
        "name": "b",
        "percent": 83.0,
        "used_usd": 8.3,
        "limit_usd": 10.0,
        "left_usd": 1.7,
        "level": "ok",
    } | counts
    state = {"budgets": [row]}
    assert details.budgets(state, 0.0) == [f"Budget b: {used} of $10.00 ({share})"]
    values = placeholders.Values(state, 0.0)
    assert (values["budget"][0], values["budget_left"][0]) == (f"b {share}", left)
