"""The currency and the kind of bill that reports show money in. Only reads."""

import sqlite3

from aitop.config import Config
from aitop.history.query import sums_since
from aitop.segments.money import Currency


def currency(db: sqlite3.Connection, config: Config, now: float) -> Currency:
    """As configured; with `billing = "auto"` a client that reports limits is a subscription's."""
    billing = config["billing"]
    subscription = bool(sums_since.limits(db, now)) if billing == "auto" else billing == "subscription"
    return Currency(config["currency.symbol"], config["currency.rate"], subscription=subscription)
