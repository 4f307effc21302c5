"""The configuration as the rest of the program sees it: frozen, checked, every key present."""

from dataclasses import dataclass, field
from typing import Any

from aitop.config import budgets_and_tags
from aitop.config.keys import KEYS
from aitop.model.json_types import JsonObject

MAX_ERROR = 600  # characters of a message


class ConfigError(ValueError):
    """What is wrong with the configuration, in words by which a user can mend it: one line, printable."""

    def __init__(self, text: str) -> None:
        shown = "".join(char if char.isprintable() else "\ufffd" for char in text)
        super().__init__(shown if len(shown) <= MAX_ERROR else shown[: MAX_ERROR - 1] + "…")


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment the listener renders each second: a built-in's look changed, or one of the user's own."""

    name: str
    display: str
    preset: str | None = None
    format: str | None = None
    provider: str | None = None


@dataclass(frozen=True, slots=True)
class ProviderChoice:
    """The user's choice for one provider: whether it is used (None: the default) and where its records are."""

    name: str
    enabled: bool | None = None
    folders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration, checked."""

    values: JsonObject = field(default_factory=lambda: {key.path: key.default for key in KEYS})
    segments: tuple[Segment, ...] = ()
    # model id → USD per million tokens by PRICE_FIELDS name, and optional "from" (ISO date)
    price_overrides: dict[str, JsonObject] = field(default_factory=dict)
    budgets: tuple[budgets_and_tags.Budget, ...] = ()
    tags: tuple[budgets_and_tags.TagRule, ...] = ()
    providers: tuple[ProviderChoice, ...] = ()
    upstreams: dict[str, str] = field(default_factory=dict)  # name → URL

    def provider(self, name: str) -> ProviderChoice:
        """The user's choice for a provider; the defaults where there is none."""
        return next((choice for choice in self.providers if choice.name == name), ProviderChoice(name))

    def __getitem__(self, path: str) -> Any:
        """The value of a key of `keys.KEYS`. Raises KeyError for any other: a misspelt key is no 0."""
        return self.values[path]
