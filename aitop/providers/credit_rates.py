"""Clients that are billed in credits: what their makers call them, and what a credit costs where that is published.

Credits stand beside dollars and are never added to them. With a published rate they are the counted cost at that
rate. Without one (Droid, Kiro: a credit costs something else on each plan) they are what the client recorded, and
neither is made from the other. Pure.
"""

from typing import NamedTuple

from aitop.model.sums import MICRO, PICO, Sum


class Rate(NamedTuple):
    """`per_usd` credits are one dollar, None where no rate is published; `source` says where it is."""

    unit: str
    per_usd: int | None
    source: str


# Copilot's credits are billed since 1 June 2026: tokens at the models' own prices, a cent each.
COPILOT = Rate("AI credits", 100, "GitHub's pages on usage-based billing for Copilot, 2026-06-01")
RATES = {
    "copilot": COPILOT,
    "copilot-chat": COPILOT,
    "amp": Rate("credits", 100, "Amp's manual, 2026-11"),
    "droid": Rate("Factory credits", None, "as recorded"),
    "kiro": Rate("Kiro credits", None, "as recorded"),
}


def of(provider: object, value: Sum) -> float | None:
    """A sum in its client's credits; None for a client that is not billed in them, and where it recorded none.

    A client of no published rate that was used and recorded no credits has an unknown number of them, not 0.
    """
    rate = RATES.get(provider) if isinstance(provider, str) else None
    if rate is None:
        return None
    if rate.per_usd is not None:
        return value.cost * rate.per_usd / PICO
    return value.credits / MICRO if value.credits or not value.requests else None
