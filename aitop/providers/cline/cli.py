"""Cline's own program: a session's `ID.messages.json` → events.

Each assistant message with `metrics` is one API response; its input includes the cache, whichever API it was. A
sub-agent has a file of its own in its parent's folder, so the sums that the session's own file keeps
(`aggregateUsage`) are not read: they hold it too. Fields as written by 3.0.65. Must not keep any text.
"""

import os
from collections.abc import Iterator

from aitop.model.events import Event, Place, Response, SessionInfo, Status, ToolUse, Usage
from aitop.model.json_types import JsonObject
from aitop.providers import Parsed, Source, documents
from aitop.providers.lenient import count, epoch, rows, table, text
from aitop.providers.local_models import is_local

ENDING = ".messages.json"
AGAIN = 600.0  # seconds
DONE = "completed"
MAX_USD = 1e6


def identify(path: str) -> Source:
    """The session by the folder; a sub-agent by a file that is not named as its folder."""
    folder, name = os.path.split(path)
    session, own = os.path.basename(folder), name.removesuffix(ENDING)
    return Source(session, None if own == session else own)


def read(path: str, source: Source) -> Iterator[Parsed]:
    """The session, from a while before the note on: the time of the newest message seen. Raises OSError."""
    value = documents.load(path).value
    if not isinstance(value, dict):
        yield Parsed([], 0, None, source.session, source.pending, documents.NOT_WHOLE)
        return
    messages = [table(one) for one in rows(value.get("messages"))]
    session = source.session or "unknown"
    own = documents.beside(path, f"{session}.json")
    cwd = text(own.get("cwd"), 4096)
    seen = float(source.pending or 0)
    events: list[Event] = []
    newest, first_at = seen, None
    for number, message in enumerate(messages):
        at = epoch(message.get("ts"))
        if at is None:
            continue
        first_at = first_at or at
        newest = max(newest, at)
        if at >= seen - AGAIN:
            events += _told(message, session, source.agent, at, cwd, number)
    if source.agent is None and messages:
        pid = own.get("pid")
        events.append(
            SessionInfo(
                session, newest, cwd=cwd, model=text(own.get("model")), pid=pid if type(pid) is int else None
            )
        )
        ended = text(own.get("ended_at")) is not None
        working = not ended and (messages[-1].get("role") == "user" or _calls(messages[-1]))
        events.append(
            Status(
                session,
                newest,
                "ended" if ended else "working" if working else "idle",
                "messages",
                live=False,
            )
        )
    yield Parsed(events, 0, first_at, session, f"{newest:.3f}")


def _told(
    message: JsonObject, session: str, agent: str | None, at: float, cwd: str | None, number: int
) -> Iterator[Event]:
    if message.get("role") != "assistant":
        return
    info, metrics = table(message.get("modelInfo")), table(message.get("metrics"))
    model = text(info.get("id")) or "unknown"
    whole, output = count(metrics.get("inputTokens")), count(metrics.get("outputTokens"))
    read, written = count(metrics.get("cacheReadTokens")), count(metrics.get("cacheWriteTokens"))
    if whole or output or read or written:
        fresh = whole - read - written if whole >= read + written else whole
        usd = metrics.get("cost")
        has_cost = type(usd) in (int, float) and isinstance(usd, int | float) and 0 < usd < MAX_USD
        yield Response(
            session, at, model, Usage(fresh, output, read, written),
            f"{text(message.get('id'), 64) or number}:{at:.3f}", stop_reason=DONE, agent=agent,
            place=Place(cwd) if cwd else None,
            billed_usd=0.0 if is_local(info.get("provider"), model) else None,
            client_usd=float(usd) if has_cost and isinstance(usd, int | float) else None,
        )  # fmt: skip
    for one in _calls(message):
        call = text(one.get("id"), 128) or str(number)
        yield ToolUse(session, at, f"{session}:{call}:{at:.3f}", text(one.get("name")) or "unknown", agent)


def _calls(message: JsonObject) -> list[JsonObject]:
    return [one for one in map(table, rows(message.get("content"))) if one.get("type") == "tool_use"]
