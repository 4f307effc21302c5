"""What a pull request cost: by branch, by session, by git's merges, and the rest; the rows add up to the whole."""

import os
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.examples import examples
from support.lines import START, assistant, stamp, usage
from support.worlds import SESSIONS, Book

from aitop.model.events import ClientTotals
from aitop.reports import formats, pulls
from aitop.reports import git as reader
from aitop.reports.ask import Asker
from aitop.reports.filters import Filter
from aitop.reports.git import Merge
from aitop.reports.table import Style
from aitop.segments.money import Currency

HOUR, DAY = 3600, 86_400
SHOP = "/work/shop"
A, B = SESSIONS[:2]


@pytest.fixture
def book(tmp_path):
    made = Book(tmp_path / "history.db")
    yield made
    made.db.close()


def spend(book, at, *, branch="main", session=A, cwd=SHOP):
    """One response at a moment."""
    name = f"{session[:4]}-{at}"
    line = assistant(
        name, at, request_id=f"r-{name}", usage=usage(1000), session=session, gitBranch=branch, cwd=cwd
    )
    book.now = max(book.now, at + 10)
    book.feed(f"/p/-w/{session}.{name}.jsonl", [line])
    book.commit()


def link(book, at, number, *, session=A, repository="ada/shop"):
    """The client names a pull request."""
    record = {"type": "pr-link", "sessionId": session, "prNumber": number, "prUrl": "https://x.example/1",
              "prRepository": repository, "timestamp": stamp(at)}  # fmt: skip
    book.feed(f"/p/-w/{session}.{at}-{number}.link.jsonl", [record])
    book.commit()


def answered(book, merges=(), start=START - DAY, **wanted):
    asker = Asker(book.db, Filter(**wanted), (), {})
    return pulls.answer(asker, start, START + 40 * DAY, lambda cwd: cwd, lambda _: list(merges))


def requests(answer):
    return {row["pull_request"]: row["requests"] for row in answer.rows}


def test_work_on_the_branch_of_a_request_is_its_own(book):
    spend(book, START, branch="fix")
    spend(book, START + HOUR, branch="fix", session=B)
    link(book, START + 2 * HOUR, 7)
    spend(book, START + 3 * HOUR, branch="other")
    assert requests(answered(book)) == {"ada/shop#7": 2, "not attributed": 1}


def test_a_branch_that_is_used_again_belongs_to_the_next_request(book):
    merged = Merge(7, "fix", int(START + HOUR))
    spend(book, START, branch="fix")
    spend(book, START + 2 * HOUR, branch="fix", session=B)
    link(book, START + 3 * HOUR, 8, session=B)
    found = answered(book, [merged])
    assert requests(found) == {"ada/shop#7": 1, "ada/shop#8": 1}
    assert [row["merged_at"] for row in found.rows if row["number"] == 7] == [int(START + HOUR)]


def test_work_on_a_main_branch_goes_to_the_request_that_its_session_names_next(book):
    spend(book, START)
    spend(book, START + HOUR, session=B)
    link(book, START + 2 * HOUR, 7)
    spend(book, START + 3 * HOUR)
    assert requests(answered(book)) == {"ada/shop#7": 1, "not attributed": 2}


def test_a_squash_names_the_moment_of_a_request_that_the_client_named(book):
    spend(book, START, branch="fix")
    link(book, START + HOUR, 7)
    (row,) = answered(book, [Merge(7, None, int(START + 2 * HOUR))]).rows
    assert (row["merged_at"], row["branch"], row["requests"]) == (int(START + 2 * HOUR), "fix", 1)


def test_what_a_client_reports_beyond_its_records_goes_where_the_session_worked(book):
    spend(book, START, branch="fix")
    link(book, START + 60, 7)
    counted = book.session(A).total.cost / 1e12
    book.apply(ClientTotals(A, START + 120, counted + 0.5))
    book.commit()
    (row,) = answered(book).rows
    assert (row["pull_request"], round(row["untracked_usd"], 6)) == ("ada/shop#7", 0.5)
    assert row["spent_usd"] == pytest.approx(counted + 0.5)


def test_a_span_counts_only_its_own_work_by_evidence_from_before(book):
    spend(book, START, branch="fix")
    link(book, START + 60, 7)
    spend(book, START + 2 * DAY, branch="fix", session=B)
    assert requests(answered(book, start=START + DAY)) == {"ada/shop#7": 1}


def test_a_link_is_kept_once_with_its_first_moment_in_any_order(book):
    for at in (START + 60, START, START + 90):
        link(book, at, 7)
    assert book.db.execute("SELECT number, at FROM pull_request").fetchall() == [(7, START)]


@pytest.mark.parametrize(
    "record", [{"prNumber": "7"}, {"prNumber": True}, {"prNumber": 0}, {"prNumber": 1 << 40}, {"prRepository": "a b/c"},
               {"prRepository": "shop"}, {"prRepository": None}]
)  # fmt: skip
def test_a_damaged_link_is_left_out(book, record):
    whole = {
        "type": "pr-link",
        "sessionId": A,
        "prNumber": 7,
        "prRepository": "ada/shop",
        "timestamp": stamp(START),
    }
    book.feed("/p/-w/x.jsonl", [whole | record])
    book.commit()
    assert book.db.execute("SELECT count(*) FROM pull_request").fetchone() == (0,)


@examples(40)
@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from(["main", "a", "b"]), st.sampled_from([A, B]),
                          st.booleans()), max_size=12))  # fmt: skip
def test_the_rows_add_up_to_everything(tmp_path_factory, work):
    book = Book(tmp_path_factory.mktemp("b") / "history.db")
    for number, (hour, branch, session, named) in enumerate(work):
        spend(book, START + hour * HOUR + number, branch=branch, session=session)
        if named:
            link(book, START + hour * HOUR + number, number + 1, session=session)
    found = answered(book, [Merge(99, "a", int(START + 10 * HOUR))])
    whole = book.db.execute("SELECT count(*), ifnull(sum(cost), 0) FROM response").fetchone()
    assert (found.total.requests, found.total.cost) == whole
    assert sum(row["requests"] for row in found.rows) == whole[0]
    assert sum(round(row["cost_usd"] * 1e12) for row in found.rows) == pytest.approx(whole[1], abs=len(work))
    book.db.close()


def test_for_people_it_is_a_table_with_the_rest_below(book):
    spend(book, START, branch="fix")
    link(book, START + 60, 7)
    spend(book, START + HOUR, branch="x")
    found = answered(book)
    text = formats.render(found, "table", found.rows, Style(Currency()))
    assert text.index("ada/shop#7") < text.index("not attributed")


# -- git -----------------------------------------------------------------------------------------------------


def git(folder, *words):
    environ = os.environ | {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, env=environ)


@pytest.mark.parametrize(
    ("message", "number", "branch"),
    [
        ("Merge pull request #12 from ada/fix/login\n\nA title", 12, "fix/login"),
        ("Merge branch 'fix/login' into 'main'\n\nA title\n\nSee merge request ada/shop!34", 34, "fix/login"),
        ("Merged in fix/login (pull request #56)\n\nA title", 56, "fix/login"),
        ("A title (#78)\n\n* one\n* two", 78, None),
    ],
)
def test_a_merge_is_read_as_each_host_words_it(tmp_path, message, number, branch):
    git(tmp_path, "init", "-q", "-b", "main")
    git(
        tmp_path,
        "-c",
        "user.email=a@b.c",
        "-c",
        "user.name=A",
        "commit",
        "-q",
        "--allow-empty",
        "-m",
        message,
    )
    (found,) = reader.merges(str(tmp_path))
    assert (found.number, found.branch) == (number, branch)


def test_other_commits_are_no_merges(tmp_path):
    git(tmp_path, "init", "-q", "-b", "main")
    for message in ("A title", "Mend #12", "Merge branch 'x'", "A title\n\nline (#3)"):
        git(
            tmp_path,
            "-c",
            "user.email=a@b.c",
            "-c",
            "user.name=A",
            "commit",
            "-q",
            "--allow-empty",
            "-m",
            message,
        )
    assert reader.merges(str(tmp_path)) == []
