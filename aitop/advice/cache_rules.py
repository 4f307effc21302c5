"""Rules about the prompt cache: a cache life that does not fit the user's pauses, and prefixes written twice."""

from collections.abc import Iterable, Sequence

from aitop.advice import rebuilds, what_if
from aitop.advice.finding import Hit, Rule, Words, sessions, thousands, times
from aitop.advice.record import Call, Record
from aitop.model.events import Usage
from aitop.pricing.table import PriceTable

SYSTEM = 8_000  # tokens: at least this much is the system prompt with its tools
FRESH = 20_000  # tokens a new or compacted conversation begins with


def _short_cache(record: Record, table: PriceTable) -> Iterable[Hit]:
    """Price the main thread again with a 1-hour cache: each write costs more, each short pause ends in a read."""
    calls = record.main()
    paused = {r.call: r.tokens for r in rebuilds.find(record) if r.why == "pause"}
    if any(call.usage.cache_write_1h_tokens or not call.priced for call in calls):
        return
    saving = 0
    for call in calls:
        usage = call.usage
        if call in paused:
            usage = what_if.written_to_read(usage, paused[call])
        usage = usage._replace(cache_write_5m_tokens=0, cache_write_1h_tokens=usage.cache_write_5m_tokens)
        saving += call.cost - what_if.priced(table, call, usage)
    if saving:
        yield Hit(saving, record.name, record.project, calls[0].at, len(paused), sum(paused.values()))


def _say_short(hits: Sequence[Hit]) -> Words:
    count, tokens = sum(hit.number for hit in hits), sum(hit.tokens for hit in hits)
    return Words(
        f"After {times(count, 'pause')} of 5 to 60 minutes, {thousands(tokens)} tokens were written to the "
        "cache again. A 1-hour cache would still have held them. Its dearer writes are already subtracted",
        "Set ENABLE_PROMPT_CACHING_1H=1 for Claude Code",
        "In `aitop report models --json`, cache_write_5m_tokens should fall and cache_read_tokens rise",
    )


SHORT_CACHE = Rule(
    "short-cache",
    "The 5-minute cache ran out in pauses that a 1-hour cache outlives.",
    _short_cache,
    _say_short,
)


def _hour_cache(record: Record, table: PriceTable) -> Iterable[Hit]:
    """Price the main thread again with a 5-minute cache: each write costs less, each longer pause ends in a rewrite."""
    calls = record.main()
    if not any(call.usage.cache_write_1h_tokens for call in calls) or not all(call.priced for call in calls):
        return
    saving, written, needed, before = 0, 0, 0, None
    for call in calls:
        written += call.usage.cache_write_1h_tokens
        usage = _five_minutes(call.usage)
        if before is None or call.at - before.at > rebuilds.EARLY * rebuilds.SHORT:
            # An earlier session wrote what a first request reads. The record does not say when.
            again = usage.cache_read_tokens if before is None else min(before.cached, usage.cache_read_tokens)
            needed += 1 if again and before is not None else 0
            usage = usage._replace(
                cache_read_tokens=usage.cache_read_tokens - again,
                cache_write_5m_tokens=usage.cache_write_5m_tokens + again,
            )
        saving += call.cost - what_if.priced(table, call, usage)
        before = call
    yield Hit(saving, record.name, record.project, calls[0].at, needed, written)


def _five_minutes(usage: Usage) -> Usage:
    return usage._replace(
        cache_write_5m_tokens=usage.cache_write_tokens,
        cache_write_1h_tokens=0,
    )


def _say_hour(hits: Sequence[Hit]) -> Words:
    tokens, needed = sum(hit.tokens for hit in hits), sum(hit.number for hit in hits)
    return Words(
        f"{thousands(tokens)} tokens were written to the 1-hour cache in {sessions(hits)}. Only "
        f"{times(needed, 'pause')} of more than 5 minutes made use of it. A 5-minute cache would have cost less. "
        "Its rewrites after those pauses are already subtracted",
        "Set FORCE_PROMPT_CACHING_5M=1 for Claude Code",
        "In `aitop report models --json`, cache_write_5m_tokens should replace cache_write_1h_tokens",
    )


HOUR_CACHE = Rule(
    "hour-cache",
    "The 1-hour cache was written and hardly read after five minutes.",
    _hour_cache,
    _say_hour,
)


def _kept_system(call: Call) -> str:
    """The part that was not read from the cache any more: the conversation alone, or the system prompt too."""
    return "conversation" if call.usage.cache_read_tokens >= SYSTEM else "system prompt"


def _rewritten(record: Record, table: PriceTable, why: str) -> Iterable[Hit]:
    """The cost of writing the prefix again, less the cost of reading it."""
    for r in rebuilds.find(record):
        if r.why == why and r.call.priced:
            read = what_if.priced(table, r.call, what_if.written_to_read(r.call.usage, r.tokens))
            about = f"{r.before.model} to {r.call.model}" if why == "model" else _kept_system(r.call)
            yield Hit(r.call.cost - read, record.name, record.project, r.call.at, 1, r.tokens, about)


def _say_switch(hits: Sequence[Hit]) -> Words:
    tokens = sum(hit.tokens for hit in hits)
    return Words(
        f"{times(len(hits), 'change')} of model in the middle of a conversation wrote {thousands(tokens)} "
        f"tokens to the cache again, because each model has its own cache. The most frequent change: "
        f"{_commonest(hits)}",
        "Change the model at the start of a conversation, or after /clear or /compact",
        "Run `aitop advise --rule model-switch` after a week: it should count fewer changes",
    )


def _commonest(hits: Sequence[Hit]) -> str:
    abouts = [hit.about for hit in hits]
    return max(sorted(set(abouts)), key=abouts.count)


MODEL_SWITCH = Rule(
    "model-switch",
    "The model was changed in mid-conversation, so its cache was written anew.",
    lambda record, table: _rewritten(record, table, "model"),
    _say_switch,
)


def _still_read(kept: int, hits: int) -> str:
    """How often the cache still held the system prompt."""
    if kept == hits:
        return "The system prompt was still read from the cache each time"
    if not kept:
        return "The system prompt was not read from the cache any more"
    return f"The system prompt was still read from the cache {kept:,} of {hits:,} times"


def _say_lost(hits: Sequence[Hit]) -> Words:
    tokens = sum(hit.tokens for hit in hits)
    talk = sum(1 for hit in hits if hit.about == "conversation")
    return Words(
        f"The cache was written again {times(len(hits), 'time')} ({thousands(tokens)} tokens), although it had "
        "not run out, the model was the same and nothing was compacted. So the prompt before it had changed. "
        + _still_read(talk, len(hits)),
        "Avoid these changes in mid-conversation. Where the system prompt was still read: thinking switched on or "
        "off, a message edited or rewound. Where it was not: MCP servers that connect or disconnect, tools "
        "switched, an edited CLAUDE.md",
        "Recall what you changed in the sessions below at the times shown",
    )


CACHE_LOST = Rule(
    "cache-lost",
    "A cache that had not run out was written again.",
    lambda record, table: _rewritten(record, table, "unknown"),
    _say_lost,
)


def _cold_return(record: Record, table: PriceTable) -> Iterable[Hit]:
    """After a long pause the whole old context was written again. A fresh start would have written less."""
    for r in rebuilds.find(record):
        if r.why == "long pause" and r.call.priced and r.tokens > 2 * FRESH:
            fresh = what_if.without_written(r.call.usage, r.tokens - FRESH)
            saving = r.call.cost - what_if.priced(table, r.call, fresh)
            yield Hit(saving, record.name, record.project, r.call.at, 1, r.tokens)


def _say_cold(hits: Sequence[Hit]) -> Words:
    tokens = sum(hit.tokens for hit in hits)
    return Words(
        f"A conversation went on after more than an hour {times(len(hits), 'time')} and wrote its old context "
        f"again, {thousands(tokens)} tokens in all. Every later request read it too; the saving leaves that out",
        "Use /compact before a long pause, or /clear after it when you do not need the old context",
        "After your next long pause, look in `aitop top` at the context and cost of the first request",
    )


COLD_RETURN = Rule(
    "cold-return",
    "A large old context was carried over a long pause.",
    _cold_return,
    _say_cold,
    judgement=True,
)

RULES = (SHORT_CACHE, HOUR_CACHE, MODEL_SWITCH, CACHE_LOST, COLD_RETURN)
