"""The rows that a number was added from: responses, tool calls, errors, side calls, and their sum above them."""

import sqlite3

from aitop.history.query import singles, spans
from aitop.history.query.singles import Before
from aitop.history.query.spans import QUARTER, Span
from aitop.model.events import Place
from aitop.model.json_types import JsonObject
from aitop.model.sums import Sum
from aitop.pricing.basis import Basis
from aitop.reports.ask import Asker
from aitop.reports.rows import project, usd
from aitop.web import narrow, params
from aitop.web.answers.asked import Asked, money
from aitop.web.params import BadAddressError, Part

PAGE = 100
KINDS = ("responses", "calls", "errors", "untracked")
BASES = {Basis.LISTED: "listed", Basis.FAMILY: "family", Basis.UNPRICED: "unpriced", Basis.CLIENT: "client"}


def rows(db: sqlite3.Connection, asked: Asked) -> JsonObject:
    """One page of rows, the newest first. Raises BadAddressError, sqlite3.Error."""
    part = params.part(asked.query, asked.now)
    kind = params.choice(asked.query, "of", KINDS)
    asker = narrow.asker(db, asked.config, part, asked.tags)
    start, end = part.span()
    known = spans.bounds(db) or (0, 0)
    span = (known[0] if start is None else start, known[1] if end is None else end)
    before = _before(asked.query.get("before"))
    narrow_span = _of_session(asker, part, span)
    agent = _agent(asked, part, kind)
    found = _page(db, asker, kind, narrow_span, before, asked.query.get("tool") or None, agent)
    return {
        "kind": kind,
        "span": [start, end],
        "total": asker.figures(total(db, asker, span))
        if agent is None
        else _of_agent(db, asker, narrow_span, agent),
        "rows": found,
        "next": found[-1]["key"] if len(found) == PAGE and "key" in found[-1] else None,
        "money": money(db, asked),
    }


def total(db: sqlite3.Connection, asker: Asker, span: Span) -> Sum:
    """Everything of a span: from the stored sums where it falls on quarter hours, else from the rows themselves."""
    if span[0] % QUARTER == 0 and span[1] % QUARTER == 0:
        return next(iter(spans.sums(db, [span], asker.only)))
    return singles.exact(db, span, asker.only)


def _agent(asked: Asked, part: Part, kind: str) -> str | None:
    """The one agent that is asked for, "" for the main thread. Raises BadAddressError."""
    agent = asked.query.get("agent")
    if agent is not None and (part.session is None or kind != "responses"):
        raise BadAddressError("agent: it needs a session, and has responses alone")
    return agent


def _of_agent(db: sqlite3.Connection, asker: Asker, span: Span, agent: str) -> JsonObject:
    """Its sum; what is known of no agent is null."""
    found = asker.figures(singles.of_agent(db, span, asker.only, agent))
    return found | {"tool_calls": None, "tool_failures": None, "errors": None, "untracked_usd": None,
                    "spent_usd": found["cost_usd"]}  # fmt: skip


def _of_session(asker: Asker, part: Part, span: Span) -> Span:
    """The part of a span in which the one session that is asked for was active."""
    if part.session is None:
        return span
    mine = [f for f in asker.facts.values() if f.name == part.session and part.provider in (None, f.provider)]
    first = min((f.started_at or 0.0 for f in mine), default=0.0)
    return max(span[0], first), min(span[1], max((f.last_at or span[1] for f in mine), default=span[1]) + 1)


def _page(
    db: sqlite3.Connection,
    asker: Asker,
    kind: str,
    span: Span,
    before: Before | None,
    tool: str | None,
    agent: str | None,
) -> list[JsonObject]:
    if kind == "responses":
        places = spans.places(db)
        found = singles.responses(db, span, asker.only, before, PAGE, agent)
        return [_response(asker, places, one) for one in found]
    if kind == "calls":
        return [
            {"key": f"{call.at!r},{call.id}", "at": call.at, "tool": call.name, "took_ms": call.took,
             "failed": call.failed, **_session(asker, call.session)}
            for call in singles.calls(db, span, asker.only, before, PAGE, tool)
        ]  # fmt: skip
    if kind == "errors":
        return [
            {"key": f"{bad.at!r},{bad.id}", "at": bad.at, "what": bad.what, **_session(asker, bad.session)}
            for bad in singles.errors(db, span, asker.only, before, PAGE)
        ]
    return [
        {"at": one.at, "model": one.model or None, "cost_usd": usd(one.picodollars), **_session(asker, one.session)}
        for one in singles.side_calls(db, span, asker.only, PAGE)
    ]  # fmt: skip


def _response(asker: Asker, places: dict[int, Place], one: singles.One) -> JsonObject:
    place = places.get(one.place)
    return {
        "key": f"{one.at!r},{one.id}",
        "at": one.at,
        "model": one.model,
        "agent": one.agent,
        "input_tokens": one.input,
        "uncached_input_tokens": one.uncached,
        "cache_read_tokens": one.cache_read,
        "cache_write_tokens": one.write_5m + one.write_1h,
        "output_tokens": one.output,
        "cost_usd": None if one.basis == Basis.UNPRICED else usd(one.cost),
        "price": BASES.get(Basis(one.basis)),
        "stop_reason": one.stop_reason,
        "duration_ms": one.duration_ms,
        "ttft_ms": one.ttft_ms,
        **_session(asker, one.session),
        **({"project": project(place.cwd), "cwd": place.cwd, "branch": place.branch} if place else {}),
    }


def _session(asker: Asker, number: int) -> JsonObject:
    f = asker.facts[number]
    return {
        "session": f.name,
        "provider": f.provider,
        "project": project(f.cwd) if f.cwd else None,
        "cwd": f.cwd,
        "branch": f.branch,
    }


def _before(text: str | None) -> Before | None:
    if not text:
        return None
    at, _, number = text.partition(",")
    try:
        return float(at), int(number)
    except ValueError as error:
        raise BadAddressError("before: it is no place in this list") from error
