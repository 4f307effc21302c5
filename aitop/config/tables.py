"""The tables that the user names: segments, providers, upstreams, prices of models. Pure.

`fail(dotted, message)` makes the error to raise, with file and line.
"""

import re
from collections.abc import Iterator
from typing import Any

from aitop.config.keys import PRICE_FIELDS, PROVIDER_FIELDS, SEGMENT_DISPLAYS, SEGMENT_FIELDS
from aitop.config.validation import mismatch, nearest
from aitop.config.values import ProviderChoice, Segment
from aitop.model.json_types import JsonObject

HIGHEST_PRICE = 10_000  # USD per million tokens; anything above is a slip of the unit

NAME = re.compile(r"[A-Za-z0-9_-]+")


def segments(data: Any, fail: Any) -> list[Segment]:
    chosen = []
    for name, body in _bodies("segments", data, SEGMENT_FIELDS, fail):
        dotted = f"segments.{name}"
        if not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
            raise fail(dotted, "a segment's name is letters, digits, - and _")
        display = body.get("display") or (name if name in SEGMENT_DISPLAYS else None)
        if display is None:
            raise fail(dotted, f"needs display = one of {', '.join(SEGMENT_DISPLAYS)}")
        chosen.append(Segment(name, display, body.get("preset"), body.get("format"), body.get("provider")))
    return chosen


def providers(data: object, fail: object) -> list[ProviderChoice]:
    return [
        ProviderChoice(name, body.get("enabled"), tuple(body.get("folders", ())))
        for name, body in _bodies("providers", data, PROVIDER_FIELDS, fail)
    ]


def _bodies(table: str, data: Any, kinds: dict[str, str], fail: Any) -> Iterator[tuple[str, JsonObject]]:
    """Each named table within a table, its keys checked: `kinds` has the kind of each."""
    if not isinstance(data, dict):
        raise fail(table, "must be a table of tables")
    for name, body in data.items():
        if not isinstance(body, dict):
            raise fail(f"{table}.{name}", "must be a table")
        for key, value in body.items():
            dotted = f"{table}.{name}.{key}"
            if key not in kinds:
                raise fail(dotted, f"unknown key{nearest(key, kinds)}")
            problem = mismatch(kinds[key], value)
            if problem:
                raise fail(dotted, problem)
        yield name, body


def upstreams(data: JsonObject, fail: Any) -> dict[str, str]:
    gateway = data.get("gateway")
    urls = gateway.pop("upstreams", {}) if isinstance(gateway, dict) else {}
    if not isinstance(urls, dict):
        raise fail("gateway.upstreams", "must be a table of names and URLs")
    for name, url in urls.items():
        if not NAME.fullmatch(name):
            raise fail(f"gateway.upstreams.{name}", "an upstream's name is letters, digits, - and _")
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            raise fail(f"gateway.upstreams.{name}", 'must be a URL such as "https://api.openai.com"')
    return urls


def price_overrides(data: JsonObject, fail: Any) -> dict[str, JsonObject]:
    prices = data.get("prices")
    models = prices.pop("models", {}) if isinstance(prices, dict) else {}
    if not isinstance(models, dict):
        raise fail("prices.models", "must be a table of tables")
    for model, row in models.items():
        dotted = f"prices.models.{model}"
        if not isinstance(row, dict):
            raise fail(dotted, "must be a table")
        for name, value in row.items():
            if name == "from":
                if not _is_date(value):
                    raise fail(f"{dotted}.from", 'must be a date such as "2026-01-31"')
            elif name not in PRICE_FIELDS:
                raise fail(f"{dotted}.{name}", f"unknown key{nearest(name, PRICE_FIELDS)}")
            elif mismatch("number", value) or value > HIGHEST_PRICE:
                raise fail(
                    f"{dotted}.{name}", f"must be a number of USD per million tokens, 0 to {HIGHEST_PRICE}"
                )
        for name in ("input", "output"):
            if name not in row:
                raise fail(dotted, f"needs {name} (USD per million tokens)")
    return models


def _is_date(value: Any) -> bool:
    import datetime

    if isinstance(value, datetime.date):
        return True
    try:
        datetime.date.fromisoformat(value)
    except (TypeError, ValueError):
        return False
    return True
