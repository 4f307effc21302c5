"""LiteLLM's published price file, read as models with one row each.

It has no dates, drops retired models and is edited by hand: what to believe is `refresh`'s business.
Only entries of the vendors themselves are taken, since clouds and resellers sell the same ids at other
prices. Pure: it is handed the parsed file.
"""

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from aitop.pricing import normalise, rows
from aitop.pricing.rows import Model, OffPeak, PriceRow, Rates, Schedule, Step

URL = "https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json"
# LiteLLM's word for a vendor → ours, in order of precedence
PROVIDERS = {
    "anthropic": "anthropic",
    "openai": "openai",
    "gemini": "google",
    "xai": "x-ai",
    "deepseek": "deepseek",
    "mistral": "mistral",
    "codestral": "mistral",
    "moonshot": "moonshotai",
    "zai": "zai",
    "minimax": "minimax",
    "meta_llama": "meta",
    "cohere_chat": "cohere",
    "cohere": "cohere",
    "dashscope": "qwen",
    "": "",  # an entry of the user's own
}
TEXT_MODES = ("chat", "responses", "completion", None)
INPUT, OUTPUT = "input_cost_per_token", "output_cost_per_token"
READ, WRITE, LONG_WRITE = (
    "cache_read_input_token_cost",
    "cache_creation_input_token_cost",
    "cache_creation_input_token_cost_above_1hr",
)
CACHE = {"cache_read": READ, "cache_write_5m": WRITE, "cache_write_1h": LONG_WRITE}
_ABOVE = re.compile(rf"^{INPUT}(_above_(\d+)k_tokens)$")


class Offer(NamedTuple):
    """A model as a source has it. `silent`: rates that the source does not state and we had to fill in."""

    model: Model
    silent: tuple[str, ...] = ()
    partial: bool = False  # it says nothing reliable of fast, priority or long-prompt rates it lacks


def looks_like(data: object) -> bool:
    """Whether a parsed file is in LiteLLM's form."""
    return isinstance(data, dict) and any(
        isinstance(entry, dict) and INPUT in entry for entry in data.values()
    )


def read(data: Mapping[str, Any]) -> dict[str, Offer]:
    """Every priced text model, by its id. Raises PriceDataError for a price that cannot be one."""
    order = list(PROVIDERS)
    offers: dict[str, tuple[tuple[int, str], Offer]] = {}
    for key, entry in data.items():
        if not isinstance(entry, dict) or not _is_priced_text(entry):
            continue
        vendor = entry.get("litellm_provider", "")
        name = normalise.spellings(key)[0]
        rank = (order.index(vendor), key)
        if name not in offers or rank < offers[name][0]:
            silent = tuple(rate for rate, field in CACHE.items() if not entry.get(field))
            offers[name] = (rank, Offer(_model(name, PROVIDERS[vendor], entry), silent, partial=True))
    return {name: offer for name, (_, offer) in offers.items()}


def _is_priced_text(entry: Mapping[str, Any]) -> bool:
    """Free entries are left out: a model is never $0 in silence."""
    return bool(
        entry.get("litellm_provider", "") in PROVIDERS
        and entry.get("mode") in TEXT_MODES
        and entry.get(INPUT)
        and entry.get(OUTPUT)
    )


def _model(name: str, provider: str, entry: Mapping[str, Any]) -> Model:
    standard = _schedule(name, entry, "")
    fast: Schedule = ()
    extra = entry.get("provider_specific_entry")
    factor = extra.get("fast") if isinstance(extra, dict) else None
    if isinstance(factor, int | float) and 1 <= factor <= 100:
        times = Fraction(str(factor))
        fast = tuple(Step(over, Rates(*(round(rate * times) for rate in rates))) for over, rates in standard)
    priority = _schedule(name, entry, "_priority") if f"{INPUT}_priority" in entry else ()
    context = entry.get("max_input_tokens")
    window = context if isinstance(context, int) and not isinstance(context, bool) and context > 0 else None
    return Model(
        name,
        provider,
        (PriceRow("", standard, fast, priority, off_peak=_off_peak(name, entry, standard)),),
        window,
    )


def _off_peak(name: str, entry: Mapping[str, Any], standard: Schedule) -> OffPeak | None:
    """The rates of an entry's off-peak hours; what they leave out is that of the day."""
    body = entry.get("off_peak_pricing")
    if not isinstance(body, dict):
        return None
    place = f"{name}.off_peak_pricing"
    windows = body.get("windows")
    spans = [body] if not isinstance(windows, list) else [one for one in windows if isinstance(one, dict)]
    cheap_hours = [
        rows.hours(place, span, one.get("weekdays"))
        for one in spans
        for span in (one["hours_utc"] if isinstance(one.get("hours_utc"), list) else [one.get("hours_utc")])
    ]
    rates = _rates(place, {INPUT: entry.get(INPUT), **body}, "", standard[0].rates)
    return OffPeak(tuple(cheap_hours), (Step(0, rates),)) if cheap_hours else None


def _schedule(name: str, entry: Mapping[str, Any], suffix: str) -> Schedule:
    base = _rates(name, entry, suffix, None)
    limits = sorted((int(hit[2]) * 1000, hit[1]) for key in entry if (hit := _ABOVE.match(key)))
    steps = [Step(0, base)]
    for tokens, above in limits:
        if not suffix or f"{INPUT}{above}{suffix}" in entry:
            steps.append(Step(tokens, _rates(name, entry, above + suffix, base)))
    return tuple(steps)


def _rates(name: str, entry: Mapping[str, Any], suffix: str, base: Rates | None) -> Rates:
    """What an entry leaves out (or gives as 0) follows from its base rates, or from the input price."""

    def given(field: str) -> int | None:
        value = entry.get(field + suffix)
        if value is None or value == 0:
            return None
        return _pico(f"{name}.{field}{suffix}", value)

    fresh = given(INPUT)
    if fresh is None:
        raise rows.PriceDataError(f"{name}: no {INPUT}{suffix}")
    claude = normalise.is_claude(name)

    def derived(rate: int | None, usual: int, from_base: int) -> int:
        if rate is not None:
            return rate
        return round(Fraction(from_base * fresh, base.input)) if base else usual

    write = derived(given(WRITE), fresh, base.cache_write_5m if base else 0)
    usual_long = 2 * fresh if claude else write
    return Rates(
        fresh,
        derived(given(OUTPUT), fresh, base.output if base else 0),
        derived(given(READ), fresh, base.cache_read if base else 0),
        write,
        derived(given(LONG_WRITE), usual_long, base.cache_write_1h if base else 0),
    )


def _pico(place: str, usd_per_token: Any) -> int:
    right = isinstance(usd_per_token, int | float) and not isinstance(usd_per_token, bool)
    return rows.to_pico(place, usd_per_token * 1e6 if right else usd_per_token)
