"""Write aitop/pricing/prices.json from the genai-prices distribution, price_corrections.toml and price_additions.toml.

Run at release time (`pip install genai-prices`, then `python scripts/make_prices.py`); the same inputs
give the same bytes. genai-prices is a tool here, never a dependency: `--check` only compares.
What does not fit a table of text prices is left out (pictures, sound, embeddings, searches). Where a price
depends on the hour, the row carries the hours of the cheaper one.
"""

import argparse
import datetime as dt
import itertools
import os
import sys
import tomllib
from collections.abc import Sequence
from importlib.metadata import version

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from genai_prices import types  # noqa: E402
from genai_prices.data import providers  # noqa: E402

from aitop.pricing import normalise, rows  # noqa: E402

TARGET = os.path.join(HERE, "..", "aitop", "pricing", "prices.json")
CORRECTIONS = os.path.join(HERE, "price_corrections.toml")
ADDITIONS = os.path.join(HERE, "price_additions.toml")
# In order of precedence where two sell a model of the same id; with the start of the ids taken.
PROVIDERS = {
    "anthropic": "", "openai": "", "google": "gemini", "x-ai": "", "deepseek": "", "mistral": "",
    "moonshotai": "", "zai": "", "minimax": "", "meta": "", "cohere": "", "cerebras": "",
    "aws": "amazon.nova", "openrouter": "qwen/",
}  # fmt: skip
NOT_TEXT = (
    "tts", "image", "audio", "realtime", "transcribe", "embed", "moderation", "ocr", "voxtral", "live",
    "whisper", "robotics", "omni", "banana", "sonic", "vision", "-vl-", "guard", "ft:", ".ft-", ":free",
    ":batch", "aya-", "davinci", "babbage", "curie", "gpt-3.5", "gpt-4-", "search-api", "search-preview",
)  # fmt: skip
# What a [[model]] and a [[model.row]] of our two files may hold.
MODEL_KEYS = ("id", "provider", "context", "released", "also", "replaces", "drops", "row")
RATE_KEYS = (*rows.SHORT, "over")
VARIANTS = ("over", "fast", "priority")  # a row that leaves one out ends it
ROW_KEYS = (*RATE_KEYS, "from", "fast", "priority", "off_peak", "source", "checked", "ends")
OWN_KEYS = ("checked", "ends")  # of this script alone
LEAST_RATE = 0.001  # USD per million tokens; a smaller one is a price per token
PARTS = {
    "over": ("tokens", *rows.SHORT), "fast": RATE_KEYS, "priority": RATE_KEYS, "off_peak": ("hours", *RATE_KEYS),
    "hours": ("utc", "weekdays"),
}  # fmt: skip
KEYS = ("input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok", "cache_write_1h_mtok")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail when prices.json is out of date")
    arguments = parser.parse_args()
    text = build()
    if arguments.check:
        with open(TARGET, "rb") as file:
            same = file.read() == text
        print("prices.json is up to date" if same else "prices.json differs; run scripts/make_prices.py")
        return 0 if same else 1
    with open(TARGET, "wb") as file:
        file.write(text)
    print(f"{os.path.normpath(TARGET)}: {len(text)} bytes, {text.count(b'rows')} models")
    return 0


def build() -> bytes:
    """The file's bytes."""
    corrections, additions = read(CORRECTIONS), read(ADDITIONS)
    source = f"genai-prices {version('genai-prices')}"
    models = generated()
    for path, own in ((CORRECTIONS, corrections), (ADDITIONS, additions)):
        for correction in own["model"]:
            correct(models, correction, f"scripts/{os.path.basename(path)}")
    head = {
        "as_of": corrections["as_of"],
        "source": source,
        "unit": "USD per million tokens",
        "licence": "see NOTICE",
    }
    text = rows.encode(head, spelled_once(models).values())
    rows.parse_models(rows.orjson.loads(text), source)  # what we write, we can read
    return text


def read(path: str) -> dict:
    """A file of ours. Ends with a sentence where it is no TOML."""
    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except tomllib.TOMLDecodeError as error:
        raise SystemExit(f"scripts/{os.path.basename(path)}: {error}") from None


def generated() -> dict[str, rows.Model]:
    """Every text model of the providers above, by its barest id."""
    found: dict[str, rows.Model] = {}
    known = {provider.id: provider for provider in providers}
    for name, prefix in PROVIDERS.items():
        for info in known[name].models:
            first = normalise.spellings(info.id)[0]
            unwanted = not info.id.startswith(prefix) or any(word in info.id.lower() for word in NOT_TEXT)
            if unwanted or first in found:
                continue
            dated = model_rows(info)
            if dated:
                also = tuple(dict.fromkeys(normalise.spellings(other)[0] for other in exact_ids(info.match)))
                found[first] = rows.Model(first, name, dated, info.context_window, also=also)
    return found


def exact_ids(match: types.MatchLogic) -> list[str]:
    """The ids a clause names in full."""
    if isinstance(match, types.ClauseEquals):
        return [match.equals]
    if isinstance(match, types.ClauseOr):
        return [name for part in match.or_ for name in exact_ids(part)]
    return []


def model_rows(info: types.ModelInfo) -> tuple[rows.PriceRow, ...]:
    """The dated rows of one model, with its fast and priority variants.

    Hours have no date of their own in genai-prices: they are those of the newest row.
    """
    dated: dict[str, types.ModelPrice] = {}
    at_hours: list[tuple[types.TimeOfDateConstraint, types.ModelPrice]] = []
    if isinstance(info.prices, types.ModelPrice):
        dated[""] = info.prices
    else:
        for part in info.prices:
            if part.constraint is None:
                dated[""] = part.prices
            elif isinstance(part.constraint, types.StartDateConstraint):
                dated[part.constraint.start_date.isoformat()] = part.prices
            else:
                at_hours.append((part.constraint, part.prices))
    if not all(worth(price) for price in dated.values()):
        return ()
    base = {day: schedule(price) for day, price in sorted(dated.items())}
    fast = variant(info, base, dated, "speed", "fast")
    priority = variant(info, base, dated, "service_tier", "priority")
    found = [
        rows.PriceRow(day, steps, fast.get(day, ()), priority.get(day, ())) for day, steps in base.items()
    ]
    return (*found[:-1], with_hours(found[-1], at_hours))


def with_hours(
    row: rows.PriceRow, at_hours: list[tuple[types.TimeOfDateConstraint, types.ModelPrice]]
) -> rows.PriceRow:
    """The row with its cheaper hours: those that are named, or those between the named ones. Raises ValueError."""
    if not at_hours:
        return row
    (price,) = {schedule(price) for _, price in at_hours}  # one other price, at any number of hours
    named = sorted((second(one.start_time), second(one.end_time)) for one, _ in at_hours)
    if price[0].rates.input < row.standard[0].rates.input:
        return row._replace(off_peak=rows.OffPeak(tuple(rows.Hours(*span) for span in named), price))
    between = [(end, named[(n + 1) % len(named)][0]) for n, (_, end) in enumerate(named)]
    cheap = tuple(rows.Hours(begins, ends or rows.DAY) for begins, ends in between)
    return row._replace(standard=price, off_peak=rows.OffPeak(cheap, row.standard))


def second(moment: dt.time) -> int:
    """The second of the day."""
    return moment.hour * 3600 + moment.minute * 60 + moment.second


def worth(price: types.ModelPrice) -> bool:
    return bool(price.input_mtok) and bool(price.output_mtok)


def schedule(price: types.ModelPrice, under: types.ModelPrice | None = None) -> rows.Schedule:
    """Whole-request steps of one price; a variant's missing rates are those of the price under it."""
    values = {}
    for short, key in zip(rows.SHORT, KEYS, strict=True):
        values[short] = getattr(price, key, None) or (getattr(under, key, None) if under else None)
    tiered = [value for value in values.values() if isinstance(value, types.TieredPrices)]
    limits = sorted({0} | {tier.start for value in tiered for tier in value.tiers})
    steps = []
    for limit in limits:
        body = {short: at_limit(value, limit) for short, value in values.items()}
        step = {short: float(value) for short, value in body.items() if value is not None}
        steps.append({"tokens": limit, **step})
    return rows.parse_schedule("generated", {**steps[0], "over": steps[1:]})


def at_limit(value, limit: int):
    if not isinstance(value, types.TieredPrices):
        return value
    reached = [tier.price for tier in value.tiers if tier.start <= limit]
    return reached[-1] if reached else value.base


def variant(info, base: dict[str, rows.Schedule], dated, key: str, word: str) -> dict[str, rows.Schedule]:
    """A variant's schedule for each row: as listed where it is dated, in the same proportion elsewhere."""
    for part in info.price_variants or ():
        if part.when != {key: word}:
            continue
        start = part.constraint.start_date if part.constraint else dt.date.min
        listed = max(day for day in base if day <= start.isoformat() or day == min(base))
        exact = schedule(part.prices, dated[listed])
        old = base[listed][0].rates
        return {day: rows.rescale(exact, old, steps[0].rates) for day, steps in base.items()}
    return {}


def correct(models: dict[str, rows.Model], correction: dict, file: str = "scripts/price_*.toml") -> None:
    """Apply one [[model]] of a file. Ends with a sentence where a key is missing, unknown or holds no such value."""
    name = needed(correction, "id", f"{file}: a [[model]] ({correction})")
    place = f"{file}: {name}"
    only_known_keys(place, correction, MODEL_KEYS)
    old = models.pop(correction.get("replaces", name), None)
    body = {"rows": []}
    for row in correction.get("row", ()):
        where, checked = (needed(row, key, f"{file}: a row of {name}") for key in ("source", "checked"))
        only_known_keys(place, row, ROW_KEYS)
        source = {"source": f"{where} (checked {checked})"}
        no_rate_is_per_token(place, row)
        body["rows"].append({key: value for key, value in row.items() if key not in OWN_KEYS} | source)
    if not body["rows"] and old is None:
        raise SystemExit(
            f"{place} has no [[model.row]], and genai-prices has no such model. Write a row with its price"
        )
    try:
        own = rows.parse_model(name, body, "").rows if body["rows"] else old.rows
    except rows.PriceDataError as error:
        raise SystemExit(f"{file}: {error}") from None
    no_cache_rate_is_forgotten(place, body["rows"])
    no_variant_ends_unsaid(place, correction.get("row", ()))
    no_row_is_dropped_unseen(place, own, old.rows if old else (), correction.get("drops", ()))
    also = (*(old.also if old else ()), *correction.get("also", ()))
    provider = (
        old.provider if old and not correction.get("provider") else needed(correction, "provider", place)
    )
    context = correction.get("context") or (old.context if old else None)
    models[name] = rows.Model(name, provider, own, context, correction.get("released", ""), also)


def only_known_keys(place: str, table: dict, keys: tuple[str, ...], inside: str = "") -> None:
    """A misspelt key would be passed over, and its rate be another one."""
    for key, value in table.items():
        if key not in keys:
            raise SystemExit(f"{place} has the unknown key `{inside}{key}`; keys are {', '.join(keys)}")
        for part in value if isinstance(value, list) else [value]:
            if key in PARTS and isinstance(part, dict):
                only_known_keys(place, part, PARTS[key], f"{inside}{key}.")


def no_cache_rate_is_forgotten(place: str, own: list[dict]) -> None:
    """A row carries each cache rate of the one before: a rate left out is the full input rate."""
    for before, row in itertools.pairwise(own):
        for rate in ("cr", "w5", "w1"):
            if rate in before and rate not in row:
                raise SystemExit(
                    f"{place}: the row from {row.get('from')} lacks `{rate}`, which the row before it has. Copy it, "
                    "or write the input rate where the discount ended"
                )


def no_variant_ends_unsaid(place: str, own: Sequence[dict]) -> None:
    """A row has each long-prompt, fast and priority rate of the one before, or names it in `ends`."""
    for before, row in itertools.pairwise(own):
        ended = [key for key in VARIANTS if key in before and key not in row]
        if sorted(ended) != sorted(row.get("ends", ())):
            raise SystemExit(
                f"{place}: the row from {row.get('from')} ends {ended} of the row before it, and its `ends` says "
                f"{row.get('ends', [])}. Copy what goes on, or name exactly what ends"
            )


def no_rate_is_per_token(place: str, table: dict, inside: str = "") -> None:
    """Price pages name USD per million tokens, LiteLLM's file USD per token."""
    for key, value in table.items():
        if key in rows.SHORT and isinstance(value, int | float) and 0 < value < LEAST_RATE:
            raise SystemExit(
                f"{place}: `{inside}{key} = {value}` looks like a price per token. Write USD per million tokens"
            )
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict):
                no_rate_is_per_token(place, part, f"{inside}{key}.")


def no_row_is_dropped_unseen(place: str, own: tuple, generated_rows: tuple, dropped: list[str]) -> None:
    """A [[model]] with rows replaces all generated ones, so it has each of their days or names it in `drops`."""
    missing = {row.start for row in generated_rows} - {row.start for row in own}
    if missing != set(dropped):
        days = ", ".join(sorted(day or "the beginning" for day in missing ^ set(dropped)))
        raise SystemExit(
            f"{place}: genai-prices has rows that ours replace: {days}. Write them down, or name exactly these days "
            "in `drops` with the reason beside it"
        )


def needed(table: dict, key: str, of: str) -> str:
    if not table.get(key):
        raise SystemExit(f"{of} lacks the key `{key}`")
    return table[key]


def spelled_once(models: dict[str, rows.Model]) -> dict[str, rows.Model]:
    """Keep only the aliases that a lookup would not find without them, each for one model."""
    taken = set(models)
    kept = {}
    for name, model in models.items():
        wanted = [*model.also, *normalise.spellings(name)[1:]]
        also = []
        for alias in dict.fromkeys(wanted):
            reached = next((s for s in normalise.spellings(alias) if s in models), None)
            if alias not in taken and (reached != name or alias in normalise.spellings(name)):
                also.append(alias)
                taken.add(alias)
        kept[name] = model._replace(also=tuple(also))
    return kept


if __name__ == "__main__":
    sys.exit(main())
