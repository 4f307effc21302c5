"""What the pages are answered with: the same sums as the reports, exactly the rows behind a number, in bounded time."""

import asyncio
import json
import os
import signal
import sqlite3
import time
from datetime import timedelta

import pytest
from multidict import MultiDict
from support.web_site import until

from aitop.config import Config
from aitop.config.budgets_and_tags import Budget, TagRule
from aitop.history import schema
from aitop.history.query import spans, stacks
from aitop.history.store import History
from aitop.model import periods
from aitop.model.events import ApiError, Compaction, Place, Response, SessionInfo, ToolResult, ToolUse, Usage
from aitop.model.sums import PICO
from aitop.pricing import table
from aitop.reports import groupings
from aitop.reports.ask import Asker
from aitop.reports.filters import Filter
from aitop.web import params
from aitop.web.answers import past, rows, session, timeline
from aitop.web.answers.asked import Asked
from aitop.web.questions import BrokenError, NoHistoryError, Questions, TooLongError
from aitop.web.wire import encoded

# Workers of a parallel run have a thread of their own; the server has none.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
NOW = 1_790_000_000.0  # 2026-09-21 13:33 UTC
DAY = 86_400
MODELS = ("claude-opus-4-6", "claude-opus-4-6-fast", "claude-haiku-4-5")
FOLDERS = ("/work/shop", "/work/shop/api", "/home/ada/shop")


def fill(db, days=5):
    """Some sessions in three folders, on two branches, with three models, over some days."""
    history = History(db, table.load(), floor=NOW)
    number = 0
    for back in range(days):
        for folder_number, folder in enumerate(FOLDERS):
            name = f"s{back}-{folder_number}"
            at = NOW - back * DAY - folder_number * 3000
            events = [
                SessionInfo(
                    name, at, cwd=folder, branch=("main", "fix", None)[folder_number], model=MODELS[0]
                )
            ]
            for _ in range(6):
                number += 1
                at -= 71
                used = Usage(10 + number, 20 + number, 1000 * (number % 3), 100)
                place = Place("/work/elsewhere", "main") if number % 5 == 0 else None
                agent = "scout" if number % 4 == 0 else None
                events.append(Response(name, at, MODELS[number % 3], used, f"m{number}", f"r{number}",
                                       stop_reason="end_turn", agent=agent, place=place))  # fmt: skip
                if number % 2:
                    events.append(ToolUse(name, at, f"t{number}", "Bash" if number % 3 else "Read"))
                    events.append(
                        ToolResult(
                            name, at + 2, f"t{number}", "Bash" if number % 3 else "Read", number % 7 == 0
                        )
                    )
            events.append(ApiError(name, at + 5, f"e{back}{folder_number}", "overloaded", final=True))
            events.append(Compaction(name, at + 9, f"c{back}{folder_number}", "auto"))
            client = "codex" if folder_number == 2 else "claude-code"
            history.apply(client, events, NOW, history.file(client, f"{folder}/{name}.jsonl"))
    history.commit()


@pytest.fixture
def db(tmp_path):
    found = schema.connect(str(tmp_path / "history.db"))
    fill(found)
    yield found
    found.close()


@pytest.fixture(params=["UTC", "Asia/Kolkata", "America/New_York"])
def zone(request, monkeypatch):
    monkeypatch.setenv("TZ", request.param)
    time.tzset()


BUDGETS = (Budget("all", "day", 1.0), Budget("shops", "month", 1.0, "project", "/work/shop"),
           Budget("tagged", "week", 1.0, "tag", "for-*"))  # fmt: skip


def asked(**query):
    config = Config(budgets=BUDGETS, tags=(TagRule("for-ada", ("/home/ada/*",)),))
    return Asked(MultiDict({name: str(value) for name, value in query.items()}), config, {}, NOW)


def test_the_history_page_has_the_sums_of_the_reports(db, zone):
    since = periods.date_of(NOW) - timedelta(days=29)
    asker = Asker(db, Filter(since, periods.date_of(NOW)), (), {})
    for by in params.BY:
        for unit in params.UNITS:
            found = past.history(db, asked(by=by, unit=unit, since=since))
            wanted = groupings.by_period(asker, unit)
            used = [row for row in found["periods"] if "requests" in row]
            assert [row["label"] for row in used] == [row[unit] for row in wanted.rows]
            assert [row["spent_usd"] for row in used] == [row["spent_usd"] for row in wanted.rows]
            assert found["total"] == asker.figures(wanted.total)
            assert found["groups"] == groupings.grouped(asker, by).rows


def test_the_layers_of_a_stack_add_up_to_their_periods(db, zone):
    for by in params.BY:
        for unit in params.UNITS:
            found = past.history(db, asked(by=by, unit=unit))
            heights = [sum(column) for column in zip(*found["stack"]["values"], strict=True)]
            assert heights == pytest.approx([row.get("spent_usd", 0.0) for row in found["periods"]])


def test_a_stack_of_many_layers_gathers_the_rest(db):
    history = History(db, table.load(), floor=NOW)
    for number in range(12):
        name = f"many{number}"
        used = Usage(1000 * (number + 1), 10, 0, 0)
        answer = Response(name, NOW - 5, MODELS[0], used, f"x{number}", f"y{number}")
        facts = SessionInfo(name, NOW, cwd=f"/many/{number:02}")
        history.apply("claude-code", [facts, answer], NOW)
    history.commit()
    found = past.history(db, asked(by="project"))
    assert len(found["stack"]["names"]) == 8
    assert found["stack"]["names"][-1] == {"label": "everything else"}
    assert sum(map(sum, found["stack"]["values"])) == pytest.approx(found["total"]["spent_usd"])


PARTS = [
    {"model": MODELS[0]}, {"model": MODELS[1]}, {"model": "none"}, {"provider": "codex"},
    {"project": "/work/shop"}, {"project": "/work/elsewhere"}, {"project": "/home/ada/shop", "branch": ""},
    {"project": "/work/shop/api", "branch": "fix"}, {"session": "s1-0", "provider": "claude-code"},
    {"model": MODELS[0], "project": "/work/elsewhere", "branch": "main"},
    {"since": "2026-09-19", "until": "2026-09-20"}, {"named": "shop"}, {"named": "shop", "model": MODELS[2]},
    {"budget": "shops"}, {"budget": "tagged"}, {"budget": "all"},
]  # fmt: skip


@pytest.mark.parametrize("part", PARTS, ids=str)
def test_the_rows_behind_a_number_add_up_to_it(db, zone, part):
    total = rows.rows(db, asked(**part))["total"]
    found, before = [], ""
    while True:
        page = rows.rows(db, asked(**part, before=before) if before else asked(**part))
        found += page["rows"]
        before = page["next"]
        if not before:
            break
    assert len(found) == total["requests"]
    assert sum(row["cost_usd"] or 0 for row in found) == pytest.approx(total["cost_usd"])
    assert sum(row["input_tokens"] for row in found) == total["input_tokens"]
    assert sum(row["output_tokens"] for row in found) == total["output_tokens"]
    assert [row["at"] for row in found] == sorted((row["at"] for row in found), reverse=True)
    for name, value in part.items():
        key = {"project": "cwd", "named": "project"}.get(name, name)
        if name not in ("since", "until", "budget"):
            assert {row[key] or "" for row in found} <= {value}


def test_a_budget_has_the_rows_of_the_sessions_it_covers(db):
    def sessions(budget):
        return {row["session"] for row in rows.rows(db, asked(budget=budget))["rows"]}

    assert sessions("all") == {f"s{back}-{folder}" for back in range(5) for folder in range(3)}
    assert sessions("shops") == {f"s{back}-{folder}" for back in range(5) for folder in range(2)}
    assert sessions("tagged") == {f"s{back}-2" for back in range(5)}
    with pytest.raises(params.BadAddressError, match="budget"):
        rows.rows(db, asked(budget="none"))


def test_the_agents_of_a_session_share_its_rows(db):
    part = {"provider": "claude-code", "session": "s1-0"}
    whole = rows.rows(db, asked(**part))
    parts = [rows.rows(db, asked(**part, agent=agent)) for agent in ("", "scout")]
    assert {row["key"] for one in parts for row in one["rows"]} == {row["key"] for row in whole["rows"]}
    for one, agent in zip(parts, (None, "scout"), strict=True):
        assert {row["agent"] for row in one["rows"]} == {agent}
        assert len(one["rows"]) == one["total"]["requests"]
        assert one["total"]["cost_usd"] == pytest.approx(sum(row["cost_usd"] for row in one["rows"]))
        assert one["total"]["tool_calls"] is None
    with pytest.raises(params.BadAddressError, match="agent"):
        rows.rows(db, asked(agent="scout"))


def test_pages_of_rows_neither_repeat_nor_leave_out_a_row(db, monkeypatch):
    monkeypatch.setattr(rows, "PAGE", 7)
    for kind, count in (("responses", "requests"), ("calls", "tool_calls"), ("errors", "errors")):
        keys, before = [], ""
        while True:
            page = rows.rows(db, asked(of=kind, before=before))
            keys += [row["key"] for row in page["rows"]]
            before = page["next"] or ""
            if not before:
                break
        assert len(keys) == len(set(keys)) == page["total"][count]


def test_a_model_is_meant_exactly(db):
    assert rows.rows(db, asked(model="claude-opus"))["total"]["requests"] == 0
    one, other = (rows.rows(db, asked(model=name))["total"]["requests"] for name in MODELS[:2])
    assert one == other == 30  # the second name begins with the first


@pytest.mark.parametrize("name", ["*", "[ab]", "!", "", "claude-*", "?"])
def test_a_name_of_a_model_is_no_pattern(db, name):
    assert rows.rows(db, asked(model=name))["total"]["requests"] == 0


def test_the_last_minutes_are_those_of_the_windows(db):
    found = rows.rows(db, asked(last=300))["total"]
    count, cost = db.execute("SELECT count(*), sum(cost) FROM response WHERE at > ?", (NOW - 300,)).fetchone()
    assert (found["requests"], found["cost_usd"]) == (count, cost / PICO)
    assert count


def test_a_session_has_its_turns_context_compactions_and_agents(db):
    found = session.session(db, asked(provider="claude-code", session="s0-0"))
    assert len(found["turns"]) == 6 == found["session"]["requests"]
    assert sum(turn[1] for turn in found["turns"]) == pytest.approx(found["session"]["cost_usd"])
    assert [turn[0] for turn in found["turns"]] == sorted(turn[0] for turn in found["turns"])
    assert len(found["compactions"]) == 1
    assert {agent["agent"] for agent in found["agents"]} == {"", "scout"}
    assert sum(tool["calls"] for tool in found["tools"]) == found["session"]["tool_calls"]
    assert [tool["p50_ms"] for tool in found["tools"]] == pytest.approx([2000.0] * len(found["tools"]))


def test_an_unknown_session_is_said_to_be(db):
    with pytest.raises(session.UnknownSessionError):
        session.session(
            db, asked(provider="codex", session="s0-0")
        )  # there is one of this name, of another client


def test_a_day_has_its_sessions_with_pauses_and_agents_apart(db):
    history = History(db, table.load(), floor=NOW)
    for number, back in enumerate((5000, 4900, 4000, 3990)):
        history.apply(
            "claude-code",
            [Response("gaps", NOW - back, MODELS[0], Usage(10, 10, 0, 0), f"g{number}", f"h{number}")],
            NOW,
        )
    history.commit()
    found = timeline.timeline(db, asked())
    assert found["day"] == periods.date_of(NOW).isoformat()
    lane = next(one for one in found["sessions"] if one["session"] == "gaps")
    assert [run[3] for run in lane["runs"][""]] == [2, 2]
    whole = rows.rows(db, asked(since="today"))["total"]
    assert sum(one["requests"] for one in found["sessions"]) == whole["requests"]
    assert sum(one["cost_usd"] for one in found["sessions"]) == pytest.approx(whole["cost_usd"])
    assert [one["first"] for one in found["sessions"]] == sorted(one["first"] for one in found["sessions"])


def test_a_day_has_the_commits_of_its_folders(db, tmp_path):
    import os
    import subprocess

    folder = tmp_path / "repo"
    folder.mkdir()
    stamp = f"{int(NOW - 600)} +0000"
    environ = os.environ | {"GIT_AUTHOR_DATE": stamp, "GIT_COMMITTER_DATE": stamp}
    for words in (
        ["init", "-q"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "<b>fix"],
    ):
        subprocess.run(["git", *words], cwd=folder, env=environ, check=True, capture_output=True)
    history = History(db, table.load(), floor=NOW)
    history.apply("claude-code", [SessionInfo("g", NOW - 900, cwd=str(folder)),
                  Response("g", NOW - 900, MODELS[0], Usage(10, 10, 0, 0), "g", "g")], NOW)  # fmt: skip
    history.commit()
    (found,) = timeline.commits(db, asked())["commits"]
    assert (found["subject"], found["project"], found["at"]) == ("<b>fix", "repo", int(NOW - 600))
    assert timeline.commits(db, asked(day="2026-09-20"))["commits"] == []


def asking(path, *questions, seconds=5.0):
    """What the server would be answered: for each question its bytes, or its error."""

    async def run():
        asker = Questions(str(path), together=2)
        return await asyncio.gather(*(asker.ask(one, seconds) for one in questions), return_exceptions=True)

    return asyncio.run(run())


def count(db):
    return str(db.execute("SELECT count(*) FROM response").fetchone()[0]).encode()


def test_each_question_has_a_process_of_its_own_and_leaves_nothing_in_ours(tmp_path):
    path = str(tmp_path / "history.db")
    schema.connect(path).close()
    left = []

    def question(_):
        left.append(bytes(1000))
        return str(os.getpid()).encode()

    pids = {int(one) for one in asking(path, question, question, question)}
    assert len(pids) == 3
    assert os.getpid() not in pids
    assert left == []


@pytest.mark.slow
def test_a_question_that_takes_too_long_is_broken_off(tmp_path):
    path = str(tmp_path / "history.db")
    schema.connect(path).close()
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"

    def sleepy(_):
        time.sleep(60)

    late = asking(path, lambda db: db.execute(endless).fetchone(), sleepy, seconds=0.2)
    assert [type(one) for one in late] == [TooLongError, TooLongError]
    assert asking(path, count) == [b"0"]


def test_a_question_that_is_given_up_ends(tmp_path):
    """The page was left, or the server ends."""
    path, mark = str(tmp_path / "history.db"), tmp_path / "pid"
    schema.connect(path).close()

    def sleepy(_):
        mark.write_text(f"{os.getpid()}\n")
        time.sleep(60)

    async def run():
        given_up = asyncio.create_task(Questions(path).ask(sleepy, 60.0))
        await asyncio.to_thread(until, lambda: mark.exists() and mark.read_text().endswith("\n"))
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        return await asyncio.to_thread(until, lambda: buried(int(mark.read_text())))

    def buried(pid):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True

    assert asyncio.run(run())


def test_a_server_that_ends_waits_for_no_question(tmp_path):
    path, mark = str(tmp_path / "history.db"), tmp_path / "asked"
    schema.connect(path).close()

    def sleepy(_):
        mark.touch()
        time.sleep(60)

    async def run():
        questions = Questions(path)
        asking_ = asyncio.create_task(questions.ask(sleepy, 60.0))
        await asyncio.to_thread(until, mark.exists)
        questions.close()
        await asyncio.wait_for(asking_, 30)

    with pytest.raises(BrokenError):
        asyncio.run(run())


def test_a_fault_in_a_question_is_named_and_the_next_one_is_answered(tmp_path):
    path = str(tmp_path / "history.db")
    schema.connect(path).close()

    def killed(_):
        os.kill(os.getpid(), signal.SIGKILL)

    broken, ended, whole = asking(path, lambda _: {}["key"], killed, count)
    assert isinstance(broken, BrokenError)
    assert "KeyError: 'key'" in str(broken)
    assert isinstance(ended, BrokenError)
    assert whole == b"0"


@pytest.mark.slow
def test_a_question_cannot_write_and_holds_nothing_when_it_is_answered(tmp_path):
    path = str(tmp_path / "history.db")
    writer = schema.connect(path)
    fill(writer, 1)
    writer.close()  # SQLite must not be carried through a fork, and the server has none
    refused, answered = asking(
        path, lambda db: db.execute("DELETE FROM response"), lambda db: encoded(past.history(db, asked()))
    )
    assert isinstance(refused, NoHistoryError)
    assert "readonly" in str(refused)
    assert json.loads(answered)["total"]["requests"] == 18
    writer = schema.connect(path)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE meta SET value = value")
    writer.execute("COMMIT")
    busy, _, _ = writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()  # needs that no one reads
    assert busy == 0
    writer.close()


@pytest.mark.slow
def test_a_history_that_was_replaced_is_opened_anew(tmp_path):
    path = str(tmp_path / "history.db")
    schema.connect(path).close()
    other = schema.connect(str(tmp_path / "other.db"))
    fill(other, 1)
    other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    other.close()
    before = asking(path, count)
    for end in ("-wal", "-shm"):
        (tmp_path / f"history.db{end}").unlink(missing_ok=True)
    (tmp_path / "other.db").rename(path)
    assert (before, asking(path, count)) == ([b"0"], [b"18"])


def test_each_grain_of_a_stack_has_the_same_sums(db):
    """Whole days are read from one table, other spans from another."""
    start = NOW // DAY * DAY - 4 * DAY
    on_days = [start + number * DAY for number in range(6)]
    for only in (spans.Only(), spans.Only(models=(1, 2))):
        for ask in (stacks.by_model, stacks.by_provider):
            coarse = ask(db, on_days, only)
            fine = ask(db, [*on_days, on_days[-1] + 900], only)  # its last border is no midnight
            assert sorted(coarse) == sorted(fine)
    assert {cut.spent for cut in stacks.by_place(db, on_days, spans.Only())}


def test_sqlite_is_never_asked_with_a_text_of_the_address(db):
    """A name with quotes and a statement in it is a name."""
    name = "x'); DROP TABLE response; --"
    for key in ("model", "project", "branch", "provider", "session"):
        assert rows.rows(db, asked(**{key: name}))["total"]["requests"] == 0
    assert rows.rows(db, asked(of="calls", tool=name))["rows"] == []
    assert db.execute("SELECT count(*) FROM response").fetchone()[0] > 0
    with pytest.raises(sqlite3.OperationalError):
        db.execute("SELECT nothing")
