"""Carries entries from the relay, which must not wait, to the journal, through a thread that may wait.

The queue is bounded. While the disk hangs, requests go on; entries beyond the bound are dropped and counted.
"""

import queue
import threading
import time
from collections.abc import Callable

from aitop.gateway import journal
from aitop.providers.gateway.entry import Entry

MAX_QUEUED_ENTRIES = 10_000

Say = Callable[[str], None]


class Writer:
    """A thread that appends to the journal. `keep` queues an entry; `close` writes the rest and ends it."""

    def __init__(self, say: Say) -> None:
        self.say = say
        self.dropped = 0
        self._queue: queue.Queue[tuple[str, Entry] | None] = queue.Queue(MAX_QUEUED_ENTRIES)
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
        """Write the queued entries; give up after so many seconds."""
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
            except Exception as error:  # any fault: the next entry may be written
                self.dropped += 1
                if not self._failing:
                    why = getattr(error, "strerror", None) or type(error).__name__
                    self.say(f"requests are relayed but not counted: the journal cannot be written ({why})")
                self._failing = True
            else:
                self._failing = False
