"""Asks EcoLogits about the output tokens of each model. No other module imports EcoLogits.

Its method: energy of a request from its output tokens and an assumed size of the model, times the data
centre's overhead, times the electricity mix of a place, plus a share of making the servers. Makers do not
publish model sizes, so every figure is a range. The method does not count input and cached tokens.
"""

import logging
import math
import warnings
from importlib import import_module
from typing import Any, NamedTuple

from aitop.pricing import normalise
from aitop.system import installation

MAKERS = {"claude": "anthropic", "gpt": "openai", "gemini": "google_genai", "mistral": "mistralai"}
METHOD = "EcoLogits {version}: output tokens, usage and a share of making the servers"
SOURCE = "https://ecologits.ai/latest/methodology/llm_inference/"


class MissingError(Exception):
    """The extra is not installed; the message says how to get it."""


class Span(NamedTuple):
    """A range: the lowest and the highest estimate."""

    least: float
    most: float

    def plus(self, other: "Span") -> "Span":
        return Span(self.least + other.least, self.most + other.most)


class Impact(NamedTuple):
    """Of one model's output: electricity in kWh, greenhouse gas in kg CO2 equivalent."""

    energy: Span
    carbon: Span
    as_model: str  # EcoLogits' name of the model


class Estimator:
    """Estimates for one zone. Raises MissingError without EcoLogits, ValueError for an unknown zone."""

    def __init__(self, zone: str | None) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                version = import_module("ecologits").__version__
                mixes = import_module("ecologits.electricity_mix_repository").electricity_mixes
                models = import_module("ecologits.model_repository").models
                impacts = import_module("ecologits.tracers.utils").llm_impacts
        except ImportError as error:
            raise MissingError(f"energy needs EcoLogits: {installation.add_extra('energy')}") from error
        self.method = METHOD.format(version=version)
        self.zone = zone
        self._impacts, self._models = impacts, models
        logging.getLogger("ecologits").setLevel(logging.ERROR)
        is_zone = zone is None or mixes.find_electricity_mix(zone=zone) is not None
        if not is_zone:
            raise ValueError(
                f"{zone} is no zone of EcoLogits (three letters such as FRA or USA; WOR: the world)"
            )

    def impact(self, model: str, requests: int, output_tokens: int) -> Impact | None:
        """The impact of these requests and their output; None for a model EcoLogits does not know.

        The method has a fixed part for each request and one for each token, so the mean request times their
        number is exact. Request times are not measured, so EcoLogits uses its own speed of the model.
        """
        if requests <= 0:
            return None
        maker = MAKERS.get(normalise.normalise(model).partition("-")[0])
        name = next((n for n in normalise.spellings(model) if maker and self._knows(maker, n)), None)
        if maker is None or name is None:
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            impacts = self._impacts(maker, name, output_tokens / requests, math.inf, self.zone)
        if impacts.errors:
            return None
        return Impact(_span(impacts.energy.value, requests), _span(impacts.gwp.value, requests), name)

    def _knows(self, maker: str, name: str) -> bool:
        return self._models.find_model(provider=maker, model_name=name) is not None


def _span(value: Any, times: int) -> Span:
    """The value as a range, times a number. Where EcoLogits gives one number, both ends are the same."""
    return Span(float(getattr(value, "min", value)) * times, float(getattr(value, "max", value)) * times)
