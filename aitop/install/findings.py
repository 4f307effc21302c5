"""The words of `doctor`: a finding, how bad it is, and what the checks look at."""

from collections.abc import Iterator
from dataclasses import dataclass

from aitop.install.record import Installed
from aitop.model.json_types import JsonObject

OK, WARN, FAIL = "ok", "warn", "fail"
RESTART = "aitop stop; aitop start"

Found = Iterator[tuple[str, ...]]  # level, text, and a remedy when it is not well


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: how it is, and what to do when it is not well."""

    check: str
    level: str
    text: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """What the checks look at."""

    now: float
    state: JsonObject | None
    roots: tuple[str, ...]
    installed: Installed
    prove: bool = True
