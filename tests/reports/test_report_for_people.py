"""`aitop report` as a person reads it: header, marks, currency, breakdowns, periods, gaps, empty answers."""

import csv
import io
import json
import os
import re
import time
from datetime import UTC, date, datetime

import pytest
from click.testing import CliRunner
from support.lines import MODEL, START, assistant, encode, usage, use

from aitop import cli
from aitop.model import periods
from aitop.model.periods import SUNDAY
from aitop.model.sums import Sum
from aitop.reports import filters, framing, groupings, plot, table
from aitop.reports.filters import Filter
from aitop.reports.rows import Answer, figures
from aitop.reports.table import Style
from aitop.segments.money import Currency
from aitop.segments.text import cells

DAY = 86_400
TODAY = date(2026, 11, 29)  # a Sunday
HAIKU = "claude-haiku-4-5"


@pytest.fixture
def spend(tmp_path, home, monkeypatch):
    """`spend(name, at, …)`: one response in a transcript of its own folder and session."""
    root = tmp_path / "claude" / "projects"
    root.mkdir(parents=True)
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "claude"))

    def one(name, at=START, cwd="/w/shop", **more):
        folder = root / cwd.replace("/", "-")
        folder.mkdir(exist_ok=True)
        session = more.pop("session", f"{name:0<8}-2222-4333-8444-555555555555")
        record = assistant(name, at, request_id=f"r-{name}", session=session, cwd=cwd, **more)
        with open(folder / f"{session}.jsonl", "ab") as file:
            file.write(encode([record]))

    return one


@pytest.fixture
def report(home):
    def call(*words, code=0, columns=None):
        environ = {"COLUMNS": str(columns)} if columns else {"COLUMNS": None}
        done = CliRunner().invoke(cli.main, ["report", *words], env=environ)
        assert done.exit_code == code, done.output
        return done.output

    return call


def configure(home, text):
    path = os.path.join(home, "config.toml")
    with open(path, "w") as file:
        file.write(text)
    return path


# -- days --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "day"),
    [("2026-11-01", date(2026, 11, 1)), ("20261101", date(2026, 11, 1)), ("today", TODAY),
     ("yesterday", date(2026, 11, 28)), ("7d", date(2026, 11, 23)), ("1d", TODAY), ("2w", date(2026, 11, 16))],
)  # fmt: skip
def test_a_day_may_be_written_in_several_ways(text, day):
    assert filters.day(text, TODAY, UTC) == day


@pytest.mark.parametrize("text", ["0d", "7", "d", "2026-13-01", "20261301", "7D", "7d ", "²d", "99999d", ""])
def test_anything_else_is_no_day(text):
    with pytest.raises(ValueError):
        filters.day(text, TODAY, UTC)


@pytest.mark.parametrize(
    ("count", "period", "first"),
    [(1, "day", TODAY), (7, "day", date(2026, 11, 23)), (1, "week", date(2026, 11, 23)),
     (2, "week", date(2026, 11, 16)),
     (1, "month", date(2026, 11, 1)), (11, "month", date(2026, 1, 1)), (12, "month", date(2025, 12, 1))],
)  # fmt: skip
def test_the_last_periods_begin_so_that_todays_is_one_of_them(count, period, first):
    assert filters.last(count, period, TODAY, periods.MONDAY) == first


def test_a_week_that_begins_on_sunday_holds_the_saturday_after_it(spend, report):
    for name, day in (("a", 19), ("b", 20), ("c", 26)):  # Saturday, Sunday, Saturday
        spend(name, datetime(2026, 9, day, 12, tzinfo=UTC).timestamp())
    rows = json.loads(report("weekly", "--json", "--start-of-week", "sunday"))
    assert [(row["week"], row["requests"]) for row in rows] == [("2026-09-13", 1), ("2026-09-20", 2)]
    rows = json.loads(report("weekly", "--json"))
    assert [(row["week"], row["requests"]) for row in rows] == [("2026-09-14", 2), ("2026-09-21", 1)]
    assert filters.last(1, "week", date(2026, 11, 28), SUNDAY) == date(2026, 11, 22)


def test_the_configured_first_day_of_a_week_holds_without_the_option(spend, report, home, monkeypatch):
    monkeypatch.setenv("AITOP_CONFIG", configure(home, 'week_start = "sunday"\n'))
    for name, day in (("a", 19), ("b", 20)):  # Saturday, Sunday
        spend(name, datetime(2026, 9, day, 12, tzinfo=UTC).timestamp())
    assert [row["week"] for row in json.loads(report("weekly", "--json"))] == ["2026-09-13", "2026-09-20"]
    assert len(json.loads(report("weekly", "--json", "--start-of-week", "monday"))) == 1
    saturday = datetime(2026, 11, 28, 12, tzinfo=UTC).timestamp()
    try:
        assert datetime.fromtimestamp(periods.starts(saturday)["week"], UTC).day == 22
        assert datetime.fromtimestamp(periods.ends(saturday)["week"], UTC).day == 29
    finally:
        periods.begin_weeks_on(periods.MONDAY)


# -- what stands around the rows ----------------------------------------------------------------------------------


def test_the_header_says_which_days_whose_time_which_filters_and_how_it_is_paid():
    wanted = Filter(date(2026, 11, 1), date(2026, 11, 29), UTC, model="opus")
    line = framing.header("Cost by day", wanted, Currency(), START)
    assert line == "Cost by day · 2026-11-01 to 2026-11-29 · UTC · --model opus · API prices"
    paid = framing.header("Cost by day", Filter(zone=UTC), Currency("€", 0.5, subscription=True), START)
    assert paid == (
        "Cost by day · all days · UTC · subscription: ≈ is what the same use costs at API prices, € at 0.5 for one USD"
    )


def test_money_is_shown_in_the_configured_currency_and_files_hold_usd(spend, report, home, monkeypatch):
    monkeypatch.setenv("AITOP_CONFIG", configure(home, 'currency.symbol = "€"\ncurrency.rate = 0.5\n'))
    spend("a", usage=usage(output=500_000, uncached=0))
    for words in (("models",), ("daily", "--markdown"), ("projects", "--by", "month"), ("daily", "--plot")):
        shown = report(*words)
        assert "€6.25" in shown or "6.25" in shown
        assert "$" not in shown
    assert json.loads(report("models", "--json"))[0]["cost_usd"] == 12.5
    assert next(csv.DictReader(io.StringIO(report("models", "--csv"))))["cost_usd"] == "12.500000"


def test_a_subscriptions_money_is_marked_in_every_command(spend, report, home, monkeypatch):
    monkeypatch.setenv("AITOP_CONFIG", configure(home, 'billing = "subscription"\n'))
    spend("a", time.time() - 60)
    assert "≈$" in report("models")
    assert "≈$" in CliRunner().invoke(cli.main, ["forecast"]).output


def test_what_the_client_understates_is_a_lower_bound_and_its_count_is_published(spend, report):
    long = [{"type": "text", "text": "word and word " * 300}]
    spend("a", time.time() - 120, stop=None, content=long, usage=usage(output=5))
    row = json.loads(report("models", "--json"))[0]
    assert (row["understated_requests"], row["incomplete_requests"]) == (1, 1)
    for words in (("models",), ("sessions", "--markdown"), ("daily", "--plot")):
        assert "≥" in report(*words)
    assert "Coverage: 1 request, 1 priced, 0 estimated, 1 at least" in report("models")


@pytest.mark.parametrize("word", ["shipped", "pulls"])
def test_a_lower_bound_is_one_in_reports_of_single_responses_too(spend, report, word):
    long = [{"type": "text", "text": "word and word " * 300}]
    spend("a", time.time() - 120, stop=None, content=long, usage=usage(output=5))
    (row,) = json.loads(report(word, "--json"))
    assert row["understated_requests"] == 1
    shown = report(word)
    assert shown.count("≥$") >= 2
    assert " 0 estimated, 1 at least" in shown


def test_each_mark_is_explained_with_its_number():
    lines = framing.notes(
        Sum(requests=9, unpriced_requests=1, estimated_requests=2, client_priced_requests=3, untracked=5)
    )
    text = "\n".join(lines)
    assert "≥ 1 request has no known price" in text
    assert "~ 2 requests have the price of the newest model" in text
    assert "3 requests have the cost that their client says" in text
    assert "untracked: what the client reports beyond its records" in text
    assert "Coverage: 9 requests, 6 priced, 2 estimated, 1 at least" in text


def test_untracked_money_stands_beside_the_counted_and_adds_up_to_what_was_spent():
    row = {"model": "m", **figures(Sum(requests=1, cost=10**12, untracked=5 * 10**11))}
    answer = Answer("model", [row], Sum(requests=1, cost=10**12, untracked=5 * 10**11))
    shown = table.render(answer, answer.rows, Style(Currency()))
    assert re.search(r"counted +untracked +spent", shown)
    assert re.search(r"m .* \$1\.0000 +\$0\.5000 +\$1\.5000", shown)


def test_the_column_input_is_all_input(spend, report):
    spend("a", usage=usage(output=7, uncached=100_000, read=50_000))
    head, _, line = report("models", columns=160).splitlines()[2:5]
    assert dict(zip(re.split(r"\s{2,}", head.strip()), re.split(r"\s{2,}", line.strip()), strict=True)) == {
        "model": MODEL, "requests": "1", "input": "150,000", "cache write": "0", "cache read": "50,000",
        "output": "7", "tokens": "150,007", "cost": "$0.5252",
    }  # fmt: skip


# -- rows within rows, periods side by side --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word", ["daily", "weekly", "monthly", "blocks", "sessions", "projects", "tags", "branches"]
)
def test_a_breakdown_adds_up_to_its_row(spend, report, word):
    session = "abababab-2222-4333-8444-555555555555"
    spend("a", START, session=session)
    spend("b", START + 60, session=session, model=HAIKU)
    spend("c", START + 5 * DAY, cwd="/w/other")
    rows = json.loads(report(word, "--json", "--breakdown"))
    assert any(len(row["breakdown"]) == 2 for row in rows)
    for row in rows:
        for key in ("requests", "output_tokens", "spent_usd"):
            assert sum(part[key] for part in row["breakdown"]) == pytest.approx(row[key])
    assert re.search(rf"^  {HAIKU} ", report(word, "--breakdown"), re.MULTILINE)


def test_projects_by_month_stand_side_by_side(spend, report):
    spend("a", datetime(2026, 9, 5, tzinfo=UTC).timestamp(), usage=usage(output=40_000, uncached=0))
    spend("b", datetime(2026, 10, 5, tzinfo=UTC).timestamp(), usage=usage(output=80_000, uncached=0))
    spend(
        "c",
        datetime(2026, 10, 6, tzinfo=UTC).timestamp(),
        cwd="/w/other",
        usage=usage(output=4000, uncached=0),
    )
    lines = [
        re.split(r"\s{2,}", line.strip()) for line in report("projects", "--by", "month").splitlines()[2:]
    ]
    assert lines[0] == ["2026-09", "2026-10", "total"]
    assert lines[2] == ["shop", "$1.00", "$2.00", "$3.00"]
    assert lines[3] == ["other", "$0.10", "$0.10"]
    assert lines[5] == ["total", "$1.00", "$2.10", "$3.10"]
    shown = report("projects", "--by", "month", "--limit", "1").splitlines()
    assert [line.split()[0].rstrip("─") for line in shown[4:9]] == ["shop", "", "total", "1", "Coverage:"]
    assert shown[6].endswith("$3.10")
    rows = json.loads(report("projects", "--by", "month", "--json"))
    assert [(row["month"], row["project"]) for row in rows] == [
        ("2026-09", "shop"), ("2026-10", "shop"), ("2026-10", "other"),
    ]  # fmt: skip


def test_sessions_show_their_last_activity_and_their_models(spend, report):
    session = "abababab-2222-4333-8444-555555555555"
    spend("a", START, session=session)
    spend("b", START + 60, session=session, model=HAIKU)
    assert json.loads(report("sessions", "--json"))[0]["models"] == [HAIKU, MODEL]
    shown = report("sessions")
    assert f"{datetime.fromtimestamp(START + 60, UTC):%Y-%m-%d %H:%M}" in shown
    assert f"{HAIKU}, {MODEL}" in shown


# -- width, order, gaps ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [40, 60, 80, 120, 200])
def test_no_line_of_a_table_is_wider_than_the_terminal_and_wide_letters_keep_the_columns(
    spend, report, columns
):
    spend("a", cwd="/w/日本語のプロジェクト")
    spend("b", cwd="/w/" + "long" * 30)
    spend("c")
    lines = report("projects", columns=columns).splitlines()
    body = lines[2 : lines.index(next(line for line in lines if line.startswith("total"))) + 1]
    assert {cells(line) for line in body if line.startswith(("日", "long", "shop", "total"))} == {
        cells(body[1])
    }
    assert cells(body[1]) <= columns


def test_a_table_that_goes_to_a_file_cuts_no_name(spend, report):
    spend("a", cwd="/w/" + "long" * 12)
    assert "long" * 12 in report("projects")


def test_the_order_can_be_turned_round(spend, report):
    spend("a", START)
    spend("b", START + DAY, usage=usage(output=5000))
    days = [row["day"] for row in json.loads(report("daily", "--json"))]
    assert [row["day"] for row in json.loads(report("daily", "--json", "--order", "desc"))] == days[::-1]
    dear = [row["session"] for row in json.loads(report("sessions", "--json"))]
    assert [row["session"] for row in json.loads(report("sessions", "--json", "--order", "asc"))] == dear[
        ::-1
    ]
    newest = json.loads(report("daily", "--json", "--order", "desc", "--limit", "1"))
    assert [row["day"] for row in newest] == days[-1:]


@pytest.mark.parametrize(
    ("name", "labels", "between"),
    [("day", ("2026-10-30", "2026-11-02"), ["2026-10-31", "2026-11-01"]),
     ("week", ("2026-11-02", "2026-11-16"), ["2026-11-09"]),
     ("month", ("2025-11", "2026-02"), ["2025-12", "2026-01"])],
)  # fmt: skip
def test_days_weeks_and_months_without_use_are_empty_bars(name, labels, between):
    rows = [{name: label, "spent_usd": 2.0} for label in labels]
    filled = plot.with_gaps(rows, name, "spent_usd")
    assert [row[name] for row in filled] == [labels[0], *between, labels[1]]
    assert [row["spent_usd"] for row in filled] == [2.0, *[0] * len(between), 2.0]
    assert all(label in plot.bars(rows, name, "spent_usd", 80, Currency()) for label in between)


def test_numbers_for_spreadsheets_have_a_sensible_number_of_decimals(spend, report):
    spend("a", START + 0.123456)
    row = next(csv.DictReader(io.StringIO(report("sessions", "--csv"))))
    assert all(re.fullmatch(r"\d+\.\d{6}", row[key]) for key in ("cost_usd", "spent_usd", "untracked_usd"))
    assert re.fullmatch(r"\d+\.\d{3}", row["last_activity_at"])


# -- the words of the command ------------------------------------------------------------------------------------


def test_without_a_word_any_option_works_and_the_report_is_by_model(spend, report):
    spend("a")
    assert report("--json") == report("models", "--json")
    assert report() == report("models")
    assert json.loads(report("--json", "--since", "2026-09-01"))[0]["model"] == MODEL
    assert "Commands:" in report("--help")


@pytest.mark.parametrize(
    ("words", "message"),
    [(("models", "--json", "--csv"), "--json and --csv: choose one"),
     (("daily", "--plot", "--json"), "--plot draws"), (("daily", "--plot", "--breakdown"), "leave --breakdown out"),
     (("projects", "--by", "month", "--breakdown"), "choose one"),
     (("projects", "--by", "month", "--plot"), "leave --by out"),
     (("daily", "--png", "x", "--plot"), "leave --plot out"), (("daily", "--png", "x", "--csv"), "leave --csv out"),
     (("daily", "--png", "x", "--html", "y"), "leave --html out"),
     (("daily", "--png", "x", "--breakdown"), "--png draws one bar a row"),
     (("models", "--png", "x", "--by", "day"), "--png draws one bar a row"),
     (("daily", "--breakdown", "--csv"), "no rows within rows"),
     (("daily", "--since", "7d", "--last", "3"), "choose one"),
     (("daily", "--until", "today", "--last", "3"), "leave --until out"), (("today", "--last", "3"), "today is today"),
     (("projects", "--start-of-week", "sunday"), "goes with --by week"), (("models", "--breakdown"), "No such option"),
     (("daily", "--since", "yesterday", "--until", "3d"), "--until lies before --since")],
)  # fmt: skip
def test_options_that_exclude_each_other_are_refused(report, words, message):
    assert message in report(*words, code=2)


def test_an_empty_answer_says_which_filter_found_nothing_and_which_folders_were_read(spend, report, tmp_path):
    spend("a")
    folder = str(tmp_path / "claude" / "projects")
    for words, why in (
        (("--project", "shox"), "nothing in the whole history matches --project shox"),
        (("--model", "gpt"), "nothing in the whole history matches --model gpt"),
        (("--provider", "codex"), "nothing in the whole history matches --provider codex"),
        (
            ("--since", "2026-11-01"),
            "nothing in the history, since 2026-11-01; it goes from 2026-09-21 to 2026-09-21",
        ),
    ):
        shown = report("daily", *words)
        assert shown.startswith(why)
        assert folder in shown
    assert report("daily", "--project", "shox", "--json") == "[]\n"


def test_two_filters_that_meet_nowhere_are_both_named(spend, report):
    spend("a", cwd="/w/shop")
    spend("b", cwd="/w/other", model=HAIKU)
    assert report("daily", "--project", "shop", "--model", "haiku").startswith(
        "nothing in the history for --project shop --model haiku, all days; it goes from"
    )


def test_a_year_of_months_that_does_not_fit_says_what_is_left_out():
    rows = [
        {
            "project": "shop",
            "cwd": "/w/shop",
            "month": f"2025-{month:02d}",
            **figures(Sum(requests=1, cost=10**12)),
        }
        for month in range(1, 13)
    ]
    answer = Answer("project", rows, Sum(requests=12, cost=12 * 10**12), by_time=True)
    shown = table.matrix(answer, "month", Style(Currency(), 80), list).splitlines()
    assert max(map(cells, shown[:-1])) <= 80
    assert "earlier months left out for want of room" in shown[-1]
    assert shown[2].endswith("$12.00")


def test_every_grouping_that_can_be_crossed_is_one():
    assert set(groupings.GROUPINGS) == {"model", "session", "project", "tag", "branch", "provider"}


# -- coverage ----------------------------------------------------------------------------------------------------


def test_a_client_that_cannot_be_counted_is_named_below_every_table_and_in_the_coverage(
    spend, report, tmp_path
):
    spend("a")
    (tmp_path / "user" / ".cursor" / "chats").mkdir(parents=True)
    assert "cursor is not counted: it keeps no token counts on this machine" in report("daily")
    shown = json.loads(report("coverage", "--json"))
    assert shown["clients"]["cursor"]["counted"] is False
    assert (shown["clients"]["claude-code"]["counted"], shown["clients"]["claude-code"]["files"]) == (True, 1)
    assert shown["responses"] == {
        "requests": 1,
        "priced": 1,
        "estimated": 0,
        "at_least": 0,
        "client_priced": 0,
    }
    table_ = report("coverage")
    assert re.search(r"^claude-code +1 +0 +yes$", table_, re.MULTILINE)
    assert re.search(r"^cursor +0 +0 +no: ", table_, re.MULTILINE)


# -- what is said beside the numbers -----------------------------------------------------------------------------


def test_work_outside_of_any_repository_is_not_called_nothing(spend, report, tmp_path):
    spend("a", at=time.time() - 60, cwd=str(tmp_path))
    since = periods.date_of(time.time() - 2 * DAY)
    said = report("commits", "--since", since.isoformat())
    assert said.startswith(f"no git repository in the folders worked in since {since}\n")
    today = periods.date_of(time.time() - 60).isoformat()
    assert f"worked in on {today}" in report("commits", "--since", today, "--until", today)


def test_without_any_work_commits_say_so(report):
    assert report("commits").startswith("the history is empty")


@pytest.mark.parametrize("word", ["tools", "commits", "pulls", "shipped", "tries"])
def test_help_shows_no_option_that_is_refused(report, word):
    assert "--model" not in report(word, "--help")
    assert f"--model says nothing about {word}" in report(word, "--model", "x", code=2)
    assert "--model" in report("daily", "--help")


def test_reports_without_money_name_no_prices(spend, report):
    spend("a", at=time.time() - 60, content=[use("t1")])
    assert "API prices" not in report("tools")
    assert "API prices" in report("models")


def test_an_unknown_total_of_a_client_is_no_zero_in_the_table():
    total = Sum(requests=2, cost=3 * 10**12, untracked=5 * 10**11)
    known, unknown = (
        {"session": name, "cwd": "/w/shop", "client_cost_usd": client, **figures(value)}
        for name, client, value in (
            ("a", 1.5, Sum(requests=1, cost=10**12, untracked=5 * 10**11)),
            ("b", None, Sum(requests=1, cost=2 * 10**12)),
        )
    )
    shown = table.render(Answer("session", [known, unknown], total), [known, unknown], Style(Currency()))
    assert re.search(r"a shop .*\$1\.0000 +\$0\.5000 +\$1\.5000", shown)
    assert re.search(r"b shop .*\$2\.0000 +- +\$2\.0000", shown)
