"""Prepared runs as they travel from a helper to the writer, and as their rows wait there: plain values, marshalled.

That takes a fifth of the time that pickling named tuples does. Both ends are the same program, since a helper is a
fork; nothing of this is ever stored. What marshal cannot hold (an event of another package's provider that is made
of a class of its own) is pickled. Pure.
"""

import marshal
from typing import Any

from aitop.history.write import digest, prepare
from aitop.history.write.digest import Digest
from aitop.history.write.prepare import Batch, Plain
from aitop.model.events import (
    ApiError,
    Compaction,
    ContextSize,
    Event,
    PullRequest,
    SessionInfo,
    Status,
    ToolResult,
    ToolUse,
)

# Versions of marshal's format. The later one writes a shared object once, and takes twice as long.
QUICK, SMALL = 2, 4
MARSHALLED, PICKLED = b"m", b"p"
FLAT: Plain = (
    Status, SessionInfo, ToolResult, ToolUse, ApiError, Compaction, ContextSize, PullRequest,
)  # fmt: skip
_NUMBER = {kind: number for number, kind in enumerate(FLAT)}
_NOT_FLAT = -1
FACTS = frozenset((_NUMBER[Status], _NUMBER[SessionInfo]))  # they move no sum


def dumps(value: Plain | list[Plain], version: int = QUICK) -> bytes:
    """A value made of plain tuples, lists, dicts, texts and numbers, as bytes."""
    try:
        return MARSHALLED + marshal.dumps(value, version)
    except ValueError:
        import pickle

        return PICKLED + pickle.dumps(value, protocol=5)


def loads(data: "bytes | memoryview") -> Any:
    """The value. Only for what `dumps` made in this program."""
    if data[:1] == MARSHALLED:
        return marshal.loads(memoryview(data)[1:])  # noqa: S302 - written by a helper of our own
    import pickle

    return pickle.loads(memoryview(data)[1:])  # noqa: S301 - the same


def packed(batch: Batch) -> Batch:
    """A batch with its rows as bytes, and what they add up to beside them."""
    if not batch.responses and not batch.tools:
        return batch
    rows = dumps(([_flat_place(plain) for plain in batch.responses], batch.tools), SMALL)
    what = digest.of(batch.responses, batch.tools)
    return Batch(batch.prices, batch.session, [], [], batch.rest, rows, what)


def unpacked(batch: Batch) -> Batch:
    """The same with its rows in `responses` and `tools`."""
    if batch.packed is None:
        return batch
    responses, tools = rows_of(batch.packed)
    rest = [*batch.rest, *facts_of(batch.facts)]
    return Batch(batch.prices, batch.session, responses, tools, rest)


def rows_of(packed_rows: bytes) -> tuple[list[Plain], list[Plain]]:
    """The responses and tool calls of a packed batch."""
    responses, tools = loads(packed_rows)
    return responses, tools


def sent(batch: Batch) -> Plain:
    """A packed batch as plain values."""
    what = batch.digest
    if what is not None:
        what = (*what,)
    rest = [_flat(event) for event in batch.rest]
    if what is not None and rest and all(flat[0] in FACTS for flat in rest):
        return batch.prices, batch.session, [], batch.packed, what, dumps(rest)
    return batch.prices, batch.session, rest, batch.packed, what, None


def received(plain: Plain) -> Batch:
    """The packed batch again."""
    prices, session, rest, packed_rows, what, facts = plain
    if what is not None:
        what = Digest._make(what)
    return Batch(prices, session, [], [], [_event(flat) for flat in rest], packed_rows, what, facts)


def facts_of(packed_facts: bytes | None) -> list[Event]:
    """The facts of a packed batch."""
    return [_event(flat) for flat in loads(packed_facts)] if packed_facts is not None else []


def _flat(event: Event) -> Plain:
    number = _NUMBER.get(type(event))
    if number is not None:
        return number, *event
    import pickle

    return _NOT_FLAT, pickle.dumps(event, protocol=5)


def _event(flat: Plain) -> Event:
    number, *fields = flat
    if number != _NOT_FLAT:
        return FLAT[number]._make(fields)  # type: ignore[no-any-return]
    import pickle

    return pickle.loads(fields[0])  # type: ignore[no-any-return]  # noqa: S301 - pickled by a helper of our own


def _flat_place(plain: Plain) -> Plain:
    place = plain[prepare.PLACE]
    return plain if place is None else (*plain[: prepare.PLACE], (*place,), *plain[prepare.STORED :])
