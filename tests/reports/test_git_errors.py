"""What git cannot say is unknown: named with its repository and the reason, never taken for "no commits"."""

import json
import os

import pytest
from support.agent_work import AgentWork
from support.lines import START, assistant, usage
from support.worlds import SESSIONS, Book

from aitop.reports import commits, formats, framing, git, pulls, working_trees
from aitop.reports.ask import Asker
from aitop.reports.filters import Filter
from aitop.reports.table import Style
from aitop.segments.money import Currency

DAY = 86_400
SHOP, OTHER = SESSIONS[:2]


class World:
    """Two repositories in which one response each was made, before one commit each."""

    def __init__(self, tmp_path):
        self.book = Book(tmp_path / "history.db")
        self.shop, self.other = (
            AgentWork(tmp_path / name, tmp_path / f"{name}.jsonl", session).begin()
            for name, session in (("shop", SHOP), ("other", OTHER))
        )
        for number, work in enumerate((self.shop, self.other)):
            self.spend(work.root, START + number, work.session)
            work.save("a.py", "one\n")
            work.commit()

    def spend(self, cwd, at, session, branch="fix"):
        name = f"m-{at}"
        line = assistant(name, at, request_id=f"r-{name}", usage=usage(1000), session=session, cwd=cwd,
                         gitBranch=branch)  # fmt: skip
        self.book.now = max(self.book.now, at + 10)
        self.book.feed(f"/p/-w/{session}.{name}.jsonl", [line])
        self.book.commit()

    def asked(self, report, of):
        asker = Asker(self.book.db, Filter(), (), {})
        return report.answer(asker, START - DAY, START + DAY, git.toplevel, of)

    def commits(self):
        return self.asked(commits, git.commits)

    def pulls(self):
        return self.asked(pulls, git.merges)


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.book.db.close()


def break_the_head(work):
    with open(f"{work.root}/.git/refs/heads/main", "w") as file:
        file.write("no commit\n")


def lose_a_commit(work):
    head = work.git("rev-parse", "HEAD").strip()
    os.unlink(f"{work.root}/.git/objects/{head[:2]}/{head[2:]}")


def break_the_settings(work):
    with open(f"{work.root}/.git/config", "a") as file:
        file.write("[core\n")


def errors(answer):
    return {row[answer.name]: row["git_error"] for row in answer.rows}


@pytest.mark.parametrize("damage", [break_the_head, lose_a_commit, break_the_settings])
def test_a_repository_that_git_cannot_read_has_no_row_that_says_not_committed(world, damage):
    damage(world.other)
    rows = world.commits().rows
    assert [row["subject"] for row in rows if row["cwd"] == world.shop.root] == ["work"]
    (row,) = [row for row in rows if row["cwd"] != world.shop.root]
    assert row["subject"] == "unknown: other"
    assert row["git_error"].startswith(f"{world.other.root}: ")
    assert len(row["git_error"]) > len(world.other.root) + 9


def test_a_repository_in_which_nothing_is_committed_yet_is_not_unknown(world, tmp_path):
    root = tmp_path / "new"
    root.mkdir()
    world.shop.git("init", "-q", str(root))
    world.spend(str(root), START + 9, SHOP)
    subjects = {row["subject"]: row["git_error"] for row in world.commits().rows}
    assert subjects == {"work": None, "not committed: new": None}


def test_the_commits_of_other_branches_count_where_the_checked_out_one_has_none(world):
    world.shop.git("checkout", "-q", "--orphan", "bare")
    assert {row["subject"] for row in world.commits().rows} == {"work"}


@pytest.mark.parametrize("report", ["commits", "pulls"])
def test_without_git_every_folder_is_unknown(world, monkeypatch, report):
    monkeypatch.setenv("PATH", "/nowhere")
    answer = getattr(world, report)()
    assert {row["git_error"] for row in answer.rows} == {
        f"{work.root}: git is not there" for work in (world.shop, world.other)
    }


@pytest.mark.parametrize("report", ["commits", "pulls"])
def test_a_git_that_takes_too_long_is_named(world, monkeypatch, report):
    monkeypatch.setattr(git, "TIMEOUT_SECONDS", 0.0)
    answer = getattr(world, report)()
    assert {row["git_error"] for row in answer.rows} == {
        f"{work.root}: git took longer than 0 s" for work in (world.shop, world.other)
    }


def test_a_folder_without_a_repository_has_no_commits_and_no_error(world, tmp_path):
    (tmp_path / "plain").mkdir()
    world.spend(str(tmp_path / "plain"), START + 9, SHOP, branch="")
    assert {row["subject"] for row in world.commits().rows} == {"work"}


def test_a_folder_that_had_a_branch_and_is_gone_is_unknown(world, tmp_path):
    world.spend(str(tmp_path / "gone"), START + 9, SHOP)
    world.spend(str(tmp_path / "never"), START + 9.5, OTHER, branch="")
    (row,) = [row for row in world.commits().rows if row["git_error"]]
    assert (row["subject"], row["git_error"]) == ("unknown: gone", f"{tmp_path}/gone: the folder is gone")


@pytest.mark.parametrize("report", ["commits", "pulls"])
def test_more_repositories_than_git_is_asked_for_are_named(world, monkeypatch, report):
    monkeypatch.setattr(working_trees, "REPOSITORIES_MAX", 1)
    (row,) = [row for row in getattr(world, report)().rows if row["git_error"]]
    assert row["git_error"] == f"{world.other.root}: git is asked for 1 repositories"


def test_a_working_tree_that_is_known_is_none_too_many(monkeypatch):
    monkeypatch.setattr(working_trees, "REPOSITORIES_MAX", 1)
    trees = working_trees.WorkingTrees(lambda _: "/shop")
    assert [trees.of(folder) for folder in ("/shop/inside", "/shop", "/other")] == [
        "/shop",
        "/shop",
        "/other",
    ]
    assert list(trees.errors) == ["/other"]


def test_work_that_a_pull_request_may_hold_is_not_called_not_attributed(world):
    lose_a_commit(world.other)
    answer = world.pulls()
    assert {name: bool(error) for name, error in errors(answer).items()} == {
        "unknown: other": True, "not attributed": False
    }  # fmt: skip
    assert sum(row["spent_usd"] for row in answer.rows) == pytest.approx(answer.total.cost / 1e12)


def test_people_and_programs_are_told_the_repository_and_the_reason(world):
    lose_a_commit(world.other)
    answer = world.commits()
    (line,) = framing.git_errors(answer.rows)
    assert line.startswith(f"! unknown: {world.other.root}: ")
    as_json = json.loads(formats.render(answer, "json", answer.rows, Style(Currency())))
    assert [row["git_error"] is None for row in as_json] == [True, False]


def test_many_errors_are_cut_with_their_number():
    rows = [{"git_error": f"/w/{number}: the folder is gone"} for number in range(20)]
    lines = framing.git_errors(rows)
    assert len(lines) == framing.GIT_ERRORS_MAX + 1
    assert "12 more" in lines[-1]


def test_what_git_complains_of_is_read_to_its_end_and_kept_in_part(tmp_path, monkeypatch):
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nyes warning | head -c 3000000 >&2\necho fatal: so it is >&2\nexit 128\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    with pytest.raises(git.FailedError, match="warning"):
        git.sure(str(tmp_path), "log")
