"""One published second: gathers what the state is made of and hands it to the builder and the announcer.

It decides when a quiet second only renews the last state. It computes no number: sums come from the
feed, judgements from the snapshot, the published shape from `publish/`.
"""

import os
import socket
import sqlite3
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from aitop import paths
from aitop.fleet.service import Service as Fleet
from aitop.history import tags_file
from aitop.ingest import worktrees
from aitop.listener.energy import Energy
from aitop.listener.history_guard import HistoryGuard
from aitop.listener.process_cache import ProcessCache
from aitop.listener.reader import Reader
from aitop.listener.reload import Settings
from aitop.live.alerts import Alert
from aitop.live.snapshot import Lookups, ProjectToday, take
from aitop.log import Log
from aitop.model.json_types import JsonObject
from aitop.publish.alert_journal import AlertJournal
from aitop.publish.announcer import Announcer
from aitop.publish.files import Publisher
from aitop.publish.state_json import ListenerFacts, build

if TYPE_CHECKING:
    from aitop.publish import state_types as published
    from aitop.publish.notify.sender import Sender

MAX_STEP = 5.0  # seconds between two publications that may show the same numbers
MAX_FOLDERS = 1_000  # remembered with their repositories
MAX_UNREAD_FILES = 20  # named in the state


class Publication:
    """Builds and publishes the state, and notifies people of its alerts."""

    def __init__(
        self,
        guard: HistoryGuard,
        reader: Reader,
        settings: Settings,
        log: Log,
        fleet: Fleet,
    ) -> None:
        self._fleet = fleet
        self.energy = Energy(settings.home)
        self._guard, self._reader, self._settings = guard, reader, settings
        self._host = socket.gethostname()
        self._announcer = Announcer(Publisher(settings.home, paths.runtime_folder()), log)
        self._processes = ProcessCache()
        self._repository = lru_cache(MAX_FOLDERS)(worktrees.repository)
        self._alerts: tuple[Alert, ...] = ()
        self._was_quiet = False  # and so was what was published last
        self._published_at = 0.0
        self._journal = AlertJournal(settings.home)
        self._log = log
        self._sender: Sender | None = None

    def start(self, now: float) -> None:
        """Publish what the history already knows."""
        self.reload()
        self._announcer.publisher.tidy(set())
        self.publish(now)

    def reload(self) -> None:
        """The settings changed: read the sessions' tags again and forget what followed from the old ones."""
        self._guard.feed.money.tags_by_hand = tags_file.read(self._settings.home)
        self._processes.forget_limits()

    def notify(self, now: float) -> None:
        """Tell people of new alerts, but of none that an unfinished first reading might raise."""
        alerts = self._alerts if self._reader.ingest.complete else ()
        if self._sender is None and alerts:
            self._sender = self._new_sender()
        if self._sender is not None:
            self._sender.tick(alerts, self._settings.config, now)
        if self._reader.ingest.complete:
            self._journal.note(alerts, now)

    def _new_sender(self) -> "Sender":
        """Made for the first alert: without one there is nothing to send, and nothing to remember."""
        from aitop.publish.notify.sender import Sender

        path = os.path.join(self._settings.home, paths.NOTIFIED)
        return Sender(path, self._host, sys.platform, self._announcer.tmux_servers, self._log.error)

    def publish(self, now: float) -> None:
        """The whole state. While nothing happens, most seconds only renew the last one."""
        guard = self._guard
        quiet = not any(guard.feed.aggregator.window("15m"))  # else windows move with time alone
        steady = 0 <= now - self._published_at < MAX_STEP  # else the machine slept, or its clock was set
        repeats = quiet and self._was_quiet and steady
        self._was_quiet, self._published_at = quiet, now
        if repeats and self._announcer.repeat(self._sign(), now):
            return
        config = self._settings.config
        snap = take(
            guard.feed.aggregator, guard.feed.money, guard.history.sessions.values(), before=self._alerts,
            projects=self._projects_today(now), config=config, lookups=self._lookups(now), now=now,
        )  # fmt: skip
        self._alerts = snap.alerts
        self._announcer.publish(build(snap, config, self._facts(now)), self._sign(), config, now)

    def remember_line(self, payload: JsonObject, options: JsonObject, now: float) -> None:
        """A session asked for its status line: it is prepared each second from now on."""
        self._announcer.status_lines.remember(payload, options, now)

    @property
    def last_state(self) -> JsonObject | None:
        """What was published last; None before the first time."""
        return self._announcer.state

    def withdraw(self, now: float) -> None:
        """Blank every display at once: the listener ends."""
        self._announcer.withdraw(now)

    def close(self) -> None:
        if self._sender is not None:
            self._sender.close()

    def _sign(self) -> tuple[object, ...]:
        """Equal signs mean that nothing happened in between."""
        reader, settings = self._reader, self._settings
        return (
            self._guard.feed.folded, reader.receiver.counts.total(),
            reader.telemetry and reader.telemetry.sign(),
            reader.ingest.complete, settings.config_error, self._guard.error, settings.config,
            self._fleet.published(), self._fleet.totals(), self.energy.sign(),
        )  # fmt: skip

    def _projects_today(self, now: float) -> list[ProjectToday]:
        try:
            return self._guard.feed.projects_today(self._guard.db, now)
        except sqlite3.Error as error:
            self._guard.report(error)
            return []

    def _facts(self, now: float) -> ListenerFacts:
        """What the state says of the listener itself."""
        prices, ingest = self._settings.prices, self._reader.ingest
        return ListenerFacts(
            pid=os.getpid(),
            started_at=self._guard.started_at,
            host=self._host,
            providers=self._providers_in_use(),
            prices_as_of=prices.as_of,
            prices_source=prices.source,
            prices_stale=prices.stale(now),
            hooks=cast("published.Hooks", self._reader.receiver.counts.published()),
            scan={
                "done_bytes": ingest.done_bytes,
                "total_bytes": max(ingest.total_bytes, ingest.done_bytes),
                "complete": ingest.complete,
            },
            coverage=ingest.coverage(),
            fleet=cast("published.Fleet | None", self._fleet.totals()),
            doctor=self._doctor(),
            energy=self._energy(now),
        )

    def _energy(self, now: float) -> "published.Energy | None":
        """Today's electricity and carbon, where the extra is installed."""
        guard = self._guard
        feed = guard.feed
        try:
            view = self.energy.view(guard.db, feed.aggregator.day_start, feed.folded, now)
        except sqlite3.Error as error:
            guard.report(error)
            return None
        return cast("published.Energy | None", view and view._asdict())

    def _doctor(self) -> "published.Doctor":
        guard, reader, settings = self._guard, self._reader, self._settings
        return {
            "bad_lines": guard.history.bad_lines,
            "files": len(guard.history.files),
            "unread_files": sorted(reader.ingest.unreadable)[:MAX_UNREAD_FILES],
            "config_error": settings.config_error,
            "history_error": guard.error,
            "history_restored": cast(
                "published.Restored | None", guard.last_restore and guard.last_restore.published()
            ),
            "broken_providers": settings.provider_problems(),
            "watching": reader.watcher.active,
            "prices_problem": settings.prices.problem,
            "otel": self._telemetry_doctor(),
            "fleet": cast("published.FleetDoor | None", self._fleet.published()),
        }

    def _telemetry_doctor(self) -> "published.Telemetry | None":
        if self._reader.telemetry is not None:
            return cast("published.Telemetry | None", self._reader.telemetry.doctor())
        if not self._settings.config["otel.enabled"]:
            return None
        from aitop.receiver import token

        return {"problem": token.missing()}

    def _providers_in_use(self) -> list[str]:
        """The providers that have data, and those the user named."""
        guard, config = self._guard, self._settings.config
        guard.providers_with_data |= {provider for provider, _ in guard.history.sessions}
        named = {choice.name for choice in config.providers if choice.enabled is not False}
        if config["claude.config_dirs"]:
            named.add("claude-code")
        in_use = guard.providers_with_data | named
        return [provider.name for provider in self._settings.providers if provider.name in in_use]

    def _lookups(self, now: float) -> Lookups:
        processes, settings = self._processes, self._settings
        return Lookups(
            lambda pid: processes.lives(pid, now),
            lambda provider, model: processes.context_limit(provider, model, settings.context_limit),
            self._repository,
        )
