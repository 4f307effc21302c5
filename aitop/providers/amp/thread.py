"""Amp's threads → events: a JSON document for each, rewritten at each change.

Where a thread has a `usageLedger`, each of its events is one call, with the cache in the usage of the message it led
to. Older threads have the usage in their messages alone. Credits are a hundredth of a dollar each, as Amp says, and
what was billed; without credits the call went through a key of the user's. Newer threads are kept on Amp's servers:
this is history only. Must not keep any text.
"""

import os
from collections.abc import Iterator, Mapping
from urllib.parse import unquote, urlsplit

from aitop.model.events import Event, Place, Response, SessionInfo, Usage
from aitop.model.json_types import JsonObject
from aitop.providers import Parsed, Source, documents
from aitop.providers.lenient import count, epoch, rows, table, text

DONE = "completed"
MAX_CREDITS = 1e6
CREDITS_PER_USD = 100


def identify(path: str) -> Source:
    return Source(os.path.basename(path).removesuffix(".json"), None)


def read(path: str, source: Source) -> Iterator[Parsed]:
    """The whole thread; the names of its calls make each count once. Raises OSError."""
    thread = documents.load(path).value
    if not isinstance(thread, dict):
        yield Parsed([], 0, None, source.session, None, documents.NOT_WHOLE)
        return
    session = text(thread.get("id"), 128) or source.session or "unknown"
    began = epoch(thread.get("created"))
    messages = [table(one) for one in rows(thread.get("messages"))]
    cwd = _folder(thread)
    ledger = rows(table(thread.get("usageLedger")).get("events"))
    if ledger:
        usages = {_id(one.get("messageId")): table(one.get("usage")) for one in messages}
        calls = [_of_ledger(table(one), session, usages, cwd) for one in ledger]
    else:
        calls = [_of_message(one, session, began, cwd, number) for number, one in enumerate(messages)]
    events: list[Event] = [call for call in calls if call is not None]
    if events:
        newest = max(call.at for call in calls if call is not None)
        model = max((call for call in calls if call is not None), key=lambda call: call.at).model
        events.append(SessionInfo(session, newest, cwd=cwd, model=model))
    yield Parsed(events, 0, began, session, None)


def _of_ledger(
    event: JsonObject, session: str, usages: Mapping[str, JsonObject], cwd: str | None
) -> Response | None:
    at, tokens = epoch(event.get("timestamp")), table(event.get("tokens"))
    if at is None:
        return None
    beside = usages.get(_id(event.get("toMessageId")), {})
    usage = Usage(
        count(tokens.get("input")), count(tokens.get("output")),
        count(beside.get("cacheReadInputTokens")), count(beside.get("cacheCreationInputTokens")),
    )  # fmt: skip
    name = text(event.get("id"), 128) or f"{session}:{at:.3f}"
    return _response(session, at, text(event.get("model")), usage, name, event.get("credits"), cwd)


def _of_message(
    message: JsonObject, session: str, began: float | None, cwd: str | None, number: int
) -> Response | None:
    raw = table(message.get("usage"))
    at = epoch(raw.get("timestamp")) or epoch(message.get("timestamp")) or began
    if message.get("role") != "assistant" or at is None:
        return None
    usage = Usage(
        count(raw.get("inputTokens")), count(raw.get("outputTokens")),
        count(raw.get("cacheReadInputTokens")), count(raw.get("cacheCreationInputTokens")),
    )  # fmt: skip
    identity = message.get("messageId")
    name = f"{session}:{identity if isinstance(identity, int | str) else number}"
    model = text(raw.get("model")) or text(message.get("model"))
    return _response(session, at, model, usage, name, raw.get("credits"), cwd)


def _response(
    session: str, at: float, model: str | None, usage: Usage, name: str, credits_: object, cwd: str | None
) -> Response | None:
    if not (usage.input_tokens or usage.output_tokens):
        return None
    has_credits = (
        type(credits_) in (int, float) and isinstance(credits_, int | float) and 0 < credits_ < MAX_CREDITS
    )
    usd = float(credits_) / CREDITS_PER_USD if has_credits and isinstance(credits_, int | float) else None
    return Response(
        session, at, model or "unknown", usage, name, stop_reason=DONE, place=Place(cwd) if cwd else None,
        billed_usd=usd,
    )  # fmt: skip


def _id(value: object) -> str:
    """A message's id, which is a number or a text."""
    return str(value) if isinstance(value, int | str) else ""


def _folder(thread: JsonObject) -> str | None:
    """The folder of the thread's first tree, which is named by an address."""
    for tree in rows(table(table(thread.get("env")).get("initial")).get("trees")):
        address = text(table(tree).get("uri"), 4096)
        if address and address.startswith("file://"):
            return unquote(urlsplit(address).path)[:4096]
    return None
