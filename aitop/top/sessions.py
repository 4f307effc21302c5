"""The sessions as rows: published numbers, and beneath them the sub-agents the history knows. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from aitop.history.query.session_detail import Agent
from aitop.model.json_types import JsonObject
from aitop.segments import fields, humanize, money
from aitop.segments.text import clean
from aitop.top.choices import Choices
from aitop.top.paint import Glyphs, Line, Span, span
from aitop.top.table import Bar, Column, Row

RESTING = 600.0  # seconds of rest after which a session no longer counts as active
Key = tuple[str, str]  # provider, id
COLUMNS = (
    Column("status", "STATUS", 9, 2, numeric=False),
    Column("project", "PROJECT", 12, 0, numeric=False, most=34),
    Column("branch", "BRANCH", 8, 11, numeric=False, most=28),
    Column("model", "MODEL", 10, 6, numeric=False, most=20),
    Column("tag", "TAG", 8, 14, numeric=False, most=16),
    Column("duration", "TIME", 6, 9),
    Column("last", "LAST", 5, 7),
    Column("requests", "REQ", 5, 8),
    Column("input", "INPUT", 6, 10),
    Column("output", "OUTPUT", 6, 12),
    Column("hits", "CACHE", 5, 16),
    Column("cost", "SPENT", 9, 1),
    Column("hourly", "$/H 5M", 8, 3),
    Column("context", "CONTEXT", 10, 4, most=22),
    Column("tools", "TOOLS", 6, 15),
    Column("errors", "ERRORS", 6, 5),
    Column("agents", "AGENTS", 6, 13),
    Column("latency", "MEDIAN", 6, 17),
    Column("ttft", "FIRST", 6, 18),
    Column("speed", "TOK/S", 6, 19),
)
STYLES = {"working": "good", "waiting": "warning", "idle": "", "ended": "dim"}


def rows(
    state: JsonObject,
    choices: Choices,
    hourly: Mapping[Key, float],
    agents: Mapping[Key, list[Agent]],
    glyphs: Glyphs,
) -> list[Row]:
    """The sessions the user wants to see, in the published order, each followed by its unfolded agents."""
    now = written(state)
    shown: list[Row] = []
    spent = [money.spent(session) or 0.0 for session in fields.rows(state.get("sessions"))]
    exact = 0 < max(spent, default=0.0) < 1  # four decimals while two would say nothing
    for session in fields.rows(state.get("sessions")):
        if wanted(session, choices.shown, now):
            shown.append(_row(state, session, hourly, choices, glyphs, now, exact=exact))
            if shown[-1].key in choices.unfolded:
                shown += _children(
                    state, shown[-1].key, agents.get(named(session), []), now, glyphs, exact=exact
                )
    return shown


def written(state: JsonObject) -> float:
    """The moment the numbers are of."""
    return float(humanize.number(state.get("written_at")) or 0.0)


def named(session: JsonObject) -> Key:
    return str(session.get("provider") or ""), str(session.get("id") or "")


def key_of(session: JsonObject) -> str:
    return "\t".join(named(session))


def found(state: JsonObject, key: str) -> JsonObject | None:
    """The session a row stands for; a sub-agent's row stands for its parent."""
    wanted_key = "\t".join(key.split("\t")[:2])
    return next((s for s in fields.rows(state.get("sessions")) if key_of(s) == wanted_key), None)


def is_active(session: JsonObject, now: float) -> bool:
    if isinstance(session.get("active"), bool):
        return session["active"] is True
    last = humanize.number(session.get("last_activity_at")) or 0.0
    status = session.get("status")
    return status in ("working", "waiting") or (status == "idle" and now - last < RESTING)


def wanted(session: JsonObject, shown: str, now: float) -> bool:
    if shown == "all":
        return True
    return is_active(session, now) or (shown == "idle" and session.get("status") == "idle")


def hidden(state: JsonObject, shown: str) -> int:
    """How many sessions the choice leaves out."""
    now = written(state)
    return sum(not wanted(session, shown, now) for session in fields.rows(state.get("sessions")))


def name_of(session: JsonObject, width: int = 60) -> str:
    return clean(session.get("project"), width) or clean(session.get("id"), 8) or "session"


def _row(
    state: JsonObject, session: JsonObject, hourly: Mapping[Key, float], choices: Choices,
    glyphs: Glyphs, now: float, *, exact: bool,
) -> Row:  # fmt: skip
    values = _values(session, hourly, now)
    status = str(values["status"])
    sums = fields.session_sums(state, session)
    subagents = values["agents"] or 0
    fold = "" if not subagents else glyphs.tree[key_of(session) in choices.unfolded] + " "
    burn = values["hourly"]
    level = fields.level_of(burn, fields.bounds(state, "burn"))
    calm = "dim" if status == "ended" else ""
    shown: dict[str, Line | Bar] = {
        "status": span(f"{glyphs.marks.get(status, '?')} {clean(status, 7)}", STYLES.get(status, "")),
        "project": (Span(fold, "accent", "fold"), Span(name_of(session), calm or "name")),
        "branch": span(clean(session.get("branch"), 40), calm or "branch"),
        "model": span(fields.short_model(session.get("model")), calm or "model"),
        "tag": span(clean(session.get("tag"), 24), "accent"),
        "duration": span(_stretch(values["duration"]), calm),
        "last": span(humanize.age(values["last_age"]), calm),
        "requests": span(humanize.count(values["requests"]), calm),
        "input": span(humanize.count(values["input"]), calm),
        "output": span(humanize.count(values["output"]), calm),
        "hits": span(humanize.share(values["hits"]), calm),
        "cost": span(money.of(state, values["cost"], sums, exact=exact), calm or "money"),
        "hourly": span(money.of(state, burn, sums) if burn else "", level or "money"),
        "context": _context(state, session, calm),
        "tools": span(humanize.count(values["tools"]), calm),
        "errors": span(humanize.count(values["errors"]), "critical" if values["errors"] else "dim"),
        "agents": span(humanize.count(subagents) if subagents else "", "accent"),
        "latency": span(_took(values["latency"]), calm),
        "ttft": span(_took(values["ttft"]), calm),
        "speed": span("" if values["speed"] is None else humanize.rate(values["speed"]), calm),
    }
    return Row(key_of(session), shown, values)


def _values(session: JsonObject, hourly: Mapping[Key, float], now: float) -> JsonObject:
    """The numbers behind a row; what the state does not say is None."""
    number = humanize.number
    started, last = number(session.get("started_at")), number(session.get("last_activity_at"))
    taken, read = number(session.get("input_tokens")), number(session.get("cache_read_tokens"))
    end = last if session.get("status") == "ended" else now
    return {
        "status": clean(session.get("status"), 12),
        "project": name_of(session),
        "branch": clean(session.get("branch"), 60),
        "model": clean(session.get("model"), 60),
        "tag": clean(session.get("tag"), 40),
        "id": clean(session.get("id"), 64),
        "provider": clean(session.get("provider"), 32),
        "started_at": started,
        "last": last,
        "last_age": None if last is None else now - last,
        "duration": None if started is None or end is None else max(0.0, end - started),
        "requests": number(session.get("requests")),
        "input": taken,
        "output": number(session.get("output_tokens")),
        "cache_read": read,
        "cache_write": number(session.get("cache_write_tokens")),
        "hits": read / taken if read is not None and taken else None,
        "cost": money.spent(session),
        "hourly": hourly.get(named(session), 0.0),
        "context": number(session.get("context_percent")),
        "context_tokens": number(session.get("context_tokens")),
        "tools": number(session.get("tool_calls")),
        "errors": number(session.get("errors")),
        "agents": number(session.get("subagents")),
        "latency": number(session.get("duration_p50_ms")),
        "ttft": number(session.get("ttft_p50_ms")),
        "speed": number(session.get("output_tokens_per_second_p50")),
    }


def _took(milliseconds: float | None) -> str:
    return "" if milliseconds is None else humanize.took(milliseconds)


def _stretch(seconds: float | None) -> str:
    if seconds is not None and seconds < 60:
        return f"{int(seconds)}s"
    return humanize.duration(seconds)


def _context(state: JsonObject, session: JsonObject, calm: str) -> Line | Bar:
    """A bar and its percent."""
    filled = humanize.number(session.get("context_percent"))
    if filled is None:
        return span("-", "dim")
    level = fields.level_of(filled, fields.bounds(state, "context"))
    return Bar(filled / 100, calm or level or "good", humanize.percent(filled), calm or level)


def _children(
    state: JsonObject, parent: str, agents: list[Agent], now: float, glyphs: Glyphs, *, exact: bool
) -> list[Row]:
    """A session's sub-agents, dearest first."""
    children = []
    for number, agent in enumerate(agents):
        branch = glyphs.tree[3 if number == len(agents) - 1 else 2]
        sums = {"unpriced_requests": agent.sum.unpriced_requests,
                "estimated_requests": agent.sum.estimated_requests,
                "understated_requests": agent.sum.understated_requests}  # fmt: skip
        cost = agent.sum.cost / 1e12
        model = fields.short_model(agent.models.split(",", maxsplit=1)[0])
        shown: dict[str, Line | Bar] = {
            "project": (Span(f"  {branch} ", "frame"), Span(clean(agent.name, 24), "dim")),
            "model": span(model, "dim"),
            "duration": span(_stretch(agent.last_at - agent.started_at), "dim"),
            "last": span(humanize.age(now - agent.last_at), "dim"),
            "requests": span(humanize.count(agent.sum.requests), "dim"),
            "input": span(humanize.count(agent.sum.input_tokens), "dim"),
            "output": span(humanize.count(agent.sum.output_tokens), "dim"),
            "cost": span(money.of(state, cost, sums, exact=exact), "dim"),
        }
        values = {"project": clean(agent.name, 60), "model": clean(agent.models, 60), "cost": cost,
                  "requests": agent.sum.requests, "input": agent.sum.input_tokens,
                  "output": agent.sum.output_tokens, "cache_read": agent.sum.cache_read_tokens,
                  "cache_write": agent.sum.cache_write_tokens, "last": agent.last_at}  # fmt: skip
        children.append(Row(f"{parent}\t{agent.name}", shown, values, parent))
    return children
