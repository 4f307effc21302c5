"""What a snapshot asks of the world outside, each second and for each session: so answers are kept."""

import os
from collections.abc import Callable

MANY = 1000  # answers kept
ASK_AGAIN = 2.0  # seconds: whether a process lives


class Outside:
    """Processes, and the context windows of models."""

    def __init__(self) -> None:
        self._alive: dict[int, tuple[float, bool]] = {}
        self._limits: dict[tuple[str, str], int | None] = {}

    def lives(self, pid: int, now: float) -> bool:
        """Whether a process lives; another user's does."""
        known = self._alive.get(pid)
        if known is None or not 0 <= now - known[0] < ASK_AGAIN:
            if len(self._alive) > MANY:
                self._alive.clear()
            self._alive[pid] = known = (now, exists(pid))
        return known[1]

    def context_limit(self, provider: str, model: str, ask: Callable[[str, str], int | None]) -> int | None:
        """A model's context window in tokens, by `ask` where it is not known yet."""
        key = (provider, model)
        if key not in self._limits:
            if len(self._limits) > MANY:
                self._limits.clear()
            self._limits[key] = ask(provider, model)
        return self._limits[key]

    def forget_limits(self) -> None:
        """After other prices or providers."""
        self._limits.clear()


def exists(pid: int) -> bool:
    """Whether there is such a process, whoever it belongs to."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
