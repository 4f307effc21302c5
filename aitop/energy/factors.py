"""The factors that a listener multiplies with: worked out once for each model, kept in `$AITOP_HOME/energy.json`.

The listener starts `aitop energy --factors` where the extra is installed and a model of today has none. So its
memory never holds EcoLogits, and a second of its work costs a sum.
"""

import json
import os
from collections.abc import Iterable

from aitop import paths
from aitop.energy.estimate import SOURCE, Estimator, Impact, Span
from aitop.model.json_types import JsonObject
from aitop.system import atomic_file

TOKENS = 1000  # the method is linear, so any number does


def write(estimator: Estimator, models: Iterable[str]) -> None:
    """Replace the file with the factors of these models. Raises OSError."""
    data: JsonObject = {
        "method": estimator.method,
        "source": SOURCE,
        "zone": estimator.zone,
        "models": {model: of(estimator, model) for model in models},
    }
    atomic_file.replace(os.path.join(paths.home(), paths.ENERGY), json.dumps(data, indent=1).encode() + b"\n")


def of(estimator: Estimator, model: str) -> JsonObject | None:
    """The factors of one model, None for one that EcoLogits does not know."""
    fixed, more = estimator.impact(model, 1, 0), estimator.impact(model, 1, TOKENS)
    if fixed is None or more is None:
        return None
    return {
        "energy_request": list(fixed.energy),
        "energy_token": _each(fixed, more, "energy"),
        "carbon_request": list(fixed.carbon),
        "carbon_token": _each(fixed, more, "carbon"),
    }


def _each(fixed: Impact, more: Impact, what: str) -> list[float]:
    """The growth of one token at both ends of the range."""
    without: Span = getattr(fixed, what)
    with_tokens: Span = getattr(more, what)
    return [(high - low) / TOKENS for low, high in zip(without, with_tokens, strict=True)]
