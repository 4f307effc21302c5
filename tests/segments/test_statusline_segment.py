"""Claude Code's status line as text: what the client says of one session, what the listener knows of all."""

import re

import pytest

from aitop.segments import statusline_segment
from aitop.segments.text import cells

SAID = {
    "session_id": "5f0c",
    "model": {"id": "claude-opus-5-5", "display_name": "Opus 5.5"},
    "cost": {"total_cost_usd": 1.234},
    "context_window": {"context_window_size": 1_000_000, "used_percentage": 42.4},
}
LIMITED = SAID | {
    "rate_limits": {
        "five_hour": {"used_percentage": 23.5, "resets_at": 1000 + 4200},
        "seven_day": {"used_percentage": 90, "resets_at": 1000 + 90_000},
        "leaked": {"used_percentage": 1_795_300_000, "resets_at": 9000},
        "over": {"used_percentage": 50, "resets_at": 900},
    }
}
FRESH = {
    "written_at": 1000.0,
    "display": {
        "billing": "api",
        "symbol": "$",
        "rate": 1.0,
        "levels": {"burn": [5, 20], "context": [40, 95]},
    },
    "today": {"cost_usd": 7.5, "estimated_requests": 1},
    "windows": {"1m": {"cost_usd_per_hour": 6.0}},
}


def lines(said, fresh=None, session=None, **config):
    return statusline_segment.render(said, fresh, session, 1000.0, {"colour": False, **config})


def shown(said, fresh=None, preset="full"):
    found = lines(said, fresh, preset=preset)
    return found[0].split(" · ") if found else []


def coloured(said, fresh):
    """Each text that has a colour, with its level."""
    (line,) = lines(said, fresh, colour=True)
    levels = {"33": "warning", "1;31": "critical"}
    return {text: levels[code] for code, text in re.findall(r"\x1b\[(33|1;31)m([^\x1b]*)", line)}


def test_a_line_says_model_context_and_the_clients_cost():
    assert shown(SAID) == ["Opus 5.5", "ctx 42%", "$1.23"]


def test_a_fresh_state_adds_today_and_the_burn_rate():
    assert shown(SAID, FRESH) == ["Opus 5.5", "ctx 42%", "$1.23", "~$7.50 today", "$6.00/h"]


def test_a_subscription_shows_its_limits_first_and_dollars_as_equivalents():
    assert shown(LIMITED) == ["Opus 5.5", "5h 24% ↻1h10", "7d 90% ↻1d1h", "ctx 42%", "≈$1.23"]


def test_the_configured_way_of_paying_outranks_what_limits_suggest():
    assert shown(LIMITED, FRESH)[:3] == ["Opus 5.5", "ctx 42%", "$1.23"]


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        ("cost", ["Opus 5.5", "$1.23", "~$7.50 today"]),
        ("burn", ["Opus 5.5", "$6.00/h", "~$7.50 today"]),
        ("limits", ["Opus 5.5", "5h 24% ↻1h10", "7d 90% ↻1d1h", "ctx 42%"]),
    ],
)
def test_presets_choose_the_parts(preset, expected):
    assert shown(LIMITED, FRESH, preset) == expected


def test_a_budget_and_what_no_other_part_shows_stand_at_the_end():
    fresh = FRESH | {
        "budgets": [
            {"name": "shop", "percent": 91.0, "level": "warning"},
            {"name": "month", "percent": 20.0},
        ],
        "alerts": [{"id": "burn", "level": "critical"}, {"id": "runaway:1f0c", "level": "warning"}],
    }
    levels = coloured(SAID, fresh)
    assert {"shop 91%": "warning", "runaway": "warning"}.items() <= levels.items()


def test_levels_follow_the_thresholds_in_force():
    levels = coloured(SAID, FRESH)
    assert levels["42%"] == "warning"
    assert levels["$6.00/h"] == "warning"


@pytest.mark.parametrize(
    "said",
    [{}, {"model": None, "cost": [], "context_window": 3}, {"rate_limits": {"five_hour": 3}},
     {"context_window": {"used_percentage": None}, "cost": {"total_cost_usd": "1"}},
     {"model": {"display_name": 7}, "rate_limits": [1]}],
)  # fmt: skip
def test_what_the_client_leaves_out_or_changes_is_left_out(said):
    assert shown(said) == []


def test_a_hostile_model_name_cannot_speak_to_the_terminal():
    (text,) = shown({"model": {"display_name": "a\x1b]0;x\x07\r\nb\u202ec"}})
    assert text.isprintable()


def test_a_line_longer_than_the_terminal_loses_whole_parts_from_its_end():
    assert lines(SAID, columns=20) == ["Opus 5.5 · ctx 42%"]
    assert lines(SAID, columns=5) == ["Opus…"]


def test_a_format_may_have_several_lines_and_loses_those_with_nothing_to_say():
    look = "{model} · {effort}\n{lines} · {git_dirty}\n{project}"
    said = SAID | {"effort": {"level": "high"}, "cost": {"total_lines_added": 12, "total_lines_removed": 3}}
    assert lines(said, format=look) == ["Opus 5.5 · high", "+12 −3"]
    assert lines(said, format=["{effort}", "{model}"]) == ["high", "Opus 5.5"]


def test_the_format_of_the_configuration_reaches_the_line_by_the_state():
    state = FRESH | {"display": FRESH["display"] | {"statusline": {"format": "{model}!", "style": "plain"}}}
    assert lines(SAID, state) == ["Opus 5.5!"]


@pytest.mark.parametrize("style", ["plain", "powerline", "nerd"])
def test_a_style_changes_looks_and_no_words(style):
    (line,) = lines(SAID, FRESH, style=style, colour=True)
    bare = re.sub(r"\x1b\[[0-9;]*m|[\ue000-\uf8ff]|·", " ", line)
    assert bare.split() == ["Opus", "5.5", "ctx", "42%", "$1.23", "~$7.50", "today", "$6.00/h"]


def test_powerline_joins_each_part_to_the_next_by_an_arrow_of_both_grounds():
    (line,) = lines(SAID, style="powerline", colour=True)
    assert line.count("\ue0b0") == 3
    assert line.endswith("\x1b[0m")


def row(**more):
    return {
        "id": "5f0c",
        "provider": "claude-code",
        "status": "working",
        "cost_usd": 1.0,
        "spent_usd": 1.1,
    } | more


def test_a_session_is_never_dearer_than_its_day():
    state = FRESH | {"today": {"cost_usd": 1.0, "spent_usd": 1.1}, "sessions": [row(client_cost_usd=1.1)]}
    assert shown(SAID, state, "cost")[1:] == ["$1.23", "$1.23 today"]


def test_what_the_client_spent_before_a_resume_belongs_to_no_session():
    state = FRESH | {"today": {"spent_usd": 5.0}, "sessions": [row(client_cost_usd=1.2, spent_usd=0.2)]}
    assert shown(SAID, state, "cost")[1:] == ["$0.23", "$5.03 today"]


def test_the_limits_of_another_client_are_not_this_sessions():
    rows = [{"provider": name, "name": "five_hour", "used_percent": used, "resets_at": 9e9}
            for name, used in (("codex", 90.0), ("claude-code", 12.0))]  # fmt: skip
    assert "5h 12%" in lines(SAID, FRESH | {"limits": rows, "sessions": [row()]}, format="5h {limit_5h}")
    assert lines(SAID, FRESH | {"limits": rows}, format="5h {limit_5h}") == []


def test_it_says_how_many_others_wait_and_not_itself():
    rows = [row(status="waiting"), row(id="other", status="waiting")]
    assert lines(SAID, FRESH | {"sessions": rows}, format="{waiting_elsewhere} waiting") == ["1 waiting"]


@pytest.mark.parametrize(("cache", "text"), [
    ({"warm": True, "expires_at": 1000 + 150}, "2m"), ({"warm": True, "expires_at": 990}, "cold"), ({}, ""),
])  # fmt: skip
def test_the_prompt_cache_counts_down(cache, text):
    assert "".join(lines(SAID | {"prompt_cache": cache}, format="{cache_left}")) == text


def test_wide_names_are_cut_by_cells():
    (line,) = lines({"model": {"display_name": "漢字漢字漢字"}}, columns=7)
    assert cells(line) <= 7
    assert line.endswith("…")
