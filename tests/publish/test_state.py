"""The published state: its shape, its page, its schema, and that every number stands under its own name."""

import ast
import json
import re
import time

import pytest
from click.testing import CliRunner
from golden.home import ROOT
from support.lines import assistant, encode, usage
from support.published import NOWHERE, encoded, mistakes
from support.sources import sources
from support.worlds import SESSIONS

from aitop.cli import main
from aitop.config import Config, Segment
from aitop.history.rows import Session
from aitop.live.aggregator import Aggregator, Day
from aitop.live.alerts import RULES
from aitop.live.alerts import page as alerts_page
from aitop.live.money import burn
from aitop.live.money.budgets import BudgetView
from aitop.live.money.forecast import PeriodForecast
from aitop.live.money.limits import LimitView
from aitop.live.money.tracker import BlockView, MoneyTracker
from aitop.live.snapshot import Gauge, ProjectToday, ToolView, take, view
from aitop.model.events import CacheState, Limit
from aitop.model.histograms import Timings
from aitop.model.sums import PICO, ZERO, Sum, published
from aitop.publish import state_json, state_rows, state_schema, state_types

NOW = 1_790_000_000.0
# Every number differs, so one under another's name cannot pass.
EACH = Sum(*(1000 + n for n in range(len(Sum._fields))))._replace(cost=3 * PICO, untracked=2 * PICO)


def text(*parts):
    with open("/".join((ROOT, *parts)), encoding="utf-8") as file:
        return file.read()


def test_the_pages_tables_are_those_of_the_published_types():
    page = text("docs", "state.md")
    assert state_schema.undescribed(page) == []
    assert page == state_schema.page(page), "run: PYTHONPATH=. python scripts/make_state_page.py"


def test_the_page_of_alerts_lists_every_rule():
    page = text("docs", "alerts.md")
    table = page.partition("<!-- rules -->")[2].partition("<!-- end of rules -->")[0]
    listed, rules = re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE), [rule.name for rule in RULES]
    gone = sorted(set(listed) - set(rules))
    assert gone == [], (
        "the page has them, `ALL` of aitop/live/alerts/rules.py has not: a rule is written down there"
    )
    missing = sorted(set(rules) - set(listed))
    assert missing == [], (
        "docs/alerts.md lacks these rules: run PYTHONPATH=. python scripts/make_state_page.py"
    )
    assert page == alerts_page.page(page), "run: PYTHONPATH=. python scripts/make_state_page.py"


def test_every_rule_of_an_alert_is_written_down_in_the_file_of_rules():
    """Only there is it in `ALL`, and so on the page."""
    elsewhere = [
        f"{source.name}:{node.lineno}"
        for source in sources()
        for node in source.nodes
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Rule"
        and source.name.startswith("live/alerts/")
        and source.name != "live/alerts/rules.py"
    ]
    assert elsewhere == [], "write the Rule down in aitop/live/alerts/rules.py"


def test_every_key_of_the_configuration_for_alerts_belongs_to_a_rule():
    named = {f"alerts.{key}" for rule in RULES for key in rule.keys}
    configured = {path for path in Config().values if path.startswith("alerts.")}
    assert named - configured == set(), (
        "a `Rule` of aitop/live/alerts/rules.py has no `Key` in aitop/config/keys.py"
    )
    assert configured - named == set(), (
        "a `Key` of aitop/config/keys.py belongs to no `Rule` of live/alerts/rules.py"
    )


@pytest.mark.parametrize("row", [state_rows.sum_row(EACH), state_rows.window_row(EACH, Timings(), 60)])
def test_every_number_of_a_sum_stands_under_its_own_name(row):
    expected = published(EACH)
    assert {key: row[key] for key in row.keys() & expected.keys()} == {
        key: value for key, value in expected.items() if key in row
    }
    assert expected.keys() - row.keys() == {
        "uncached_input_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"
    }  # fmt: skip
    assert row["error_rate"] == EACH.errors / (EACH.errors + EACH.requests)


def test_a_windows_rates_are_those_of_its_length():
    row = state_rows.window_row(EACH, Timings(), 300)
    assert row["requests_per_minute"] == EACH.requests / 5
    assert row["tokens_per_minute"] == (EACH.input_tokens + EACH.output_tokens) / 5
    assert row["cache_hit_rate"] == EACH.cache_read_tokens / EACH.input_tokens
    assert (row["spent_usd_per_hour"], row["cost_usd_per_hour"]) == (60.0, 36.0)


def full_session():
    """A session of which every fact differs from every other."""
    session = Session(1, "claude-code", "s1")
    facts = {
        "cwd": "/w/shop", "branch": "main", "model": "m", "pid": 11, "pane": "%7",
        "started_at": NOW - 100, "last_at": NOW,
        "status": "waiting", "status_at": NOW - 50, "total": EACH, "compactions": 41, "stop_reasons": {"end_turn": 42},
        "client_cost": 5.5, "client_api_ms": 43.0, "context_tokens": 44_000, "context_limit": 100_000,
        "agents": {"a", "b", "c"}, "cache": CacheState("s1", NOW, True, NOW + 45, "5m", 0.46),
    }  # fmt: skip
    for name, value in facts.items():
        setattr(session, name, value)
    return session


def full_state(**more):
    aggregator = Aggregator(NOW - 60)
    sums = {
        name: EACH._replace(requests=EACH.requests + n) for n, name in enumerate(("today", "week", "month"))
    }
    aggregator.begin_day(
        Day(dict.fromkeys(("today", "week", "month"), NOW - 3600), sums, {"claude-code": sums},
            tools=[("Bash", 31, 32, [33.0])], stop_reasons={"end_turn": 34}, compactions=35)
    )  # fmt: skip
    aggregator.recall([("claude-code", NOW - 30, EACH)])
    aggregator.keep_limit(Limit("claude-code", None, "five_hour", 300, 51.0, NOW + 9000, "client", NOW - 7))
    snap = take(
        aggregator, MoneyTracker(), [full_session()], before=(),
        projects=[ProjectToday("claude-code", "/w/shop", EACH), ProjectToday("codex", "/v/shop", EACH)],
        config=Config(), lookups=NOWHERE, now=NOW,
    )  # fmt: skip
    return encoded(snap, **more)


def test_every_fact_of_a_session_stands_under_its_own_name():
    (row,) = full_state()["sessions"]
    expected = published(EACH) | {
        "id": "s1", "provider": "claude-code", "project": "shop", "cwd": "/w/shop", "branch": "main", "model": "m",
        "folder": "/w/shop", "pid": 11, "pane": "%7", "status": "waiting", "status_since": NOW - 50, "active": True,
        "started_at": NOW - 100, "last_activity_at": NOW, "client_cost_usd": 5.5, "context_tokens": 44_000,
        "context_limit": 100_000, "context_percent": 44.0, "compactions": 41, "stop_reasons": {"end_turn": 42},
        "subagents": 3, "understated": True, "client_api_ms": 43.0, "title": None, "tag": None, "git_dirty": None,
        "prompt_cache": {"warm": True, "expires_at": NOW + 45, "ttl": "5m", "hit_ratio": 0.46},
    }  # fmt: skip
    latencies = state_rows.latencies_row(Timings())
    assert {key: value for key, value in row.items() if key not in latencies} == {
        key: value for key, value in expected.items() if key in row
    }


def test_every_part_of_a_moment_stands_under_its_own_name():
    state = full_state()
    periods = ("today", "week", "month")
    beyond = {name: state[name]["requests"] - EACH.requests for name in periods}
    assert beyond == {"today": 0, "week": 1, "month": 2}, (
        "one period has the sum of another: publish/state_json.py"
    )
    assert {name: window["spent_usd"] for name, window in state["windows"].items()} == {
        "1m": 5.0, "5m": 5.0, "15m": 5.0
    }  # fmt: skip
    assert (state["compactions"], state["stop_reasons"]) == (35, {"end_turn": 34})
    assert state["tools"] == {"Bash": {"calls": 31, "failures": 32, "p50_ms": 33.0, "p95_ms": 33.0}}
    assert state["context"] == {"tokens": 44_000, "limit": 100_000, "percent": 44.0, "session": "s1"}
    assert (state["active_sessions"], state["waiting_sessions"]) == (1, 1)
    assert state["projects_today"][0]["requests"] == 2 * EACH.requests
    assert [(row["folder"], row["requests"]) for row in state["folders_today"]] == [
        ("/w/shop", EACH.requests)
    ]
    part = state["by_provider"]["claude-code"]
    assert part["folders_today"] == state["folders_today"]
    assert part["projects_today"][0]["requests"] == EACH.requests
    assert (part["active_sessions"], part["waiting_sessions"], part["context"]) == (1, 1, state["context"])
    assert [sum(state["sparklines"][name]) for name in ("spent_usd", "cost_usd")] == [5.0, 3.0]


def test_every_part_of_display_is_of_the_key_of_its_name():
    """No value is another key's, so two that are exchanged cannot pass."""
    own = {
        "billing": "api", "currency.symbol": "€", "currency.rate": 0.5, "preset": "burn",
        "alerts.context_warning": 11, "alerts.context_critical": 12, "alerts.limit_warning": 13,
        "alerts.limit_critical": 14, "alerts.cache_hit_warning": 15,
        "statusline.format": "{cost_today}", "statusline.preset": "limits", "statusline.style": "a style",
    }  # fmt: skip
    values = Config().values
    assert own.keys() <= values.keys()
    segment = Segment("mine", "waybar", "cost", "{burn}")
    burning = burn.BurnView(1.0, "5m", "ok", 16.0, 17.0, learned=True)
    config = Config(values=values | own, segments=(segment,))
    assert state_json.display(config, limited=True, burn=burning) == {
        "billing": "api", "symbol": "€", "rate": 0.5, "preset": "burn",
        "levels": {"burn": [16.0, 17.0], "context": [11, 12], "limit": [13, 14], "cache_hit": 15},
        "statusline": {"format": "{cost_today}", "preset": "limits", "style": "a style"},
        "segments": [["mine", "waybar", "cost", "{burn}"]],
    }, "a value under another's key: `display` in publish/state_json.py"  # fmt: skip


def test_a_built_state_has_exactly_the_published_keys():
    assert mistakes(full_state()) == []
    assert mistakes(full_state() | {"new": 1}) == ["state.new: not described"]


@pytest.mark.parametrize(
    ("row", "shape"),
    [(BudgetView, state_types.Budget), (LimitView, state_types.Limit), (BlockView, state_types.Block),
     (PeriodForecast, state_types.PeriodForecast), (Gauge, state_types.Context), (ToolView, state_types.Tool),
     (burn.BurnView, state_types.Burn)],
)  # fmt: skip
def test_what_is_published_as_it_is_judged_has_the_published_keys(row, shape):
    assert row._fields == tuple(state_schema.keys_of(shape))


def test_coverage_says_how_far_this_months_total_can_be_trusted():
    found = full_state()["coverage"]["responses"]
    month = EACH.requests + 2
    assert found["estimated"] == EACH.estimated_requests
    assert found["priced"] == month - EACH.unpriced_requests - EACH.estimated_requests
    assert found["at_least"] == min(month, EACH.unpriced_requests + EACH.understated_requests)


def test_the_state_of_a_real_listener_is_as_described(home, listener, tmp_path, monkeypatch):
    claude = tmp_path / "claude" / "projects" / "-w"
    claude.mkdir(parents=True)
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "claude"))
    settings = tmp_path / "config.toml"
    settings.write_text("[budgets.day]\nperiod = 'day'\nlimit_usd = 0.001\n")
    monkeypatch.setenv("AITOP_CONFIG", str(settings))
    now = time.time()
    (claude / f"{SESSIONS[0]}.jsonl").write_bytes(
        encode(
            [
                assistant(
                    f"m{n}", now - 90_000 * n, request_id=f"r{n}", session=SESSIONS[0], usage=usage(5000)
                )
                for n in (1, 0)
            ]
        )
    )
    listener.start()
    state = listener.wait_for(lambda s: s["forecast"] and s["alerts"] and s["block"])
    assert mistakes(state) == []
    printed = CliRunner().invoke(main, ["state"])
    assert printed.exit_code == 0
    assert mistakes(json.loads(printed.output)) == []


def test_the_schema_is_printed_without_a_listener(home):
    printed = json.loads(CliRunner().invoke(main, ["state", "--schema"]).output)
    assert printed["properties"]["today"] == {"$ref": "#/$defs/Sum", "description": "since local midnight"}
    assert printed["$defs"]["Session"]["properties"]["status"]["enum"] == [
        "working",
        "waiting",
        "idle",
        "ended",
    ]


def test_records_are_one_line_each(live):
    live(full_state())
    lines = [
        json.loads(line) for line in CliRunner().invoke(main, ["state", "--records"]).output.splitlines()
    ]
    assert [line["record"] for line in lines] == ["state", "session", "limit"]


def test_without_a_listener_the_command_fails_and_says_so(home):
    result = CliRunner().invoke(main, ["state"])
    assert result.exit_code == 1
    assert "no listener is running" in result.output


def test_a_folders_money_is_what_was_spent_in_it_and_below_it():
    spent = [
        ("/w/shop", 1), ("/w/shop/api", 2), ("/w/shop/api/v2", 4), ("/w/shop-old", 8), ("/v/shop", 16), ("", 32),
    ]  # fmt: skip
    today = [ProjectToday("claude-code", cwd, ZERO._replace(cost=usd * PICO)) for cwd, usd in spent]
    today.append(ProjectToday("codex", "/w/shop", ZERO._replace(untracked=64 * PICO)))
    sessions = []
    for number, folder in enumerate(("/w/shop", "/w/shop/api", "/w/shop", "/v/shop", None, "/")):
        one = Session(number, "claude-code", f"s{number}")
        one.cwd = folder
        sessions.append(view(one, None, NOWHERE, NOW))
    rows = state_rows.folder_rows(today, sessions)
    assert {row["folder"]: row["spent_usd"] for row in rows} == {
        "/w/shop": 71, "/w/shop/api": 6, "/v/shop": 16, "/": 95,
    }  # fmt: skip
    mine = state_rows.folder_rows(today, sessions, "codex")
    assert {row["folder"]: row["spent_usd"] for row in mine}["/w/shop"] == 64
