"""Running one listener in this process: lock, open, serve, and start anew after an upgrade."""

import gc
import os
import sqlite3
import sys
import time

from filelock import Timeout

from aitop import __version__, paths
from aitop.config import Config, ConfigError, load
from aitop.history.schema import HistoryError
from aitop.listener import lifecycle
from aitop.listener.log import Log
from aitop.listener.receive import SocketError


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
    except Timeout:
        return _refuse(f"another listener runs for {home}: `aitop status` tells which, `aitop stop` ends it")
    try:
        config, problem = _configuration(log)
        from aitop.listener.loop import Listener

        listener = Listener(home, log, config, time.time())
        listener.config_error = problem
        gc.freeze()
        log.info(f"aitop {__version__} listens (pid {os.getpid()})")
        reason = listener.run()
        log.info(f"ended: {reason}")
    except (SocketError, HistoryError) as error:
        log.error(str(error))
        return _refuse(str(error))
    except sqlite3.DatabaseError as error:
        text = f"{os.path.join(home, paths.HISTORY)}: {error}. `aitop doctor` tells what to do"
        log.error(text)
        return _refuse(text)
    finally:
        lock.release()
    if reason == "upgrade":
        # Without -P a folder called aitop where this one was started would be taken for the package.
        safe = [] if _runs_from_here() else ["-P"]
        words = [sys.executable, *safe, "-m", "aitop", "listen", *([] if echo else ["--quiet"])]
        os.execv(sys.executable, words)  # noqa: S606
    return 0


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
