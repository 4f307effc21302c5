"""One assistant message of OpenCode's → events. The same object stands in its database and its older documents. Pure.

Its input excludes the cache. Its output excludes reasoning, which is billed as output. Its own cost is an estimate,
and 0 where it does not know; it counts where we have no price. Must not keep any text.

A response has several names, so that it counts once in whatever place it is found:

- the finished step's own id; the message's id names its first step, since older stores know only the message;
- the name of its content. A fork copies messages under new ids, and keeps times, model, tokens and mostly cost.
"""

from typing import Any, NamedTuple

from aitop.model.events import ApiError, Compaction, Event, Place, Response, Usage
from aitop.model.json_types import JsonObject
from aitop.providers.lenient import count, epoch, text, word
from aitop.providers.local_models import is_local

MAX_USD = 1e6


class Owner(NamedTuple):
    """The main session that a message counts to, the sub-agent's own session, the folder, and its client's habit."""

    session: str
    agent: str | None = None
    cwd: str | None = None
    copies_keep_cost: bool = True  # False: the client writes 0 into a fork's copies


class Step(NamedTuple):
    """One finished step of a message: one API response."""

    name: str
    data: JsonObject


def events(identity: str, data: JsonObject, owner: Owner, steps: list[Step]) -> list[Event]:
    """What a message says. `steps` are its finished steps, where they are kept apart; else the message is one step."""
    if data.get("role") != "assistant":
        return []
    time = _table(data.get("time"))
    began, completed = epoch(time.get("created")), epoch(time.get("completed"))
    at = completed or began or 0.0
    made: list[Event] = []
    error = _table(data.get("error"))
    if error and error.get("name") != "MessageAbortedError":
        kind = word(error.get("name")) or "error"
        made.append(ApiError(owner.session, at, identity, kind, final=True))
    made += _responses(identity, data, owner, steps, at)
    if data.get("summary") is True and completed:
        made.append(Compaction(owner.session, at, identity, "", owner.agent))
    return made


def _responses(identity: str, data: JsonObject, owner: Owner, steps: list[Step], at: float) -> list[Response]:
    finished = _table(data.get("time")).get("completed") is not None
    content = content_name(data, with_cost=owner.copies_keep_cost)
    folder = text(_table(data.get("path")).get("cwd"), 4096) or owner.cwd
    place = Place(folder) if folder else None
    made = []
    for number, step in enumerate(steps or [Step(identity, {**data, "reason": data.get("finish")})]):
        used = usage(step.data.get("tokens"))
        if not (used.input_tokens or used.output_tokens):
            continue
        also = [identity] if number == 0 and step.name != identity else []
        if content is not None:
            also.append(content if number == 0 else f"{content}#{number}")
        stop = word(step.data.get("reason")) or ("completed" if finished or steps else None)
        made.append(Response(
            owner.session, at, text(data.get("modelID")) or "unknown", used, step.name, stop_reason=stop,
            agent=owner.agent, also=tuple(also), place=place, client_usd=_usd(step.data.get("cost")),
            billed_usd=0.0 if is_local(data.get("providerID"), text(data.get("modelID"))) else None,
        ))  # fmt: skip
    return made


def content_name(data: JsonObject, *, with_cost: bool = True) -> str | None:
    """The name of a finished message's content, the same in every copy; None while it goes on."""
    time, tokens = _table(data.get("time")), _table(data.get("tokens"))
    cache = _table(tokens.get("cache"))
    created, completed = time.get("created"), time.get("completed")
    if type(created) not in (int, float) or type(completed) not in (int, float):
        return None
    counts = [
        tokens.get("input"),
        tokens.get("output"),
        tokens.get("reasoning"),
        cache.get("read"),
        cache.get("write"),
    ]
    numbers = ".".join(str(count(value)) for value in counts)
    cost = _usd(data.get("cost")) if with_cost else ""
    return f"{created}:{completed}:{text(data.get('modelID'))}:{numbers}:{cost}"


def first_generation(data: JsonObject, kind: object) -> JsonObject:
    """A message of OpenCode 2 as OpenCode 1 would have written it; its role is the row's own column there."""
    model, error = _table(data.get("model")), _table(data.get("error"))
    return {
        **data,
        "role": kind,
        "modelID": model.get("id"),
        "error": {"name": error.get("type") or error.get("name")} if error else None,
    }


def usage(raw: object) -> Usage:
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


def _usd(value: Any) -> float | None:
    """A cost in USD; None for 0, which is also written where the client does not know."""
    return float(value) if type(value) in (int, float) and 0 < value < MAX_USD else None


def _table(value: object) -> JsonObject:
    return value if isinstance(value, dict) else {}
