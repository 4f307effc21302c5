"""The listener's loop: the only loop and the only clock.

One thread. Between two ticks the reader takes in hooks and changed files; at each tick, once a second,
the history commits, the sums follow, and the state is published. What takes long is cut into slices
or runs in a process of its own, so a tick is never late by much.
"""

import os
import selectors
import signal
import socket
import sqlite3
import time

from aitop import paths
from aitop.config import Config
from aitop.fleet.service import Service
from aitop.listener.answers import Answers
from aitop.listener.endings import DAMAGED, HISTORY_LOST, HOME_LOST, LOCK_LOST, START_ANEW
from aitop.listener.history_guard import HistoryGuard
from aitop.listener.lock import Held, Lock
from aitop.listener.maintenance import Maintenance, give_back_memory
from aitop.listener.ownership import Loss, Ownership
from aitop.listener.publication import Publication
from aitop.listener.reader import Reader
from aitop.listener.reload import Settings
from aitop.log import Log
from aitop.model import periods
from aitop.receiver.unix_socket import SocketError

TICK_SECONDS = 1.0


class Listener:
    """One running listener: the loop over reader, history, publication and maintenance."""

    def __init__(
        self,
        home: str,
        log: Log,
        config: Config,
        now: float,
        lock: Lock,
        listening: socket.socket | None = None,
    ) -> None:
        """Raises HistoryError, sqlite3.Error, SocketError, OSError. `listening`: a socket handed over."""
        self.log, self.lock = log, lock
        self.selector = selectors.DefaultSelector()
        self.settings = Settings(home, config, log)
        self.guard = HistoryGuard(home, self.settings.prices, log, now, self._uncommitted_work_lost)
        answers = Answers(
            lambda: self.publication.last_state,
            log.error,
            lambda payload, options, now: self.publication.remember_line(payload, options, now),  # noqa: PLW0108 - it is made below
        )
        self.reader = Reader(self.guard, self.settings, self.selector, log, listening, answers.answer)
        self.fleet = Service(home, log.info)
        self.publication = Publication(self.guard, self.reader, self.settings, log, self.fleet)
        self.maintenance = Maintenance(home, log)
        self.ownership = Ownership(home, lock, self.guard.path, os.path.join(home, paths.SOCKET))
        self.stopping: str | None = None
        self._reload_wanted = False
        self._memory_given_back = False  # since the last reading
        self._next_sign_of_life = 0.0

    def _uncommitted_work_lost(self) -> None:
        self.reader.start_over()

    # -- life ----------------------------------------------------------------------------------------------------

    def run(self) -> str:
        """Serve until something ends it; the reason. However it ends, what is known is committed first."""
        self._listen_to_signals()
        self.guard.recall(time.time())
        self.publication.start(time.time())
        self.maintenance.ready()
        self.fleet.configure(self.settings.config)
        next_tick = time.monotonic()
        longest = 0.0  # seconds of processor time in one turn, since the last tick
        try:
            while self.stopping is None:
                pause = max(0.0, min(next_tick, self.reader.next_look()) - time.monotonic())
                ready = self.selector.select(0 if self.reader.busy else pause)
                began = time.process_time()
                for key, _ in ready:
                    key.data(time.monotonic(), time.time())
                self.reader.take_in(time.time())
                self.guard.write_slice(time.time(), complete=self.reader.ingest.complete)
                if self.reader.ingest.newest_came():  # today's numbers are there: show them at once
                    next_tick = min(next_tick, time.monotonic())
                if time.monotonic() >= next_tick:
                    late = time.monotonic() - next_tick
                    self._tick(time.time())
                    longest = max(longest, time.process_time() - began)
                    self.log.debug(f"tick: {late:.3f} s late, longest turn took {longest:.4f} s")
                    longest = 0.0
                    next_tick = max(next_tick + TICK_SECONDS, time.monotonic() + 0.05)
                else:
                    longest = max(longest, time.process_time() - began)
        finally:
            self._end()
        return self.stopping

    def _listen_to_signals(self) -> None:
        """A signal also wakes the selector, so none waits for the next tick."""
        wake, waker = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(waker, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._signalled)
        self.selector.register(wake, selectors.EVENT_READ, lambda *_: os.read(wake, 512))

    def _signalled(self, number: int, _: object) -> None:
        if number == signal.SIGHUP:
            self._reload_wanted = True
        else:
            self.stopping = signal.Signals(number).name

    def _end(self) -> None:
        self.reader.ingest.stop()
        starts_anew = self.stopping in START_ANEW
        self.reader.finish_connections(keep_socket=starts_anew)
        self.reader.take_in(time.time(), last=True)
        self._commit(time.time())
        lost = self.ownership.losses()
        if lost & {Loss.HOME, Loss.HISTORY} == {Loss.HISTORY}:
            self._save_history()
        if not starts_anew and not lost & {Loss.HOME, Loss.LOCK}:
            self.publication.withdraw(time.time())
        self.reader.close(keep_socket=starts_anew)
        self.fleet.close()
        self.maintenance.close()
        self.publication.close()
        if not lost & {Loss.HOME, Loss.HISTORY}:
            # SQLite removes the write-ahead log that lies beside the name of what it closes: another's, now.
            self.guard.close()
        self.selector.close()

    # -- the tick ------------------------------------------------------------------------------------------------

    def _tick(self, now: float) -> None:
        monotonic = time.monotonic()
        self._keep_what_is_ours()
        if self.stopping is not None:
            return
        self.reader.sweep(monotonic, now)
        self.fleet.sweep(monotonic)
        if self._reload_wanted or (int(monotonic) % 10 == 5 and self.maintenance.settings_changed()):
            self._reload_wanted = False
            self._reload(now)
        self.reader.find_changes(now, monotonic)
        self.reader.take_in(now)
        self.guard.settle(now)
        self._commit(now)
        self.guard.begin_day_if_due(now)
        complete = self.reader.ingest.complete
        if complete:
            self.guard.learn()
        self.publication.publish(now)
        self.publication.notify(now)
        if complete and not self._memory_given_back:
            give_back_memory()
        self._memory_given_back = complete
        reason = self.maintenance.tick(now, self.settings.config, complete)
        if complete and self.publication.energy.are_factors_due(now, self.settings.config["energy.zone"]):
            self.maintenance.make_energy_factors()
        if self.stopping is None:
            self.stopping = DAMAGED if self.guard.damaged else reason

    # -- what is ours ----------------------------------------------------------------------------------------------

    def _keep_what_is_ours(self) -> None:
        """Act on a removed or replaced home, lock, history or socket: open it anew, or end."""
        lost = self.ownership.losses()
        if not lost:
            self._sign_the_lock()
            return
        if Loss.HOME in lost:
            self.stopping = HOME_LOST
        elif Loss.LOCK in lost and not self._lock_again():
            self.stopping = LOCK_LOST
        elif Loss.HISTORY in lost:
            self.stopping = HISTORY_LOST
        elif Loss.SOCKET in lost:
            self._open_socket_again()
        if self.stopping is None:
            self.ownership.remember()

    def _sign_the_lock(self) -> None:
        """Once there is room: a full disk kept this process's name out of its lock."""
        if not self.lock.signed:
            try:
                self.lock.sign("listener")
            except OSError as error:
                self.log.error(f"{self.lock.path}: {error.strerror}")

    def _lock_again(self) -> bool:
        """Take the lock under its name again; False where another process was first."""
        fresh = Lock(self.lock.path)
        try:
            fresh.acquire()
            fresh.sign("listener")
        except (Held, OSError):
            return False
        self.log.error(f"{self.lock.path} was removed or replaced: locked again")
        self.lock.adopt(fresh)
        return True

    def _open_socket_again(self) -> None:
        try:
            self.reader.receiver.reopen()
        except SocketError as error:
            self.log.error(str(error))
        else:
            self.log.error(f"{self.reader.receiver.path} was removed or replaced: opened again")

    def _save_history(self) -> None:
        """Put what this process still holds of a removed history back in its place."""
        try:
            aside = self.guard.save(self._sign_of_life)
        except (sqlite3.Error, OSError) as error:
            self.log.error(f"history: removed while in use, and cannot be saved: {error}")
        else:
            kept = f"; what lay in its place is {aside}" if aside else ""
            self.log.error(f"history: removed or replaced while in use: saved again{kept}")

    def _sign_of_life(self) -> None:
        """While something takes long: renew the published state once a second."""
        if time.monotonic() >= self._next_sign_of_life:
            self._next_sign_of_life = time.monotonic() + 1.0
            self.publication.publish(time.time())

    def _commit(self, now: float) -> None:
        self.guard.commit(now, complete=self.reader.ingest.complete)

    def _reload(self, now: float) -> None:
        """On SIGHUP, and when a settings file changed."""
        self.reader.rescan_soon()
        if not self.settings.reload():
            return
        self._commit(now)
        if periods.begin_weeks_on(periods.WEEKDAYS[self.settings.config["week_start"]]):
            self.guard.begin_day(now)
        self.guard.use_prices(self.settings.prices)
        self.publication.reload()
        self.reader.reload()
        self.fleet.configure(self.settings.config)
        self.log.info("configuration read again")
