"""What a pull request cost: each response goes to the request that its branch, or its session, was for.

Two things name a request: the client itself (Claude Code's `pr-link`), and a merge commit of git's history. A request
has the branch on which its session worked when the client named it, or the branch that was merged. A response on
that branch goes to the first request of the branch that was not yet merged at its time. A response on a main branch
goes to the request that its session named next. All else is one row, not attributed, so the rows add up to the total.
Where git cannot say what was merged, the rest of that working tree is a row of its own with the reason. Pure but for
`git` handed in.
"""

from bisect import bisect_right
from collections.abc import Callable
from typing import NamedTuple

from aitop.history.query import pull_requests, spans
from aitop.history.query.doubts import Doubts, together
from aitop.history.query.pull_requests import Link
from aitop.history.query.spans import ResponseCost
from aitop.model.events import Place
from aitop.model.sums import Sum
from aitop.reports.ask import Asker
from aitop.reports.git import Merge
from aitop.reports.rows import Answer, Row, project, usd
from aitop.reports.working_trees import WorkingTrees

MAIN = frozenset((None, "", "main", "master", "trunk", "develop", "HEAD"))
ENDLESS = float("inf")
OTHER = "not attributed"

UNKNOWN = "unknown"

Key = tuple[str, int]  # (repository as the request's name has it, number)
Unread = tuple[str, None]  # (working tree, None): git could not say its merges


class Request(NamedTuple):
    """A pull request on one branch of one working tree; `merged_at` is endless while it is open."""

    key: Key
    merged_at: float
    named_at: float


class Share:
    """What goes to one pull request."""

    def __init__(self) -> None:
        self.requests = self.cost = self.untracked = 0
        self.doubts = Doubts()
        self.sessions: dict[int, int] = {}
        self.first_at, self.last_at = ENDLESS, 0.0

    def add(self, one: ResponseCost) -> None:
        self.requests += 1
        self.cost += one.cost
        self.doubts = self.doubts.plus(one.doubts)
        self._seen(one.session, one.at, one.cost)

    def add_untracked(self, session: int, at: float, picodollars: int) -> None:
        self.untracked += picodollars
        self._seen(session, at, picodollars)

    def _seen(self, session: int, at: float, picodollars: int) -> None:
        self.sessions[session] = self.sessions.get(session, 0) + picodollars
        self.first_at, self.last_at = min(self.first_at, at), max(self.last_at, at)


def answer(
    asker: Asker, start: float, end: float, toplevel: Callable[[str], str | None],
    merges_of: Callable[[str], list[Merge]],
) -> Answer:  # fmt: skip
    """Pull requests, the dearest first, then what belongs to none."""
    work = _Work(asker, toplevel)
    responses = [one for one in spans.responses(asker.db, (0.0, end)) if one.session in asker.allowed]
    for one in responses:
        work.saw(one)
    requests = _Requests(work, pull_requests.links(asker.db), merges_of)
    shares: dict[Key | Unread | None, Share] = {}
    for one in responses:
        if one.at >= start and asker.is_in_project(work.place(one).cwd):
            shares.setdefault(requests.of(one), Share()).add(one)
    for call in pull_requests.side_calls(asker.db, start, end):
        if call.session in asker.allowed and asker.is_in_project(work.last_place(call.session, call.at).cwd):
            key = requests.of_moment(call.session, call.at)
            shares.setdefault(key, Share()).add_untracked(call.session, call.at, call.picodollars)
    rows = [_row(asker, key, share, requests) for key, share in shares.items()]
    rows.sort(key=lambda row: (row["number"] is None, row["pull_request"] == OTHER, -row["spent_usd"]))
    total = Sum(
        requests=sum(share.requests for share in shares.values()),
        cost=sum(share.cost for share in shares.values()),
        untracked=sum(share.untracked for share in shares.values()),
        **together(share.doubts for share in shares.values())._asdict(),
    )
    return Answer("pull_request", rows, total)


class _Work:
    """Where each session worked when."""

    def __init__(self, asker: Asker, toplevel: Callable[[str], str | None]) -> None:
        self._asker, self._trees = asker, WorkingTrees(toplevel)
        self._places = spans.places(asker.db)
        self._history: dict[int, tuple[list[float], list[Place]]] = {}  # session → times, places
        self.errors = self._trees.errors

    def place(self, one: ResponseCost) -> Place:
        """Its own, else its session's."""
        facts = self._asker.facts[one.session]
        return self._places.get(one.place) or Place(facts.cwd, facts.branch)

    def saw(self, one: ResponseCost) -> None:
        """Called oldest first."""
        times, places = self._history.setdefault(one.session, ([], []))
        times.append(one.at)
        places.append(self.place(one))

    def last_place(self, session: int, at: float) -> Place:
        """Where a session worked last at a moment, or first where that is later."""
        times, places = self._history.get(session, ([], []))
        if not times:
            facts = self._asker.facts[session]
            return Place(facts.cwd, facts.branch)
        return places[max(0, bisect_right(times, at) - 1)]

    def top(self, place: Place) -> str:
        """The working tree of a place; its folder where git knows none."""
        cwd = place.cwd or ""
        return (self._trees.of(cwd) if cwd else None) or cwd

    def merges(self, top: str, merges_of: Callable[[str], list[Merge]]) -> list[Merge]:
        """The merges of a working tree, none where it is none or git cannot say them."""
        return self._trees.answers(top, merges_of)

    @property
    def tops(self) -> set[str]:
        """Every working tree that was worked in."""
        return {self.top(place) for _, places in self._history.values() for place in set(places) if place.cwd}


class _Requests:
    """Which pull request a response was for."""

    def __init__(self, work: _Work, links: list[Link], merges_of: Callable[[str], list[Merge]]) -> None:
        self._work = work
        self._on: dict[tuple[str, str], list[Request]] = {}  # (tree, branch) → requests, by their end
        self._of_session: dict[int, list[Link]] = {}
        names: dict[str, str] = {}  # tree → repository
        for link in links:
            self._of_session.setdefault(link.session, []).append(link)
            names.setdefault(work.top(work.last_place(link.session, link.at)), link.repository)
        self.merged: dict[Key, float] = {}
        self.branches: dict[Key, str] = {}
        self._trees: dict[Key, list[str]] = {}
        for top in sorted(work.tops | set(names)):
            repository = names.get(top, top.rstrip("/").rpartition("/")[2])
            for merge in work.merges(top, merges_of):
                key = (repository, merge.number)
                self.merged[key] = merge.at
                self._put(top, merge.branch, Request(key, merge.at, merge.at))
        for link in links:
            place = work.last_place(link.session, link.at)
            key = (link.repository, link.number)
            self._trees.setdefault(key, []).append(work.top(place))
            self._put(work.top(place), place.branch, Request(key, self.merged.get(key, ENDLESS), link.at))
        for requests in self._on.values():
            requests.sort(key=lambda one: (one.merged_at, one.named_at))

    def of(self, one: ResponseCost) -> Key | Unread | None:
        """The request that a response was for."""
        return self._of(self._work.place(one), one.session, one.at)

    def of_moment(self, session: int, at: float) -> Key | Unread | None:
        """The request that a session was at work for."""
        return self._of(self._work.last_place(session, at), session, at)

    def _of(self, place: Place, session: int, at: float) -> Key | Unread | None:
        top = self._work.top(place)
        none = (top, None) if top in self._work.errors else None
        if place.branch not in MAIN:
            return next(
                (one.key for one in self._on.get((top, place.branch or ""), ()) if one.merged_at >= at), none
            )
        for link in self._of_session.get(session, ()):
            if link.at >= at and self._work.top(self._work.last_place(session, link.at)) == top:
                return link.repository, link.number
        return none

    def error(self, key: Key | Unread) -> str | None:
        """What git could not say of the working trees of a request."""
        if key[1] is None:
            return self._work.errors[key[0]]
        return next(
            (self._work.errors[top] for top in self._trees.get(key, ()) if top in self._work.errors), None
        )

    def _put(self, top: str, branch: str | None, request: Request) -> None:
        if branch and branch not in MAIN:
            self._on.setdefault((top, branch), []).append(request)
            self.branches.setdefault(request.key, branch)


def _row(asker: Asker, of: Key | Unread | None, share: Share, requests: _Requests) -> Row:
    dearest = asker.facts[max(share.sessions, key=lambda session: (share.sessions[session], -session))]
    key = (of[0], of[1]) if of and of[1] is not None else None
    return {
        "pull_request": f"{key[0]}#{key[1]}" if key else f"{UNKNOWN}: {project(of[0])}" if of else OTHER,
        "repository": key[0] if key else None,
        "number": key[1] if key else None,
        "branch": requests.branches.get(key) if key else None,
        "session": dearest.name,
        "sessions": len(share.sessions),
        "first_activity_at": share.first_at,
        "last_activity_at": share.last_at,
        "merged_at": requests.merged.get(key) if key else None,
        "requests": share.requests,
        "cost_usd": usd(share.cost),
        "untracked_usd": usd(share.untracked),
        "spent_usd": usd(share.cost + share.untracked),
        **share.doubts._asdict(),
        "git_error": requests.error(of) if of else None,
    }
