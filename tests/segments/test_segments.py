"""Displays: golden files, and what must hold for any state and any name."""

import json
import os
import re
import unicodedata

import pytest
from conftest import ROOT
from golden import states
from hypothesis import given
from hypothesis import strategies as st
from support import golden_files

from aitop import segments
from aitop.segments import details, humanize, placeholders, presets, swiftbar, template, text, usage, waybar

GOLDEN = os.path.join(ROOT, "tests", "golden")
FRONT = "/opt/venv/bin/python"  # what the golden menus name
NAMES = st.text(alphabet=st.characters(), max_size=60) | st.just(states.HOSTILE) | st.just(states.NASTY)
OWN = [
    ("names", "tmux", None, states.NAMES_SHOWN),
    ("names-bash", "bash", None, states.NAMES_SHOWN),
    ("names-zsh", "zsh", None, states.NAMES_SHOWN),
    ("limits", "plain", "limits", None),
    ("cost", "plain", "cost", None),
    ("burn", "plain", "burn", None),
]


@pytest.mark.parametrize("case", states.ALL)
def test_every_display_prints_its_golden_text(case, monkeypatch):
    monkeypatch.setattr(swiftbar.sys, "executable", FRONT)
    drawn = segments.render_all(states.ALL[case](), OWN, states.NOW)
    shown = "".join(f"--- {name}\n{line}\n" for name, line in sorted(drawn.items()))
    golden_files.compare(os.path.join(GOLDEN, f"{case}.txt"), shown)


def test_a_tmux_user_with_nothing_spent_sees_a_quiet_zero():
    assert segments.render(states.zero(), "tmux", now=states.NOW) == "$0.00"


def test_a_subscription_shows_limits_first_and_dollars_as_equivalent():
    line = segments.render(states.subscription(), "plain", now=states.NOW)
    assert line.startswith("5h 42% ↻1h10 ")
    assert " ≈$4.21 " in line


def test_a_limit_that_has_reset_since_is_not_shown():
    state = states.subscription()
    assert "5h" not in segments.render(state, "plain", now=states.NOW + 4231)


def test_a_limit_says_whose_word_it_is_once_that_is_not_plain():
    state = states.subscription()
    state["limits"][0] |= {"seen_at": states.NOW - 700}
    state["limits"][1] |= {"estimated": True, "source": "estimate:p90"}
    menu = segments.render(state, "swiftbar", now=states.NOW)
    assert "Limit 5h · 42% · resets in 1h10 · reported 11m ago | " in menu
    assert "Limit ~7d · 81% · resets in 3d4h · estimate: p90 | " in menu
    assert "Limit 7d opus · 12% · resets in 1d0h | " in menu
    assert "reported 11m ago" in segments.render(state, "waybar", now=states.NOW)


PLAN = {
    "name": "max20",
    "usd_a_month": 200.0,
    "days": 30,
    "until": "2026-11-28",
    "value_usd": 610.2,
    "factor": 3.097,
}


def test_a_plan_shows_what_it_gave_and_how_many_times_its_price():
    state = states.subscription() | {"plan": PLAN}
    shown = segments.render(state, "plain", template="{plan_value} {plan_factor}", now=states.NOW)
    assert shown == "≈$610.20 3.1×"
    (text,) = details.plan(state)
    assert text == "Claude Code in 30 days: ≈$610.20 at API prices: 3.1× what max20 costs"


@pytest.mark.parametrize(
    ("count", "mark"),
    [("understated_requests", "≥"), ("unpriced_requests", "≥"), ("estimated_requests", "~")],
)
def test_what_a_plan_gave_is_as_sure_as_its_requests(count, mark):
    state = states.subscription() | {"plan": PLAN | {count: 2}}
    shown = segments.render(state, "plain", template="{plan_value} {plan_factor}", now=states.NOW)
    assert shown == f"{mark}≈$610.20 {mark}3.1×"
    assert details.plan(state) == [
        f"Claude Code in 30 days: {mark}≈$610.20 at API prices: {mark}3.1× what max20 costs"
    ]


@pytest.mark.parametrize("plan", [None, {}, "x", {"value_usd": None, "factor": "3"}])
def test_a_plan_that_is_not_known_is_no_zero(plan):
    state = states.subscription() | {"plan": plan}
    assert "0" not in segments.render(state, "plain", template="{plan_value} {plan_factor}", now=states.NOW)
    assert details.plan(state) == []


def test_without_a_plan_s_name_there_is_no_multiple():
    state = states.subscription() | {"plan": PLAN | {"name": None, "usd_a_month": None, "factor": None}}
    assert segments.render(state, "plain", template="{plan_factor}", now=states.NOW) == "-"
    assert details.plan(state) == ["Claude Code in 30 days: ≈$610.20 at API prices"]


@pytest.mark.parametrize(
    ("value", "shown"), [(0.04, "0.0×"), (3.097, "3.1×"), (9.96, "10×"), (31.4, "31×"), (None, "-")]
)
def test_a_multiple_is_short(value, shown):
    assert humanize.factor(value) == shown


def test_lower_bounds_and_estimates_are_marked():
    state = states.api()
    state["today"] |= {"estimated_requests": 1}
    assert segments.render(state, "plain", template="{cost_today}", now=states.NOW) == "~$4.21"
    state["today"] |= {"understated_requests": 1}
    assert segments.render(state, "plain", template="{cost_today}", now=states.NOW) == "≥~$4.21"
    state["today"] |= {"understated_requests": 0, "estimated_requests": 0, "unpriced_requests": 2}
    assert segments.render(state, "plain", template="{cost_today}", now=states.NOW) == "≥$4.21"


def test_currency_is_for_display_only():
    state = states.api()
    state["display"] |= {"symbol": "€", "rate": 0.5}
    assert segments.render(state, "plain", template="{cost_today}", now=states.NOW) == "€2.11"


def test_a_level_colours_only_the_part_it_concerns():
    line = segments.render(states.api(), "tmux", now=states.NOW)
    assert line.startswith("$4.21 · #[push-default]#[fg=yellow]$7.20/h#[default]#[pop-default] · ctx 27% ")


def test_a_level_of_zero_is_off():
    state = states.api()
    state["display"]["levels"]["burn"] = [0, 0]
    assert segments.render(state, "tmux", template="{burn}", now=states.NOW) == "$7.20/h"


def test_a_budget_and_an_alert_reach_the_line_of_every_display():
    state = states.api()
    state["budgets"] = [{"name": "shop", "percent": 91.0, "level": "warning", "left_usd": 1.0}]
    state["level"] = "critical"
    state["alerts"] += [{"id": "runaway:x", "level": "critical", "text": "away", "since": 1.0}] * 2
    for name, line in segments.render_all(state, [], states.NOW).items():
        assert "shop 91%" in line.replace("%%", "%"), name
        if name == "swiftbar":  # the header says it by its symbol and colour, the menu in words
            assert "sfimage=exclamationmark.octagon color=" in line.partition("\n")[0]
            assert "\naway | " in line
            continue
        assert line.count("runaway") == 1, name
        assert "burn, " not in line, name


def test_an_optional_part_vanishes_when_it_has_nothing_to_say():
    look = "{cost_today}{? burn {burn}}{? 5h {limit_5h}{? {reset_5h}}}{? on {branch}}"
    assert segments.render(states.zero(), "plain", template=look, now=states.NOW) == "$0.00"
    assert segments.render(states.subscription(), "plain", template=look, now=states.NOW) == (
        "≈$4.21 burn ≈$7.20/h 5h 42% ↻1h10 on main"
    )


def test_an_unknown_placeholder_stands_as_written_in_a_segment():
    assert segments.render(states.zero(), "plain", template="{nope} {{x}}", now=states.NOW) == "{nope} {x}"


def test_an_unknown_placeholder_is_explained_with_the_nearest_name():
    assert "did you mean {cost_today}?" in template.problem("{cost_tody}")
    assert "did you mean" not in template.problem("{nonsense}")
    assert template.problem("{? {burn}") is not None
    assert template.problem("{burn") is not None
    for look in (*presets.API.values(), *presets.SUBSCRIPTION.values(), "{{ }} {?x {burn}}"):
        assert template.problem(look) is None


def test_the_own_segment_of_a_built_in_name_replaces_its_look():
    drawn = segments.render_all(
        states.api(), [("tmux", "tmux", None, "{cost_today}"), ("x", "zsh", "cost", None)], states.NOW
    )
    assert drawn["tmux"] == drawn["tmux-plain"] == "$4.21"
    assert drawn["x"].startswith("$%{%}4.21 today")
    assert set(drawn) >= {*segments.DISPLAYS, *segments.NO_COLOUR, "x"}


def test_a_template_says_how_long_answers_take_where_somebody_measured_it():
    state = states.api()
    look = "{latency}{? p95 {latency_p95}}{? first {ttft}}{? {tokens_per_second} tok/s}"
    silent = segments.render_all(state, [("x", "plain", None, look)], states.NOW)["x"]
    state["windows"]["15m"] |= {"duration_p50_ms": 4200.0, "duration_p95_ms": 61_000.0, "ttft_p50_ms": 640.0,
                                "output_tokens_per_second_p50": 61.2}  # fmt: skip
    told = segments.render_all(state, [("x", "plain", None, look)], states.NOW)["x"]
    assert (silent, told) == ("-", "4.2s p95 1m01 first 640ms 61 tok/s")


def _is_value(value):
    return isinstance(value, tuple) and [type(part) for part in value] == [str, str, bool]


def test_every_placeholder_is_filled_and_listed_in_the_help():
    values = placeholders.Values(states.api(), states.NOW)
    wrong = {name: values[name] for name in placeholders.NAMES if not _is_value(values[name])}
    assert wrong == {}, f"{', '.join(f'{{{name}}}' for name in sorted(wrong))}: return (text, level, quiet)"
    for word in ("tmux", "prompt", "waybar", "swiftbar"):
        shown = usage.text(word)
        assert all(f"{{{name}}}" in shown for name in placeholders.NAMES)
        assert all(name in shown for name in presets.NAMES)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(sorted(states.api())), inner, max_size=5)
        ),
        max_leaves=12,
    )
)
def test_no_state_whatever_makes_a_display_fail(value):
    state = value if isinstance(value, dict) else {}
    for line in segments.render_all({**states.api(), **state}, [], states.NOW).values():
        assert isinstance(line, str)
    segments.render_all(state, [], states.NOW)


@given(NAMES)
def test_any_name_stays_one_line_of_bounded_width(name):
    for display in segments.TEXT_DISPLAYS:
        line = segments.render(
            states.with_name(name), display + "-plain", template=states.NAMES_SHOWN, now=states.NOW
        )
        bare = line.replace("%{%}", "").replace("\x01\x02", "").replace("%%", "%").replace("##", "#")
        assert not any(unicodedata.category(char) in ("Cc", "Cs", "Cf", "Zl", "Zp") for char in bare)
        assert text.cells(bare) <= template.LINE_CELLS
        line.encode()


@given(NAMES)
def test_no_name_reaches_a_host_as_an_escape(name):
    state = states.with_name(name)
    drawn = {
        display: segments.render(state, f"{display}-plain", template=states.NAMES_SHOWN, now=states.NOW)
        for display in ("tmux", "bash", "zsh")
    }
    assert "#" not in drawn["tmux"].replace("##", "")
    assert not set("`\\!") & set(drawn["bash"] + drawn["zsh"])
    assert "$" not in drawn["bash"].replace("$\x01\x02", "")
    assert "$" not in drawn["zsh"].replace("$%{%}", "")
    assert "%" not in drawn["zsh"].replace("%{%}", "").replace("%%", "")


@given(NAMES)
def test_waybar_always_gets_one_line_of_valid_json_and_markup(name):
    from xml.etree import ElementTree as ET

    line = segments.render(states.with_name(name), "waybar", template=states.NAMES_SHOWN, now=states.NOW)
    assert "\n" not in line
    shown = json.loads(line)
    assert set(shown) == {"text", "alt", "class", "percentage", "tooltip"}
    assert isinstance(shown["percentage"], int)
    for key in ("text", "tooltip"):
        ET.fromstring(f"<x>{shown[key]}</x>".replace("\ufffe", "").replace("\uffff", ""))


@given(NAMES)
def test_a_swiftbar_menu_has_only_the_actions_we_put_there(name):
    lines = segments.render(
        states.with_name(name), "swiftbar", template="{project} {cost_today}", now=states.NOW
    ).split("\n")
    assert lines[0]
    assert not lines[0].startswith("--")
    for line in lines[1:]:
        title, _, options = line.partition("|")
        assert line == "---" or not line.removeprefix("--").startswith("-")
        assert title.strip()
        assert "|" not in options
        if line not in lines[-2:]:
            assert "bash=" not in options
            assert "refresh=" not in options


def test_the_off_line_of_waybar_hides_the_module():
    assert json.loads(waybar.OFF)["text"] == ""
    assert json.loads(waybar.OFF)["class"] == "off"


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.0k"),
        (999_949, "999.9k"),
        (999_950, "1.0M"),
        (-1500, "-1.5k"),
        (float("nan"), "-"),
        (float("inf"), "-"),
        (None, "-"),
        (True, "-"),
        ("1", "-"),
        (10**400, "-"),
        (10**18, ">999T"),
    ],
)
def test_counts_round_before_they_pick_a_unit(number, shown):
    assert humanize.count(number) == shown


@pytest.mark.parametrize(
    ("function", "number", "shown"),
    [
        (humanize.money, 0, "$0.00"),
        (humanize.money, 999.994, "$999.99"),
        (humanize.money, 999.995, "$1,000"),
        (humanize.money, 99_999.6, "$100.0k"),
        (humanize.money, -0.001, "$0.00"),
        (humanize.money, -2, "-$2.00"),
        (humanize.size, 53_400, "53K"),
        (humanize.size, 999_500, "1M"),
        (humanize.size, 1_048_576, "1M"),
        (humanize.percent, 99.96, "99%"),
        (humanize.percent, 100, "100%"),
        (humanize.rate, 9.96, "10"),
        (humanize.duration, 4230, "1h10"),
        (humanize.duration, 59, "<1m"),
        (humanize.duration, 3600, "1h00"),
        (humanize.duration, 273_660, "3d4h"),
        (humanize.age, 59.9, "59s"),
        (humanize.age, 86_400, "1d"),
    ],
)
def test_numbers_read_as_people_write_them(function, number, shown):
    assert function(number) == shown


def _size(shown):
    digits = shown.lstrip("$≥~").rstrip("kMBTK%h/").replace(",", "").replace(">", "")
    factor = {"k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}.get(shown[-1], 1)
    return float(digits) * factor


@given(st.floats(0, 1e15), st.floats(0, 1e15))
def test_a_larger_number_never_reads_smaller(one, other):
    low, high = sorted((one, other))
    for function in (humanize.count, humanize.size, humanize.money, humanize.rate, humanize.percent):
        assert _size(function(low)) <= _size(function(high))


@given(st.integers(0, 10**18))
def test_a_count_never_needs_more_than_six_characters(number):
    assert len(humanize.count(number)) <= 6


@pytest.mark.parametrize(
    ("name", "minutes", "shown"),
    [("one_day", 1440, "1d"), ("thirty_day", 43_200, "30d"), ("14_day", 20_160, "14d"), ("12_hour", 720, "12h"),
     ("90_minute", 90, "90m"), ("five_hour", 300, "5h"), ("seven_day", 10_080, "7d")],
)  # fmt: skip
@pytest.mark.parametrize("display", ["tmux", "plain", "waybar"])
def test_a_limit_of_any_length_has_a_readable_name_in_every_display(name, minutes, shown, display):
    state = states.subscription()
    limit = next(one for one in state["limits"]) | {
        "name": name,
        "window_minutes": minutes,
        "used_percent": 100.0,
    }
    state["limits"] = [limit]
    line = segments.render(state, display, preset="limits", now=states.NOW)
    assert f"{shown} 100%" in re.sub(r"#\[[^]]*\]|<[^>]*>", "", line)
