"""The page Timeline: what each session did when, within one day, which alerts stood and which commits were made."""

import sqlite3
from collections.abc import Iterable

from aitop import paths
from aitop.history.query import one_day, spans
from aitop.history.query.one_day import Moment
from aitop.history.query.spans import Span
from aitop.model import periods
from aitop.model.json_types import JsonObject
from aitop.model.sums import PICO
from aitop.publish import alert_journal
from aitop.reports import git
from aitop.reports.rows import project
from aitop.web import params
from aitop.web.answers.asked import Asked, money

PAUSE = 240.0  # seconds without a response that end a bar
SESSIONS_MAX = 100  # the dearest of a day
FOLDERS_MAX = 20  # git is asked for each


class Lane:
    """One session while it is gathered: its bars by agent ("": the main thread), and its sums."""

    __slots__ = ("cost", "first", "last", "model", "requests", "runs")

    def __init__(self, first: Moment) -> None:
        self.runs: dict[str, list[list[float]]] = {}  # agent → [from, to, USD, responses]
        self.cost = self.requests = 0
        self.first, self.last, self.model = first.at, first.at, first.model

    def add(self, one: Moment) -> None:
        runs = self.runs.setdefault(one.agent, [])
        if not runs or one.at - runs[-1][1] > PAUSE:
            runs.append([one.at, one.at, 0.0, 0])
        run = runs[-1]
        run[1], run[2], run[3] = one.at, run[2] + one.cost / PICO, run[3] + 1
        self.cost += one.cost
        self.requests += 1
        self.first, self.last = min(self.first, one.at), max(self.last, one.at)


def timeline(db: sqlite3.Connection, asked: Asked) -> JsonObject:
    """The sessions of one local day, the earliest first. Raises BadAddressError, sqlite3.Error."""
    day, span = _day(asked)
    lanes = gathered(one_day.moments(db, span))
    facts = spans.facts(db, span[0])
    tools: dict[int, list[list[float]]] = {}
    for minute in one_day.tools_by_minute(db, span):
        tools.setdefault(minute.session, []).append([minute.at, minute.calls, minute.failures])
    compactions: dict[int, list[float]] = {}
    for one in one_day.compactions(db, span):
        compactions.setdefault(one.session, []).append(one.at)
    dearest = sorted(lanes, key=lambda number: -lanes[number].cost)[:SESSIONS_MAX]
    shown = sorted(dearest, key=lambda number: lanes[number].first)
    return {
        "day": day,
        "today": periods.date_of(asked.now).isoformat(),
        "now": asked.now,
        "span": list(span),
        "count": len(lanes),
        "sessions": [
            _shown(facts[n], lanes[n], tools.get(n, []), compactions.get(n, [])) for n in shown if n in facts
        ],
        "alerts": [one._asdict() for one in alert_journal.read(paths.home(), *span)],
        "money": money(db, asked),
    }


def _shown(
    facts: spans.SessionFacts, lane: Lane, tools: list[list[float]], compactions: list[float]
) -> JsonObject:
    """One row of the page."""
    return {
        "provider": facts.provider,
        "session": facts.name,
        "project": project(facts.cwd),
        "branch": facts.branch,
        "model": lane.model,
        "first": lane.first,
        "last": lane.last,
        "requests": lane.requests,
        "cost_usd": lane.cost / PICO,
        "runs": lane.runs,
        "tools": tools,
        "compactions": compactions,
    }


def commits(db: sqlite3.Connection, asked: Asked) -> JsonObject:
    """The user's commits of one day in the folders that were worked in. Asks git; raises as above.

    `git_errors` names each folder whose commits git could not say, with the reason.
    """
    _, span = _day(asked)
    worked = {one.session for one in one_day.moments(db, span)}
    facts = spans.facts(db, span[0])
    folders = sorted({facts[number].cwd or "" for number in worked if number in facts} - {""})
    tops: set[str] = set()
    errors: list[str] = []
    commits_of_span: list[JsonObject] = []
    for folder in folders[:FOLDERS_MAX]:
        try:
            top = git.toplevel(folder)
            if top is None or top in tops:
                continue
            tops.add(top)
            commits_of_span += [
                {"at": one.at, "commit": one.hash[:9], "subject": one.subject, "project": project(top)}
                for one in git.commits(top, span[0])
                if span[0] <= one.at < span[1]
            ]
        except git.UNKNOWN as error:
            errors.append(f"{project(folder)}: {error}")
    return {"commits": sorted(commits_of_span, key=lambda one: one["at"]), "git_errors": errors}


def gathered(moments: Iterable[Moment]) -> dict[int, Lane]:
    """Session → its lane."""
    lanes: dict[int, Lane] = {}
    for one in moments:
        if one.session not in lanes:
            lanes[one.session] = Lane(one)
        lanes[one.session].add(one)
    return lanes


def _day(asked: Asked) -> tuple[str, Span]:
    """The day asked for, and its span; today without one."""
    part = params.part({"since": asked.query.get("day") or "today"}, asked.now)
    assert part.since is not None
    start, end = part._replace(until=part.since).span()
    assert start is not None
    assert end is not None
    return part.since.isoformat(), (start, end)
