"""A report's rows: the JSON contract, made here once, which every other format shows. Pure."""

import math
import os
from typing import NamedTuple, TypeAlias

from aitop.model.json_types import JsonObject
from aitop.model.sums import PICO, Sum, published
from aitop.segments import text

Row: TypeAlias = JsonObject  # one row as JSON has it: USD, tokens, epoch seconds


class Answer(NamedTuple):
    """A report: its rows, the sum of all of them, what a row is named by, and whether the oldest comes first.

    `of`: how many rows there are, where `rows` are only those asked for, in the order asked for; None: they are all.
    `kind`: the report that gives a table its columns, where that is not `name`. `whole`: fields of the
    total beside its sum.
    """

    name: str
    rows: list[Row]
    total: Sum
    by_time: bool = False
    of: int | None = None
    kind: str = ""
    whole: JsonObject = {}  # noqa: RUF012 - never changed

    @property
    def in_credits(self) -> bool:
        """Whether a row has credits beside its dollars."""
        return any(row.get("credits") is not None for row in self.rows)


def figures(value: Sum) -> Row:
    """A sum as every report shows it; money in USD, not rounded, so that the rows add up to the total."""
    return published(value, usd) | {"total_tokens": value.input_tokens + value.output_tokens}


def usd(cost: int) -> float:
    """Picodollars as USD. An exact half of a millionth is given as the next number above it, since the nearest
    one may lie below: who rounds to six decimals then gets the half rounded up.
    """
    value = cost / PICO
    return math.nextafter(value, math.inf) if cost % 1_000_000 == 500_000 else value


def project(cwd: str | None) -> str:
    """A folder's own name."""
    return os.path.basename((cwd or "").replace("\\", "/").rstrip("/")) or (cwd or "(no folder)")


def project_names(folders: set[str]) -> dict[str, str]:
    """The name of each folder; folders of one name show the folder above too."""
    names = {folder: project(folder) for folder in folders}
    counts: dict[str, int] = {}
    for name in names.values():
        counts[name] = counts.get(name, 0) + 1
    for folder, name in names.items():
        if counts[name] > 1 and folder:
            parts = folder.replace("\\", "/").rstrip("/").split("/")
            names[folder] = "/".join(parts[-2:])
    return names


def clean(value: str) -> str:
    """Text of a file as it may stand on a terminal."""
    return text.printable(value)
