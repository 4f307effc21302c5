"""What a request would have cost with another use of the cache, or at another model. Pure."""

from datetime import UTC, datetime

from aitop.advice.record import Call
from aitop.model.events import Usage
from aitop.pricing import cost, normalise
from aitop.pricing.rows import Model
from aitop.pricing.table import PriceTable

SMALLER = "sonnet"
LARGE = ("opus", "fable", "mythos")
_FAMILIES: dict[
    tuple[str, str], tuple[Model, ...]
] = {}  # cached: PriceTable.family() searches all its models at each call


def priced(table: PriceTable, call: Call, usage: Usage, model: str | None = None) -> int:
    """A call's price with other tokens or another model."""
    return cost.price(table, model or call.model, usage, call.at).cost


def written_to_read(usage: Usage, tokens: int) -> Usage:
    """The usage with `tokens` of its cache writes turned into reads, 5-minute writes first."""
    short = min(tokens, usage.cache_write_5m_tokens)
    long = min(tokens - short, usage.cache_write_1h_tokens)
    return usage._replace(
        cache_read_tokens=usage.cache_read_tokens + short + long,
        cache_write_5m_tokens=usage.cache_write_5m_tokens - short,
        cache_write_1h_tokens=usage.cache_write_1h_tokens - long,
    )


def without_written(usage: Usage, tokens: int) -> Usage:
    """The usage with `tokens` fewer cache writes, 5-minute writes first."""
    short = min(tokens, usage.cache_write_5m_tokens)
    long = min(tokens - short, usage.cache_write_1h_tokens)
    return usage._replace(
        cache_write_5m_tokens=usage.cache_write_5m_tokens - short,
        cache_write_1h_tokens=usage.cache_write_1h_tokens - long,
    )


_KNOWN: dict[tuple[str, str], tuple[str | None, Model | None]] = {}


def _known(table: PriceTable, model: str) -> tuple[str | None, Model | None]:
    """(family word, the table's model) of an id."""
    key = (table.fingerprint, model)
    if key not in _KNOWN:
        _KNOWN[key] = (normalise.family(model), table.find(model))
    return _KNOWN[key]


def _family(table: PriceTable, word: str) -> tuple[Model, ...]:
    key = (table.fingerprint, word)
    if key not in _FAMILIES:
        _FAMILIES[key] = table.family(word)
    return _FAMILIES[key]


def newest(table: PriceTable, family: str, at: float) -> str | None:
    """The newest model of a family released by that day; None when the table has no release date."""
    day = datetime.fromtimestamp(at, UTC).date().isoformat()
    out = [model for model in _family(table, family) if model.released and model.released <= day]
    return out[-1].name if out else None


def smaller(table: PriceTable, call: Call) -> str | None:
    """The newest Sonnet on the day of a call to a large model; None for other models and for fast mode."""
    if call.usage.speed or _known(table, call.model)[0] not in LARGE:
        return None  # the rule fast-mode covers fast requests
    return newest(table, SMALLER, call.at)


def cheaper_successor(table: PriceTable, call: Call) -> tuple[str, int] | None:
    """(name, picodollars) of the cheapest newer model of its family that was out on the day of the call, or None."""
    word, own_model = _known(table, call.model)
    if own_model is None or word is None or not own_model.released or call.usage.speed:
        return None
    day = datetime.fromtimestamp(call.at, UTC).date().isoformat()
    best: tuple[str, int] | None = None
    for model in _family(table, word):
        if own_model.released < model.released <= day:
            price = priced(table, call, call.usage, model.name)
            if price < call.cost and (best is None or price < best[1]):
                best = (model.name, price)
    return best
