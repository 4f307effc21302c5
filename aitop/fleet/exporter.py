"""One home's numbers as text for a scraper: read the history, hold the counters, write them.

The counters are made anew only when the history changed, and never so often that it costs more than a
thousandth of a processor. It opens a connection of its own for that and never writes the history.
"""

import os
import pwd
import socket
import sqlite3
import time
from collections.abc import Callable

from aitop import __version__, paths, state
from aitop.config import Config
from aitop.fleet import exposition, labels, readings
from aitop.fleet.exposition import Origin
from aitop.fleet.ledger import Ledger, Shown
from aitop.history import schema
from aitop.model.json_types import JsonObject
from aitop.system.loopback import secret_file

SECRET = "fleet.key"  # the key of hashed labels where the team has no salt  # noqa: S105
COST = 1000  # reading the history takes at most this part of the processor
LONGEST = 120.0  # seconds between two readings, whatever they cost
CACHE = -256  # KiB of the connection's page cache
MINUTE = 60


class Exporter:
    """Raises OSError where the home holds no readable key. For one thread at a time."""

    def __init__(
        self, home: str, config: Config, read_state: Callable[[], JsonObject | None] = state.read
    ) -> None:
        self._home, self._config, self._read_state = home, config, read_state
        self._history = os.path.join(home, paths.HISTORY)
        self.shape = labels.shape(config, secret_file.read_or_make(os.path.join(home, SECRET)))
        self.origin = origin(self.shape)
        self._ledger = Ledger(home)
        self._timings = readings.Timings()
        self._sign: object = None  # of what `_shown` was read from
        self._confirmed = False
        self._shown: Shown | None = None
        self._texts: dict[str, bytes] = {}
        self._not_before = 0.0
        self.problem: str | None = None
        self.readings = 0  # how often the history was read

    def text(self, kind: str, now: float) -> bytes:
        """The whole exposition. `kind`: `exposition.OPENMETRICS` or `exposition.TEXT`. Raises OSError.

        Where the history cannot be read just now, the counters are those shown last.
        """
        shown = self.counters(now)
        if shown is not None and kind not in self._texts:
            self._texts[kind] = exposition.written(exposition.counters(shown, self.origin), kind)
        return (
            self._texts.get(kind, b"")
            + exposition.written(exposition.gauges(self.gauges(now), self.origin), kind)
            + exposition.end(kind)
        )

    def gauges(self, now: float) -> list[readings.Gauge]:
        """What the published state says. With `fleet.step_minutes` nothing of a person's minutes is in it."""
        shown = readings.gauges(self._read_state(), self.shape, now, __version__)
        if self._config["fleet.step_minutes"]:
            hidden = {"session_context_ratio", "sessions", "alerts"}
            return [one for one in shown if one.metric.name not in hidden]
        return shown

    def counters(self, now: float) -> Shown | None:
        """The counters as they may leave; None before the history was read once. Raises OSError."""
        try:
            self._look(now)
        except (sqlite3.Error, schema.HistoryError) as error:
            self.problem = f"the history cannot be read: {error}"
        else:
            self.problem = None
        return self._shown

    def _look(self, now: float) -> None:
        if self._shown is not None and time.monotonic() < self._not_before:
            return
        step = float(self._config["fleet.step_minutes"]) * MINUTE
        sign = ("step", int(now / step)) if step else _sign(self._history)
        same = sign == self._sign
        if sign is None or (same and (step or self._confirmed)):
            return
        begun = time.thread_time()
        db = schema.connect_read_only(self._history)
        try:
            db.execute(f"PRAGMA cache_size = {CACHE}")
            self._shown = self._read(db, now)
        finally:
            db.close()
        self.readings += 1
        self._texts.clear()
        # Two commits within one tick of the system's clock have one sign: so a change is read once more.
        self._sign, self._confirmed = sign, same
        # The first reading pays for what is loaded once, and the history may still be filling: it holds up nothing.
        if self.readings > 1:
            self._not_before = time.monotonic() + min(LONGEST, (time.thread_time() - begun) * COST)

    def _read(self, db: sqlite3.Connection, now: float) -> Shown:
        db.execute("BEGIN")  # one moment of the history for all questions
        history, first_at = readings.born(db)
        self._ledger.begin(history, self.shape.fingerprint(), first_at, now)
        most = int(self._config["fleet.max_series"])
        exact = readings.counted(
            readings.rows(db), self.shape, lambda wanted: self._ledger.admit(wanted, most)
        )
        buckets = {
            (metric, self.shape.value("provider", provider)): counts
            for (metric, provider), counts in self._timings.read(db, now).items()
        }
        return self._ledger.show(exact, buckets)


def _sign(path: str) -> object:
    """Equal signs: nothing was committed in between; None where there is no history.

    The files are only looked at. To open and close one of them here would end the locks that this process holds
    on it for SQLite.
    """
    stamps: list[object] = []
    for name in (path, f"{path}-wal"):
        try:
            status = os.stat(name)
        except FileNotFoundError:
            if name == path:
                return None
            continue
        stamps.append((status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns))
    return stamps


def origin(shape: labels.Shape) -> Origin:
    """The names of the user and the machine, as their labels are shaped."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's number without a name
        user = str(os.getuid())
    return Origin(shape.value("user", user), shape.value("host", socket.gethostname()))
