"""The published state of sums and sessions, as the listener builds it, and a check of its shape."""

from typing import Any

from aitop.config import Config
from aitop.live.snapshot import Lookups, Snapshot
from aitop.publish import state_schema
from aitop.publish.state_json import ListenerFacts, build

DOCTOR: Any = {
    "bad_lines": 0, "files": 0, "unread_files": [], "config_error": None, "history_error": None,
    "history_restored": None, "broken_providers": {}, "watching": True, "prices_problem": None, "otel": None,
    "fleet": None,
}  # fmt: skip
NOWHERE = Lookups(lambda _: False, lambda *_: None)


def listener_facts(**more: Any) -> ListenerFacts:
    """A listener at rest."""
    facts = {
        "pid": 4242, "started_at": 0.0, "host": "made-up", "providers": ["claude-code"],
        "prices_as_of": "2026-11-01", "prices_source": "package", "prices_stale": False,
        "hooks": {"received": 0, "unique": 0, "rejected": 0, "by_event": {}},
        "scan": {"done_bytes": 0, "total_bytes": 0, "complete": True}, "coverage": {}, "doctor": DOCTOR,
    }  # fmt: skip
    return ListenerFacts(**(facts | more))


def encoded(snap: Snapshot, config: Config | None = None, **more: Any) -> dict[str, Any]:
    """A snapshot as it is published."""
    return dict(build(snap, config or Config(), listener_facts(**more)))


def mistakes(state: Any) -> list[str]:
    """Where a state differs from the published types: keys that are missing or undescribed, values of another type."""
    schema = state_schema.schema()
    return list(_mistakes(state, schema, schema["$defs"], "state"))


def _mistakes(value, shape, shapes, at):
    if "$ref" in shape:
        yield from _mistakes(value, shapes[shape["$ref"].rpartition("/")[2]], shapes, at)
    elif "anyOf" in shape:
        found = [list(_mistakes(value, one, shapes, at)) for one in shape["anyOf"]]
        if all(found):
            yield from min(found, key=len)
    elif "enum" in shape:
        if value not in shape["enum"]:
            yield f"{at}: {value!r} is none of {shape['enum']}"
    elif "type" in shape and not _is(value, shape["type"]):
        yield f"{at}: {value!r} is no {shape['type']}"
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _mistakes(item, shape.get("items", {}), shapes, f"{at}[{number}]")
    elif isinstance(value, dict):
        known = shape.get("properties")
        for key in sorted(set(shape.get("required", ())) - value.keys()):
            yield f"{at}.{key}: missing"
        for key, item in value.items():
            if known is not None and key not in known:
                yield f"{at}.{key}: not described"
            else:
                inner = known[key] if known is not None else shape.get("additionalProperties", {})
                yield from _mistakes(item, inner, shapes, f"{at}.{key}")


def _is(value, kind):
    if isinstance(value, bool):
        return kind == "boolean"
    types = {"string": str, "integer": int, "number": (int, float), "object": dict, "array": list,
             "null": type(None), "boolean": bool}  # fmt: skip
    return isinstance(value, types[kind])
