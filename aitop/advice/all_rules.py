"""Run every rule over every session and return the findings, the greatest saving first. No I/O of its own."""

from collections.abc import Collection, Iterable

from aitop.advice import cache_rules, model_rules, premium_rules, tool_rules
from aitop.advice.finding import Finding, Hit, Rule
from aitop.advice.record import Record
from aitop.model.sums import PICO
from aitop.pricing.table import PriceTable

RULES: tuple[Rule, ...] = (
    *model_rules.RULES,
    *cache_rules.RULES,
    *premium_rules.RULES,
    *tool_rules.RULES,
)
BY_ID = {rule.id: rule for rule in RULES}


def findings(
    records: Iterable[Record], table: PriceTable, rules: Collection[Rule], least_usd: float
) -> list[Finding]:
    """The findings that save at least `least_usd`, the greatest saving first. The list may be empty."""
    hits: dict[str, list[Hit]] = {rule.id: [] for rule in rules}
    for record in records:
        for rule in rules:
            hits[rule.id] += rule.examine(record, table)
    made = [finding(rule, hits[rule.id], least_usd) for rule in rules]
    return sorted((one for one in made if one is not None), key=lambda one: (-one.saving, one.rule.id))


def finding(rule: Rule, hits: Iterable[Hit], least_usd: float) -> Finding | None:
    """What these hits of one rule come to; None where they are too few or save too little."""
    mine = sorted(hits, key=lambda hit: (-hit.saving, hit.session, hit.at))
    saving = sum(hit.saving for hit in mine)
    if len(mine) < rule.least or saving <= 0 or saving < least_usd * PICO:
        return None
    return Finding(rule, saving, tuple(mine), rule.say(mine))
