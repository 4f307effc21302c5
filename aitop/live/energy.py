"""Today's electricity and carbon from factors that were worked out before: a sum of products. Pure.

The factors come from a file that `aitop energy --factors` writes; EcoLogits itself never enters the listener. Its
method is linear: a fixed part for each request and one for each output token.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

Span = tuple[float, float]  # the lowest and the highest estimate


class Factors(NamedTuple):
    """Of one model: kWh and kg CO2 equivalent, for each request and for each output token."""

    energy_request: Span
    energy_token: Span
    carbon_request: Span
    carbon_token: Span


class Known(NamedTuple):
    """What the file holds. A model with None is one that the method does not know."""

    method: str
    source: str
    zone: str | None
    models: Mapping[str, Factors | None]


class EnergyView(NamedTuple):
    """Today's estimate: kWh and kg as ranges, and the models that are left out of it."""

    energy_kwh: list[float]
    carbon_kg: list[float]
    output_tokens: int  # those that are in it
    unknown_models: list[str]
    zone: str | None
    method: str
    source: str


def today(known: Known, outputs: Iterable[tuple[str, int, int]]) -> EnergyView:
    """The estimate of (model, requests, output tokens) rows. A model without factors is named and left out."""
    energy, carbon = [0.0, 0.0], [0.0, 0.0]
    unknown, counted = [], 0
    for model, requests, tokens in outputs:
        factors = known.models.get(model)
        if factors is None:
            unknown.append(model)
            continue
        counted += tokens
        for end in (0, 1):
            energy[end] += factors.energy_request[end] * requests + factors.energy_token[end] * tokens
            carbon[end] += factors.carbon_request[end] * requests + factors.carbon_token[end] * tokens
    return EnergyView(energy, carbon, counted, sorted(unknown), known.zone, known.method, known.source)
