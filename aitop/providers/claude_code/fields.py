"""The usage in Claude Code's records, read leniently: an odd value counts as missing, never as an error.

Pure functions over parsed JSON. They run for every response of a first read, so each is short.
"""

from aitop.model.events import Usage
from aitop.model.json_types import JsonObject
from aitop.providers.lenient import MAX_TOKENS, count, text


def is_nothing(raw: object) -> bool:
    """Whether a usage object holds no usage at all."""
    if type(raw) is dict:
        output = raw.get("output_tokens")
        if type(output) is int and 0 < output < MAX_TOKENS:
            return False
    counts = usage(raw)
    return not any(counts[:5]) and not counts.web_searches and not counts.advisor


def usage(raw: object) -> Usage:
    """Anthropic's usage object as our leaves.

    Anthropic's `input_tokens` excludes the cache. Without the 5-minute/1-hour split every cache
    write is a 5-minute one, as the API bills it by default.
    """
    if not isinstance(raw, dict):
        return Usage()
    get = raw.get
    write_5m, write_1h = _cache_writes(raw)
    details, searches, tier = get("output_tokens_details"), get("server_tool_use"), get("service_tier")
    iterations = get("iterations")
    return Usage(
        count(get("input_tokens")),
        count(get("output_tokens")),
        count(get("cache_read_input_tokens")),
        write_5m,
        write_1h,
        count(details.get("thinking_tokens")) if isinstance(details, dict) else 0,
        count(searches.get("web_search_requests")) if isinstance(searches, dict) else 0,
        "fast" if get("speed") == "fast" else "",
        "us" if get("inference_geo") == "us" else "",
        tier if tier in ("batch", "priority", "flex") else "",
        _advisor(iterations) if iterations else (),
    )


def _cache_writes(raw: JsonObject) -> tuple[int, int]:
    flat = count(raw.get("cache_creation_input_tokens"))
    split = raw.get("cache_creation")
    if not isinstance(split, dict):
        return flat, 0
    write_5m = count(split.get("ephemeral_5m_input_tokens"))
    write_1h = count(split.get("ephemeral_1h_input_tokens"))
    return write_5m + max(0, flat - write_5m - write_1h), write_1h


def _advisor(iterations: object) -> tuple[tuple[str, int, int, int, int, int], ...]:
    """Side calls that are billed at a model of their own. The top level of the usage does not include them."""
    if not isinstance(iterations, list):
        return ()
    calls = []
    for entry in iterations:
        if isinstance(entry, dict) and entry.get("type") == "advisor_message":
            own = usage({**entry, "iterations": None})
            calls.append((text(entry.get("model")) or "unknown", *own[:5]))
    return tuple(calls)
