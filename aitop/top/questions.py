"""What the screen wants to know beyond the published numbers, and the answers: history, prices, processes.

`wanted` and `due` are pure. `answer` runs off the UI thread: it opens the history to read, asks one
thing and closes it again, so a listener that migrates or restarts never finds it in the way.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from aitop import config, paths
from aitop.history import schema
from aitop.history.query import session_detail
from aitop.model import periods
from aitop.model.json_types import JsonObject
from aitop.pricing import table as prices
from aitop.segments import fields, humanize
from aitop.top import compare, past, sessions
from aitop.top.choices import Choices
from aitop.top.view_model import Answers, World

EVERY = {
    "hourly": 1.5,
    "agents": 2.0,
    "detail": 1.5,
    "mixes": 5.0,
    "past": 10.0,
    "costs": 10.0,
    "prices": 3600.0,
}  # seconds at least


class Question(NamedTuple):
    """One thing to find out. `about` names sessions, or the span of time."""

    kind: str
    about: tuple[Any, ...] = ()


@dataclass(slots=True)
class Asked:
    """Which questions were answered, for which numbers, and when."""

    at: dict[Question, tuple[int, float]] = field(default_factory=dict)

    def due(self, question: Question, number: int, monotonic: float) -> bool:
        """Whether the numbers moved on since it was answered, and it is not asked too often."""
        earlier = self.at.get(question)
        return earlier is None or (earlier[0] != number and monotonic - earlier[1] >= EVERY[question.kind])


def wanted(world: World, choices: Choices) -> list[Question]:
    """What this view shows beyond the published numbers."""
    state = world.state
    if state is None:
        return []
    if choices.view in ("models", "compare"):
        return [Question("mixes", (choices.span,))]
    if choices.view == "detail":
        row = sessions.found(state, choices.session)
        return [Question("detail", sessions.named(row))] if row else []
    if choices.view == "history":
        return [Question("past", (choices.reach,))]
    if choices.view not in ("overview", "sessions"):
        return []
    questions = [Question("hourly")] if _busy(state) or world.answers.hourly else []
    unfolded = [s for s in fields.rows(state.get("sessions")) if sessions.key_of(s) in choices.unfolded]
    if choices.view == "overview" and choices.chart != "hour":
        questions.append(Question("costs", (choices.chart,)))
    if unfolded:
        questions.append(Question("agents", tuple(sessions.named(s) for s in unfolded)))
    return questions


def _busy(state: JsonObject) -> bool:
    """Whether anything was spent in 15 minutes; without that no session has a rate."""
    window = fields.table(fields.table(state.get("windows")).get("15m"))
    return bool(humanize.number(window.get("requests")))


def answer(question: Question, answers: Answers, now: float) -> Answers:
    """The answers with one more. Never raises: what went wrong is an answer too."""
    try:
        return _answer(question, answers, now)
    except schema.HistoryError as error:
        return replace(answers, problem=str(error))
    except (sqlite3.Error, OSError) as error:
        return replace(answers, problem=f"The history cannot be read ({error}); `aitop doctor` says more.")


def _answer(question: Question, answers: Answers, now: float) -> Answers:
    db = schema.connect_read_only(paths.in_home(paths.HISTORY))
    try:
        if question.kind == "hourly":
            return replace(answers, hourly=session_detail.hourly(db, now), problem="")
        if question.kind == "past":
            reach, provider = question.about[0], answers.provider
            found_days = past.read(db, reach, now, provider)
            return replace(answers, past={**answers.past, reach: found_days}, problem="")
        if question.kind == "costs":
            bars = past.costs(db, question.about[0], now)
            return replace(answers, costs={**answers.costs, question.about[0]: bars}, problem="")
        if question.kind == "agents":
            return replace(answers, agents=session_detail.agents(db, list(question.about)), problem="")
        if question.kind == "detail":
            provider, name = question.about
            detail = session_detail.session(db, provider, name, now)
            return replace(answers, details={question.about: detail}, problem="")
        if answers.prices is None:
            answers = replace(
                answers, prices=load_prices(), day=datetime.fromtimestamp(now, UTC).date().isoformat()
            )
        assert answers.prices is not None
        span = question.about[0]
        start = 0.0 if span == "all" else periods.starts(now)[span]
        mixes = {**answers.mixes, span: session_detail.mixes(db, start, compare.steps(answers.prices))}
        return replace(answers, mixes=mixes, problem="")
    finally:
        db.close()


def load_prices() -> prices.PriceTable:
    """The table the listener prices with: package, refreshed file, the user's own. Weeks begin as it lets them."""
    try:
        configuration = config.load()
        own = configuration.price_overrides
        periods.begin_weeks_on(periods.WEEKDAYS[configuration["week_start"]])
    except config.ConfigError:
        own = {}
    return prices.load(own, paths.in_home(paths.PRICES))
