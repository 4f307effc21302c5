"""What a commit cost: each response belongs to the first commit of its working tree at or after it.

A response more than a day before the next commit belongs to none. Pure but for `git` handed in.
"""

from bisect import bisect_left
from collections.abc import Callable
from statistics import median
from typing import Any

from aitop.history.query import spans
from aitop.model.sums import ZERO, Sum
from aitop.reports.ask import Answer, Asker, project, usd
from aitop.reports.git import Commit
from aitop.reports.table import clean

BEFORE = 86_400  # seconds a commit may come after the work it holds
REPOSITORIES = 50
ENOUGH = 5  # commits before one is called unusual


def answer(
    asker: Asker, start: float, end: float, toplevel: Callable[[str], str | None],
    commits_of: Callable[[str, float], list[Commit]],
) -> Answer:  # fmt: skip
    """Commits, newest first, then what was not committed."""
    tops: dict[str, str | None] = {}
    repositories: dict[str, list[Commit]] = {}
    found: dict[tuple[str, str | None], Share] = {}
    for at, session, cost, unpriced in spans.responses(asker.db, (start, end)):
        cwd = asker.facts[session].cwd
        if session not in asker.allowed or not cwd:
            continue
        if cwd not in tops:
            tops[cwd] = toplevel(cwd) if len(repositories) < REPOSITORIES else None
        top = tops[cwd]
        if top is None:
            continue
        if top not in repositories:
            repositories[top] = commits_of(top, start)
        commit = next_commit(repositories[top], at)
        share = found.setdefault((top, commit.hash if commit else None), Share(commit))
        share.add(session, cost, unpriced)
    rows = [_row(asker, top, share) for (top, _), share in found.items()]
    rows.sort(key=lambda row: (row["commit"] is not None, row["committed_at"] or 0), reverse=True)
    total = Sum(
        requests=sum(s.requests for s in found.values()),
        cost=sum(s.cost for s in found.values()),
        unpriced_requests=sum(s.unpriced for s in found.values()),
    )
    return Answer("commit", _mark_spikes(rows), total if found else ZERO)


def next_commit(commits: list[Commit], at: float) -> Commit | None:
    """The first one in the second of `at` or later, within a day."""
    number = bisect_left(commits, int(at), key=lambda commit: commit.at)
    if number == len(commits) or commits[number].at - at > BEFORE:
        return None
    return commits[number]


class Share:
    """What belongs to one commit."""

    def __init__(self, commit: Commit | None) -> None:
        self.commit = commit
        self.requests = self.cost = self.unpriced = 0
        self.sessions: dict[int, int] = {}

    def add(self, session: int, cost: int, unpriced: int) -> None:
        self.requests += 1
        self.cost += cost
        self.unpriced += unpriced
        self.sessions[session] = self.sessions.get(session, 0) + cost


def _row(asker: Asker, top: str, share: Share) -> dict[str, Any]:
    commit = share.commit
    dearest = asker.facts[max(share.sessions, key=lambda session: (share.sessions[session], -session))]
    lines = commit.added + commit.deleted if commit else None
    cost = usd(share.cost)
    return {
        "commit": commit.hash if commit else None,
        "subject": commit.subject if commit else f"not committed: {project(top)}",
        "project": project(top),
        "cwd": top,
        "branch": dearest.branch,
        "session": dearest.name,
        "sessions": len(share.sessions),
        "committed_at": commit.at if commit else None,
        "requests": share.requests,
        "cost_usd": cost,
        "unpriced_requests": share.unpriced,
        "lines_added": commit.added if commit else None,
        "lines_deleted": commit.deleted if commit else None,
        "lines": lines,
        "usd_per_line": round(share.cost / 1e12 / lines, 6) if lines else None,
    }


def _mark_spikes(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Far dearer than the user's other commits: over three robust deviations, and twice the median."""
    costs = [row["cost_usd"] for row in rows if row["commit"]]
    middle = median(costs) if costs else 0.0
    spread = 1.4826 * median(abs(cost - middle) for cost in costs) if costs else 0.0
    for row in rows:
        far = row["cost_usd"] > max(middle + 3 * spread, 2 * middle)
        row["spike"] = bool(row["commit"]) and len(costs) >= ENOUGH and far
    return rows


def spikes(rows: list[dict[str, Any]]) -> list[str]:
    """A sentence for each spike: the commit, branch and session behind it."""
    return [
        f"! ${row['cost_usd']:,.2f} for {row['commit'][:9]} ({clean(row['subject'][:50])}), "
        f"branch {clean(row['branch'] or '-')}, session {clean(row['session'][:8])}"
        for row in rows
        if row["spike"]
    ]


def by_branch(rows: list[dict[str, Any]]) -> list[str]:
    """What each branch cost, the dearest first: a line for people below the commits."""
    found: dict[str, list[float]] = {}
    for row in rows:
        if row["commit"]:
            sums = found.setdefault(f"{row['project']}: {row['branch'] or '(none)'}", [0.0, 0, 0])
            for place, value in enumerate((row["cost_usd"], 1, row["lines"])):
                sums[place] += value
    lines = []
    for branch, (cost, commits, changed) in sorted(found.items(), key=lambda item: (-item[1][0], item[0])):
        per_line = f", ${cost / changed:,.4f} per line" if changed else ""
        many = f"{commits:.0f} commit{'' if commits == 1 else 's'}, {changed:,.0f} lines"
        lines.append(f"branch {clean(branch)}: ${cost:,.2f}, {many}{per_line}")
    return lines
