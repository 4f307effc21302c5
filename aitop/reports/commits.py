"""What a commit cost: each response belongs to the first commit of its working tree at or after it.

A response more than a day before the next commit belongs to none. Where git cannot name a folder's commits, the work
there is a row of its own with the reason, never "not committed". Pure but for `git` handed in.
"""

import os
from bisect import bisect_left
from collections.abc import Callable
from statistics import median

from aitop.history.query import spans
from aitop.history.query.doubts import Doubts, together
from aitop.history.query.spans import ResponseCost
from aitop.model.events import Place
from aitop.model.sums import Sum
from aitop.reports import git
from aitop.reports.ask import Asker
from aitop.reports.git import Commit
from aitop.reports.rows import Answer, Row, clean, project, usd
from aitop.reports.working_trees import WorkingTrees
from aitop.segments import money
from aitop.segments.money import Currency

COMMITTED_WITHIN = 86_400  # seconds a commit may come after the work it holds
NONE = "not committed"
SPIKE_COMMITS_MIN = 5  # commits before one is called unusual


def answer(
    asker: Asker, start: float, end: float, toplevel: Callable[[str], str | None],
    commits_of: Callable[[str, float], list[Commit]],
) -> Answer:  # fmt: skip
    """Commits, newest first, then what was not committed."""
    repositories = _Repositories(start, toplevel, commits_of)
    shares: dict[tuple[str, str | None], Share] = {}
    places = spans.places(asker.db)
    for one in spans.responses(asker.db, (start, end)):
        facts = asker.facts[one.session]
        place = places.get(one.place) or Place(facts.cwd, facts.branch)
        if one.session not in asker.allowed or not place.cwd or not asker.is_in_project(place.cwd):
            continue
        top = repositories.top(place.cwd, place.branch)
        if top is None:
            continue
        commit = next_commit(repositories.commits(top), one.at)
        share = Share(commit, repositories.errors.get(top))
        shares.setdefault((top, commit.hash if commit else None), share).add(one, place.branch)
    rows = [_row(asker, top, share) for (top, _), share in shares.items()]
    rows.sort(key=_order)
    total = Sum(
        requests=sum(share.requests for share in shares.values()),
        cost=sum(share.cost for share in shares.values()),
        **together(share.doubts for share in shares.values())._asdict(),
    )
    return Answer("commit", _mark_spikes(rows), total)


def _order(row: Row) -> tuple[bool, bool, int]:
    """The newest commit first, then what was not committed, then what is unknown."""
    return row["commit"] is None, row["git_error"] is not None, -(row["committed_at"] or 0)


class _Repositories:
    """The commits of each folder's working tree, asked of git once."""

    def __init__(
        self, since: float, toplevel: Callable[[str], str | None],
        commits_of: Callable[[str, float], list[Commit]],
    ) -> None:  # fmt: skip
        self._since, self._commits_of = since, commits_of
        self._trees = WorkingTrees(toplevel)
        self._commits: dict[str, list[Commit]] = {}
        self.errors = self._trees.errors

    def top(self, cwd: str, branch: str | None) -> str | None:
        """The working tree of a folder; None where there never was one, as far as is known.

        The folder itself where git cannot say it, and where it had a `branch` and is gone.
        """
        top = self._trees.of(cwd)
        if top is None and branch and not os.path.isdir(cwd):
            return self._trees.unknown(cwd, git.GONE)
        return top

    def commits(self, top: str) -> list[Commit]:
        """Those of a working tree, oldest first; none where git cannot say them."""
        if top not in self._commits:
            self._commits[top] = self._trees.answers(top, lambda top: self._commits_of(top, self._since))
        return self._commits[top]


def next_commit(commits: list[Commit], at: float) -> Commit | None:
    """The first one in the second of `at` or later, within a day."""
    number = bisect_left(commits, int(at), key=lambda commit: commit.at)
    if number == len(commits) or commits[number].at - at > COMMITTED_WITHIN:
        return None
    return commits[number]


class Share:
    """What belongs to one commit: sums, and picodollars by session and by branch.

    `error`: why the commits of this work are unknown.
    """

    def __init__(self, commit: Commit | None, error: str | None = None) -> None:
        self.commit, self.error = commit, error
        self.requests = self.cost = 0
        self.doubts = Doubts()
        self.sessions: dict[int, int] = {}
        self.branches: dict[str, int] = {}

    def add(self, one: ResponseCost, branch: str | None) -> None:
        self.requests += 1
        self.cost += one.cost
        self.doubts = self.doubts.plus(one.doubts)
        self.sessions[one.session] = self.sessions.get(one.session, 0) + one.cost
        if branch:
            self.branches[branch] = self.branches.get(branch, 0) + one.cost

    def branch(self) -> str | None:
        """The branch on which most of it was spent."""
        return max(self.branches, key=lambda name: (self.branches[name], name), default=None)


def _row(asker: Asker, top: str, share: Share) -> Row:
    commit = share.commit
    dearest = asker.facts[max(share.sessions, key=lambda session: (share.sessions[session], -session))]
    lines = commit.added + commit.deleted if commit else None
    cost = usd(share.cost)
    return {
        "commit": commit.hash if commit else None,
        "subject": commit.subject if commit else f"{'unknown' if share.error else NONE}: {project(top)}",
        "project": project(top),
        "cwd": top,
        "branch": share.branch(),
        "session": dearest.name,
        "sessions": len(share.sessions),
        "committed_at": commit.at if commit else None,
        "requests": share.requests,
        "cost_usd": cost,
        "spent_usd": cost,
        **share.doubts._asdict(),
        "lines_added": commit.added if commit else None,
        "lines_deleted": commit.deleted if commit else None,
        "lines": lines,
        "usd_per_line": round(share.cost / 1e12 / lines, 6) if lines else None,
        "git_error": share.error,
    }


def _mark_spikes(rows: list[Row]) -> list[Row]:
    """Far dearer than the user's other commits: over three robust deviations, and twice the median."""
    costs = [row["cost_usd"] for row in rows if row["commit"]]
    middle = median(costs) if costs else 0.0
    spread = 1.4826 * median(abs(cost - middle) for cost in costs) if costs else 0.0
    for row in rows:
        far = row["cost_usd"] > max(middle + 3 * spread, 2 * middle)
        row["spike"] = bool(row["commit"]) and len(costs) >= SPIKE_COMMITS_MIN and far
    return rows


def spikes(rows: list[Row], currency: Currency) -> list[str]:
    """A sentence for each spike: the commit, branch and session behind it."""
    return [
        f"! {money.text(row['spent_usd'], currency, row)} for {row['commit'][:9]} ({clean(row['subject'][:50])}), "
        f"branch {clean(row['branch'] or '-')}, session {clean(row['session'][:8])}"
        for row in rows
        if row["spike"]
    ]


def by_branch(rows: list[Row], currency: Currency) -> list[str]:
    """What each branch cost, the dearest first: a line for people below the commits."""
    branches: dict[str, list[Row]] = {}
    for row in rows:
        if row["commit"]:
            branches.setdefault(f"{row['project']}: {row['branch'] or '(none)'}", []).append(row)
    sums = {branch: sum(row["spent_usd"] for row in of) for branch, of in branches.items()}
    ordered = sorted(branches, key=lambda branch: (-sums[branch], branch))
    return [_branch_line(branch, branches[branch], sums[branch], currency) for branch in ordered]


def _branch_line(branch: str, rows: list[Row], cost: float, currency: Currency) -> str:
    changed = sum(row["lines"] for row in rows)
    counts = {key: sum(row[key] for row in rows) for key in Doubts._fields}
    per_line = f", {money.text(cost / changed, currency, counts, exact=True)} per line" if changed else ""
    many = f"{len(rows)} commit{'' if len(rows) == 1 else 's'}, {changed:,} line{'' if changed == 1 else 's'}"
    return f"branch {clean(branch)}: {money.text(cost, currency, counts)}, {many}{per_line}"
