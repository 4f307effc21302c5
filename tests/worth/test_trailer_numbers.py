"""What a trailer is reckoned from: whose work it is, which commit is amended, and the numbers as they are written."""

import pytest

from aitop.history.query.by_place import Spent
from aitop.model.sums import Sum
from aitop.system import command
from aitop.worth import trailer
from aitop.worth.trailer import Entry, Numbers, Tree

TREE = Tree("/w/shop", "/w/shop", "fix", {"/w/other": "side", "/w/shop/.claude/worktrees/x": "x"})


@pytest.mark.parametrize(
    ("cwd", "branch", "here"),
    [
        ("/w/shop", "fix", True),
        ("/w/shop/src", "fix", True),
        ("/w/shop", "side", False),
        ("/w/shop", None, True),
        ("/w/shop/.claude/worktrees/x", "fix", False),
        ("/w/shopping", "fix", False),
        ("/w/other", "fix", False),
    ],
)
def test_work_belongs_to_a_tree_by_folder_and_branch(cwd, branch, here):
    found = trailer.work([Spent(cwd, branch, Sum(requests=1))], TREE, {"fix"})
    assert found.requests == here


def test_work_that_was_moved_to_the_main_checkout_is_a_worktrees_by_its_branch():
    tree = Tree("/w/other", "/w/shop", "side", {"/w/shop": "main"})
    spent = [Spent("/w/shop", "side", Sum(cost=1)), Spent("/w/shop", "main", Sum(cost=10)),
             Spent("/w/shop", None, Sum(cost=100)), Spent("/w/other", "any", Sum(cost=1000))]  # fmt: skip
    assert trailer.work(spent, tree, {"side"}).cost == 1001


@pytest.mark.parametrize("branch", ["HEAD", None])
@pytest.mark.parametrize(
    ("home", "here"), [("/w/other", True), ("/w/other/src", True), ("/w/third", False), ("/w/shop", False)]
)
def test_moved_work_that_no_branch_names_belongs_to_the_tree_of_its_session(branch, home, here):
    tree = Tree("/w/other", "/w/shop", "HEAD", {"/w/shop": "main", "/w/third": "HEAD"})
    assert bool(trailer.work([Spent("/w/shop", branch, Sum(cost=1), home)], tree, {"HEAD"}).cost) == here


def test_branches_since_the_last_commit_are_those_that_were_checked_out():
    moves = [Entry(9, "checkout: moving from main to fix"), Entry(8, "checkout: moving from side to main"),
             Entry(7, "commit: x"), Entry(6, "checkout: moving from old to main")]  # fmt: skip
    assert trailer.branches(moves, TREE) == {"fix", "main"}  # side is another worktree's
    assert trailer.last_commit(moves).at == 7
    assert [trailer.last_commit(one).at for one in ([Entry(5, "clone: from x")], [])] == [5, 0]


def test_numbers_are_read_as_they_were_written():
    for value in (
        Numbers(4_210_000, 12, 34),
        Numbers(1, 2, 3, "~≥"),
        Numbers(0, 5, 6),
        Numbers(12_345_678, 0, 0, "≥"),
    ):
        assert trailer.read("a title\n\n" + "\n".join(trailer.trailers(value))) == value
    assert trailer.trailers(Numbers()) == []
    assert trailer.read("a title") is None


@pytest.mark.parametrize(
    ("words", "amends"),
    [
        ("git commit --amend -m x", True),
        ("/usr/bin/git -c a.b=c commit -q --amend", True),
        ("git commit -m x", False),
        ("git commit -- --amend", False),
        ("vim commit --amend", False),
        ("git", False),
        ("", False),
    ],
)
def test_an_amending_command_is_known_by_its_words(words, amends):
    assert command.amends(words.split()) is amends
