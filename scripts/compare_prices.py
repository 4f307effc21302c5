"""Print every difference between our prices and the newest ones of genai-prices, LiteLLM and models.dev.

For a person who settles each at the vendor's own page and writes it into price_corrections.toml; nothing is changed
here. `pip install -U genai-prices litellm` brings two of the sources, a file or an address the third:

    python scripts/compare_prices.py --models-dev https://models.dev/api.json

One line for each rate that differs today (USD per million tokens), then the models that a source has and we lack.
Exit codes: 0 no difference, 1 some.
"""

import argparse
import datetime as dt
import importlib.util
import json
import os
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from aitop.pricing import litellm_prices, normalise, rows, table  # noqa: E402
from aitop.pricing.rows import Model, Rates  # noqa: E402

LITELLM_DATA = "model_prices_and_context_window_backup.json"
# models.dev's name of a vendor itself; clouds and resellers have other prices
MODELS_DEV = ("anthropic", "openai", "google", "xai", "deepseek", "mistral", "moonshotai", "zai", "minimax", "cohere",
              "alibaba", "llama")  # fmt: skip
MODELS_DEV_RATES = {
    "input": "input",
    "output": "output",
    "cache_read": "cache_read",
    "cache_write": "cache_write_5m",
}

Stated = dict[str, dict[str, float]]  # id → rate → USD per million tokens


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--litellm", metavar="FILE|URL", help="default: the data of the installed litellm")
    parser.add_argument("--models-dev", metavar="FILE|URL", help="models.dev's api.json; left out without it")
    arguments = parser.parse_args()
    today = dt.datetime.now(dt.UTC).date().isoformat()
    ours = table.load()
    found = [*_sources(arguments.litellm, arguments.models_dev, today)]
    if not found:
        parser.error("no source: pip install genai-prices litellm, or name a file")
    differ = [line for name, stated in found for line in differences(ours, name, stated, today)]
    lack = [line for name, stated in found for line in missing(ours, name, stated)]
    print("\n".join([*differ, *lack]) or "No difference.")
    return 1 if differ or lack else 0


def differences(ours: table.PriceTable, source: str, stated: Stated, today: str) -> Iterator[str]:
    """A line for each rate that a source states otherwise."""
    for name, rates in sorted(stated.items()):
        model = ours.find(name)
        if model is None:
            continue
        mine = rows.row_at(model, today).standard[0].rates
        for rate, theirs in rates.items():
            own = rows.to_usd(getattr(mine, rate))
            if abs(own - theirs) > 1e-9:
                yield f"{name:40} {rate:15} ours {own:<10g} {source} {theirs:g}"


def missing(ours: table.PriceTable, source: str, stated: Stated) -> Iterator[str]:
    """A line for each model that a source prices and we do not know."""
    for name, rates in sorted(stated.items()):
        if ours.find(name) is None:
            shown = ", ".join(f"{rate} {value:g}" for rate, value in rates.items())
            yield f"{name:40} missing; {source}: {shown}"


def of_litellm(data: Mapping[str, Any]) -> Stated:
    """What LiteLLM states of the vendors' own models; a rate that it leaves out is left out here too."""
    return {
        name: {
            rate: float(rows.to_usd(value))
            for rate, value in zip(Rates._fields, offer.model.rows[0].standard[0].rates, strict=True)
            if rate not in offer.silent
        }
        for name, offer in litellm_prices.read(data).items()
    }


def of_models_dev(data: Mapping[str, Any]) -> Stated:
    """What models.dev states of the vendors' own models."""
    found: Stated = {}
    for vendor in MODELS_DEV:
        for identity, model in data.get(vendor, {}).get("models", {}).items():
            cost = model.get("cost") or {}
            rates = {ours: float(cost[theirs]) for theirs, ours in MODELS_DEV_RATES.items() if theirs in cost}
            if rates.get("input") and rates.get("output"):
                found[normalise.spellings(identity)[0]] = rates
    return found


def of_genai(models: Mapping[str, Model], today: str) -> Stated:
    """What genai-prices states."""
    return {
        name: {
            rate: float(rows.to_usd(value))
            for rate, value in zip(Rates._fields, rows.row_at(model, today).standard[0].rates, strict=True)
        }
        for name, model in models.items()
    }


def _sources(litellm: str | None, models_dev: str | None, today: str) -> Iterator[tuple[str, Stated]]:
    if importlib.util.find_spec("genai_prices"):
        sys.path.insert(0, HERE)
        import make_prices

        yield "genai-prices", of_genai(make_prices.generated(), today)
    spec = importlib.util.find_spec("litellm")
    installed = os.path.join(os.path.dirname(spec.origin), LITELLM_DATA) if spec and spec.origin else None
    if litellm or installed:
        yield "litellm", of_litellm(_read(litellm or str(installed)))
    if models_dev:
        yield "models.dev", of_models_dev(_read(models_dev))


def _read(place: str) -> Any:
    if place.startswith("https://"):
        with urllib.request.urlopen(place, timeout=30) as answer:
            return json.load(answer)
    with open(place, "rb") as file:
        return json.load(file)


if __name__ == "__main__":
    sys.exit(main())
