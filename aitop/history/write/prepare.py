"""One run of a file worked out before anyone asks the history: keys, prices, columns.

What most of a first read needs is the same whatever the history holds, so helper processes do it and
send plain tuples, which cross a process border several times faster than events. What is not plain
(a response of another session, one still under way, a fact) stays an event. Pure: no database, no clock.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from aitop.history import keys
from aitop.history.columns import CHARS_PER_TOKEN
from aitop.history.rows import INCOMPLETE_AFTER, pack_modifiers, unpack_usage
from aitop.model.events import Event, Response, ToolUse
from aitop.pricing import cost
from aitop.pricing.table import PriceTable

# A response: its keys, model, offset, whether understated; then what is stored, in this order. No other
# file tells of it, no other session paid it, and nobody billed it: those columns have their plain values.
NAMES, MODEL, OFFSET, UNDERSTATED, STORED = range(5)
COLUMNS = (
    "at, uncached, output, cache_read, write_5m, write_1h, reasoning, searches, modifiers, stop_reason, visible, "
    "agent, end, duration_ms, ttft_ms, cost, basis, incomplete, message_id, request_id, record_id"
)
AT, UNCACHED, OUTPUT, CACHE_READ, WRITE_5M, WRITE_1H = range(STORED, STORED + 6)
MODIFIERS, STOP, VISIBLE, AGENT = range(STORED + 8, STORED + 12)
END, DURATION, TTFT, COST, BASIS, INCOMPLETE, MESSAGE_ID, REQUEST_ID, RECORD_ID = range(
    STORED + 12, STORED + 21
)
# A tool call.
KEY, NAME, TOOL_AT, ENDED_AT, FAILED, TOOL_ID, TOOL_AGENT = range(7)

Told = tuple[Any, ...]


class Batch(NamedTuple):
    """What one run of a file's lines tells of one session."""

    prices: str  # fingerprint of the table that it is priced by
    session: str
    responses: list[Told]  # in the file's order; none shares a key with one before it
    tools: list[Told]
    rest: list[Event]


def prepare(events: Iterable[Event], prices: PriceTable, now: float) -> Batch:
    """Sort a run's events into what is plain and the rest; `now` may be some seconds old."""
    responses: list[Told] = []
    tools: list[Told] = []
    rest: list[Event] = []
    session, seen = "", set[int]()
    for event in events:
        if isinstance(event, Response):
            session = session or event.session
            names = names_of(event)
            told = _response(event, names, prices, now) if event.session == session else None
            if told is not None and seen.isdisjoint(names):
                responses.append(told)
                seen.update(names)
                continue
            seen.update(names)  # whatever shares a name with it later comes after it
        elif isinstance(event, ToolUse):
            session = session or event.session
            call = _tool(event, now) if event.session == session else None
            if call is not None and call[KEY] not in seen:
                seen.add(call[KEY])
                tools.append(call)
                continue
        rest.append(event)
    return Batch(prices.fingerprint, session, responses, tools, rest)


def _response(r: Response, names: list[int], prices: PriceTable, now: float) -> Told | None:
    """A response's columns; None for one that is not plain or may not be over."""
    (_, at, model, usage, message_id, request_id, record_id, stop, paying, agent, visible, offset, end, also,
     duration, ttft, billed, _, client) = r  # fmt: skip
    if not 0 < at <= now or paying is not None or also or billed is not None or client is not None:
        return None
    incomplete = stop is None
    if incomplete and now - at <= INCOMPLETE_AFTER:
        return None
    priced, basis = cost.price(prices, model, usage, at)
    return (
        names, model, offset, incomplete and visible > 2 * CHARS_PER_TOKEN * usage[1],
        at, *usage[:7], pack_modifiers(usage), stop, visible, agent, end, duration, ttft, priced,
        int(basis), incomplete, message_id, request_id, None if message_id or request_id else record_id,
    )  # fmt: skip


def _tool(use: ToolUse, now: float) -> Told | None:
    """A tool call's columns; None for one whose times are odd."""
    _, at, identity, name, agent, ended, failed = use
    if not 0 < at <= now or (ended is not None and ended > now):
        return None
    return keys.key("t", identity), name or "unknown", at, ended, failed, identity, agent


def names_of(r: Response) -> list[int]:
    """The keys a response is found by: both of its ids, else the record's own."""
    found = []
    if r.message_id:
        found.append(keys.key("m", r.message_id))
    found += [keys.key("m", name) for name in r.also]
    if r.request_id:
        found.append(keys.key("r", r.request_id))
    return found or [keys.key("u", r.record_id)]


def response(session: str, told: Told) -> Response:
    """The event that was told."""
    return Response(
        session, told[AT], told[MODEL], unpack_usage(told[UNCACHED:MODIFIERS], told[MODIFIERS]), told[MESSAGE_ID],
        told[REQUEST_ID], told[RECORD_ID] or "", told[STOP], None, told[AGENT], told[VISIBLE], told[OFFSET],
        told[END], (), told[DURATION], told[TTFT], None,
    )  # fmt: skip


def tool(session: str, told: Told) -> ToolUse:
    """The event that was told."""
    return ToolUse(
        session, told[TOOL_AT], told[TOOL_ID], told[NAME], told[TOOL_AGENT], told[ENDED_AT], told[FAILED]
    )


def events(found: Batch) -> list[Event]:
    """Everything that was told, as events."""
    return in_order(found.session, found.responses, found.tools, found.rest)


def in_order(session: str, responses: list[Told], tools: list[Told], rest: list[Event]) -> list[Event]:
    """As events; responses in the order of their last lines, for the last line of a file wins."""
    ordered = [response(session, told) for told in responses] + [e for e in rest if isinstance(e, Response)]
    ordered.sort(key=lambda r: r.end)
    others = [e for e in rest if not isinstance(e, Response)]
    return [*ordered, *(tool(session, told) for told in tools), *others]
