"""Entries on their way to the journal: from the relay, which may never wait, through a thread that may.

The queue is bounded: where the disk hangs for long, requests go on and their entries are dropped and counted.
"""

import queue
import threading
import time
from collections.abc import Callable

from aitop.gateway import journal
from aitop.providers.gateway.entry import Entry

MOST = 10_000

Say = Callable[[str], None]


class Writer:
    """A thread that appends; `keep` hands it an entry, `close` ends it when all is written."""

    def __init__(self, say: Say) -> None:
        self.say = say
        self.dropped = 0
        self._queue: queue.Queue[tuple[str, Entry] | None] = queue.Queue(MOST)
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._failing = False

    def start(self) -> None:
        self._thread.start()

    def keep(self, provider: str, entry: Entry) -> None:
        """Never waits, never raises."""
        try:
            self._queue.put_nowait((provider, entry))
        except queue.Full:
            self.dropped += 1

    def close(self, seconds: float) -> None:
        """Write what waits; give up after so many seconds."""
        try:
            self._queue.put(None, timeout=seconds)
        except queue.Full:
            return
        self._thread.join(seconds)

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            provider, entry = item
            try:
                journal.append(provider, [entry], time.time())
            except Exception as error:  # whatever it is, the next one may be written
                self.dropped += 1
                if not self._failing:
                    why = getattr(error, "strerror", None) or type(error).__name__
                    self.say(f"requests are relayed but not counted: the journal cannot be written ({why})")
                self._failing = True
            else:
                self._failing = False
