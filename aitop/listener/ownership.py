"""Whether what the listener holds is still what lies there: home, lock, socket and history.

Somebody may remove, rename or replace any of them while it runs. It looks at each tick, before it
publishes: so two listeners never publish in turn, and nothing is written for long into a file that
no program will ever open. This module only looks; the loop acts.
"""

import os
from enum import Enum, auto

from aitop.listener.lock import Lock

Place = tuple[int, int] | None  # device and inode


class Loss(Enum):
    """What is no longer ours."""

    HOME = auto()  # another home lies there, or none
    LOCK = auto()  # the home is the same
    HISTORY = auto()
    SOCKET = auto()


class Ownership:
    """Remembers which files the listener opened."""

    def __init__(self, home: str, lock: Lock, history: str, socket: str) -> None:
        self._home, self._lock, self._history, self._socket = home, lock, history, socket
        self._places: dict[str, Place] = {}
        self.remember()

    def remember(self) -> None:
        """What lies there now is ours: after opening it anew."""
        for path in (self._home, self._history, self._socket):
            self._places[path] = _place(path)
        self._places.pop(self._log, None)

    @property
    def _log(self) -> str:
        return self._history + "-wal"

    def losses(self) -> set[Loss]:
        """What was removed, renamed or replaced since it was opened."""
        if not self._is_there(self._home):
            return {Loss.HOME}
        lost = set()
        if not self._lock.is_in_place():
            lost.add(Loss.LOCK)
        if not self._is_there(self._history) or not self._log_is_there():
            lost.add(Loss.HISTORY)
        if not self._is_there(self._socket):
            lost.add(Loss.SOCKET)
        return lost

    def _is_there(self, path: str) -> bool:
        return _place(path) == self._places[path]

    def _log_is_there(self) -> bool:
        """SQLite makes its write-ahead log when it first writes: from then on it must stay."""
        place = _place(self._log)
        if self._log not in self._places:
            if place is not None:
                self._places[self._log] = place
            return True
        return place == self._places[self._log]


def _place(path: str) -> Place:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino
