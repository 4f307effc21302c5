"""What every answer is made from, and the currency it is shown in."""

import sqlite3
from collections.abc import Mapping
from typing import NamedTuple

from aitop.config import Config
from aitop.model.json_types import JsonObject
from aitop.reports.currency import currency


class Asked(NamedTuple):
    """One request: the address' words, the configuration, the tags given by hand, the moment (epoch seconds)."""

    query: Mapping[str, str]
    config: Config
    tags: Mapping[str, str]
    now: float


def money(db: sqlite3.Connection, asked: Asked) -> JsonObject:
    """How the page writes amounts, which are in USD."""
    shown_in = currency(db, asked.config, asked.now)
    return {"symbol": shown_in.symbol, "rate": shown_in.rate, "subscription": shown_in.subscription}
