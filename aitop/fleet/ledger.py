"""What was shown last: so that no counter ever falls while its history stays the same.

A scraper takes a smaller number for a counter that began anew, and adds all of it. But a history may fall: the
last line of a response wins, prices are corrected, a session moves to another project. So each counter is held
at the most it has shown, and what it holds beyond the history is told beside it until the history has caught up.
The file is written before the numbers leave: a killed process cannot have shown more than the file says.
Another history (after `aitop history reset`) begins anew, with another time of creation.

It also remembers which label sets were admitted: a series once shown stays, and beyond the bound new ones are
counted in `other`, for good.
"""

import json
import os
from typing import NamedTuple

from aitop import paths
from aitop.fleet.names import OTHER
from aitop.fleet.readings import Counted
from aitop.system import atomic_file

NAME = "fleet.json"
VERSION = 1
SEPARATOR = "\x1f"
Set = tuple[str, str, str]


class Shown(NamedTuple):
    """Counters as they may leave, and what some of them hold beyond the history."""

    values: Counted
    beyond: Counted
    buckets: dict[tuple[str, str], list[int]]
    created: float


class Ledger:
    """The counters of one home. Not for two threads at once."""

    def __init__(self, home: str) -> None:
        self._path = os.path.join(home, NAME)
        self._history, self._labels, self.created = "", "", 0.0
        self._sets: set[Set] = set()
        self._values: Counted = {}
        self._buckets: dict[tuple[str, str], list[int]] = {}
        self._known = False
        self._read()

    def begin(self, history: str, labels: str, first_at: float | None, now: float) -> None:
        """Say which history and which labels the next numbers are of; anew where they are others.

        Raises nothing; `first_at` is when the history's first counted thing happened.
        """
        if not self._known:
            self.created = min(first_at, now) if first_at is not None else now
        elif history != self._history:
            self.created = now
        elif labels == self._labels:
            return
        self._history, self._labels, self._known = history, labels, True
        self._sets, self._values, self._buckets = set(), {}, {}

    def admit(self, wanted: Set, most: int) -> Set:
        """The label set under which one is counted: its own, or one with `other` beyond `most` sets."""
        if wanted in self._sets:
            return wanted
        if len(self._sets) < most:
            self._sets.add(wanted)
            return wanted
        for wider in ((wanted[0], wanted[1], OTHER), (wanted[0], OTHER, OTHER)):
            if wider in self._sets or len(self._sets) < most + max(8, most // 10):
                self._sets.add(wider)
                return wider
        return OTHER, OTHER, OTHER

    def show(self, exact: Counted, buckets: dict[tuple[str, str], list[int]]) -> Shown:
        """Hold each counter at the most it has shown, and keep that on disk. Raises OSError."""
        changed, beyond = False, {}
        for key, value in exact.items():
            if value > self._values.get(key, 0):
                self._values[key] = value
                changed = True
        for key, value in self._values.items():
            more = value - exact.get(key, 0)
            if more:
                beyond[key] = more
        for name, counts in buckets.items():
            before = self._buckets.get(name)
            held = counts if before is None else [max(pair) for pair in zip(before, counts, strict=True)]
            if held != before:
                self._buckets[name] = list(held)
                changed = True
        if changed or not os.path.exists(self._path):
            self._write()
        return Shown(self._values, beyond, self._buckets, self.created)

    # -- the file --------------------------------------------------------------------------------------------

    def _write(self) -> None:
        content = {
            "version": VERSION,
            "history": self._history,
            "labels": self._labels,
            "created": self.created,
            "sets": sorted(self._sets),
            "values": {
                SEPARATOR.join((name, *labels)): value for (name, labels), value in self._values.items()
            },
            "buckets": {SEPARATOR.join(key): counts for key, counts in self._buckets.items()},
        }
        atomic_file.replace(self._path, json.dumps(content, separators=(",", ":")).encode())

    def _read(self) -> None:
        try:
            content = json.loads(paths.read(self._path))
            if content["version"] != VERSION:
                return
            values = {}
            for text, value in content["values"].items():
                name, *labels = text.split(SEPARATOR)
                values[name, tuple(labels)] = int(value)
            buckets = {}
            for text, counts in content["buckets"].items():
                name, provider = text.split(SEPARATOR)
                buckets[name, provider] = [int(number) for number in counts]
            sets = {(str(one), str(two), str(three)) for one, two, three in content["sets"]}
            history, labels, created = (
                str(content["history"]),
                str(content["labels"]),
                float(content["created"]),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return  # as the first time
        self._history, self._labels, self.created = history, labels, created
        self._values, self._buckets, self._sets, self._known = values, buckets, sets, True
