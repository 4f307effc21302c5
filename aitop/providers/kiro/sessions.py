"""Kiro's sessions → events: what each request was metered at, in credits.

Its program keeps a document for each session, in which each entry of a turn's `metering_usage` is one request; its
editor keeps a log, in which a `usage_summary` ends a turn. Tokens are 0 in most of its versions: that means unknown,
so such a request has a model's name without a price and every sum that holds it is a lower bound. Credits are no
dollars: a credit costs something else on each plan. Fields as of version 2.21. Must not keep any text.
"""

import os
from collections.abc import Iterator

from aitop.model.events import NO_USAGE, Event, Place, Response, SessionInfo, Status, Usage
from aitop.model.json_types import JsonObject
from aitop.providers import Parsed, Source, documents, lines
from aitop.providers.lenient import count, epoch, rows, table, text

LOG = "messages.jsonl"
DESCRIPTION = "session.json"
UNIT = "credit"
MAX_CREDITS = 1e6  # one request that says more is damaged
DONE = "completed"
UNNAMED = "auto"  # Kiro chooses the model itself


def identify(path: str) -> Source:
    folder, name = os.path.split(path)
    own = name.removesuffix(".json") if os.path.basename(folder) == "cli" else os.path.basename(folder)
    return Source(own, None)


def read(path: str, source: Source) -> Iterator[Parsed] | None:
    """A session's document; None for a log, which is tailed. Raises OSError."""
    if path.endswith(LOG):
        return None
    return _description(path, source) if path.endswith("/" + DESCRIPTION) else _document(path, source)


def parse(data: bytes, start: int, source: Source) -> Parsed:  # noqa: ARG001
    """Whole lines of the editor's log."""
    events: list[Event] = []
    bad, first_at, session = 0, None, source.session or "unknown"
    for _, record in lines.records(data):
        if record is None:
            bad += 1
            continue
        at, payload = epoch(record.get("timestamp")), table(record.get("payload"))
        if at is None or payload.get("type") != "usage_summary":
            continue
        first_at = first_at or at
        turn = text(payload.get("executionId"), 128) or text(record.get("id"), 128) or f"{at:.3f}"
        for number, entry in enumerate(rows(payload.get("promptTurnSummaries"))):
            spent = _credits(entry, "usage")
            events.append(_response(session, at, f"{session}:{turn}:{number}", NO_USAGE + "kiro", spent))
        events.append(Status(session, at, "idle", "usage", live=False))
    return Parsed(events, bad, first_at, session, None)


def _description(path: str, source: Source) -> Iterator[Parsed]:
    """Where the editor's session works, and by which model."""
    value, changed_at = documents.load(path)
    own = table(value)
    session = source.session or "unknown"
    folders = [one for one in rows(own.get("workspacePaths")) if isinstance(one, str)]
    cwd = text(folders[0], 4096) if folders else None
    at = epoch(own.get("createdAt")) or changed_at
    info = SessionInfo(session, at, cwd=cwd, model=text(own.get("modelId")))
    problem = None if isinstance(value, dict) else documents.NOT_WHOLE
    yield Parsed([] if problem else [info], 0, at, session, source.pending, problem)


def _document(path: str, source: Source) -> Iterator[Parsed]:
    value, changed_at = documents.load(path)
    if not isinstance(value, dict):
        yield Parsed([], 0, None, source.session, source.pending, documents.NOT_WHOLE)
        return
    session = text(value.get("session_id"), 128) or source.session or "unknown"
    state = table(value.get("session_state"))
    model = text(table(table(state.get("rts_model_state")).get("model_info")).get("model_id"))
    cwd = text(value.get("cwd"), 4096)
    began = epoch(value.get("created_at")) or changed_at
    events: list[Event] = []
    newest = began
    for number, turn in enumerate(rows(table(state.get("conversation_metadata")).get("user_turn_metadatas"))):
        one = table(turn)
        at = epoch(one.get("end_timestamp")) or changed_at
        newest = max(newest, at)
        events += _of_turn(one, f"{session}:{_name(one, number)}", session, at, model or UNNAMED, cwd)
    pid = table(documents.beside(path, f"{source.session}.lock")).get("pid")
    events.append(
        SessionInfo(session, newest, cwd=cwd, model=model, pid=pid if type(pid) is int and pid > 1 else None)
    )
    if len(events) > 1:
        events.append(Status(session, newest, "idle", "usage", live=False))
    yield Parsed(events, 0, began, session, None)


def _of_turn(
    turn: JsonObject, name: str, session: str, at: float, model: str, cwd: str | None
) -> Iterator[Response]:
    """The requests of a turn: its tokens, where it has some, stand at the first one."""
    own = text(turn.get("model")) or model
    usage = Usage(
        count(turn.get("input_token_count")), count(turn.get("output_token_count")),
        count(turn.get("cache_read_input_token_count")), count(turn.get("cache_write_input_token_count")),
    )  # fmt: skip
    place = Place(cwd) if cwd else None
    for number, entry in enumerate(rows(turn.get("metering_usage")) or [None]):
        spent = _credits(entry, "value")
        if any(usage[:4]):
            first = usage if number == 0 else Usage()
            yield _response(session, at, f"{name}:{number}", own, spent, place, first)
        else:
            yield _response(session, at, f"{name}:{number}", NO_USAGE + own, spent, place)


def _response(
    session: str,
    at: float,
    name: str,
    model: str,
    spent: float | None,
    place: Place | None = None,
    usage: Usage | None = None,
) -> Response:
    """`spent`: in credits; None where they are not recorded."""
    return Response(session, at, model, usage or Usage(), name, stop_reason=DONE, place=place, credits=spent)


def _name(turn: JsonObject, number: int) -> str:
    """A turn's own number, else its place among the turns."""
    chance = table(turn.get("loop_id")).get("rand")
    return f"r{chance}" if type(chance) is int else str(number)


def _credits(entry: object, key: str) -> float | None:
    """The credits of one entry; None for another unit and for what is no amount."""
    own = table(entry)
    value, unit = own.get(key), own.get("unit")
    if unit not in (None, UNIT) or type(value) not in (int, float) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < MAX_CREDITS else None
