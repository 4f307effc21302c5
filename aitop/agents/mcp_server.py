"""The tools that an agent can call, over MCP's standard input and output. Read-only.

Each tool is a question that `answers.py` or the history answers. A question that cannot be answered now raises
ToolError with what to do; the agent reads that text. It must not write, start or stop anything.
"""

import sqlite3
import time
from datetime import datetime, timedelta

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations

from aitop import __version__, paths
from aitop import state as published
from aitop.advice import all_rules, offers, record
from aitop.advice.cli import published as finding_row
from aitop.agents import answers
from aitop.agents.answers import UnknownError
from aitop.agents.processes import session_above, told_by_hooks
from aitop.config import ConfigError
from aitop.config import load as load_config
from aitop.history.query import between
from aitop.history.query.between import Named
from aitop.history.schema import HistoryError
from aitop.install import advised, files
from aitop.model import periods
from aitop.model.json_types import JsonObject
from aitop.model.sums import total
from aitop.pricing import table
from aitop.reports import catchup
from aitop.reports.rows import figures

READ_ONLY = ToolAnnotations(read_only_hint=True, open_world_hint=False)
INSTRUCTIONS = (
    "What AI coding costs on this machine, while it happens. Money is USD at list prices, times are epoch seconds. "
    "Ask `this_session` for your own cost, `budgets` and `limits` before long work, `cost_since` after a task."
)
DAYS = 30  # of advice


def server(*, hide_names: bool) -> MCPServer:
    """The server with its tools. `hide_names`: without names of projects, folders, branches, tags and budgets."""
    made = MCPServer("aitop", version=__version__, instructions=INSTRUCTIONS, log_level="WARNING")
    questions = Questions(hide_names=hide_names)
    for question in (
        questions.spend, questions.budgets, questions.limits, questions.this_session,
        questions.session, questions.cost_since, questions.advice,
    ):  # fmt: skip
        made.tool(annotations=READ_ONLY)(question)
    return made


class Questions:
    """The tools. A tool's docstring is what the agent reads about it."""

    def __init__(self, *, hide_names: bool) -> None:
        self._hide = hide_names

    def spend(self) -> JsonObject:
        """What all AI coding on this machine spends: the last 1, 5 and 15 minutes, today, this week, this month,
        the forecast of their ends, and alerts. `coverage` counts responses that are estimated or a lower bound.
        """
        return answers.spend(_state(), hide_names=self._hide)

    def budgets(self) -> JsonObject:
        """The user's budgets: limit, used, left, and when each begins anew. `over` is true for a spent one."""
        return answers.budgets(_state(), hide_names=self._hide)

    def limits(self) -> JsonObject:
        """The usage limits that clients report, such as the five-hour limit: percent used, seconds until the reset."""
        return answers.limits(_state(), time.time(), hide_names=self._hide)

    def this_session(self) -> JsonObject:
        """The cost, tokens and context of the session that asks, sub-agents included."""
        provider, identity = _asking()
        return self._session(provider, identity)

    def session(self, session_id: str) -> JsonObject:
        """The cost and tokens of one session, by the client's own id; the first eight characters are enough."""
        if len(session_id) < answers.SHORTEST_ID:
            raise ToolError(f"give at least {answers.SHORTEST_ID} characters of the session's id")
        with _History() as db:
            names = between.sessions_like(db, session_id)
        if not names:
            raise ToolError("no session has this id")
        if len(names) > 1:
            raise ToolError("several sessions begin with this id: give more of it")
        return self._session(*names[0])

    def cost_since(self, epoch_seconds: float, everything: bool = False) -> JsonObject:
        """What this session (with `everything`: all sessions) spent since a moment, for example since a task began.

        `now` in the answer is the moment to give at the end of the next task.
        """
        with _History() as db:
            names = between.active_since(db, epoch_seconds) if everything else [_asking()]
            parts = between.parts(db, names, epoch_seconds, float("inf"))
        return {"now": time.time(), "since": epoch_seconds, **figures(total(part.sum for part in parts))}

    def advice(self) -> JsonObject:
        """What could have cost less in the last 30 days: the evidence, the saving, what to do, how to check it."""
        try:
            config = load_config()
        except ConfigError as error:
            raise ToolError(str(error)) from error
        prices = table.load(config.price_overrides, paths.in_home(paths.PRICES))
        start = periods.midnight(datetime.now().date() - timedelta(days=DAYS))  # noqa: DTZ005 - local days
        rules = [rule for rule in all_rules.RULES if rule.id not in config["advise.disable"]]
        with _History() as db:
            least_usd = config["advise.least_usd"]
            findings = all_rules.findings(record.sessions(db, start, None), prices, rules, least_usd)
            commands, _ = offers.commands(
                db, findings, lambda: record.sessions(db, start, None), prices, least_usd, _book()
            )
        rows = [finding_row(one) | {"apply": commands.get(one.rule.id)} for one in findings]
        return answers.findings(rows, hide_names=self._hide)

    def _session(self, provider: str, identity: str) -> JsonObject:
        with _History() as db:
            parts = between.parts(db, [(provider, identity)], 0.0, float("inf"))
        state = published.read()
        live = None
        if published.is_fresh(state, time.time()):
            live = answers.session(state or {}, identity, hide_names=self._hide)
        whole = figures(total(part.sum for part in parts))
        return {"now": time.time(), "id": identity, "provider": provider, **whole, "live": live}


def _state() -> JsonObject:
    try:
        return answers.checked(published.read(), time.time())
    except UnknownError as error:
        raise ToolError(str(error)) from error


def _asking() -> Named:
    """The session of the client that started this server."""
    session = session_above(told_by_hooks(time.time()))
    if session is None:
        raise ToolError("the session that asks is unknown: `aitop install --write` lets its hooks tell it")
    return session


def _book() -> advised.Book:
    """What advice wrote; nothing where the record is damaged."""
    try:
        return advised.load()
    except files.Refused:
        return advised.Book()


class _History:
    """The history with everything the clients wrote so far, open for one question. Raises ToolError."""

    def __enter__(self) -> sqlite3.Connection:
        try:
            self._db = catchup.catch_up(_silent).db
        except (sqlite3.Error, HistoryError, catchup.NotReadyError, ConfigError) as error:
            raise ToolError(f"{answers.NO_HISTORY} ({error})") from error
        return self._db

    def __exit__(self, *_: object) -> None:
        self._db.close()


def _silent(done: int, whole: int) -> None:
    """No progress: standard output belongs to the protocol, and no person watches standard error."""
