"""Answers that a snapshot needs each second for each session, kept for a moment: processes, context windows."""

import os
from collections.abc import Callable

MAX_ANSWERS = 1000  # kept
RECHECK_SECONDS = 2.0  # whether a process lives


class ProcessCache:
    """Whether processes live, and the context windows of models."""

    def __init__(self) -> None:
        self._alive: dict[int, tuple[float, bool]] = {}
        self._seen: set[int] = set()  # processes that were once found alive here
        self._context_limits: dict[tuple[str, str], int | None] = {}

    def lives(self, pid: int, now: float) -> bool | None:
        """Whether a process lives, also one of another user.

        None for one that was never found alive: its number may be of a container or of another machine that
        shares the home, so its absence says nothing.
        """
        answer = self._alive.get(pid)
        if answer is None or not 0 <= now - answer[0] < RECHECK_SECONDS:
            if len(self._alive) > MAX_ANSWERS:
                self._alive.clear()
            self._alive[pid] = answer = (now, exists(pid))
            if answer[1]:
                if len(self._seen) > MAX_ANSWERS:
                    self._seen.clear()
                self._seen.add(pid)
        return answer[1] or (False if pid in self._seen else None)

    def context_limit(self, provider: str, model: str, ask: Callable[[str, str], int | None]) -> int | None:
        """A model's context window in tokens, by `ask` where it is not kept yet."""
        key = (provider, model)
        if key not in self._context_limits:
            if len(self._context_limits) > MAX_ANSWERS:
                self._context_limits.clear()
            self._context_limits[key] = ask(provider, model)
        return self._context_limits[key]

    def forget_limits(self) -> None:
        """Ask again: prices or providers changed."""
        self._context_limits.clear()


def exists(pid: int) -> bool:
    """Whether there is such a process, of any user."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
