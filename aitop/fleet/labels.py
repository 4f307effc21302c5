"""What a label may say: shown, hashed, left out, or only values on a list. Pure.

A hash is keyed: without the key a name cannot be found by trying. With `fleet.salt` all machines of a team give
one project the same hash; without it the key is a secret of this machine.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import NamedTuple

from aitop.config import Config
from aitop.fleet.names import OTHER

SHAPED = ("provider", "model", "project", "user", "host", "account", "budget")
DIGITS = 12
LONGEST = 120  # characters of a value
UNKNOWN = "unknown"


class Shape(NamedTuple):
    """How each label is shaped, and the values that may be shown where it is `listed`."""

    modes: Mapping[str, str]
    listed: Mapping[str, frozenset[str]]
    key: bytes

    def value(self, label: str, name: str) -> str:
        """The label's value; "" where the label is off."""
        mode = self.modes.get(label, "on")
        if mode == "off":
            return ""
        if not name:
            return UNKNOWN
        if mode == "hashed":
            return hmac.new(
                self.key, f"{label}:{name}".encode("utf-8", "replace"), hashlib.sha256
            ).hexdigest()[:DIGITS]
        if mode == "listed" and name not in self.listed.get(label, ()):
            return OTHER
        return _printable(name)

    def fingerprint(self) -> str:
        """Equal for settings that give equal labels."""
        settings = repr((sorted(self.modes.items()), sorted((k, sorted(v)) for k, v in self.listed.items())))
        return hmac.new(self.key, settings.encode(), hashlib.sha256).hexdigest()[:DIGITS]


def shape(config: Config, secret: str) -> Shape:
    """The shape that the configuration asks for. `secret`: the key where the team has no salt."""
    listed: dict[str, set[str]] = {}
    for entry in config["fleet.listed"]:
        label, equals, name = entry.partition("=")
        if equals:
            listed.setdefault(label.strip(), set()).add(name.strip())
    return Shape(
        {label: config[f"fleet.{label}"] for label in SHAPED},
        {label: frozenset(values) for label, values in listed.items()},
        (config["fleet.salt"] or secret).encode(),
    )


def _printable(name: str) -> str:
    clean = "".join(
        char if char.isprintable() else "\ufffd" for char in name.encode("utf-8", "replace").decode()
    )
    return clean if len(clean) <= LONGEST else clean[: LONGEST - 1] + "…"
