"""Usage objects of OpenAI-compatible APIs and of Ollama → tokens. Pure.

Both count all input, cached included; reasoning is a part of the output. What an API leaves out is 0,
what contradicts itself is cut to fit: a part is never larger than its whole.
"""

from typing import Any

from aitop.providers.gateway.entry import Tokens
from aitop.providers.lenient import count

TIERS = ("flex", "priority", "batch")


def of_openai(usage: Any, tier: Any = None) -> Tokens | None:
    """`usage` of chat, completions, embeddings (`prompt_tokens`) and responses (`input_tokens`).

    https://platform.openai.com/docs/api-reference; None where there is no usage.
    """
    if not isinstance(usage, dict):
        return None
    if not any(
        key in usage for key in ("prompt_tokens", "input_tokens", "completion_tokens", "output_tokens")
    ):
        return None
    given = count(usage.get("prompt_tokens", usage.get("input_tokens")))
    output = count(usage.get("completion_tokens", usage.get("output_tokens")))
    parts = _table(usage.get("prompt_tokens_details", usage.get("input_tokens_details")))
    made = _table(usage.get("completion_tokens_details", usage.get("output_tokens_details")))
    read = min(given, count(parts.get("cached_tokens")))
    written = min(given - read, count(parts.get("cache_write_tokens")))
    reasoning = min(output, count(made.get("reasoning_tokens")))
    return Tokens(given, output, read, written, reasoning, tier if tier in TIERS else "")


def of_ollama(last: dict[str, Any]) -> Tokens | None:
    """The last object of `/api/chat` and `/api/generate`, or the one of `/api/embed`.

    `prompt_eval_count` is missing when the whole prompt was in Ollama's own cache.
    """
    if "eval_count" not in last and "prompt_eval_count" not in last:
        return None
    return Tokens(count(last.get("prompt_eval_count")), count(last.get("eval_count")))


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
