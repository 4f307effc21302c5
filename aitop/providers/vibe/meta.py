"""Mistral Vibe's `meta.json` → events: what the session's running sums grew by.

The prompt tokens are all input, without a word on the cache, so all is priced as fresh. The cost is Vibe's own
reckoning by prices that the user may set. A sub-agent has a folder of its own below its session's (`agents/NAME`) and
counts to it. Must not keep any text.
"""

import os
from collections.abc import Iterator

from aitop.model.events import Event, Place, SessionInfo, Status
from aitop.model.json_types import JsonObject
from aitop.providers import Parsed, Source, documents
from aitop.providers.lenient import epoch, rows, table, text
from aitop.providers.running_sums import (
    NOTHING,
    Bearer,
    Sums,
    known,
    nano,
    packed,
    responses,
    running,
    unpacked,
)


def identify(path: str) -> Source:
    """A sub-agent by its folder's place; the session of others is in the document."""
    folder = os.path.dirname(path)
    above, name = os.path.split(folder)
    if os.path.basename(above) == "agents":
        return Source(None, name)
    return Source(None, None)


def read(path: str, source: Source) -> Iterator[Parsed]:
    """What came since the sums of the note. Raises OSError."""
    document = documents.load(path)
    if not isinstance(document.value, dict):
        yield Parsed([], 0, None, source.session, source.pending, documents.NOT_WHOLE)
        return
    meta: JsonObject = document.value
    seen = unpacked(source.pending)
    own = text(meta.get("session_id"), 128) or next(iter(seen), "") or os.path.basename(os.path.dirname(path))
    stats = table(meta.get("stats"))
    before = seen.get(own, NOTHING)
    sums = Sums(
        running(stats.get("llm_calls")),
        running(stats.get("session_prompt_tokens")),
        running(stats.get("session_completion_tokens")),
        nano_usd=nano(stats.get("session_cost")),
    )
    now = known(before, sums)
    model, at = _model(meta), epoch(meta.get("end_time")) or document.changed_at
    cwd = text(table(meta.get("environment")).get("working_directory"), 4096)
    branch = text(meta.get("git_branch"))
    parent = _parent(path, meta) if source.agent is not None else None
    agent = source.agent if parent else None
    bearer = Bearer(parent or own, model, at, agent, Place(cwd, branch) if cwd else None)
    events: list[Event] = list(responses(bearer, before, now))
    if events and agent is None:
        ended = epoch(meta.get("end_time")) is not None
        events.append(SessionInfo(own, at, cwd=cwd, branch=branch, model=model))
        events.append(Status(own, at, "idle", "ended" if ended else "usage", live=False))
    yield Parsed(events, 0, epoch(meta.get("start_time")), parent or own, packed({own: now}))


def _model(meta: JsonObject) -> str:
    """The active model's own name; its alias where the document does not say it."""
    config = table(meta.get("config"))
    active = text(config.get("active_model")) or text(meta.get("model"))
    for one in map(table, rows(config.get("models"))):
        if active and active in (one.get("alias"), one.get("name")):
            return text(one.get("name")) or active
    return active or "unknown"


def _parent(path: str, meta: JsonObject) -> str | None:
    """The session that a sub-agent works for."""
    above = os.path.dirname(os.path.dirname(os.path.dirname(path)))
    beside = documents.beside(os.path.join(above, "x"), "meta.json")
    return text(beside.get("session_id"), 128) or text(meta.get("parent_session_id"), 128)
