"""Crush's database → events: what each session's running sums grew by.

`prompt_tokens` and `completion_tokens` follow the context: newer versions set them anew at each answer, so their
growth is a lower bound. The cost does add up, so it counts as what was billed. Crush adds a child session's cost to
its parent's: children are not counted again. Times are seconds, whatever the schema's comment says. Each assistant
message is a call. Must not keep any text.
"""

import os
from collections.abc import Iterator

from aitop.model.events import Event, Place, SessionInfo, Status
from aitop.providers import Parsed, Source, sqlite_store
from aitop.providers.lenient import epoch, text
from aitop.providers.running_sums import (
    NOTHING,
    UNKNOWN,
    Bearer,
    Sums,
    known,
    nano,
    packed,
    responses,
    running,
    unpacked,
    whole,
)
from aitop.providers.sqlite_store import Store

NEEDED = {"id", "parent_session_id", "prompt_tokens", "completion_tokens", "cost", "created_at", "updated_at"}
SESSIONS = """SELECT id, prompt_tokens, completion_tokens, cost, created_at, updated_at FROM sessions
    WHERE parent_session_id IS NULL OR parent_session_id = ''"""
MODELS = """SELECT session_id, model, count(*) FROM messages WHERE role = 'assistant' AND model <> ''
    GROUP BY session_id, model ORDER BY max(created_at)"""


def read(path: str, source: Source) -> Iterator[Parsed]:
    """What came since the sums of the note; nothing of the list of projects. Raises OSError."""
    if not path.endswith(".db"):
        yield Parsed([], 0, None, None, None)
        return
    with sqlite_store.opened(path) as store:
        columns = store.columns("sessions")
        if not columns >= NEEDED:
            problem = "unknown format: its sessions are not those of Crush" if columns else None
            yield Parsed([], 0, None, None, source.pending, problem)
            return
        sessions = store.db.execute(SESSIONS).fetchall()
        models = _models(store)
    before, seen = unpacked(source.pending), dict[str, Sums]()
    cwd = _project(path)
    events: list[Event] = []
    for name, prompt, completion, cost, created, updated in sessions:
        session = str(name)[:128]
        model, calls = models.get(session, ("unknown", 0))
        was = before.get(session, NOTHING)
        if was.nano_usd > 0 and nano(cost) == UNKNOWN:
            seen[session] = was  # the next cost pays for these tokens too
            continue
        seen[session] = known(was, Sums(calls, running(prompt), running(completion), nano_usd=nano(cost)))
        at = epoch(updated) or epoch(created) or 0.0
        place = Place(cwd) if cwd else None
        new_responses = list(
            responses(Bearer(session, model, at, None, place, nano(cost) > 0), was, seen[session])
        )
        if new_responses:
            events += [*new_responses, SessionInfo(session, at, cwd=cwd, model=model)]
            events.append(Status(session, at, "idle", "usage", live=False))
    yield Parsed(events, 0, None, None, packed(seen))


def _models(store: Store) -> dict[str, tuple[str, int]]:
    """Session → the model that spoke last, and how many answers there are."""
    if not store.columns("messages") >= {"session_id", "role", "model", "created_at"}:
        return {}
    models: dict[str, tuple[str, int]] = {}
    for session, model, calls in store.db.execute(MODELS):
        before = models.get(str(session), ("", 0))[1]
        models[str(session)] = (text(model) or "unknown", before + whole(calls))
    return models


def _project(path: str) -> str | None:
    """The project's folder: the one above `.crush`."""
    folder = os.path.dirname(path)
    return os.path.dirname(folder) if os.path.basename(folder) == ".crush" else None
