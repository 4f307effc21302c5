"""Running one listener in this process: lock, open, serve, and start anew after an upgrade."""

import errno
import gc
import os
import sqlite3
import sys
import time

from aitop import __version__, paths
from aitop.config import Config, ConfigError, load
from aitop.history.recovery import integrity, restore
from aitop.history.schema import HistoryError
from aitop.listener import lifecycle
from aitop.listener.lock import Held
from aitop.log import Log
from aitop.receiver.unix_socket import SocketError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aitop.listener.loop import Listener

RETRY = 2.0  # seconds between attempts to open a history that a full disk keeps shut


def main(*, echo: bool) -> int:
    """The exit code: 0 after a clean end, 1 when it could not start or another one runs."""
    home = paths.home()
    os.umask(0o077)
    try:
        lifecycle.prepare_home(home)
    except lifecycle.LifeError as error:
        return _refuse(str(error))
    log = Log(os.path.join(home, paths.LOG), debug=os.environ.get("AITOP_LOG_LEVEL") == "debug", echo=echo)
    lock = lifecycle.lock(home)
    try:
        lock.acquire(timeout=0.5)  # somebody who only asks whether it is held holds it for a moment
    except Held:
        return _refuse(f"another listener runs for {home}: `aitop status` tells which, `aitop stop` ends it")
    except OSError as error:
        return _refuse(lifecycle.unwritable(home, error))
    try:
        reason = _serve(home, log)
    except (SocketError, HistoryError) as error:
        log.error(str(error))
        return _refuse(str(error))
    finally:
        lock.release()
    if reason in ("upgrade", "damaged"):
        # Without -P a folder called aitop where this one was started would be taken for the package.
        safe = [] if _runs_from_here() else ["-P"]
        words = [sys.executable, *safe, "-m", "aitop", "listen", *([] if echo else ["--quiet"])]
        os.execv(sys.executable, words)  # noqa: S606
    return 0


def _serve(home: str, log: Log) -> str:
    """Listen until the end; why it ended. A fault that a damaged history explains ends as "damaged"."""
    try:
        listener = _open(home, log)
        gc.freeze()
        log.info(f"aitop {__version__} listens (pid {os.getpid()})")
        reason = listener.run()
        trouble = listener.guard.error or "the daily check"
    except (SocketError, HistoryError):
        raise
    except Exception as error:
        found = _damage(home)
        if found is None:
            log.error(f"ended by a fault: {type(error).__name__}")
            raise
        reason, trouble = "damaged", found
    log.info(f"ended: {reason}")
    if reason == "damaged":
        try:
            restore.suspect(home, trouble)
        except OSError as error:  # then the next start has to find it out by itself
            log.error(f"{home}: {error.strerror}")
    return reason


def _open(home: str, log: Log) -> "Listener":
    """The listener with its history open. While the disk is full or read-only it waits."""
    from aitop.listener.loop import Listener

    config, problem = _configuration(log)
    while True:
        try:
            listener = Listener(home, log, config, time.time())
        except sqlite3.Error as error:
            if not integrity.is_passing(error):
                raise
            log.error(f"{os.path.join(home, paths.HISTORY)}: {error}. Waiting until it can be opened")
            time.sleep(RETRY)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            log.error(f"{home}: {error.strerror}. Waiting until there is room")
            time.sleep(RETRY)
        else:
            listener.settings.config_error = problem
            return listener


def _damage(home: str) -> str | None:
    try:
        return integrity.problem_of(os.path.join(home, paths.HISTORY))
    except sqlite3.Error:
        return None


def _configuration(log: Log) -> tuple[Config, str | None]:
    try:
        return load(), None
    except ConfigError as error:
        log.error(f"{error}; going on with the defaults")
        return Config(), str(error)


def _runs_from_here() -> bool:
    """Whether the package is found only because it lies in the current folder."""
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) == os.getcwd()


def _refuse(text: str) -> int:
    sys.stderr.write(f"aitop: {text}\n")
    return 1
