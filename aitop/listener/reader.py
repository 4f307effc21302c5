"""Everything the listener takes in: payloads of the sockets, files that changed, what helpers parsed.

Between two ticks `take_in` does one slice of the work. Nothing is applied while the history cannot be
written: it waits here or in the clients' files. This module never publishes and never commits.
"""

import gc
import heapq
import os
import selectors
import socket
import sqlite3
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from aitop import paths
from aitop.ingest.inotify import Watcher
from aitop.ingest.queue import Ingest
from aitop.ingest.tail import WAL
from aitop.ingest.workers import Helper
from aitop.listener.history_guard import HistoryGuard
from aitop.listener.reload import Settings
from aitop.listener.unrecorded import UnrecordedTurns
from aitop.log import Log
from aitop.model.events import Event
from aitop.receiver.unix_socket import Answer, Arrival, Receiver

if TYPE_CHECKING:
    from aitop.receiver.telemetry import TelemetryReceiver

RESCAN_SECONDS = 10.0  # between looks through every folder: a safety net where the kernel reports changes
RESCAN_WATCHED_SECONDS = 60.0
RECENT_SECONDS = (
    3600.0  # a file that changed this recently is looked at each second, where nothing reports it
)
RESCAN_COST = 200  # a look through every folder takes at most this part of the time
SLICE_SECONDS = 0.015  # of looking through folders, between which hooks are heard and answered
LOG_DELAY = 0.1  # after a write to a database's log: the transaction shows a moment later
SETTLE_DELAYS = (0.2, 1.0, 3.0)  # after a hook that ends a turn: its last lines are written a moment later
DRAIN_SECONDS = 0.2
MAX_WAITING_ARRIVALS = 20_000  # while the history cannot be written; older ones are only hints by then


class Reader:
    """The sockets, the watched folders and the queue of files; applies what they bring to the history."""

    def __init__(
        self, guard: HistoryGuard, settings: Settings, selector: selectors.BaseSelector, log: Log,
        listening: socket.socket | None, answer: Answer,
    ) -> None:  # fmt: skip
        """Raises SocketError. `listening`: a socket handed over; `answer` makes the answer to a peer."""
        self._guard, self._settings, self._selector, self._log = guard, settings, selector, log
        self.ingest = self._new_ingest()
        self.receiver = Receiver(
            os.path.join(settings.home, paths.SOCKET), selector, settings.providers, self._arrived,
            listening=listening, answer=answer,
        )  # fmt: skip
        self.telemetry: TelemetryReceiver | None = None
        self.watcher = Watcher()
        self._arrivals: list[Arrival] = []
        self._look_again: list[tuple[float, str]] = []  # (monotonic time, path), a heap
        self._unrecorded = UnrecordedTurns()
        self._next_rescan = 0.0
        self._scan: Iterator[str] | None = None  # a look through every folder that is not yet at its end
        self._scan_seconds = 0.0
        self._new_watches = False
        self.receive_telemetry()
        if self.watcher.active:
            selector.register(self.watcher, selectors.EVENT_READ, self._files_changed)

    # -- between two ticks ---------------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether this process itself has something to read at once."""
        reads = self.ingest.waiting and not self.ingest.helpers and not self._guard.blocked
        return reads or self._scan is not None

    def next_look(self) -> float:
        """The monotonic time of the next look at a file in which a turn ended, or at a flood; infinity for none."""
        turn = min(door.next_turn() for door in self._doors())
        return min(turn, self._look_again[0][0]) if self._look_again else turn

    def _doors(self) -> "tuple[Receiver | TelemetryReceiver, ...]":
        return (self.receiver,) if self.telemetry is None else (self.receiver, self.telemetry)

    def take_in(self, now: float, *, last: bool = False) -> None:
        """Apply what arrived, look again where due, and read one slice (not with `last`)."""
        try:
            self._apply_arrivals(now)
            monotonic = time.monotonic()
            if self._guard.open():
                for provider, turn in self._unrecorded.due(monotonic, self._guard.history):
                    self._guard.history.apply(provider, [turn], now)
            for door in self._doors():
                door.take_turn(monotonic)
            while self._look_again and self._look_again[0][0] <= monotonic:
                self.ingest.look(heapq.heappop(self._look_again)[1], now)
            if last:
                return
            self._continue_scan()
            if self._scan is None:
                self.ingest.recruit(now)
            if self.ingest.waiting and self._guard.open():
                self._register_helpers()
                self.ingest.step(now)
        except sqlite3.Error as error:
            self._guard.failed(error)

    def _arrived(self, arrival: Arrival) -> None:
        self._arrivals.append(arrival)
        if len(self._arrivals) > MAX_WAITING_ARRIVALS:
            del self._arrivals[: MAX_WAITING_ARRIVALS // 10]

    def _apply_arrivals(self, now: float) -> None:
        if not self._arrivals or not self._guard.open():
            return
        arrivals, self._arrivals = self._arrivals, []
        by_provider: dict[str, list[Event]] = {}
        monotonic = time.monotonic()
        for provider, feed, config_dir in arrivals:
            if config_dir is not None:
                self._add_config_dir(provider, config_dir)
            by_provider.setdefault(provider, []).extend(feed.events)
            self._unrecorded.wait(monotonic, provider, feed)
            self._log.debug(f"{provider}: {feed.event}, {len(feed.events)} events")
            for path in feed.paths:
                if self.ingest.look(path, now) and feed.settle:
                    for delay in SETTLE_DELAYS:
                        heapq.heappush(self._look_again, (monotonic + delay, path))
        for provider, events in by_provider.items():
            self._guard.history.apply(provider, events, now)

    # -- files ---------------------------------------------------------------------------------------------------

    def find_changes(self, now: float, monotonic: float) -> None:
        """Look for changed files as far as a tick should: everywhere when due, else at the recent ones."""
        if self._scan is None and (monotonic >= self._next_rescan or self.ingest.appeared()):
            self.ingest.add_roots(self._settings.roots())  # a client's own list may have grown
            self._scan, self._scan_seconds = self.ingest.scan(now), 0.0
            self._next_rescan, self._new_watches = float("inf"), False
        if not self.watcher.active or int(monotonic) % 10 == 0:
            self.ingest.poll(now, RECENT_SECONDS)
        self.ingest.look_at_rested(now)

    def rescan_soon(self, delay: float = 0.0) -> None:
        """Look through every folder at the next tick, or at one after `delay` seconds."""
        self._next_rescan = min(self._next_rescan, time.monotonic() + delay)

    def _continue_scan(self) -> None:
        """Look through some more folders. The more they cost altogether, the longer until the next time."""
        if self._scan is None:
            return
        begun = time.perf_counter()
        for folder in self._scan:
            self._new_watches |= self.watcher.watch(folder)
            if time.perf_counter() - begun > SLICE_SECONDS:
                self._scan_seconds += time.perf_counter() - begun
                return
        self._scan = None
        self._scan_seconds += time.perf_counter() - begun
        pause = RESCAN_WATCHED_SECONDS if self.watcher.active else RESCAN_SECONDS
        again = time.monotonic() + max(pause, self._scan_seconds * RESCAN_COST)
        if self._new_watches:  # what was written there before the watch began is seen by one more look
            again = 0.0
        self._next_rescan = min(self._next_rescan, again)

    def _files_changed(self, monotonic: float, now: float) -> None:  # noqa: ARG002
        changed, rescan = self.watcher.read()
        for path in changed:
            if self.ingest.look(path, now) and path.endswith(WAL):
                heapq.heappush(self._look_again, (time.monotonic() + LOG_DELAY, path))
        if rescan:
            self._next_rescan = 0.0

    def _add_config_dir(self, provider: str, config_dir: str) -> None:
        """Follow a client that keeps its files in another folder, as its hook's header says."""
        if self._settings.add_config_dir(provider, config_dir):
            self._scan = None
            self.ingest.add_roots(self._settings.roots())
            self.rescan_soon()

    # -- helpers ---------------------------------------------------------------------------------------------------

    def _register_helpers(self) -> None:
        if self.ingest.helpers and gc.isenabled():
            gc.disable()  # what they send has no cycles; a search for some takes up to 100 ms each time
        elif not self.ingest.helpers and not gc.isenabled():
            gc.freeze()
            gc.enable()
        for helper in self.ingest.helpers:
            if helper.fd not in self._selector.get_map():
                self._selector.register(
                    helper.fd, selectors.EVENT_READ, lambda _, now, h=helper: self._receive(h, now)
                )

    def _receive(self, helper: Helper, now: float) -> None:
        fd = helper.fd
        try:
            if not self._guard.open():
                self._unregister_helpers()  # their pipes hold them back until the history can be written
                return
            self.ingest.receive(helper, now)
        except sqlite3.Error as error:
            self._guard.failed(error)
        if helper.ended and fd in self._selector.get_map():
            self._selector.unregister(fd)

    def _unregister_helpers(self) -> None:
        """Also before helpers end: a closed descriptor's number may soon belong to something else."""
        for helper in self.ingest.helpers:
            if helper.fd in self._selector.get_map():
                self._selector.unregister(helper.fd)

    # -- falling back, reloading, ending ---------------------------------------------------------------------------

    def start_over(self) -> None:
        """The offsets fell back to the last commit: look at every file again."""
        self._unregister_helpers()
        self._scan = None
        self.ingest.forget()
        self.rescan_soon(1.0)

    def reload(self) -> None:
        """Use the providers and folders of the settings now in force."""
        self._unregister_helpers()
        self.receiver.use(self._settings.providers)
        self.receive_telemetry()
        self._scan = None
        self.ingest.stop()
        done, total = self.ingest.done_bytes, self.ingest.total_bytes
        self.ingest = self._new_ingest()
        self.ingest.done_bytes, self.ingest.total_bytes = done, total
        self.rescan_soon()

    def _new_ingest(self) -> Ingest:
        settings = self._settings
        return Ingest(self._guard.history, settings.providers, settings.roots(), min(2, os.cpu_count() or 1))

    def receive_telemetry(self) -> None:
        """Configure the telemetry receiver. Its modules are loaded when it is first switched on."""
        settings = self._settings
        if self.telemetry is None and settings.config["otel.enabled"]:
            try:
                from aitop.receiver.telemetry import TelemetryReceiver
            except ModuleNotFoundError:
                from aitop.receiver import token

                self._log.error(token.missing())
                return
            self.telemetry = TelemetryReceiver(settings.home, self._selector, self._arrived, self._log.info)
        if self.telemetry is not None:
            self.telemetry.configure(settings.config, settings.providers)

    def sweep(self, monotonic: float, now: float) -> None:
        """Drop the connections that took too long."""
        self.receiver.sweep(monotonic, now)
        if self.telemetry is not None:
            self.telemetry.sweep(monotonic, now)

    def finish_connections(self, *, keep_socket: bool) -> None:
        """Hear out the peers that are speaking now, for as long as a hook may take."""
        self.receiver.drain(time.monotonic(), time.time(), time.sleep, DRAIN_SECONDS if keep_socket else 0.0)

    def close(self, *, keep_socket: bool) -> None:
        """With `keep_socket` the listening socket stays open, for a program that takes its place."""
        self.receiver.close(keep_socket=keep_socket)
        if self.telemetry is not None:
            self.telemetry.close()
        self.watcher.close()
