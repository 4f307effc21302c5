"""Grok Build's updates → events. Pure: bytes in, events out, no clock, no I/O.

A `turn_completed` update holds what one prompt used, for each model: sums over its calls, spread evenly over them.
The input includes the cache, the output reasoning. It may come again, and the last one stands. A fork copies updates
under its own session; their event ids keep the session that paid. The calls for a title and a dashboard line are in
no update. Versions that write no `turn_completed` keep only a curve of the context; nothing is made of that. Fields
as written by 1.0.41. Must not keep any text.
"""

import os
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from aitop.model.events import Event, Place, Response, SessionInfo, Status, ToolResult, ToolUse, Usage
from aitop.providers import Parsed, Source, lines
from aitop.providers.lenient import MAX_TOKENS, epoch, milliseconds, table, text, word
from aitop.providers.running_sums import whole

HEAD = 400  # bytes of a line that tell its kind
MARKS = (b'"turn_completed"', b'"tool_call"', b'"tool_call_update"', b'"user_message_chunk"')
TICKS_PER_USD = 10_000_000_000
MAX_CALLS = 10_000
LEAVES = ("inputTokens", "outputTokens", "cachedReadTokens", "cacheCreationTokens", "reasoningTokens")
ENDED = ("completed", "failed")


def identify(path: str) -> Source:
    """The session by its folder. The note is the folder that the session works in, by the folder above."""
    folder = os.path.dirname(path)
    where = unquote(os.path.basename(os.path.dirname(folder)))
    return Source(os.path.basename(folder), None, where if where.startswith("/") else None)


def parse(data: bytes, start: int, source: Source) -> Parsed:  # noqa: ARG001
    """Read whole lines, each with its newline."""
    session, bad, first_at = source.session or "unknown", 0, None
    newest = 0.0
    events: list[Event] = []
    for _, record in lines.records(data, skip=_is_other):
        if record is None:
            bad += 1
            continue
        params = table(record.get("params"))
        meta = table(params.get("_meta"))
        at = epoch(meta.get("agentTimestampMs")) or epoch(record.get("timestamp"))
        if at is None:
            continue
        first_at, newest = first_at or at, max(newest, at)
        session = text(params.get("sessionId"), 128) or session
        paid = _made_by(text(meta.get("eventId"), 256), session)
        events += _told(table(params.get("update")), session, at, source.pending, paid)
    if events and source.pending:
        events.append(SessionInfo(session, newest, cwd=source.pending))
    return Parsed(events, bad, first_at, session, source.pending)


def _is_other(line: bytes) -> bool:
    head = line[:HEAD]
    return not any(mark in head for mark in MARKS)


def _made_by(event: str | None, session: str) -> str | None:
    """The session that made an update which a fork copied: its event's id keeps it. None for the session's own."""
    maker = (event or "").rpartition("-")[0]
    return maker if len(maker) == len(session) and maker != session else None


def _told(
    update: Mapping[str, object], session: str, at: float, cwd: str | None, paid: str | None
) -> Iterator[Event]:
    kind, call = update.get("sessionUpdate"), text(update.get("toolCallId"), 128)
    if kind == "user_message_chunk":
        yield Status(session, at, "working", "prompt", live=False)
    elif kind == "tool_call" and call:
        # The title is the tool's name here; an update's may be a sentence.
        yield ToolUse(session, at, f"{paid or session}:{call}", word(update.get("title")) or "unknown")
    elif kind == "tool_call_update" and call and update.get("status") in ENDED:
        yield ToolResult(session, at, f"{paid or session}:{call}", "", update.get("status") == "failed")
    elif kind == "turn_completed":
        yield Status(session, at, "idle", "answer", live=False)
        yield from _turn(update, session, at, cwd, paid)


def _turn(
    update: Mapping[str, object], session: str, at: float, cwd: str | None, paid: str | None
) -> Iterator[Response]:
    usage = table(update.get("usage"))
    models = {name: table(one) for name, one in table(usage.get("modelUsage")).items() if name}
    # Sums without a model are of the session's; only they are there where the client knows no model.
    parts = models if any(_leaves(one) for one in models.values()) else {"unknown": usage}
    prompt = text(update.get("prompt_id"), 128) or f"{session}:{at:.3f}"
    why = word(update.get("stop_reason")) or "end_turn"
    for model, part in parts.items():
        leaves = _leaves(part)
        if not leaves:
            continue
        calls = max(1, min(whole(part.get("modelCalls")), MAX_CALLS), 1 + max(leaves) // (MAX_TOKENS // 2))
        took = part.get("apiDurationMs")
        duration = milliseconds(float(took) / calls) if type(took) is int and calls == 1 else None
        ticks = whole(part.get("costUsdTicks"))
        for one in range(calls):
            share = [total // calls + (total % calls if one == 0 else 0) for total in leaves]
            usd = ticks / TICKS_PER_USD / calls if ticks else None
            yield Response(
                session, at, model[:256], _usage(share), f"{prompt}:{model}:{one}", stop_reason=why,
                place=Place(cwd) if cwd else None, duration_ms=duration, client_usd=usd, paying_session=paid,
            )  # fmt: skip


def _leaves(part: Mapping[str, object]) -> list[int]:
    """The sums in the order of LEAVES; none where all are 0."""
    counts = [whole(part.get(leaf)) for leaf in LEAVES]
    return counts if any(counts) else []


def _usage(leaves: list[int]) -> Usage:
    all_input, output, cached, written, reasoning = leaves
    cached = min(cached, all_input)
    written = min(written, all_input - cached)
    return Usage(all_input - cached - written, output, cached, written, 0, min(reasoning, output))
