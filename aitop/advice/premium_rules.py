"""Rules about surcharges that the record shows: fast mode, US-only inference, long prompts."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from aitop.advice import what_if
from aitop.advice.finding import Hit, Rule, Words, sessions, thousands, times
from aitop.advice.record import Call, Record
from aitop.model.events import Usage
from aitop.pricing import rows
from aitop.pricing.table import PriceTable


def _surcharge(record: Record, table: PriceTable, plain: Callable[[Usage], Usage]) -> Iterable[Hit]:
    """The requests that cost less with `plain` usage: the same tokens without the surcharge."""
    for call in record.calls:
        usage = plain(call.usage)
        if usage != call.usage and call.priced:
            saving = call.cost - what_if.priced(table, call, usage)
            if saving > 0:
                yield Hit(saving, record.name, record.project, call.at)


def _at_usual_speed(usage: Usage) -> Usage:
    return usage._replace(speed="") if usage.speed == "fast" else usage


def _say_fast(hits: Sequence[Hit]) -> Words:
    return Words(
        f"{times(len(hits), 'request')} in {sessions(hits)} ran in fast mode, which charges more for every token, "
        "cached tokens included",
        "Switch it off with /fast while you do not wait for the answer",
        "Compare the rows with mode `fast` in `aitop prices`",
    )


FAST_MODE = Rule(
    "fast-mode",
    "Fast mode's surcharge.",
    lambda record, table: _surcharge(record, table, _at_usual_speed),
    _say_fast,
)


def _anywhere(usage: Usage) -> Usage:
    return usage._replace(geo="") if usage.geo == "us" else usage


def _say_us(hits: Sequence[Hit]) -> Words:
    return Words(
        f"{times(len(hits), 'request')} in {sessions(hits)} asked for inference in the US, which costs a tenth more",
        "Leave `inference_geo` out unless a contract or a law asks for it",
        "Run `aitop advise --rule us-only` after a week: it should print nothing",
    )


US_ONLY = Rule(
    "us-only",
    "The surcharge for inference in the US.",
    lambda record, table: _surcharge(record, table, _anywhere),
    _say_us,
)


def _long_prompt(record: Record, table: PriceTable) -> Iterable[Hit]:
    for call in record.calls:
        premium = _premium(call, table) if call.priced else 0
        if premium > 0:
            yield Hit(
                premium,
                record.name,
                record.project,
                call.at,
                tokens=call.usage.input_tokens,
                about=call.model,
            )


def _premium(call: Call, table: PriceTable) -> int:
    """What a request cost beyond the rates of a short prompt, in picodollars. Standard requests only."""
    usage, model = call.usage, table.find(call.model)
    if model is None or usage.speed or usage.geo or usage.tier or usage.advisor:
        return 0
    steps = rows.row_at(model, datetime.fromtimestamp(call.at, UTC).date().isoformat()).standard
    reached = [step for step in steps if usage.input_tokens > step.over]
    if len(reached) < 2:
        return 0
    leaves = (
        usage.uncached_input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.cache_write_5m_tokens,
        usage.cache_write_1h_tokens,
    )  # fmt: skip
    return sum(
        tokens * (high - low)
        for tokens, high, low in zip(leaves, reached[-1].rates, steps[0].rates, strict=True)
    )


def _say_long(hits: Sequence[Hit]) -> Words:
    longest = max(hits, key=lambda hit: hit.tokens)
    models = ", ".join(sorted({hit.about for hit in hits}))
    return Words(
        f"{times(len(hits), 'request')} in {sessions(hits)} exceeded the prompt length for normal rates "
        f"(the longest: {thousands(longest.tokens)} tokens). Above it every token of a request costs more: {models}",
        "Use /compact earlier, or for long conversations a model that charges the same at every length",
        "The column `prompt` of `aitop prices` shows the length from which a model charges more",
    )


LONG_PROMPT = Rule(
    "long-prompt", "Prompts beyond the length at which a model charges more.", _long_prompt, _say_long
)

RULES = (FAST_MODE, US_ONLY, LONG_PROMPT)
