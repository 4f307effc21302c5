"""One client at a time: each provider's share of the sums, and the displays that show it."""

import json
import time

import pytest
from click.testing import CliRunner
from support.codex_records import A, B, meta, record, turn
from support.codex_records import path as rollout
from support.desk import START
from support.lines import assistant, result, use
from support.published import NOWHERE, encoded
from support.worlds import Book

from aitop import state
from aitop.cli import main
from aitop.config import Config
from aitop.history.query import by_provider as questions
from aitop.history.write.ledger import nothing
from aitop.live.aggregator import Aggregator, Day
from aitop.live.money.tracker import MoneyTracker
from aitop.live.snapshot import take
from aitop.model.events import Timing
from aitop.model.sums import Sum
from aitop.segments import oneshot

ONE, TWO = Sum(requests=1, cost=5_000_000), Sum(requests=2, cost=7_000_000)
OF = {1: "codex", 2: "claude-code"}.__getitem__
DAY = 86_400
STARTS = {"today": START, "week": START, "month": START}


def changed(*sums, timings=()):
    return nothing()._replace(sums=list(sums), timings=list(timings))


def parts(*sums, timings=(), now=START + 10):
    found = Aggregator(START)
    found.begin_day(Day(STARTS, by_provider={"codex": {"today": ONE}}))
    found.fold(changed(*sums, timings=timings), OF, START + 10)
    snap = take(found, MoneyTracker(), (), before=(), config=Config(), lookups=NOWHERE, now=now)
    return encoded(snap)["by_provider"]


def test_every_provider_has_its_own_windows_and_periods():
    found = parts((START + 5, 1, ONE), (START + 5, 2, TWO))
    assert {name: part["windows"]["1m"]["requests"] for name, part in found.items()} == {
        "claude-code": 2,
        "codex": 1,
    }
    assert (found["codex"]["today"]["requests"], found["claude-code"]["today"]["requests"]) == (2, 2)


def test_a_correction_moves_the_part_it_belongs_to():
    found = parts((START + 5, 1, ONE), (START + 5, 1, Sum(requests=-1, cost=-5_000_000)), (START + 5, 2, ONE))
    assert found["codex"]["windows"]["1m"]["requests"] == 0
    assert found["claude-code"]["windows"]["1m"]["cost_usd"] == 5e-6


def test_every_provider_has_its_own_latencies():
    slow = (START + 5, 1, Timing(4000.0, 500.0, 70), 1)
    found = parts((START + 5, 1, ONE), (START + 5, 2, TWO), timings=[slow])
    codex, claude = (found[name]["windows"]["5m"] for name in ("codex", "claude-code"))
    assert codex["timed_requests"] == 1
    assert codex["duration_p50_ms"] == pytest.approx(4000, rel=0.03)
    assert (claude["timed_requests"], claude["ttft_p50_ms"]) == (0, None)


def test_what_left_the_window_left_the_part():
    assert parts((START + 5, 1, ONE), now=START + 80)["codex"]["windows"]["1m"]["requests"] == 0


def whole(**more):
    session = {"id": "c1", "provider": "codex"}
    other = {"id": "a1", "provider": "claude-code"}
    alerts = [{"id": "limit", "level": "warning", "provider": "codex"},
              {"id": "burn", "level": "critical", "provider": "claude-code"}]  # fmt: skip
    codex = {"windows": {"1m": 1}, "today": {"requests": 3}, "active_sessions": 1, "context": {"session": "c1"},
             "compactions": 2, "projects_today": [{"project": "shop"}]}  # fmt: skip
    return {"written_at": START, "sessions": [session, other], "context": {"session": "a1"}, "tools": {"Bash": {}},
            "limits": [{"provider": "codex"}, {"provider": "claude-code"}], "windows": {}, "today": {},
            "projects_today": [{"project": "shop"}, {"project": "docs"}], "alerts": alerts, "level": "critical",
            "block": {"provider": "claude-code"}, "budgets": [{"name": "all"}], "forecast": {"day": {}},
            "by_provider": {"codex": codex, "claude-code": {}}, **more}  # fmt: skip


def test_a_states_part_has_the_shape_of_the_whole_and_nothing_of_another_client():
    part = state.only(whole(), "codex")
    assert (part["windows"], part["today"]) == ({"1m": 1}, {"requests": 3})
    assert [session["id"] for session in part["sessions"]] == ["c1"]
    assert (part["active_sessions"], part["providers"], part["limits"]) == (
        1,
        ["codex"],
        [{"provider": "codex"}],
    )
    assert (part["context"], part["compactions"]) == ({"session": "c1"}, 2)
    assert part["projects_today"] == [{"project": "shop"}]
    assert ([alert["id"] for alert in part["alerts"]], part["level"]) == (["limit"], "warning")
    assert (part["block"], part["forecast"]) == (None, {})


def test_what_is_known_of_all_clients_together_alone_is_not_a_clients_zero():
    part = state.only(whole(energy={"energy_kwh": [1, 2]}, plan={"value_usd": 3}), "codex")
    assert not {"tools", "stop_reasons", "budgets"} & part.keys()
    assert (part["energy"], part["plan"]) == (None, None)
    assert state.only(whole(plan={"value_usd": 3}), "claude-code")["plan"] == {"value_usd": 3}


def test_the_forecast_of_the_block_stays_with_its_client():
    every = whole(forecast={"day": {}, "block": {"usd": 2}})
    assert state.only(every, "claude-code")["forecast"] == {"block": {"usd": 2}}
    assert state.only(every, "codex")["forecast"] == {}


def test_tools_and_stop_reasons_are_kept_by_client():
    found = Aggregator(START)
    found.begin_day(Day(STARTS, tools_by_provider={"codex": {"shell": (2, 1)}},
                        stops_by_provider={"codex": {"end_turn": 1}}))  # fmt: skip
    changes = nothing()
    changes.tools.extend(
        [(START + 1, "shell", 1, 0, 1), (START + 1, "Bash", 1, 1, 2), (START - DAY, "Old", 1, 0, 2)]
    )
    changes.stops.extend([(START + 1, "end_turn", 1, 2), (START + 2, "end_turn", -1, 1)])
    found.fold(changes, lambda session: {1: "codex", 2: "claude-code"}[session], START + 3)
    assert {name: (part.tools, part.stop_reasons) for name, part in found.by_provider.items()} == {
        "codex": ({"shell": (3, 1)}, {"end_turn": 0}), "claude-code": ({"Bash": (1, 1)}, {"end_turn": 1})
    }  # fmt: skip
    found.begin_day(Day(STARTS))
    assert [part.tools for part in found.by_provider.values()] == [{}, {}]


def test_a_day_begins_with_the_tools_and_stop_reasons_of_each_client(tmp_path):
    book = Book(tmp_path / "history.db")
    line = assistant("m1", START, content=[use("t1", "Bash")], stop="tool_use")
    book.feed("/p/s.jsonl", [line, result("t1", START + 2, failed=True)])
    book.commit()
    assert questions.tools_since(book.db, START - DAY) == {"claude-code": {"Bash": (1, 1)}}
    assert questions.stops_since(book.db, START - DAY) == {"claude-code": {"tool_use": 1}}
    assert (questions.tools_since(book.db, START + DAY), questions.stops_since(book.db, START + DAY)) == (
        {},
        {},
    )
    book.db.close()


def test_the_block_stays_where_it_is_the_clients_own():
    assert state.only(whole(), "claude-code")["block"] == {"provider": "claude-code"}


@pytest.mark.parametrize("odd", [{}, {"by_provider": 3}, {"by_provider": {"codex": 3}}])
def test_a_provider_that_told_of_nothing_has_no_part(odd):
    assert state.only(odd, "codex") is None


@pytest.fixture
def both(tmp_path, listener, monkeypatch):
    """A listener that knows one session of Codex and one of Claude Code, and the user's own segment."""
    from support.lines import encode

    user = tmp_path / "user"
    now = time.time()
    from support.desk import write

    name = rollout(user / ".codex")
    lines = [
        meta(at=now - START),
        turn(now - START),
        record("r1", A, at=now - START),
        record("r2", B, A, at=now - START),
    ]
    write(name, *lines)
    (user / ".claude" / "projects" / "shop").mkdir(parents=True)
    (user / ".claude" / "projects" / "shop" / "s.jsonl").write_bytes(encode([assistant(at=now)]))
    (user / ".config" / "aitop").mkdir(parents=True)
    own = '[segments.codex]\ndisplay = "plain"\nprovider = "codex"\nformat = "{model}"\n'
    (user / ".config" / "aitop" / "config.toml").write_text(own)
    listener.start()
    listener.wait_for(lambda s: s["today"]["requests"] == 3 and s["scan"]["complete"])
    return listener


def test_displays_top_and_reports_show_one_client(both, capfd):
    found = both.state()
    assert found["providers"] == ["codex", "claude-code"]
    assert {name: share["today"]["requests"] for name, share in found["by_provider"].items()} == {
        "claude-code": 1,
        "codex": 2,
    }
    (cost,) = [
        f"{share['today']['cost_usd']:.4f}" for name, share in found["by_provider"].items() if name == "codex"
    ]
    assert float(cost) == pytest.approx(
        (300 * 1.25 + 600 * 0.125 + 50 * 10 + 500 * 1.25 + 1000 * 0.125 + 70 * 10) / 1e6, abs=1e-4
    )
    run = CliRunner()
    assert run.invoke(main, ["top", "--once", "--json", "--provider", "codex"]).exit_code == 0
    shown = json.loads(capfd.readouterr().out)  # one write, past Python's own buffer
    assert shown["state"]["today"]["requests"] == 2
    reasons = [share["stop_reasons"] for share in found["by_provider"].values()]
    assert found["stop_reasons"] == {
        key: sum(of.get(key, 0) for of in reasons) for of in reasons for key in of
    }
    assert shown["state"]["stop_reasons"] == found["by_provider"]["codex"]["stop_reasons"]
    rows = json.loads(run.invoke(main, ["report", "sessions", "--json", "--provider", "codex"]).stdout)
    assert [row["provider"] for row in rows] == ["codex"]
    nobody = run.invoke(main, ["top", "--once", "--provider", "gemini"])
    assert (nobody.exit_code, "no numbers of gemini" in nobody.stderr) == (1, True)
    assert oneshot.main("prompt", ["--format", "{model}", "--provider", "codex"]) == 0
    assert "5.1" in capfd.readouterr().out
    assert oneshot.main("prompt", ["--provider", "gemini"]) == 0
    assert capfd.readouterr().out.strip() == ""


def test_a_segment_of_the_users_own_shows_one_client(both):
    def text(_):
        with open(both.home + "/segments/codex", encoding="utf-8") as file:
            return file.read().split(" ", 2)[2].strip()

    both.wait_for(text)  # segments are written just after the state
    assert text(None) == "gpt-5.1-codex"


def test_a_one_shot_of_a_segment_takes_no_provider(capsys):
    assert oneshot.main("tmux", ["--segment", "x", "--provider", "codex"]) == 2
    assert "give the segment its `provider`" in capsys.readouterr().err


def test_a_report_of_a_client_that_told_of_nothing_is_empty(home):
    found = CliRunner().invoke(main, ["report", "models", "--json", "--provider", "gemini"])
    assert json.loads(found.stdout) == []


def test_coverage_and_prices_are_those_of_the_one_client():
    month = {"requests": 10, "unpriced_requests": 2, "estimated_requests": 0, "understated_requests": 1}
    every = {
        "by_provider": {"codex": {"month": month}, "gemini": {"month": {"requests": 3}}},
        "coverage": {
            "clients": {"codex": {"counted": True}, "gemini": {"counted": True}, "cursor": {"counted": False}},
            "responses": {"priced": 90, "estimated": 7, "at_least": 30},
        },
        "prices": {"as_of": "2026-11-21", "unpriced_models": ["m"], "estimated_models": ["n"]},
    }  # fmt: skip
    part = state.only(every, "codex")
    assert part["coverage"] == {
        "clients": {"codex": {"counted": True}}, "responses": {"priced": 8, "estimated": 0, "at_least": 3},
    }  # fmt: skip
    assert part["prices"] == {"as_of": "2026-11-21", "unpriced_models": ["m"], "estimated_models": []}
    assert state.only(every, "gemini")["prices"]["unpriced_models"] == []
