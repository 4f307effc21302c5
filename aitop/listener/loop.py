"""The listener: the only loop, the only clock.

One thread. Between two ticks it takes in hooks, reads what changed and applies it; at each tick, once
a second, it commits, folds what changed into the sums, and publishes. Everything slow is cut into
slices or sent to a helper process, so a tick is never late by much, whatever is to be read.
"""

import heapq
import os
import selectors
import signal
import socket
import sqlite3
import sys
import time
from typing import TYPE_CHECKING, Any

from aitop import paths
from aitop.config import Config, ConfigError
from aitop.config import load as load_config
from aitop.history import tags_file
from aitop.history.query.by_provider import with_data
from aitop.history.recovery import gaps, integrity, restore
from aitop.history.store import History
from aitop.history.write import load
from aitop.ingest.inotify import Watcher
from aitop.ingest.queue import Ingest
from aitop.listener import maintenance
from aitop.listener.feed import Sums
from aitop.listener.process_cache import Outside
from aitop.live.alerts import Alert
from aitop.live.snapshot import MOST_SESSIONS, Facts, take
from aitop.log import Log
from aitop.model import periods
from aitop.pricing import table
from aitop.providers import selection
from aitop.providers.load import load as load_providers
from aitop.publish.announcer import Announcer
from aitop.publish.files import Publisher
from aitop.publish.money import dress
from aitop.publish.notify.sender import Sender
from aitop.publish.state_json import encode
from aitop.publish.state_json import shares as encode_shares
from aitop.receiver import token
from aitop.receiver.unix_socket import Arrival, Receiver

if TYPE_CHECKING:
    from aitop.receiver.telemetry import TelemetryReceiver

RESCAN = 10.0  # seconds between looks through every folder; a safety net where the kernel tells of changes
RESCAN_WATCHED = 60.0
HOT = 3600.0  # seconds after its last change a file is looked at each second, where nobody tells
AGAIN = (0.2, 1.0, 3.0)  # after a hook that says a turn ended: its last lines are written a moment later
REPRICE = 500  # responses priced again in one slice


class Listener:
    """Everything one running listener holds."""

    def __init__(self, home: str, log: Log, config: Config, now: float) -> None:
        self.home, self.log, self.config = home, log, config
        self.started_at = now
        self.selector = selectors.DefaultSelector()
        self.installed, self.broken = load_providers()
        self.providers = selection.enabled(self.installed, config)
        self.prices = table.load(config.price_overrides, os.path.join(home, paths.PRICES))
        self.db = restore.connect(home, now, log.error, maintenance.restoring)
        self.history = History(self.db, self.prices)
        self.ingest = self._ingest()
        self.receiver = Receiver(
            os.path.join(home, paths.SOCKET), self.selector, self.providers, self._arrived
        )
        self.announcer = Announcer(Publisher(home, paths.runtime_folder()), log)
        self.watcher = Watcher()
        self.sums = Sums(now)
        self.outside = Outside()
        self.chores = maintenance.Chores(home, log)
        self.alerts: tuple[Alert, ...] = ()
        self.telemetry: TelemetryReceiver | None = None
        self.config_error: str | None = None
        self.history_error: str | None = None
        self.restored = gaps.last(self.db)
        self.stopping: str | None = None
        self._arrivals: list[Arrival] = []
        self._again: list[tuple[float, str]] = []
        self._next_rescan = 0.0
        self._reload_wanted = False
        self._next_midnight = 0.0
        self._reprice_from: int | None = None
        self._host = socket.gethostname()
        self._budgets: tuple[dict[str, Any], ...] = ()
        self._trimmed = False  # memory of the last reading was given back
        self.sender = Sender(
            os.path.join(home, paths.NOTIFIED),
            self._host,
            sys.platform,
            self.announcer.tmux_servers,
            log.error,
        )
        self._with_data: set[str] = set()
        self._receive_telemetry()

    # -- life ------------------------------------------------------------------------------------------------

    def run(self) -> str:
        """Serve until told to stop; the reason. Whatever happens, what is known is written down first."""
        wake, waker = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(waker, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._signalled)
        self.selector.register(wake, selectors.EVENT_READ, lambda *_: os.read(wake, 512))
        if self.watcher.active:
            self.selector.register(self.watcher, selectors.EVENT_READ, self._changed)
        self._recall(time.time())
        self._publish(time.time())
        self.chores.ready()
        next_tick = time.monotonic()
        try:
            while self.stopping is None:
                busy = self.ingest.waiting and not self.ingest.helpers
                monotonic = time.monotonic()
                pause = max(0.0, min(next_tick, self._next_again()) - monotonic)
                for key, _ in self.selector.select(0 if busy else pause):
                    key.data(time.monotonic(), time.time())
                self._take_in(time.time())
                if time.monotonic() >= next_tick:
                    late, began = time.monotonic() - next_tick, time.process_time()
                    self._tick(time.time())
                    self.log.debug(f"tick: {late:.3f} s late, took {time.process_time() - began:.4f} s")
                    next_tick = max(next_tick + 1.0, time.monotonic() + 0.05)
        finally:
            self._end()
        return self.stopping

    def _end(self) -> None:
        self.ingest.stop()
        self._take_in(time.time(), last=True)
        self._commit(time.time())
        if self.stopping not in ("upgrade", "damaged"):
            self.announcer.withdraw(time.time())
        self.receiver.close(remove=True)
        if self.telemetry is not None:
            self.telemetry.close()
        self.watcher.close()
        self.chores.close()
        self.sender.close()
        self.db.close()
        self.selector.close()

    def _signalled(self, number: int, _: object) -> None:
        if number == signal.SIGHUP:
            self._reload_wanted = True
        else:
            self.stopping = signal.Signals(number).name

    # -- taking in -------------------------------------------------------------------------------------------

    def _arrived(self, arrival: Arrival) -> None:
        self._arrivals.append(arrival)

    def _changed(self, monotonic: float, now: float) -> None:  # noqa: ARG002
        changed, rescan = self.watcher.read()
        for path in changed:
            self.ingest.look(path, now)
        if rescan:
            self._next_rescan = 0.0

    def _next_again(self) -> float:
        return self._again[0][0] if self._again else float("inf")

    def _take_in(self, now: float, *, last: bool = False) -> None:
        """Apply what arrived, read what should be read again, and one slice of what waits."""
        try:
            if self._arrivals:
                arrivals, self._arrivals = self._arrivals, []
                self._apply(arrivals, now)
            monotonic = time.monotonic()
            while self._again and self._again[0][0] <= monotonic:
                self.ingest.look(heapq.heappop(self._again)[1], now)
            if last:
                return
            self.ingest.recruit(now)
            for helper in self.ingest.helpers:
                if helper.fd not in self.selector.get_map():
                    self.selector.register(
                        helper.fd, selectors.EVENT_READ, lambda _, n, h=helper: self._helped(h, n)
                    )
            self.ingest.step(now)
        except sqlite3.Error as error:
            self._failed(error)

    def _helped(self, helper: Any, now: float) -> None:
        fd = helper.fd
        try:
            self.ingest.receive(helper, now)
        except sqlite3.Error as error:
            self._failed(error)
        if helper.ended and fd in self.selector.get_map():
            self.selector.unregister(fd)

    def _apply(self, arrivals: list[Arrival], now: float) -> None:
        by_provider: dict[str, list[Any]] = {}
        monotonic = time.monotonic()
        for provider, feed in arrivals:
            by_provider.setdefault(provider, []).extend(feed.events)
            self.log.debug(f"{provider}: {feed.event}, {len(feed.events)} events")
            for path in feed.paths:
                if self.ingest.look(path, now) and feed.settle:
                    for delay in AGAIN:
                        heapq.heappush(self._again, (monotonic + delay, path))
        for provider, events in by_provider.items():
            self.history.apply(provider, events, now)

    # -- the tick --------------------------------------------------------------------------------------------

    def _tick(self, now: float) -> None:
        monotonic = time.monotonic()
        self.receiver.sweep(monotonic, now)
        if self.telemetry is not None:
            self.telemetry.sweep(monotonic, now)
        if self._reload_wanted or (int(monotonic) % 10 == 5 and self.chores.changed()):
            self._reload_wanted = False
            self._reload(now)
        if monotonic >= self._next_rescan or self.ingest.appeared():
            self._rescan(now, monotonic)
        if not self.watcher.active or int(monotonic) % 10 == 0:
            self.ingest.poll(now, HOT)
        self._take_in(now)
        try:
            self._reprice(now)
            self.history.settle(now)
        except sqlite3.Error as error:
            self._failed(error)
        self._commit(now)
        if now >= self._next_midnight or now < self.sums.aggregator.day:
            self._begin_day(now)
        if self.ingest.complete:
            self._learn()
        self._publish(now)
        self.sender.tick(self.alerts if self.ingest.complete else (), self.config, now)
        if self.ingest.complete and not self._trimmed:
            maintenance.give_back_memory()
        self._trimmed = self.ingest.complete
        reason = self.chores.tick(now, self.config, self.ingest.complete)
        if reason and self.stopping is None:
            self.stopping = reason

    def _release_helpers(self) -> None:
        """Before helpers are let go: a closed descriptor's number may soon be another one's."""
        for helper in self.ingest.helpers:
            if helper.fd in self.selector.get_map():
                self.selector.unregister(helper.fd)

    def _rescan(self, now: float, monotonic: float) -> None:
        fresh = [self.watcher.watch(folder) for folder in self.ingest.rescan(now)]
        self._next_rescan = monotonic + (RESCAN_WATCHED if self.watcher.active else RESCAN)
        if any(fresh):  # what was written there before the watch began is seen by one more look
            self._next_rescan = 0.0

    def _commit(self, now: float) -> None:
        try:
            changes = self.history.commit()
            if self.ingest.complete or changes.anything():  # else what failed has not been tried again yet
                self.history_error = None
        except sqlite3.Error as error:
            self._failed(error)
            return
        self.sums.fold(changes, self.history, now)

    def _failed(self, error: sqlite3.Error) -> None:
        """The history refused: take all of it back and read it again when it can be written."""
        self.history_error = str(error)
        self._tell_of(error)
        try:
            self.history.abandon()
            self._remember_sessions()
        except sqlite3.Error as again:
            self._tell_of(again)
        self._release_helpers()
        self.ingest.forget()
        self._next_rescan = min(self._next_rescan, time.monotonic() + 1.0)

    def _tell_of(self, error: sqlite3.Error) -> None:
        """The history did not answer; where it is damaged, the next start restores it."""
        self.log.error(f"history: {error}")
        if integrity.is_damage(error):
            self.stopping = "damaged"

    def _publish(self, now: float) -> None:
        """The full state; while nothing at all happens, most seconds only say that we live."""
        quiet = not any(self.sums.aggregator.window("15m"))  # else windows move with time alone
        if quiet and self.announcer.repeat(self._sign(), now):
            return
        snap = take(
            self.sums.aggregator,
            self.history.sessions.values(),
            self.alerts,
            self.config,
            self._facts(now),
            now,
        )
        self.alerts = snap.alerts
        state = encode(
            snap, self.config,
            listener={"pid": os.getpid(), "started_at": self.started_at},
            providers=self._in_use(),
            prices={"as_of": self.prices.as_of, "source": self.prices.source, "stale": self.prices.stale(now)},
            hooks=self.receiver.counts.published(),
            scan={
                "done_bytes": self.ingest.done_bytes,
                "total_bytes": max(self.ingest.total_bytes, self.ingest.done_bytes),
                "complete": self.ingest.complete,
            },
            doctor=self._doctor(),
            host=self._host,
            projects=self._projects_today(now),
        )  # fmt: skip
        dress(state, self.sums.keeper, snap, self.history.sessions.values(), self.config)
        self._budgets = tuple(state["budgets"])  # judged with the next second's alerts
        state["by_provider"] = encode_shares(self.sums.shares, now)
        self.announcer.publish(state, self._sign(), self.config, now)

    def _projects_today(self, now: float) -> list[dict[str, Any]]:
        try:
            return self.sums.projects_today(self.db, now)
        except sqlite3.Error as error:
            self._tell_of(error)
            return []

    def _sign(self) -> tuple[object, ...]:
        """What must stay the same for a second to have been uneventful."""
        return (
            self.sums.folded, self.receiver.counts.total(), self.telemetry and self.telemetry.sign(),
            self.ingest.complete, self.config_error, self.history_error, self.config,
        )  # fmt: skip

    def _doctor(self) -> dict[str, Any]:
        return {
            "bad_lines": self.history.bad_lines,
            "files": len(self.history.files),
            "unread_files": sorted(self.ingest.unreadable)[:20],
            "config_error": self.config_error,
            "history_error": self.history_error,
            "history_restored": self.restored and self.restored.published(),
            "broken_providers": selection.problems(self.installed, self.broken, self.config),
            "watching": self.watcher.active,
            "prices_problem": self.prices.problem,
            "otel": self._telemetry_doctor(),
        }

    def _telemetry_doctor(self) -> dict[str, Any] | None:
        if self.telemetry is not None:
            return self.telemetry.doctor()
        return {"problem": token.MISSING} if self.config["otel.enabled"] else None

    def _in_use(self) -> list[str]:
        """Providers that told of something, or that the user named."""
        self._with_data |= {provider for provider, _ in self.history.sessions}
        named = {choice.name for choice in self.config.providers if choice.enabled is not False}
        if self.config["claude.config_dirs"]:
            named.add("claude-code")
        return [p.name for p in self.providers if p.name in self._with_data or p.name in named]

    def _facts(self, now: float) -> Facts:
        return Facts(
            lambda pid: self.outside.lives(pid, now),
            lambda provider, model: self.outside.context_limit(provider, model, self._context_limit),
            self._budgets,
        )

    def _context_limit(self, provider: str, model: str) -> int | None:
        """A model's context window: as its client runs it, else its own."""
        client = next((one.context_limit(model) for one in self.providers if one.name == provider), None)
        return client or self.prices.context_window(model)

    # -- starting, days, configuration -----------------------------------------------------------------------

    def _ingest(self) -> Ingest:
        helpers = min(2, os.cpu_count() or 1)
        found = selection.folders(self.providers, self.config, dict(os.environ))
        return Ingest(self.history, self.providers, found, helpers)

    def _receive_telemetry(self) -> None:
        """What it needs is loaded when it is first switched on."""
        if self.telemetry is None and self.config["otel.enabled"]:
            try:
                from aitop.receiver.telemetry import TelemetryReceiver
            except ModuleNotFoundError:
                self.log.error(token.MISSING)
                return
            self.telemetry = TelemetryReceiver(self.home, self.selector, self._arrived, self.log.info)
        if self.telemetry is not None:
            self.telemetry.configure(self.config, self.providers)

    def _recall(self, now: float) -> None:
        """What the history knew before this start: the last hour, the periods, the newest sessions."""
        self._remember_sessions()
        self._with_data = set(with_data(self.db))
        self.sums.recall(self.history, now)
        if self.history.priced_otherwise():
            self._reprice_from = 0
        self.sums.keeper.given = tags_file.read(self.home)
        self._begin_day(now)
        self.announcer.publisher.tidy(set())

    def _remember_sessions(self) -> None:
        for provider, name in load.newest_sessions(self.db, MOST_SESSIONS):
            self.history.session(provider, name)

    def _begin_day(self, now: float) -> None:
        try:
            self.sums.begin_day(self.db, now)
        except sqlite3.Error as error:
            self._tell_of(error)
        self._next_midnight = periods.next_midnight(now)
        starts = periods.starts(now)
        exact = min(now - 3600, starts["today"], self.started_at)
        self.history.hand_out(floor=min(exact, *starts.values()), exact=exact)

    def _learn(self) -> None:
        """What can be told only once everything was read."""
        try:
            if self.restored and self.restored.incomplete is None:
                self.restored = gaps.judge(self.history)
            self.sums.keeper.learn()
        except sqlite3.Error as error:
            self._tell_of(error)

    def _reprice(self, now: float) -> None:
        """After a change of prices: one slice of the history at its new price."""
        if self._reprice_from is None:
            return
        self.history.begin()
        self._reprice_from = self.history.reprice(self._reprice_from, REPRICE, now)
        if self._reprice_from is None:
            self.history.repriced()

    def _reload(self, now: float) -> None:
        """SIGHUP: read configuration and prices again; a broken file leaves the last good ones in force."""
        self._next_rescan = 0.0
        self.sums.keeper.given = tags_file.read(self.home)
        try:
            self.config = load_config()
            self.config_error = None
        except ConfigError as error:
            self.config_error = str(error)
            self.log.error(str(error))
            return
        self._commit(now)
        prices = table.load(self.config.price_overrides, os.path.join(self.home, paths.PRICES))
        if prices.fingerprint != self.prices.fingerprint:
            self.sums.aggregator.unpriced.clear()
            self.sums.aggregator.estimated.clear()
            self._reprice_from = 0
        self.prices = self.history.prices = prices
        self.outside.forget_limits()
        self._release_helpers()
        self.providers = selection.enabled(self.installed, self.config)
        self.receiver.offer(self.providers)
        self._receive_telemetry()
        self.ingest.stop()
        done, total = self.ingest.done_bytes, self.ingest.total_bytes
        self.ingest = self._ingest()
        self.ingest.done_bytes, self.ingest.total_bytes = done, total
        self.log.info("configuration read again")
