"""Lines of the journal → events. Pure: bytes in, events out, no clock, no I/O.

A line is one finished request and never changes. A request without usage counts too: its tokens are unknown,
so it gets a model name of its own, which has no price and says why.
"""

from aitop.model.events import NO_USAGE, ApiError, Event, Response, SessionInfo, Usage
from aitop.providers import Parsed, Source, lines
from aitop.providers.gateway import entry
from aitop.providers.lenient import count, epoch, text

UNIQUE = 20  # characters; a shorter id of an API is not unique (local servers count 1, 2, 3)
CUT_OFF = {"length": "max_tokens", "max_output_tokens": "max_tokens"}


def parse(data: bytes, start: int, source: Source) -> Parsed:  # noqa: ARG001
    """Read whole lines, each with its newline."""
    events: list[Event] = []
    bad, first_at, session = 0, None, source.session
    for _, record in lines.records(data):
        request = _events(record) if record is not None else None
        if request is None:
            bad += 1
            continue
        events += request
        session, first_at = request[0].session, first_at or request[0].at
    return Parsed(events, bad, first_at, session, None)


def _events(record: dict[str, object]) -> list[SessionInfo | Response | ApiError] | None:
    identity, at = text(record.get("id"), 64), epoch(record.get("at"))
    session = text(record.get("session"), 128)
    if identity is None or at is None or session is None:
        return None
    model = entry.name(record.get("model")) or "unknown"
    info = SessionInfo(session, at, cwd=text(record.get("cwd"), 4096))
    error = entry.word(record.get("error"))
    if error is not None:
        return [info, ApiError(session, at, identity, error, final=False)]
    return [info, _response(record, identity, session, at, model)]


def _response(record: dict[str, object], identity: str, session: str, at: float, model: str) -> Response:
    tokens, own, local = (
        record.get("tokens"),
        entry.name(record.get("response_id")),
        record.get("local") is True,
    )
    reason = entry.word(record.get("stop_reason"))
    return Response(
        session, at,
        model if local or isinstance(tokens, dict) else NO_USAGE + model.rpartition("/")[2],
        _usage(tokens) if isinstance(tokens, dict) else Usage(),
        identity,
        stop_reason=CUT_OFF.get(reason, reason) if reason else None,
        paying_session=session,  # a day's file holds many
        also=(own,) if own is not None and _is_unique(own) else (),
        duration_ms=_number(record.get("duration_ms")),
        ttft_ms=_number(record.get("ttft_ms")),
        billed_usd=0.0 if local else _number(record.get("billed_usd")),
    )  # fmt: skip


def _usage(tokens: dict[str, object]) -> Usage:
    given, output = count(tokens.get("input")), count(tokens.get("output"))
    read = min(given, count(tokens.get("cache_read")))
    written = min(given - read, count(tokens.get("cache_write")))
    long_lived = min(written, count(tokens.get("cache_write_1h")))
    return Usage(
        given - read - written, output, read, written - long_lived, long_lived,
        min(output, count(tokens.get("reasoning"))),
        tier=text(tokens.get("tier"), 16) or "",
    )  # fmt: skip


def _number(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e10:
        return float(value)
    return None


def _is_unique(name: str) -> bool:
    return len(name) >= UNIQUE and any(map(str.isdigit, name))
