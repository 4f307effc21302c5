"""One assistant message of OpenCode's → events: the same object in its database and its older documents. Pure.

Its input excludes the cache and its output excludes reasoning, which is billed as output. Its own cost
is an estimate, and 0 where it does not know: ours is computed from the tokens. Must not keep any text.
"""

from typing import Any

from aitop.model.events import ApiError, Compaction, Event, Response, Usage
from aitop.providers.lenient import count, epoch, text, word

NAME = "opencode"


class Owner:
    """Whose a message is: the main session it counts to, and the sub-agent's own."""

    __slots__ = ("agent", "session")

    def __init__(self, session: str, agent: str | None = None) -> None:
        self.session, self.agent = session, agent


def events(
    identity: str, data: dict[str, Any], owner: Owner, steps: list[tuple[str, dict[str, Any]]]
) -> list[Event]:
    """What a message says. `steps` are its finished steps, each one API response, where they are kept apart."""
    if data.get("role") != "assistant":
        return []
    time = _table(data.get("time"))
    began, completed = epoch(time.get("created")), epoch(time.get("completed"))
    at = completed or began or 0.0
    found: list[Event] = []
    error = _table(data.get("error"))
    if error and error.get("name") != "MessageAbortedError":
        kind = word(error.get("name")) or "error"
        found.append(ApiError(owner.session, at, identity, kind, final=True))
    told = [(name, step.get("tokens"), step.get("reason")) for name, step in steps]
    for name, tokens, reason in told or [(identity, data.get("tokens"), data.get("finish"))]:
        response = _response(name, data, owner, usage(tokens), at)
        if response is not None:
            stop = word(reason) or ("completed" if completed or steps else None)
            found.append(response._replace(stop_reason=stop))
    if data.get("summary") is True and completed:
        found.append(Compaction(owner.session, at, identity, "", owner.agent))
    return found


def _response(name: str, data: dict[str, Any], owner: Owner, used: Usage, at: float) -> Response | None:
    if not (used.input_tokens or used.output_tokens):
        return None
    model = text(data.get("modelID")) or "unknown"
    return Response(owner.session, at, model, used, name, agent=owner.agent)


def usage(raw: Any) -> Usage:
    """OpenCode's tokens as our leaves."""
    tokens = _table(raw)
    cache, reasoning = _table(tokens.get("cache")), count(tokens.get("reasoning"))
    output = count(count(tokens.get("output")) + reasoning)
    return Usage(
        count(tokens.get("input")),
        output,
        count(cache.get("read")),
        count(cache.get("write")),
        0,
        min(reasoning, output),
    )


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
