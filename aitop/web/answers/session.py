"""The page Session: each response of it, its context with compactions, its tools, its agents, its untracked part."""

import sqlite3
from collections.abc import Sequence

from aitop.history.query import session_detail, singles, spans
from aitop.model.json_types import JsonObject
from aitop.model.sums import PICO
from aitop.reports import groupings
from aitop.reports.rows import figures, project
from aitop.web import narrow, params
from aitop.web.answers.asked import Asked, money
from aitop.web.params import BadAddressError

TURNS_MAX = 2000  # the newest


class UnknownSessionError(Exception):
    """The history does not know such a session."""


def session(db: sqlite3.Connection, asked: Asked) -> JsonObject:
    """One session, named by client and id. Raises BadAddressError, UnknownSessionError, sqlite3.Error."""
    part = params.part(asked.query, asked.now)
    if part.provider is None or part.session is None:
        raise BadAddressError("provider and session: both are needed")
    asker = narrow.asker(
        db, asked.config, params.Part(provider=part.provider, session=part.session), asked.tags
    )
    facts = next(
        (f for f in asker.facts.values() if (f.provider, f.name) == (part.provider, part.session)), None
    )
    last = facts.last_at or asked.now if facts else asked.now  # later there is nothing of it to look for
    detail = session_detail.session(db, part.provider, part.session, last, windows=())
    if facts is None or detail is None:
        raise UnknownSessionError
    row = groupings.grouped(asker, "session").rows
    span = (facts.started_at or 0.0, last + 1)
    took = singles.latencies(db, span, facts.id)
    turns = singles.responses(db, span, asker.only, None, TURNS_MAX)[::-1]
    return {
        "session": row[0] if row else _empty(facts),
        "project": project(facts.cwd),
        "turns": [[one.at, one.cost / PICO, one.input, one.output, one.agent or "", one.model] for one in turns],
        "turns_max": TURNS_MAX,
        "context": [[point.at, point.tokens] for point in detail.context],
        "compactions": [[at, trigger] for at, trigger in detail.compactions],
        "tools": [
            {"tool": tool.name, "calls": tool.calls, "failures": tool.failures, **_took(took.get(tool.name, []))}
            for tool in detail.tools
        ],
        "calls": [
            {"tool": call.name, "at": call.at, "took_ms": call.took, "failed": call.failed} for call in detail.calls
        ],
        "agents": [
            {"agent": agent.name, "models": agent.models.split(","), "started_at": agent.started_at,
             "last_at": agent.last_at, **figures(agent.sum)}
            for agent in detail.agents
        ],
        "models": [{"model": name, **figures(value)} for name, value in detail.models],
        "money": money(db, asked),
    }  # fmt: skip


def _empty(facts: spans.SessionFacts) -> JsonObject:
    """A session that is known by name alone."""
    return {"session": facts.name, "provider": facts.provider, "cwd": facts.cwd, "branch": facts.branch,
            "model": facts.model, "started_at": facts.started_at, "last_activity_at": facts.last_at}  # fmt: skip


def _took(rising: Sequence[float]) -> JsonObject:
    """Median and 95th percentile of durations in rising order; null where none is known."""
    if not rising:
        return {"p50_ms": None, "p95_ms": None}
    last = len(rising) - 1
    return {"p50_ms": rising[last // 2], "p95_ms": rising[min(last, int(len(rising) * 0.95))]}
