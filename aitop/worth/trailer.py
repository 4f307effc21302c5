"""The trailers of a commit: what the work since the last commit of its working tree cost. Pure.

Work belongs to a working tree by its folder; where the history moved a worktree's work to the main checkout, by its
branch, or by the folder of its session where no branch names it. Counted are responses after the last commit that the
working tree's reflog names. A commit that copies the message of the commit before it (amended) holds its numbers too.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from aitop.history.query.by_place import Spent
from aitop.model.sums import PICO, ZERO, Sum, plus

COST, TOKENS = "AI-Cost", "AI-Tokens"
COMMITTED = "commit"  # how the reflog's line of a commit begins: "commit: ", "commit (amend): "
DETACHED = "HEAD"  # the branch, where none is checked out
_MOVED = re.compile(r"checkout: moving from (\S+) to (\S+)$")
_COST = re.compile(rf"^\s*{COST}: ([~≥]*)(\d+\.\d+) USD$", re.MULTILINE)
_TOKENS = re.compile(rf"^\s*{TOKENS}: (\d+) in, (\d+) out$", re.MULTILINE)


class Tree(NamedTuple):
    """The working tree of the commit. `others`: folder → branch of the repository's other ones."""

    top: str
    main: str  # the main checkout
    branch: str  # DETACHED where it is on none
    others: dict[str, str]


class Entry(NamedTuple):
    """A line of the reflog, the newest first."""

    at: int
    what: str
    commit: str = ""


class Numbers(NamedTuple):
    """What trailers say. `marks`: ~ where a price is estimated, ≥ where one is missing."""

    micros: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    marks: str = ""

    def plus(self, other: "Numbers") -> "Numbers":
        marks = "".join(mark for mark in "~≥" if mark in self.marks + other.marks)
        return Numbers(
            self.micros + other.micros, self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens, marks,
        )  # fmt: skip


def last_commit(entries: Sequence[Entry]) -> Entry:
    """The last commit that was made here; where none was, how the working tree began."""
    oldest = entries[-1] if entries else Entry(0, "")
    return next((entry for entry in entries if entry.what.startswith(COMMITTED)), oldest)


def branches(entries: Iterable[Entry], tree: Tree) -> set[str]:
    """The branches of the working tree since its last commit, without those of other ones."""
    named = {tree.branch}
    for entry in entries:
        if entry.what.startswith(COMMITTED):
            break
        moved = _MOVED.match(entry.what)
        named |= set(moved.groups()) if moved else set()
    return {tree.branch, *(named - set(tree.others.values()))}


def work(spent: Iterable[Spent], tree: Tree, own: set[str]) -> Sum:
    """What was spent in the working tree."""
    whole = ZERO
    for one in spent:
        if _is_here(one, tree, own):
            whole = plus(whole, one.sum)
    return whole


def _is_here(one: Spent, tree: Tree, own: set[str]) -> bool:
    nearest = _nearest(tree, one.cwd)
    if nearest != tree.main:  # a folder of a worktree's own says it
        return nearest == tree.top
    if one.branch in (None, DETACHED):
        home = _nearest(tree, one.home)
        if home:
            return home == tree.top
    if one.branch is None:
        return tree.top == tree.main
    return one.branch in own


def _nearest(tree: Tree, cwd: str) -> str:
    """The working tree that a folder lies in, "" for none."""
    inside = [folder for folder in (tree.top, tree.main, *tree.others) if _holds(folder, cwd)]
    return max(inside, key=len, default="")


def _holds(folder: str, cwd: str) -> bool:
    return cwd == folder or cwd.startswith(folder.rstrip("/") + "/")


def numbers(value: Sum) -> Numbers:
    """A sum in millionths of a dollar and tokens."""
    marks = ("~" if value.estimated_requests else "") + ("≥" if value.unpriced_requests else "")
    return Numbers(round(value.cost * 1_000_000 / PICO), value.input_tokens, value.output_tokens, marks)


def read(message: str) -> Numbers | None:
    """What the trailers in a text say together, None where it has none. A squash quotes those of its commits."""
    costs, tokens = _COST.findall(message), _TOKENS.findall(message)
    numbers = [Numbers(round(float(usd) * 1_000_000), 0, 0, marks) for marks, usd in costs]
    numbers += [Numbers(0, int(given), int(made)) for given, made in tokens]
    whole = Numbers()
    for one in numbers:
        whole = whole.plus(one)
    return whole if numbers else None


def total(new: Numbers, message: str, before: Sequence[str], *, is_squash: bool, is_amend: bool) -> Numbers:
    """The work of a commit. Trailers that stand in its message count where a commit `before` it had the same, or
    where the message quotes the commits that it unites; copies from elsewhere do not. Where a commit is amended with
    a message without trailers, those of the first commit of `before`, which it replaces, count.
    """
    written = read(message)
    if is_amend and written is None:
        return new.plus(read(before[0]) or Numbers())
    if written is None or not (is_squash or any(read(one) == written for one in before)):
        return new
    return new.plus(written)


def trailers(value: Numbers) -> list[str]:
    """As git writes them, none where there is nothing to say."""
    if value == Numbers():
        return []
    cost = f"{value.marks}{value.micros / 1_000_000:.6f}"
    whole, _, parts = cost.partition(".")
    return [
        f"{COST}: {whole}.{parts[:2]}{parts[2:].rstrip('0')} USD",
        f"{TOKENS}: {value.input_tokens} in, {value.output_tokens} out",
    ]
