"""The words of `doctor`: a finding, how bad it is, and what the checks look at."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from aitop.install.record import Installed
from aitop.model.json_types import JsonObject

OK, WARN, FAIL = "ok", "warn", "fail"
RESTART = "aitop stop; aitop start"


class Result(NamedTuple):
    """What one look of a check came to. Made by `ok`, `warn` and `fail`, so that what is not well has a remedy.

    `details` are lines that only `--verbose`, `--json` and `--report` show.
    """

    level: str
    text: str
    remedy: str = ""
    details: tuple[str, ...] = ()


Results = Iterator[Result]


def ok(text: str, details: tuple[str, ...] = ()) -> Result:
    return Result(OK, text, details=details)


def warn(text: str, remedy: str, details: tuple[str, ...] = ()) -> Result:
    return Result(WARN, text, remedy, details)


def fail(text: str, remedy: str) -> Result:
    return Result(FAIL, text, remedy)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: how it is, and what to do when it is not well."""

    check: str
    level: str
    text: str
    remedy: str = ""
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What the checks look at."""

    now: float
    state: JsonObject | None
    roots: tuple[str, ...]
    installed: Installed
    prove: bool = True
