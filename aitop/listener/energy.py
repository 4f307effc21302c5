"""Today's energy in the listener: reads the factors' file, asks for today's output, says when factors are missing.

Costs a look at the file and, after new output, one question over a day's sums. It never imports EcoLogits.
"""

import json
import os
import sqlite3
from importlib.util import find_spec

from aitop import paths
from aitop.history.query import sums_since
from aitop.live import energy
from aitop.live.energy import EnergyView, Factors, Known

LIBRARY = "ecologits"
EVERY = 5.0  # seconds between two questions
AGAIN_SECONDS = 3600.0  # between two attempts to have factors made
RENEW_SECONDS = 86_400.0  # the library may have been upgraded


class Energy:
    """What one listener knows. Every fault means that nothing is known; none is raised."""

    def __init__(self, home: str) -> None:
        self._path = os.path.join(home, paths.ENERGY)
        self._stamp: tuple[int, int] | None = None
        self._known: Known | None = None
        self._seen: tuple[object, ...] = ()
        self._view: EnergyView | None = None
        self._looked_at = 0.0
        self._missing = False  # a model of today has no factors
        self._asked_at: float | None = None

    def view(
        self, db: sqlite3.Connection, day_start: float, counted: object, now: float
    ) -> EnergyView | None:
        """Today's estimate; None where nothing is known. Raises sqlite3.Error.

        It is worked out anew when `counted` changed, every few seconds at most, and with other factors at once.
        """
        self._read()
        seen = (self._stamp, day_start, counted)
        is_early = self._seen[:1] == seen[:1] and 0 <= now - self._looked_at < EVERY
        if seen != self._seen and not is_early:
            self._seen, self._looked_at = seen, now
            outputs = sums_since.outputs(db, day_start, None)
            models = self._known.models if self._known else {}
            self._missing = any(model not in models for model, _, _ in outputs)
            self._view = energy.today(self._known, outputs) if self._known else None
        return self._view

    def sign(self) -> object:
        """Another sign: the estimate may be another one though nothing was counted."""
        self._read()
        return self._stamp

    def are_factors_due(self, now: float, zone: str) -> bool:
        """Whether a helper should make them now: a model has none, the zone changed, or they are a day old."""
        if self._asked_at is not None and 0 <= now - self._asked_at < AGAIN_SECONDS:
            return False
        is_old = self._stamp is not None and not 0 <= now - self._stamp[0] / 1e9 < RENEW_SECONDS
        other_zone = self._known is not None and (self._known.zone or "") != zone
        if not (self._missing or is_old or other_zone):
            return False
        self._asked_at = now  # also where the library is missing: a look through every folder costs 0.1 ms
        return find_spec(LIBRARY) is not None

    def _read(self) -> None:
        try:
            status = os.stat(self._path)
            stamp = (status.st_mtime_ns, status.st_size)
            if stamp == self._stamp:
                return
            self._stamp, self._known = stamp, _parsed(paths.read(self._path))
        except OSError:
            self._stamp = self._known = None


def _parsed(raw: bytes) -> Known | None:
    """The file's content; None where it is damaged."""
    try:
        data = json.loads(raw)
        models = {
            str(name): None if one is None else Factors(*(_span(one[field]) for field in Factors._fields))
            for name, one in data["models"].items()
        }
        return Known(str(data["method"]), str(data["source"]), data["zone"] and str(data["zone"]), models)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _span(value: list[float]) -> tuple[float, float]:
    """Two ends, in order and not negative. Raises ValueError, TypeError."""
    least, most = map(float, value)
    if not 0 <= least <= most < float("inf"):
        raise ValueError(value)
    return least, most
