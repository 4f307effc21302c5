"""The page Advice: the findings of the rules over the days asked for."""

import sqlite3

from aitop import paths
from aitop.advice import all_rules, record
from aitop.advice.cli import published
from aitop.model.json_types import JsonObject
from aitop.pricing import table
from aitop.web import params
from aitop.web.answers.asked import Asked, money

DAYS = "30d"


def advice(db: sqlite3.Connection, asked: Asked) -> JsonObject:
    """The findings, the greatest saving first, as `aitop advise --json` has them.

    Raises BadAddressError, sqlite3.Error.
    """
    part = params.part({"since": DAYS, **asked.query}, asked.now)
    start, end = part.span()
    prices = table.load(asked.config.price_overrides, paths.in_home(paths.PRICES))
    disabled = asked.config["advise.disable"]
    rules = [rule for rule in all_rules.RULES if rule.id not in disabled]
    findings = all_rules.findings(
        record.sessions(db, start, end), prices, rules, asked.config["advise.least_usd"]
    )
    clients = dict(db.execute("SELECT name, provider FROM session"))
    rows = [published(one) for one in findings]
    for row in rows:
        for example in row["examples"]:
            example["provider"] = clients.get(example["session"])
    assert part.since is not None
    return {"findings": rows, "since": part.since.isoformat(), "money": money(db, asked)}
