"""Writes `state.json` no more often than its content asks for, so that the disk is spared.

While nothing but the clock changes, the file keeps its bytes and only its modification time is renewed: readers
take the later of the two dates. What drifts with time alone (a forecast, a limit's age) is written now and then.
Where the folder is on a disk, a state that changes all the time is written at a bounded pace.
"""

import os

import orjson

from aitop.model.json_types import JsonObject
from aitop.system import atomic_file

DRIFTING = frozenset(("written_at", "forecast", "sparklines"))  # keys that change with time alone
LIMIT_DRIFTING = frozenset(("age_seconds", "elapsed_percent", "pace_points", "exhausts_at"))
DRIFT_SECONDS = 60.0  # after which even they are written
IDLE_BYTES_PER_SECOND = 700  # to a disk, while nothing else changes
DISK_BYTES_PER_SECOND = 18_000  # to a disk, whatever changes; what was saved up goes at once
DISK_BURST_BYTES = 256_000


class StateFile:
    """One published state file."""

    def __init__(self, path: str, *, in_memory: bool) -> None:
        """`in_memory`: its folder is no disk."""
        self._path, self._in_memory = path, in_memory
        self._content: JsonObject | None = None
        self._written_at = 0.0
        self._size = 0
        self._allowance, self._counted_at = float(DISK_BURST_BYTES), 0.0

    def publish(self, state: JsonObject, now: float) -> None:
        """Write the state, or renew the file's time where it says the same. Raises OSError."""
        content = _content(state)
        since = now - self._written_at
        held = bool(
            state.get("doctor", {}).get("history_error")
        )  # numbers that stand still are dated each second
        if not held and 0 <= since < self._patience() and content == self._content:
            try:
                os.utime(self._path, (now, now))
            except FileNotFoundError:
                pass  # removed by someone: written again below
            else:
                return
        elif not held and not self._in_memory and not self._allowed(now):
            return  # its age goes on counting: no reader takes it for newer than it is
        data = orjson.dumps(state)
        atomic_file.replace(self._path, data)
        self._content, self._written_at, self._size = content, now, len(data)
        self._allowance -= len(data)

    def _allowed(self, now: float) -> bool:
        """Whether the disk may take one more state."""
        passed = now - self._counted_at
        saved = DISK_BYTES_PER_SECOND * passed if passed >= 0 else DISK_BURST_BYTES  # the clock was set back
        self._allowance = min(float(DISK_BURST_BYTES), self._allowance + saved)
        self._counted_at = now
        return self._allowance >= self._size

    def _patience(self) -> float:
        """Seconds for which drifting values may stay as they were written."""
        return DRIFT_SECONDS if self._in_memory else max(DRIFT_SECONDS, self._size / IDLE_BYTES_PER_SECOND)


def _content(state: JsonObject) -> JsonObject:
    """A state without what drifts."""
    kept = {key: value for key, value in state.items() if key not in DRIFTING}
    kept["limits"] = [
        {key: value for key, value in limit.items() if key not in LIMIT_DRIFTING}
        for limit in state.get("limits", ())
    ]
    kept["by_provider"] = {
        name: {key: value for key, value in part.items() if key not in DRIFTING}
        for name, part in state.get("by_provider", {}).items()
    }
    return kept
