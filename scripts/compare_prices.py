"""Print every difference between our prices and the newest ones of genai-prices, LiteLLM and models.dev.

For a person who settles each at the vendor's own page and writes it into price_corrections.toml; nothing is changed
here. `pip install -U genai-prices litellm` brings two of the sources, a file or an address the third:

    python scripts/compare_prices.py --models-dev https://models.dev/api.json

One line for each rate that differs today (USD per million tokens), then the models that a source has and we lack.
What a person has settled stands in price_reviewed.toml with its reason and is not printed again until the source
states another value; `--all` prints it too. Exit codes: 0 nothing to settle, 1 something.
"""

import argparse
import datetime as dt
import fnmatch
import importlib.util
import json
import os
import sys
import tomllib
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

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

REVIEWED = os.path.join(HERE, "price_reviewed.toml")

Stated = dict[str, dict[str, float]]  # id → rate → USD per million tokens


class Difference(NamedTuple):
    """One rate that a source states otherwise, or a model that we lack; `reason` is empty where it is not settled."""

    name: str
    text: str
    reason: str


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--litellm", metavar="FILE|URL", help="default: the data of the installed litellm")
    parser.add_argument("--models-dev", metavar="FILE|URL", help="models.dev's api.json; left out without it")
    parser.add_argument("--all", action="store_true", help="also what is settled, each with its reason")
    arguments = parser.parse_args()
    today = dt.datetime.now(dt.UTC).date().isoformat()
    ours = table.load()
    found = [*_sources(arguments.litellm, arguments.models_dev, today)]
    if not found:
        parser.error("no source: pip install genai-prices litellm, or name a file")
    reviewed = Reviewed(REVIEWED)
    every = [one for name, stated in found for one in differences(ours, reviewed, name, stated, today)]
    every += [one for name, stated in found for one in missing(ours, reviewed, name, stated)]
    new = [one for one in every if not one.reason]
    for one in every if arguments.all else new:
        print(f"{one.name:40} {one.text}" + (f" ({one.reason})" if one.reason else ""))
    settled = len(every) - len(new)
    print(
        f"{len(new) or 'No'} difference{'s' * (len(new) > 1)} to settle, {settled} settled.", file=sys.stderr
    )
    return 1 if new else 0


class Reviewed:
    """What was settled: what a source states of a model, and kinds of models that are left out on purpose."""

    def __init__(self, path: str) -> None:
        with open(path, "rb") as file:
            read = tomllib.load(file)
        self.kinds: list[tuple[list[str], str]] = [(one["ids"], one["reason"]) for one in read["kind"]]
        self.models: dict[tuple[str, str], dict[str, Any]] = {
            (one["source"], one["id"]): one for one in read["model"]
        }

    def rate(self, source: str, name: str, rate: str, stated: float) -> str:
        """Why a rate differs; empty where that was not settled for this value."""
        one = self.models.get((source, name), {})
        return str(one["reason"]) if one.get(rate) == stated else ""

    def lacking(self, source: str, name: str, rates: Mapping[str, float]) -> str:
        """Why a model is left out; empty where that was not settled."""
        kinds = (reason for ids, reason in self.kinds if any(fnmatch.fnmatchcase(name, one) for one in ids))
        whole = all(self.rate(source, name, rate, stated) for rate, stated in rates.items())
        return next(kinds, "") or (str(self.models[source, name]["reason"]) if whole else "")


def differences(
    ours: table.PriceTable, reviewed: Reviewed, source: str, stated: Stated, today: str
) -> Iterator[Difference]:
    """Each rate that a source states otherwise."""
    for name, rates in sorted(stated.items()):
        model = ours.find(name)
        if model is None:
            continue
        mine = rows.row_at(model, today).standard[0].rates
        for rate, theirs in rates.items():
            own = rows.to_usd(getattr(mine, rate))
            if abs(own - theirs) > 1e-9:
                text = f"{rate:15} ours {own:<10g} {source} {theirs:g}"
                yield Difference(name, text, reviewed.rate(source, name, rate, theirs))


def missing(ours: table.PriceTable, reviewed: Reviewed, source: str, stated: Stated) -> Iterator[Difference]:
    """Each model that a source prices and we do not know."""
    for name, rates in sorted(stated.items()):
        if ours.find(name) is None:
            shown = ", ".join(f"{rate} {value:g}" for rate, value in rates.items())
            yield Difference(name, f"missing; {source}: {shown}", reviewed.lacking(source, name, rates))


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
