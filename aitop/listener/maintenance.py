"""What the listener does at times beside its work: backups, daily prices, noticing an upgrade, the watchdog.

Anything slow runs in a process of its own: the loop starts it and later looks whether it has ended.
"""

import _socket
import os
import subprocess
import sys
import time

from aitop import __version__, paths
from aitop.config import Config
from aitop.history import tags_file
from aitop.history.recovery import backup
from aitop.log import Log

LOOK_SECONDS = 10.0
DAY = 86_400.0
INIT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "__init__.py")


class Maintenance:
    """Keeps the time of each task; `tick` returns a reason to end, or None."""

    def __init__(self, home: str, log: Log) -> None:
        self._home, self._log = home, log
        self._next = 0.0
        self._next_backup = time.monotonic() + 60  # the first reading comes first
        self._next_prices = 0.0
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._changed_to: str | None = None
        self._watched = (
            paths.config_file(),
            os.path.join(home, paths.PRICES),
            os.path.join(home, tags_file.NAME),
        )
        self._stamps = [_stamp(path) for path in self._watched]

    def ready(self) -> None:
        """Tell the service manager that the first state is published."""
        tell("READY=1")

    def tick(self, now: float, config: Config, idle: bool) -> str | None:
        """Called each second."""
        tell("WATCHDOG=1")
        monotonic = time.monotonic()
        if monotonic < self._next:
            return None
        self._next = monotonic + LOOK_SECONDS
        for name, process in list(self._running.items()):
            if process.poll() is not None:
                del self._running[name]
                if name == "backup" and process.returncode == backup.DAMAGED:
                    return "damaged"
                if process.returncode:
                    self._log.error(f"{name} failed with exit code {process.returncode}")
        if idle and monotonic >= self._next_backup:
            self._next_backup = monotonic + 3600
            if backup.due(self._home, now):
                self._start("backup", "-c", _BACKUP, os.path.join(self._home, paths.HISTORY), self._home)
        if config["prices.update"] == "daily" and monotonic >= self._next_prices:
            self._next_prices = monotonic + DAY / 4
            self._start("prices", "-m", "aitop", "prices", "update")
        return self._upgraded()

    def settings_changed(self) -> bool:
        """Whether the configuration, the prices or the tags changed since the last call."""
        before, self._stamps = self._stamps, [_stamp(path) for path in self._watched]
        return self._stamps != before

    def close(self) -> None:
        """End what it started, together with the listener."""
        for process in self._running.values():
            process.terminate()
            process.wait()
        tell("STOPPING=1")

    def _start(self, name: str, *arguments: str) -> None:
        if name in self._running:
            return
        self._running[name] = subprocess.Popen(
            [sys.executable, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, close_fds=True,
        )  # fmt: skip

    def _upgraded(self) -> str | None:
        """The reason "upgrade" once another version has been installed and has stayed the same for one look."""
        try:
            with open(INIT, encoding="utf-8") as file:
                text = file.read()
        except OSError:
            return None
        _, _, rest = text.partition('__version__ = "')
        version = rest.partition('"')[0]
        if not version or version == __version__:
            self._changed_to = None
            return None
        if version == self._changed_to:
            self._log.info(f"version {version} is installed: starting anew")
            return "upgrade"
        self._changed_to = version
        return None


def tell(text: str) -> None:
    """Send a line to the service manager, where one waits for it."""
    name = os.environ.get("NOTIFY_SOCKET")
    if not name:
        return
    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.sendto(text.encode(), "\0" + name[1:] if name.startswith("@") else name)
    except OSError:
        pass
    finally:
        sock.close()


def restoring() -> None:
    """Ask the service manager for more time: restoring a large history may take longer than it waits."""
    tell("WATCHDOG=1\nEXTEND_TIMEOUT_USEC=60000000")


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def give_back_memory() -> None:
    """After a large reading: hand the memory it took back to the system, where the C library can."""
    import ctypes
    import gc

    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


_BACKUP = (
    "import sys; from aitop.history.recovery import backup; sys.exit(backup.run(sys.argv[1], sys.argv[2]))"
)
