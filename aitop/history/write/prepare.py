"""One run of a file worked out before the history is asked: keys, prices, columns.

What most of a first read needs is the same whatever the history holds, so helper processes do it and send plain
tuples, which cross a process border several times faster than events. What is not plain (a response of another
session, one still under way, a fact) stays an event. Pure: no database, no clock.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from aitop.history import keys
from aitop.history.columns import CHARS_PER_TOKEN
from aitop.history.rows import INCOMPLETE_AFTER, pack_modifiers, unpack_usage
from aitop.history.write.naming import is_joint, names_of
from aitop.model.events import Event, Place, Response, ToolUse
from aitop.pricing import cost
from aitop.pricing.table import PriceTable

# A plain response, as a tuple: what only the writer and `response` below need, then the stored columns in the order
# of COLUMNS. No other file holds it, no other session paid it, and it was not billed: those have their defaults.
NAMES, MODEL, OFFSET, UNDERSTATED, MESSAGE_ID, REQUEST_ID, RECORD_ID, PLACE, STORED = range(9)
COLUMNS = (
    "at, uncached, output, cache_read, write_5m, write_1h, reasoning, searches, modifiers, stop_reason, visible, "
    "agent, end, duration_ms, ttft_ms, cost, basis, incomplete, message_key, request_key"
)
(
    AT, UNCACHED, OUTPUT, CACHE_READ, WRITE_5M, WRITE_1H, REASONING, SEARCHES, MODIFIERS, STOP, VISIBLE, AGENT, END,
    DURATION, TTFT, COST, BASIS, INCOMPLETE, MESSAGE_KEY, REQUEST_KEY,
) = range(STORED, STORED + COLUMNS.count(",") + 1)  # fmt: skip
# A plain tool call.
KEY, NAME, TOOL_AT, ENDED_AT, FAILED, TOOL_ID, TOOL_AGENT = range(7)

Plain = tuple[Any, ...]


class Batch(NamedTuple):
    """What one run of a file's lines says about one session.

    Between processes `responses` and `tools` travel packed, and what they add up to beside them (`digest.Digest`).
    """

    prices: str  # fingerprint of the table that it is priced by
    session: str
    responses: list[Plain]  # in the file's order; none shares a key with one before it
    tools: list[Plain]
    rest: list[Event]
    packed: bytes | None = None
    digest: Any = None
    facts: bytes | None = None  # packed as well, in the place of `rest` where that is facts alone


def prepare(events: Iterable[Event], prices: PriceTable, now: float) -> Batch:
    """Sort a run's events into what is plain and the rest; `now` may be some seconds old."""
    responses: list[Plain] = []
    tools: list[Plain] = []
    rest: list[Event] = []
    session, seen = "", set[int]()
    for event in events:
        if isinstance(event, Response):
            session = session or event.session
            plain = _response(event, prices, now) if event.session == session else None
            if plain is not None and seen.isdisjoint(plain[NAMES]) and plain[REQUEST_KEY] not in seen:
                responses.append(plain)
                seen.update(plain[NAMES])
                continue
            names = names_of(event)
            seen.update(names.leading(named=names.message is not None))  # what shares a name comes after it
        elif isinstance(event, ToolUse):
            session = session or event.session
            call = _tool(event, now) if event.session == session else None
            if call is not None and call[KEY] not in seen:
                seen.add(call[KEY])
                tools.append(call)
                continue
        rest.append(event)
    return Batch(prices.fingerprint, session, responses, tools, rest)


def _response(r: Response, prices: PriceTable, now: float) -> Plain | None:
    """A response's columns; None for one that is not plain or may not be over."""
    (_, at, model, usage, message_id, request_id, record_id, stop, paying, agent, visible, offset, end, also,
     duration, ttft, billed, place, claimed, credits_) = r  # fmt: skip
    if not 0 < at <= now or paying is not None or also:
        return None
    if billed is not None or claimed is not None or credits_ is not None:
        return None
    incomplete = stop is None
    if incomplete and now - at <= INCOMPLETE_AFTER:
        return None
    request = keys.key("r", request_id) if request_id else None
    if message_id and request_id and is_joint(message_id, request_id):
        return None  # another file may call it by its message id alone
    if message_id:
        name = message = keys.key("m", message_id)
    elif request is not None:
        return None  # which response that is, the history has to say
    else:
        name, message = keys.key("u", record_id), None
    priced, basis = cost.price(prices, model, usage, at)
    return (
        (name,), model, offset, incomplete and visible > 2 * CHARS_PER_TOKEN * usage[1], message_id, request_id,
        record_id, place,
        at, *usage[:7], pack_modifiers(usage), stop, visible, agent, end, duration, ttft, priced, int(basis),
        incomplete, message, request,
    )  # fmt: skip


def _tool(use: ToolUse, now: float) -> Plain | None:
    """A tool call's columns; None for one with odd times."""
    _, at, identity, name, agent, ended, failed = use
    if not 0 < at <= now or (ended is not None and ended > now):
        return None
    return keys.key("t", identity), name or "unknown", at, ended, failed, identity, agent


def response(session: str, plain: Plain) -> Response:
    """The event that a plain response was made from."""
    place = plain[PLACE]
    return Response(
        session, plain[AT], plain[MODEL], unpack_usage(plain[UNCACHED:MODIFIERS], plain[MODIFIERS]),
        plain[MESSAGE_ID], plain[REQUEST_ID], plain[RECORD_ID], plain[STOP], None, plain[AGENT], plain[VISIBLE],
        plain[OFFSET], plain[END], (), plain[DURATION], plain[TTFT], None, Place(*place) if place else None,
    )  # fmt: skip


def tool(session: str, plain: Plain) -> ToolUse:
    """The event that a plain tool call was made from."""
    return ToolUse(
        session,
        plain[TOOL_AT],
        plain[TOOL_ID],
        plain[NAME],
        plain[TOOL_AGENT],
        plain[ENDED_AT],
        plain[FAILED],
    )


def events(batch: Batch) -> list[Event]:
    """Everything that a batch which is not packed holds, as events."""
    return in_order(batch.session, batch.responses, batch.tools, batch.rest)


def in_order(session: str, responses: list[Plain], tools: list[Plain], rest: list[Event]) -> list[Event]:
    """As events; responses in the order of their last lines, for the last line of a file wins."""
    ordered = [response(session, plain) for plain in responses] + [e for e in rest if isinstance(e, Response)]
    ordered.sort(key=lambda r: r.end)
    others = [e for e in rest if not isinstance(e, Response)]
    return [*ordered, *(tool(session, plain) for plain in tools), *others]
