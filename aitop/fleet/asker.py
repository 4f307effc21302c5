"""The listener's thread that asks the engine for the fleet's totals now and then and keeps them on disk.

It touches neither the history nor the loop; what it found last is one frozen object that the loop publishes.
"""

import threading
import time
from collections.abc import Callable

from aitop.fleet import totals
from aitop.model.json_types import JsonObject

LEAST_SECONDS = 5.0


class Asker:
    """Asks at once and then every so many seconds until it is closed."""

    def __init__(
        self, home: str, url: str, credentials: str, seconds: float, log: Callable[[str], None]
    ) -> None:
        self._home, self._url, self._credentials, self._log = home, url, credentials, log
        self._seconds = max(LEAST_SECONDS, seconds)
        self._over = threading.Event()
        before = totals.read(home)
        self.summary: JsonObject | None = totals.summary(before) if before else None
        threading.Thread(target=self._run, name="aitop-fleet-totals", daemon=True).start()

    def close(self) -> None:
        """A question in hand ends by itself; the process need not wait for it."""
        self._over.set()

    def _run(self) -> None:
        logged: object = None
        while not self._over.is_set():
            try:
                totals_now = totals.refresh(self._home, self._url, self._credentials, time.time())
                self.summary, problem = totals.summary(totals_now), totals_now["problem"]
            except Exception as error:  # this thread must outlive whatever an engine answers
                problem = f"the fleet's totals: {type(error).__name__}: {error}"
            if problem and problem != logged:
                self._log(str(problem))
            logged = problem
            self._over.wait(self._seconds)
