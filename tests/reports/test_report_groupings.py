"""Reports: every grouping and every format tells the same sums, and days begin at local midnight."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections import Counter
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from support.examples import examples
from support.lines import START, assistant, encode, result, usage, use
from support.worlds import MODELS, SESSIONS, Book, readings, worlds
from support.worlds import read as read_world

from aitop import cli
from aitop.config import budgets_and_tags
from aitop.history import tags_file as given_tags
from aitop.history.query import spans
from aitop.model.events import ApiError, ClientTotals, Place, Response, SessionInfo, ToolUse, Usage
from aitop.model.sums import PICO
from aitop.reports import formats, groupings, plot
from aitop.reports.ask import Asker
from aitop.reports.columns import columns
from aitop.reports.filters import Filter
from aitop.reports.rows import usd
from aitop.reports.table import Style
from aitop.segments.money import Currency

DAY = 86_400
NEW_YORK = ZoneInfo("America/New_York")
GROUPINGS = ("day", "week", "month", "model", "session", "project", "tag", "branch", "block")
DOLLARS = Style(Currency())


def asked(db, tags=(), given=None, **wanted):
    return Asker(db, Filter(**wanted), tags, given or {})


def answered(asker, name, now=START + 40 * DAY):
    if name in ("day", "week", "month"):
        return groupings.by_period(asker, name)
    return groupings.blocks(asker, now) if name == "block" else groupings.grouped(asker, name)


@pytest.fixture
def book(tmp_path):
    made = Book(tmp_path / "history.db")
    yield made
    made.db.close()


def spend(book, at, name, output=1000, session=SESSIONS[0], **more):
    """One response (and a tool call) at a moment."""
    path = f"/p/-w/{session}-{name}.jsonl"
    records = [
        assistant(name, at, request_id=f"r-{name}", usage=usage(output, 500, 20_000, 3000), session=session,
                  content=[use(f"t-{name}")], **more),
        result(f"t-{name}", at + 1, session=session, gitBranch="main", cwd=more.get("cwd", "/work/shop")),
    ]  # fmt: skip
    book.now = max(book.now, at + 10)
    book.feed(path, records)
    book.commit()


# -- sums ----------------------------------------------------------------------------------------------------


@examples(30)
@given(st.data())
def test_every_grouping_of_any_history_adds_up_to_its_responses(data):
    files = data.draw(worlds())
    book = Book()
    read_world(book, files, data.draw(readings(files)))
    book.settle()
    count, cost = book.db.execute("SELECT count(*), ifnull(sum(cost), 0) FROM response").fetchone()
    for zone in (None, NEW_YORK, ZoneInfo("Asia/Kathmandu")):
        for name in GROUPINGS:
            found = answered(asked(book.db, zone=zone), name)
            assert (found.total.requests, found.total.cost) == (count, cost), name
            assert sum(row["requests"] for row in found.rows) == count
            assert sum(row["cost_usd"] for row in found.rows) == pytest.approx(
                cost / PICO, abs=1e-6 * (len(found.rows) + 1)
            )
    book.db.close()


@examples(30)
@given(st.data())
def test_whole_days_always_equal_their_quarter_hours(data):
    files = data.draw(worlds())
    book = Book()
    read_world(book, files, data.draw(readings(files)))
    book.settle()
    for days, quarters, key in (
        ("day_sum", "quarter", "session, model, place"), ("day_tool", "quarter_tool", "session, name"),
        ("day_all", "quarter_all", "provider, model"),
    ):  # fmt: skip
        columns_ = [row[1] for row in book.db.execute(f"PRAGMA table_info({days})")]
        names = [name for name in columns_ if name not in ("at", *key.split(", "))]
        sums = ", ".join(f"sum({name})" for name in names)
        some = " OR ".join(f"sum({name}) != 0" for name in names)
        kept = book.db.execute(
            f"SELECT at, {key}, {sums} FROM {days} GROUP BY at, {key} HAVING {some}"
        ).fetchall()
        made = book.db.execute(
            f"SELECT at / 86400 * 86400 AS day, {key}, {sums} FROM {quarters} GROUP BY day, {key} HAVING {some}"
        ).fetchall()
        assert sorted(kept) == sorted(made)
    book.db.close()


@given(st.integers(0, 400), st.integers(1, 400))
@examples(40)
def test_any_span_is_the_sum_of_its_quarter_hours(start, length):
    book = Book()
    for n in range(12):
        spend(book, START + n * 7 * 900 * 3, f"m{n}")
    begin = START // 900 * 900 - 9000 + start * 900
    span = (begin, begin + length * 900)
    whole = list(spans.cells(book.db, span, spans.Only()))
    (plain,) = spans.sums(book.db, [span], spans.Only())
    assert tuple(map(sum, zip(*(c.sum for c in whole), strict=True))) == (tuple(plain) if whole else ())
    book.db.close()


# -- days ----------------------------------------------------------------------------------------------------


def test_a_day_of_25_hours_ends_at_its_own_midnight(book):
    midnight = date(2026, 11, 1)  # New York sets its clocks back that night
    start = cells_start(midnight, NEW_YORK)
    for hours, name in ((-0.1, "a"), (0.1, "b"), (24.9, "c"), (25.1, "d")):
        spend(book, start + hours * 3600, name)
    found = answered(asked(book.db, zone=NEW_YORK), "day").rows
    assert [(row["day"], row["requests"]) for row in found] == [
        ("2026-10-31", 1),
        ("2026-11-01", 2),
        ("2026-11-02", 1),
    ]


def test_a_day_of_23_hours_too(book):
    start = cells_start(date(2026, 3, 8), NEW_YORK)
    book.now = start
    for hours, name in ((0.1, "a"), (22.9, "b"), (23.1, "c")):
        spend(book, start + hours * 3600, name)
    found = answered(asked(book.db, zone=NEW_YORK), "day").rows
    assert [(row["day"], row["requests"]) for row in found] == [("2026-03-08", 2), ("2026-03-09", 1)]


def cells_start(day, zone):
    from aitop.model import periods

    return periods.midnight(day, zone)


def test_weeks_begin_on_monday_and_months_on_the_first(book):
    for n in range(0, 40, 4):
        spend(book, START + n * DAY, f"m{n}")  # from Monday, 21 September 2026
    asker = asked(book.db, zone=ZoneInfo("UTC"))
    assert all(date.fromisoformat(row["week"]).weekday() == 0 for row in answered(asker, "week").rows)
    assert [row["month"] for row in answered(asker, "month").rows] == ["2026-09", "2026-10"]


def test_since_and_until_are_inclusive_days_of_the_zone(book):
    for n in range(5):
        spend(book, START + n * DAY, f"m{n}")
    day = date(2026, 9, 22)
    for name in GROUPINGS:
        found = answered(asked(book.db, zone=ZoneInfo("UTC"), since=day, until=day), name)
        assert found.total.requests == 1, name


# -- filters -------------------------------------------------------------------------------------------------


@pytest.fixture
def mixed(book):
    spend(book, START, "a", cwd="/w/shop", gitBranch="main")
    spend(
        book,
        START + 60,
        "b",
        cwd="/w/shop/sub",
        gitBranch="dev",
        session=SESSIONS[1],
        model="claude-haiku-4-5",
    )
    spend(book, START + 120, "c", cwd="/v/shop", gitBranch="main", session=SESSIONS[2])
    return book


@pytest.mark.parametrize(
    ("wanted", "requests"),
    [({"project": "/w/shop"}, 2), ({"project": "shop"}, 2), ({"project": "/w/*"}, 2), ({"model": "haiku"}, 1),
     ({"model": "claude-opus*"}, 2), ({"provider": "claude-code"}, 3), ({"provider": "codex"}, 0), ({"tag": "t*"}, 1),
     ({"model": "nothing"}, 0), ({"project": "/w/shop", "model": "haiku"}, 1)],
)  # fmt: skip
def test_a_filter_lets_the_same_through_in_every_grouping(mixed, wanted, requests):
    for name in GROUPINGS:
        found = answered(asked(mixed.db, given={SESSIONS[2]: "team"}, **wanted), name)
        assert sum(row["requests"] for row in found.rows) == found.total.requests == requests, name


def test_folders_of_one_name_are_told_apart(mixed):
    assert {row["project"] for row in answered(asked(mixed.db), "project").rows} == {
        "w/shop",
        "sub",
        "v/shop",
    }


def test_tags_come_from_hand_and_rules(mixed):
    rule = budgets_and_tags.TagRule("client", ("/w",))
    found = answered(asked(mixed.db, (rule,), {SESSIONS[1]: "mine"}), "tag").rows
    assert {row["tag"]: row["requests"] for row in found} == {"client": 1, "mine": 1, None: 1}


def test_tools_are_counted_by_name(mixed):
    found = groupings.tools(asked(mixed.db))
    assert found.rows == [{"tool": "Bash", "tool_calls": 3, "tool_failures": 0, "failure_rate": 0.0}]


# -- formats -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GROUPINGS)
def test_every_format_shows_the_same_numbers(mixed, name):
    answer = answered(asked(mixed.db, zone=ZoneInfo("UTC")), name)
    rows = json.loads(formats.render(answer, "json", answer.rows, DOLLARS))
    assert rows == answer.rows
    from_csv = list(csv.DictReader(io.StringIO(formats.render(answer, "csv", answer.rows, DOLLARS))))
    text = formats.render(answer, "table", answer.rows, DOLLARS)
    markdown = formats.render(answer, "markdown", answer.rows, DOLLARS)
    counts = [column.key for column in columns(answer.name, answer.total) if column.kind == "count"]
    for row, flat, line in zip(rows, from_csv, text.splitlines()[2:], strict=False):
        assert int(flat["requests"]) == row["requests"]
        assert float(flat["cost_usd"]) == pytest.approx(row["cost_usd"], abs=5e-7)
        shown = [f"{row[key]:,}" for key in counts] + [f"${row['cost_usd']:,.4f}"]
        assert re.split(r"\s{2,}", line.strip())[1 : len(shown) + 1] == shown
        assert " | ".join(shown) in markdown
    assert f"${usd(answer.total.cost):,.4f}" in text.splitlines()[-1]
    assert len(from_csv) == len(rows)


def test_names_from_files_are_harmless_in_every_format(book):
    spend(book, START, "a", cwd="/w/=cmd|x\x1b[31m")
    answer = answered(asked(book.db), "project")
    assert "\x1b" not in "".join(formats.render(answer, form, answer.rows, DOLLARS) for form in formats.FORMS)
    assert "'=cmd|x" in formats.render(answer, "csv", answer.rows, DOLLARS)
    assert "=cmd\\|x" in formats.render(answer, "markdown", answer.rows, DOLLARS)


def test_bars_and_a_heatmap_are_drawn(book):
    for n in range(20):
        spend(book, START + n * DAY, f"m{n}")
    rows = answered(asked(book.db, zone=ZoneInfo("UTC")), "day").rows
    assert "2026-09-21" in plot.bars(rows, "day", "spent_usd", 80, Currency())
    assert plot.heatmap(rows[:13], Currency()) == ""
    drawn = plot.heatmap(rows, Currency()).splitlines()
    assert [line[:3] for line in drawn[1:8]] == list(plot.WEEKDAYS)
    assert Counter("".join(drawn[1:8]))["█"] == 20


def test_calls_of_a_tool_are_drawn_as_whole_numbers():
    drawn = plot.bars([{"tool": "Bash", "tool_calls": 1200}], "tool", "tool_calls", 60, Currency())
    assert drawn.endswith(" 1200")


def test_a_heatmap_has_a_quarter_of_the_days_in_each_shade_and_says_from_where_on():
    days = [date(2026, 8, 3) + timedelta(days=n) for n in range(42)]
    rows = [{"day": day.isoformat(), "spent_usd": n + 1.0} for n, day in enumerate(days[:40])]
    rows.append({"day": days[41].isoformat(), "spent_usd": 9000.0})
    months, *lines, legend = plot.heatmap(rows, Currency()).splitlines()
    assert months == "    Aug  Sep"[: 4 + 6]
    shown = Counter("".join(line[4:] for line in lines))
    assert (shown["░"], shown["▒"], shown["▓"], shown["█"], shown[" "]) == (10, 10, 10, 11, 1)
    assert legend.endswith("░ from $1.00  ▒ from $11.00  ▓ from $21.00  █ from $31.00")


def test_without_the_plotting_library_the_way_to_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "plotext", None)
    with pytest.raises(plot.MissingError, match="pip install"):
        plot.bars([], "day", "cost_usd", 80, Currency())


# -- the command ---------------------------------------------------------------------------------------------


@pytest.fixture
def run(home, tmp_path, monkeypatch):
    folder = tmp_path / "claude" / "projects" / "-w"
    folder.mkdir(parents=True)
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "claude"))
    for n, session in enumerate(SESSIONS[:3]):
        records = [
            assistant(
                f"m{n}", START + n * DAY, request_id=f"r{n}", session=session, usage=usage(100 * (n + 1))
            )
        ]
        (folder / f"{session}.jsonl").write_bytes(encode(records))

    def call(*words, code=0):
        done = CliRunner().invoke(cli.main, list(words))
        assert done.exit_code == code, done.output
        return done.output

    return call


@pytest.mark.parametrize(
    "word", ["daily", "weekly", "monthly", "blocks", "sessions", "projects", "models", "tags", "branches"]
)
def test_each_word_answers_as_json_with_the_same_total(run, word):
    rows = json.loads(run("report", word, "--json", "--timezone", "UTC"))
    assert sum(row["requests"] for row in rows) == 3


def test_the_lists_of_programs_keep_their_fields(run):
    wanted = {"provider", "requests", "input_tokens", "uncached_input_tokens", "output_tokens", "cache_read_tokens",
              "cache_write_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "cost_usd"}  # fmt: skip
    assert all(wanted | {"model"} <= set(row) for row in json.loads(run("report", "models", "--json")))
    assert all(
        wanted | {"session", "cwd"} <= set(row) for row in json.loads(run("report", "sessions", "--json"))
    )


def test_pages_of_a_list_are_the_list(run):
    whole = json.loads(run("report", "sessions", "--json"))
    pages = [
        json.loads(run("report", "sessions", "--json", "--limit", "1", "--offset", str(n)))[0]
        for n in range(3)
    ]
    assert pages == whole


def test_totals_stay_when_the_client_deletes_its_files(run, tmp_path):
    before = run("report", "daily", "--json")
    for session in SESSIONS[:3]:
        os.unlink(tmp_path / "claude" / "projects" / "-w" / f"{session}.jsonl")
    assert run("report", "daily", "--json") == before


@pytest.mark.parametrize(
    ("words", "message"),
    [(("daily", "--since", "tomorrow"), "no day such as"), (("daily", "--timezone", "Mars"), "no time zone"),
     (("daily", "--since", "2026-02-02", "--until", "2026-02-01"), "--until lies before"),
     (("tools", "--model", "x"), "says nothing"), (("today", "--since", "2026-01-01"), "today is today")],
)  # fmt: skip
def test_wrong_usage_is_told(run, words, message):
    assert message in run("report", *words, code=2)


def test_a_tag_is_given_listed_and_taken_back(run, home):
    run("report", "models")
    beginning = SESSIONS[0][:6]
    assert SESSIONS[0] in run("tag", beginning, "client a")
    assert {r["tag"]: r["requests"] for r in json.loads(run("report", "tags", "--json"))} == {
        "client a": 1,
        None: 2,
    }
    assert "client a" in run("tag")
    run("tag", beginning, "--clear")
    assert given_tags.read(home) == {}
    assert "no session begins with zz" in run("tag", "zz", "x", code=1)


@pytest.mark.parametrize("broken", ["{", "[]", '{"a": 1}', "\xff"])
def test_a_broken_file_of_tags_holds_none(home, broken):
    with open(os.path.join(home, given_tags.NAME), "wb") as file:
        file.write(broken.encode("latin-1"))
    assert given_tags.read(home) == {}


def test_a_forecast_and_its_test_are_printed(run):
    assert json.loads(run("forecast", "--json")).keys() >= {"day", "month"}
    rows = json.loads(run("forecast", "--backtest", "--json"))
    assert {(row["of"], row["method"]) for row in rows} >= {
        ("day", "pace"),
        ("month", "robust_trend"),
        ("block", "pace"),
    }


# -- commits -------------------------------------------------------------------------------------------------


def git(folder, *words, at=None):
    stamp = {"GIT_AUTHOR_DATE": f"@{at} +0000", "GIT_COMMITTER_DATE": f"@{at} +0000"} if at else {}
    environ = os.environ | stamp | {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, env=environ)


def test_a_response_belongs_to_the_next_commit_of_its_folder(book, tmp_path):
    from aitop.reports import commits
    from aitop.reports import git as reader

    repo = tmp_path / "repo"
    repo.mkdir()
    git(repo, "init", "-q", "-b", "main")
    git(repo, "config", "user.email", "ada@example.org")
    git(repo, "config", "user.name", "Ada")
    at = int(START)
    for n, name in enumerate(("first", "second")):
        (repo / name).write_text("x\n" * (n + 2))
        git(repo, "add", ".")
        git(repo, "commit", "-q", "-m", name, at=at + 3600 * (n + 1))
    (repo / "other").write_text("y\n")
    git(repo, "add", ".")
    git(repo, "-c", "user.email=bob@example.org", "commit", "-q", "-m", "of somebody else", at=at + 1800)
    for n, moment in enumerate((at + 60, at + 3600, at + 3700, at + 7300, at + 9000)):
        spend(book, moment, f"m{n}", cwd=str(repo), session=SESSIONS[n % 2])
    spend(book, at, "elsewhere", cwd=str(tmp_path / "gone"), session=SESSIONS[2])
    found = commits.answer(asked(book.db), START - DAY, START + DAY, reader.toplevel, reader.commits)
    assert [(row["subject"], row["requests"], row["lines"]) for row in found.rows] == [
        ("second", 1, 3), ("first", 2, 2), ("not committed: repo", 2, None), ("unknown: gone", 1, None)
    ]  # fmt: skip
    assert found.total.requests == 6
    second = found.rows[0]
    assert second["usd_per_line"] == pytest.approx(second["cost_usd"] / 3, abs=1e-6)
    assert second["branch"] == "main"
    assert "second" in formats.render(found, "table", found.rows, DOLLARS)


def test_a_response_belongs_to_the_repository_of_its_own_folder_and_to_its_own_branch(book, tmp_path):
    from aitop.reports import commits
    from aitop.reports.git import Commit

    shop, lib = str(tmp_path / "shop"), str(tmp_path / "lib")
    for n, (cwd, branch) in enumerate(((shop, "main"), (shop, "main"), (lib, "fix"))):
        spend(book, START + n, f"m{n}", cwd=cwd, gitBranch=branch)
    made = {top: [Commit("a" * 40, int(START) + 60, "e", top, 3, 0)] for top in (shop, lib)}
    found = commits.answer(asked(book.db), START - 1, START + 9, lambda cwd: cwd, lambda top, _: made[top])
    assert {(row["cwd"], row["branch"], row["requests"]) for row in found.rows} == {
        (shop, "main", 2), (lib, "fix", 1)
    }  # fmt: skip
    only = commits.answer(
        asked(book.db, project="lib"), START - 1, START + 9, lambda cwd: cwd, lambda top, _: made[top]
    )
    assert [row["cwd"] for row in only.rows] == [lib]


def test_a_commit_far_dearer_than_the_others_is_named(book):
    from aitop.reports import commits

    about = {"subject": "s", "branch": "b", "session": "x" * 9}
    rows = [{"commit": f"{n:040}", "cost_usd": cost, "spent_usd": cost, **about}
            for n, cost in enumerate([1.0, 1.1, 0.9, 1.0, 1.2, 9.0])]  # fmt: skip
    assert [row["spike"] for row in commits._mark_spikes(rows)] == [False] * 5 + [True]
    assert "$9.00" in commits.spikes(rows, Currency())[0]
    assert not any(row["spike"] for row in commits._mark_spikes(rows[2:]))


def test_each_branch_is_told_with_its_commits_and_its_changed_lines():
    from aitop.reports import commits

    made = [("main", 1.0, 0), ("fix", 2.0, 30), ("fix", 4.0, 10), ("late", 0.5, 1)]
    rows = [
        {"commit": f"{cost:040}", "project": "shop", "branch": branch, "spent_usd": cost, "lines": lines,
         "unpriced_requests": 0, "understated_requests": int(branch == "late"), "estimated_requests": 0}
        for branch, cost, lines in made
    ]  # fmt: skip
    rows.append({"commit": None, "project": "shop", "branch": "fix", "spent_usd": 50.0, "lines": None})
    assert commits.by_branch(rows, Currency()) == [
        "branch shop: fix: $6.00, 2 commits, 40 lines, $0.1500 per line",
        "branch shop: main: $1.00, 1 commit, 0 lines",
        "branch shop: late: ≥$0.50, 1 commit, 1 line, ≥$0.5000 per line",
    ]


@examples(60)
@given(st.data())
def test_some_sessions_are_a_part_of_all_sessions(data):
    files = data.draw(worlds())
    book = Book()
    try:
        read_world(book, files, data.draw(readings(files)), lambda: data.draw(st.booleans()))
        every = groupings.grouped(asked(book.db), "session")
        offset, limit = data.draw(st.integers(0, 4)), data.draw(st.integers(1, 5))
        for cheapest in (False, True):
            some = groupings.dearest_sessions(asked(book.db), offset, limit, cheapest=cheapest)
            if some is None:
                assert not every.rows
                continue
            ordered = every.rows[::-1] if cheapest else every.rows
            assert some.rows == ordered[offset : offset + limit]
            assert (some.total, some.of) == (every.total, len(every.rows))
    finally:
        book.db.close()


OUTPUTS = (0, 1000, 2000)  # few amounts, so that sessions tie


@st.composite
def events_of_sessions(draw):
    """(client, its events) of twelve sessions and more, so that 2 and 10 are among their numbers, over some days."""
    sessions = []
    for number in range(draw(st.integers(12, 16))):
        name, client = f"s{number}", draw(st.sampled_from(("claude-code", "codex")))
        events = [SessionInfo(name, START, cwd=draw(st.sampled_from(("/work/shop", "/work/attic"))))]
        for count in range(draw(st.integers(0, 3))):
            at = START + 900 * draw(st.sampled_from((0, 1, 40, 96, 200, 300)))
            key = f"{name}-{count}"
            kind = draw(st.sampled_from(("response", "response", "error", "tool", "elsewhere")))
            if kind == "error":
                events.append(ApiError(name, at, key, "overloaded", True))
            elif kind == "tool":
                events.append(ToolUse(name, at, key, "Bash", None, at + 1, False))
            else:
                model, usage_ = draw(st.sampled_from(MODELS)), Usage(10, draw(st.sampled_from(OUTPUTS)))
                place = Place("/work/attic", "fix") if kind == "elsewhere" else None
                events.append(
                    Response(name, at, model, usage_, key, key, stop_reason="end_turn", place=place)
                )
        if draw(st.booleans()):  # money beyond the responses
            events.append(ClientTotals(name, START + 900 * 97, draw(st.sampled_from((0.5, 1.0)))))
        sessions.append((client, events))
    return sessions


@examples(120)
@given(events_of_sessions(), st.data())
def test_the_dearest_sessions_are_the_first_rows_of_all_to_the_byte(sessions, data):
    book = Book()
    try:
        for client, events in sessions:
            book.history.apply(client, events, book.now)
        book.commit()
        most = data.draw(st.integers(1, 8))
        first = datetime.fromtimestamp(START, NEW_YORK).date() + timedelta(days=data.draw(st.integers(-1, 4)))
        for wanted in (
            {}, {"since": first}, {"until": first}, {"since": first, "zone": NEW_YORK}, {"model": "haiku"},
            {"provider": "codex"}, {"provider": "codex", "since": first}, {"project": "/work/attic"},
            {"tag": "a*"}, {"tag": "a*", "since": first},
        ):  # fmt: skip
            tags = {f"s{number}": "abc" for number in range(0, 12, 2)}
            every = groupings.grouped(asked(book.db, given=tags, **wanted), "session").rows
            rows, count = groupings.dearest(asked(book.db, given=tags, **wanted), most)
            assert json.dumps([rows, count]) == json.dumps([every[:most], len(every)]), wanted
    finally:
        book.db.close()


def test_only_the_dearest_sessions_become_cells(book, monkeypatch):
    for number, session in enumerate(SESSIONS):
        spend(book, START, f"m{number}", output=1000 * (number + 1), session=session)
    seen, cells = set(), spans.cells

    def noted(*words):
        for cell in cells(*words):
            seen.add(cell.session)
            yield cell

    monkeypatch.setattr(spans, "cells", noted)
    rows, count = groupings.dearest(asked(book.db), 2)
    assert [row["session"] for row in rows] == [SESSIONS[3], SESSIONS[2]]
    assert (count, len(seen)) == (4, 2)


@examples(60)
@given(st.data())
def test_what_the_database_groups_by_place_is_what_the_cells_add_up_to(data):
    files = data.draw(worlds())
    book = Book()
    try:
        read_world(book, files, data.draw(readings(files)), lambda: data.draw(st.booleans()))
        first = date(2026, 9, 20)
        wanted = data.draw(
            st.sampled_from(
                [{}, {"provider": "claude-code"}, {"since": first}, {"model": "opus"}, {"project": "/*"}]
            )
        )
        for name in ("project", "branch"):
            by_cells = asked(book.db, **wanted)
            groups = groupings._fold(by_cells, groupings.GROUPINGS[name], by_cells.cells())
            rows = [
                groupings._row(by_cells, groupings.GROUPINGS[name], key, group, breakdown=True)
                for key, group in groupings._dearest(groups)
            ]
            assert groupings.grouped(
                asked(book.db, **wanted), name, breakdown=True
            ).rows == groupings._distinct(rows)
    finally:
        book.db.close()


def test_a_filter_or_a_breakdown_takes_sessions_the_long_way(book):
    spend(book, START, "m1")
    book.commit()
    assert groupings.dearest_sessions(asked(book.db), 0, 5, cheapest=False).of == 1
    assert groupings.dearest_sessions(asked(book.db, model="opus"), 0, 5, cheapest=False) is None
    assert groupings.dearest_sessions(asked(book.db, provider="x"), 0, 5, cheapest=False) is None
