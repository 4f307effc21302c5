"""Check that a provider of another package returned what the interface promises.

A wrong value would otherwise surface far away, in a sum or in the history. Each message names the field, so that
the author of the provider finds it. Built-in providers are not checked here; tests check them.
"""

import math
import types
from typing import Any, Union, get_args, get_origin, get_type_hints

from aitop.model.events import Event, Limit, Usage
from aitop.providers import Feed, Parsed, Source
from aitop.providers.lenient import MAX_TOKENS

EVENTS = frozenset(get_args(Event))
HINTS = {kind: get_type_hints(kind) for kind in (*EVENTS, Usage, Source, Parsed, Feed)}
STATUSES = ("working", "waiting", "idle", "ended")
MAX_TEXT = 4096  # characters of any text; no event holds content
IDS = ("session", "tool_use_id", "key", "model", "message_id", "request_id")


def checked_source(value: object) -> Source:
    source: Source = _tuple(value, Source, "identify()")
    return source


def checked_parsed(value: object, name: str) -> Parsed:
    parsed: Parsed = _tuple(value, Parsed, "parse()", skip="events")
    return parsed._replace(events=checked_events(parsed.events, name))


def checked_feed(value: object, name: str) -> Feed:
    feed: Feed = _tuple(value, Feed, "feed()", skip="events")
    if not isinstance(feed.paths, list) or not all(isinstance(path, str) for path in feed.paths):
        raise TypeError("Feed.paths must be a list of strings")
    checked_events([feed.turn] if feed.turn is not None else [], name)
    return feed._replace(events=checked_events(feed.events, name))


def checked_events(events: object, name: str) -> list[Event]:
    if not isinstance(events, list):
        raise TypeError(f"events must be a list, not {type(events).__name__}")
    for event in events:
        if type(event) not in EVENTS:
            raise TypeError(f"{type(event).__name__} is not an event; the events are in aitop.model")
        _tuple(event, type(event), type(event).__name__)
        if getattr(event, "status", "idle") not in STATUSES:
            raise ValueError(f"Status.status must be one of {', '.join(STATUSES)}")
    return [event._replace(provider=name) if isinstance(event, Limit) else event for event in events]


def _tuple(value: Any, kind: Any, where: str, skip: str = "") -> Any:
    if type(value) is not kind:
        raise TypeError(f"{where} must be {kind.__name__}, not {type(value).__name__}")
    for field, hint in HINTS[kind].items():
        if field == skip:
            continue
        one = getattr(value, field)
        if not _fits(one, hint):
            raise TypeError(f"{where}.{field} must be {_hint_name(hint)}, not {one!r:.80}")
        if one == "" and field in IDS:
            raise ValueError(f"{where}.{field} must not be empty")
    return value


def _fits(value: Any, hint: Any) -> bool:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return any(_fits(value, one) for one in get_args(hint))
    if hint is str:
        return isinstance(value, str) and len(value) <= MAX_TEXT and _is_text(value)
    if hint is bool or hint is type(None):
        return isinstance(value, hint)
    if hint is int:
        return type(value) is int and 0 <= value < 1 << 40
    if hint is float:
        return type(value) in (int, float) and math.isfinite(value) and 0 <= value < 1e13
    if hint is Usage:
        return type(value) is Usage and _usage_fits(value)
    if origin is tuple:
        inner, *rest = get_args(hint)
        if rest == [...]:
            return isinstance(value, tuple) and all(_fits(one, inner) for one in value)
        kinds = (inner, *rest)
        return isinstance(value, tuple) and len(value) == len(kinds) and all(map(_fits, value, kinds))
    return origin is not list or isinstance(value, list)


def _usage_fits(usage: Usage) -> bool:
    tokens = usage[:7]
    return all(type(n) is int and 0 <= n < MAX_TOKENS for n in tokens) and all(
        _fits(getattr(usage, field), HINTS[Usage][field]) for field in ("speed", "geo", "tier", "advisor")
    )


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _hint_name(hint: object) -> str:
    return hint.__name__ if isinstance(hint, type) else str(hint).replace("aitop.model.events.", "")
