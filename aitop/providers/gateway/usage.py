"""Usage objects of OpenAI-compatible APIs, of proxies in front of them, and of Ollama → tokens. Pure.

All of them name the same few facts in many ways; the tables here hold the names. The input includes the cache
and the output includes reasoning, except where the numbers themselves say otherwise. A missing field is 0, and
a part is cut to its whole.
"""

from collections.abc import Mapping

from aitop.providers.gateway.entry import Tokens
from aitop.providers.lenient import count

TIERS = ("flex", "priority", "batch")
Names = tuple[tuple[str, ...], ...]

INPUT: Names = (("prompt_tokens",), ("input_tokens",))
OUTPUT: Names = (("completion_tokens",), ("output_tokens",))
CACHE_READ: Names = (
    ("prompt_tokens_details", "cached_tokens"), ("input_tokens_details", "cached_tokens"),  # OpenAI
    ("input_token_details", "cached_tokens"),  # OpenAI's realtime API
    ("prompt_cache_hit_tokens",),  # DeepSeek
    ("cached_tokens",),  # Moonshot, Together
    ("cache_read_input_tokens",),  # Anthropic's name: LiteLLM, OpenRouter, DashScope
    ("prompt_tokens_details", "cache_read_input_tokens"), ("cache_read_tokens",), ("num_cached_tokens",),
    ("input_tokens_details", "cache_read_tokens"),
)  # fmt: skip
CACHE_WRITE: Names = (
    ("prompt_tokens_details", "cache_write_tokens"), ("input_tokens_details", "cache_write_tokens"),  # OpenAI
    ("cache_creation_input_tokens",),  # Anthropic's name
    ("prompt_tokens_details", "cache_creation_input_tokens"),
    ("prompt_tokens_details", "cache_creation_tokens"),  # LiteLLM
    ("cache_write_input_tokens",), ("cache_write_tokens",),
)  # fmt: skip
# Parts of the cache writes, by how long they last.
WRITE_5M: Names = (
    ("cache_creation", "ephemeral_5m_input_tokens"),
    ("prompt_tokens_details", "cache_creation_token_details", "ephemeral_5m_input_tokens"),
    ("claude_cache_creation_5_m_tokens",),
)
WRITE_1H: Names = (
    ("cache_creation", "ephemeral_1h_input_tokens"),
    ("prompt_tokens_details", "cache_creation_token_details", "ephemeral_1h_input_tokens"),
    ("claude_cache_creation_1_h_tokens",),
)
REASONING: Names = (
    ("completion_tokens_details", "reasoning_tokens"), ("output_tokens_details", "reasoning_tokens"),
    ("reasoning_tokens",),
)  # fmt: skip
# Anthropic tells the input without the cache under these names, and some proxies pass that on.
ANTHROPIC = ("cache_read_input_tokens", "cache_creation_input_tokens")
TICK = 1e-10  # USD; xAI's unit


def of_openai(usage: object, tier: object = None) -> Tokens | None:
    """`usage` of chat, completions, embeddings (`prompt_tokens`) and responses (`input_tokens`).

    https://platform.openai.com/docs/api-reference; None where there is no usage.
    """
    if not isinstance(usage, dict) or not any(path[0] in usage for path in INPUT + OUTPUT):
        return None
    given, output = _first(usage, INPUT), _first(usage, OUTPUT)
    read, long_lived = _first(usage, CACHE_READ), _first(usage, WRITE_1H)
    written = _first(usage, CACHE_WRITE) or _first(usage, WRITE_5M) + long_lived
    if any(name in usage for name in ANTHROPIC) and _is_outside(
        given, output, read + written, count(usage.get("total_tokens"))
    ):
        given = count(given + read + written)
    read = min(given, read)
    written = min(given - read, written)
    return Tokens(
        given, output, read, written, min(output, _first(usage, REASONING)),
        tier if isinstance(tier, str) and tier in TIERS else "", min(written, long_lived),
    )  # fmt: skip


def billed_usd(usage: object) -> float | None:
    """What the API itself says a response cost, in USD; None where it says nothing or 0.

    A 0 is no price: proxies write it for models without a known price. With a key of the user's own,
    OpenRouter's `cost` is its fee, and the upstream's price stands beside it.
    """
    if not isinstance(usage, dict):
        return None
    cost = _money(usage.get("cost")) or _money(usage.get("total_cost")) or 0.0
    if usage.get("is_byok") is True:
        details = usage.get("cost_details")
        upstream = _money(details.get("upstream_inference_cost")) if isinstance(details, dict) else None
        return cost + upstream if upstream else None
    return cost or _money(usage.get("cost_in_usd_ticks"), TICK)


def of_ollama(last: Mapping[str, object]) -> Tokens | None:
    """The last object of `/api/chat` and `/api/generate`, or the only one of `/api/embed`.

    `prompt_eval_count` is missing when the whole prompt was in Ollama's own cache.
    """
    if "eval_count" not in last and "prompt_eval_count" not in last:
        return None
    return Tokens(count(last.get("prompt_eval_count")), count(last.get("eval_count")))


def _first(usage: Mapping[str, object], names: Names) -> int:
    """The first of these counts that is more than 0."""
    for path in names:
        value: object = usage
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        number = count(value)
        if number:
            return number
    return 0


def _is_outside(given: int, output: int, cached: int, total: int) -> bool:
    """Whether the numbers say that the input does not include the cache."""
    if cached > given:
        return True
    return bool(cached) and total != given + output and total == given + cached + output


def _money(value: object, unit: float = 1.0) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e15:
        return float(value) * unit
    return None
