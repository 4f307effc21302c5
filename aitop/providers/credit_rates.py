"""Clients that are billed in credits, where their maker publishes what a credit costs.

Credits stand beside dollars and are never added to them. A client without a published rate (Droid, Kiro, Qoder) has
none here: its credits are not shown as money, and no money as its credits. Pure.
"""

from typing import NamedTuple


class Rate(NamedTuple):
    """`per_usd` credits are one dollar; `source` says where that is published."""

    unit: str
    per_usd: int
    source: str


# Copilot's credits are billed since 1 June 2026: tokens at the models' own prices, a cent each.
COPILOT = Rate("AI credits", 100, "GitHub's pages on usage-based billing for Copilot, 2026-06-01")
RATES = {"copilot": COPILOT, "copilot-chat": COPILOT, "amp": Rate("credits", 100, "Amp's manual, 2026-11")}


def of(provider: object, usd: float) -> float | None:
    """What an amount is in a client's credits; None for a client that is not billed in them."""
    rate = RATES.get(provider) if isinstance(provider, str) else None
    return None if rate is None else usd * rate.per_usd
