"""Codex's token counts and service tiers → our usage. Pure.

Codex's `input_tokens` includes what was read from the cache and what was written to it; `output_tokens`
includes reasoning. Seen in rollouts of 0.169 and 0.171.
"""

from collections.abc import Mapping

from aitop.model.events import Usage
from aitop.providers.lenient import count, word

COUNTS = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens", "total_tokens")
TIERS = {"fast": "priority", "default": "", "standard": "", "auto": ""}  # Codex's word → the API's


def usage(raw: Mapping[str, object], tier: str) -> Usage | None:
    """One response's usage; None where it used nothing."""
    whole, output = count(raw.get("input_tokens")), count(raw.get("output_tokens"))
    if not (whole or output):
        return None
    cached = min(count(raw.get("cached_input_tokens")), whole)
    written = min(count(raw.get("cache_write_input_tokens")), whole - cached)
    reasoning = min(output, count(raw.get("reasoning_output_tokens")))
    return Usage(whole - cached - written, output, cached, written, 0, reasoning, tier=tier)


def counts(raw: object) -> list[int] | None:
    """The five numbers of a usage in a fixed order; None where there is none."""
    return [count(raw.get(name)) for name in COUNTS] if isinstance(raw, dict) else None


def known(raw: object, now: list[int] | None, before: list[int] | None) -> list[int] | None:
    """A running total, with what is absent or no number as it was before."""
    if now is None or before is None or not isinstance(raw, dict):
        return now or before
    is_counted = (type(raw.get(name)) in (int, float) for name in COUNTS)
    return [new if is_new else old for is_new, new, old in zip(is_counted, now, before, strict=True)]


def tier(raw: object) -> str:
    """`service_tier` of the settings: "priority" for Codex's fast mode, "" for the standard one."""
    named = word(raw)
    return TIERS.get(named, named[:16]) if named else ""
