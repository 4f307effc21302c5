"""The kept seeds: one file each under `corpus/TARGET/`, and the inputs that once broke something beside them."""

import json
import os
from typing import Any

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")


def raw(target: str) -> list[bytes]:
    """Every seed of a target as its bytes, in the order of their names."""
    folder = os.path.join(FOLDER, target)
    found = []
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            found.append(file.read())
    return found


def documents(target: str) -> list[Any]:
    """The seeds that are one JSON document."""
    return parsed(raw(target))


def parsed(found: list[bytes]) -> list[Any]:
    """Those of some documents that are JSON."""
    return [value for data in found if (value := _value(data)) is not None]


def lines(target: str) -> list[list[Any]]:
    """The seeds that are lines of JSON; what is no JSON in them is left to `raw`."""
    runs = [
        [value for line in data.split(b"\n") if (value := _value(line)) is not None] for data in raw(target)
    ]
    return [run for run in runs if run]


def _value(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None
