"""The listener's thread that pushes the numbers by OTLP now and then, until it is closed."""

import hashlib
import os
import threading
import time
from collections.abc import Callable

from aitop.config import Config
from aitop.fleet.exporter import SECRET, Exporter
from aitop.fleet.push import Pusher
from aitop.system.loopback import secret_file

LEAST_SECONDS = 5.0


class Sender:
    """`scrape` is held while the history is read. Raises OSError."""

    def __init__(self, home: str, config: Config, scrape: threading.Lock, log: Callable[[str], None]) -> None:
        key = secret_file.read_or_make(os.path.join(home, SECRET))
        instance = hashlib.sha256(f"instance {key}".encode()).hexdigest()[:16]
        headers = dict(entry.partition("=")[::2] for entry in config["fleet.push_headers"])
        self._pusher = Pusher(home, config["fleet.push"], config["fleet.push_temporality"], headers, instance)
        self._exporter, self._scrape, self._log = Exporter(home, config), scrape, log
        self._seconds = max(LEAST_SECONDS, float(config["fleet.push_seconds"]))
        self._over = threading.Event()
        self.problem: str | None = None
        threading.Thread(target=self._run, name="aitop-fleet-push", daemon=True).start()

    def close(self) -> None:
        """What is not sent now is sent after the next start."""
        self._over.set()

    def _run(self) -> None:
        while not self._over.is_set():
            before = self.problem
            try:
                self.problem = self._once(time.time())
            except Exception as error:  # this thread must outlive whatever a receiver answers
                self.problem = f"fleet.push: {type(error).__name__}: {error}"
            if self.problem and self.problem != before:
                self._log(self.problem)
            self._over.wait(self._seconds)
        self._pusher.close()

    def _once(self, now: float) -> str | None:
        with self._scrape:
            shown, gauges = self._exporter.counters(now), self._exporter.gauges(now)
            # the counters are held in dictionaries that the next reading changes
            frozen = shown and shown._replace(values=dict(shown.values), buckets=dict(shown.buckets))
        return (
            self._pusher.push(frozen, gauges, self._exporter.origin, now)
            if frozen
            else self._exporter.problem
        )
