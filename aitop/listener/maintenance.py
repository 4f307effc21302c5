"""What the listener does at times beside its work: backups, daily prices, noticing an upgrade, the watchdog.

Anything slow runs in a process of its own: the loop starts it and later looks whether it has ended.
"""

import _socket
import os
import time

from aitop import __version__, paths
from aitop.config import Config
from aitop.history import tags_file
from aitop.history.recovery import backup
from aitop.listener.endings import DAMAGED, UPGRADE
from aitop.log import Log
from aitop.system import own_python

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess

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
        self._next_quality = time.monotonic() + 3600
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._new_version: str | None = None
        self._proof: subprocess.Popen[bytes] | None = None  # whether it starts
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
                    return DAMAGED
                if process.returncode:
                    self._log.error(f"{name} failed with exit code {process.returncode}")
        if idle and monotonic >= self._next_backup:
            self._next_backup = monotonic + 3600
            if backup.due(self._home, now):
                history = os.path.join(self._home, paths.HISTORY)
                self._start("backup", own_python.code(BACKUP, history, self._home))
        if config["prices.update"] == "daily" and monotonic >= self._next_prices:
            self._next_prices = monotonic + DAY / 4
            self._start("prices", own_python.module("aitop", "prices", "update"))
        if config["quality.enabled"] and monotonic >= self._next_quality:
            self._next_quality = monotonic + DAY / 4
            self._start("quality", own_python.module("aitop", "quality", "run", "--quiet"))
        return self._upgraded()

    def make_energy_factors(self) -> None:
        """Have today's models measured by the library that the listener does not load."""
        self._start("energy", own_python.module("aitop", "energy", "--factors"))

    def settings_changed(self) -> bool:
        """Whether the configuration, the prices or the tags changed since the last call."""
        before, self._stamps = self._stamps, [_stamp(path) for path in self._watched]
        return self._stamps != before

    def close(self) -> None:
        """End what it started, together with the listener."""
        for process in (*self._running.values(), *([self._proof] if self._proof else ())):
            process.terminate()
            process.wait()
        tell("STOPPING=1")

    def _start(self, name: str, command: list[str]) -> None:
        if name in self._running:
            return
        import subprocess

        self._running[name] = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            close_fds=True,
        )  # fmt: skip

    def _upgraded(self) -> str | None:
        """UPGRADE once another version is installed, stayed the same for one look, and starts.

        A package that is half copied, or does not run here, is looked at again each time.
        """
        version = _installed_version()
        if version is None or version == __version__:
            self._new_version, self._proof = None, None
            return None
        if version != self._new_version:
            self._new_version, self._proof = version, None
            return None
        if self._proof is None:
            import subprocess

            self._proof = subprocess.Popen(
                own_python.code(_PROVE), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, close_fds=True,
            )  # fmt: skip
            return None
        if self._proof.poll() is None:
            return None
        assert self._proof.stdout is not None
        with self._proof.stdout as answer:
            proved = self._proof.returncode == 0 and answer.read(100).decode("ascii", "replace").strip()
        self._proof = None
        if proved == version:
            self._log.info(f"version {version} is installed: starting anew")
            return UPGRADE
        self._log.error(f"version {version} is installed but does not start: going on with {__version__}")
        return None


def _installed_version() -> str | None:
    """The version of the package as it lies on the disk now."""
    try:
        with open(INIT, encoding="utf-8") as file:
            text = file.read()
    except OSError:
        return None
    return text.partition('__version__ = "')[2].partition('"')[0] or None


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


BACKUP = (
    "import sys; from aitop.history.recovery import backup; sys.exit(backup.run(sys.argv[1], sys.argv[2]))"
)
_PROVE = (
    "import aitop, aitop.listener.loop, aitop.listener.run; from aitop.providers.load import load; load(); "
    "from aitop.history.store import History; print(aitop.__version__)"
)
