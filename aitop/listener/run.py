"""Running one listener in this process: lock, open, serve, and start anew after an upgrade."""

import gc
import os
import socket
import sqlite3
import sys
import time

from aitop import __version__, paths
from aitop.config import Config, ConfigError, load
from aitop.history.recovery import integrity, restore
from aitop.history.schema import HistoryError
from aitop.listener import environment, find, handover, lifecycle, process_identity
from aitop.listener.endings import DAMAGED, HOME_LOST, START_ANEW
from aitop.listener.lock import NO_ROOM, Held, Lock
from aitop.listener.lock import holder as holder_of
from aitop.log import Log
from aitop.receiver.unix_socket import SocketError
from aitop.receiver.unix_socket import listen as open_socket
from aitop.system import own_python

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aitop.listener.loop import Listener

RETRY_SECONDS = 2.0  # between attempts to open a history that a full disk keeps shut
PROBE_SECONDS = 0.5  # a command that asks whether the lock is held holds it for a moment
REPORT_SECONDS = 600.0  # a report reads into the history under the same lock
REPLACE_SECONDS = 10.0


def main(*, echo: bool, replace: bool = False) -> int:
    """The exit code: 0 after a clean end, 1 when it could not start or another one runs.

    With `replace` another listener of this home hands over: this one takes the socket, then that one ends.
    """
    home = paths.home()
    os.umask(0o077)
    try:
        lifecycle.prepare_home(home)
    except lifecycle.LifeError as error:
        return _refuse(str(error))
    environment.restore(os.environ)
    log = Log(os.path.join(home, paths.LOG), debug=os.environ.get("AITOP_LOG_LEVEL") == "debug", echo=echo)
    try:
        lock, listening = _take_place_when_there_is_room(home, log, replace=replace)
    except Held:
        return _refuse(f"another listener runs for {home}: `aitop status` names it, `aitop stop` ends it")
    except OSError as error:
        return _refuse(lifecycle.unwritable(home, error))
    except SocketError as error:
        return _refuse(str(error))
    try:
        while True:
            listener, reason = _serve(home, log, lock, listening)
            if reason == HOME_LOST:
                os._exit(0)  # no clean-up: SQLite would remove files of the home that lies there now
            if listener is not None and reason not in START_ANEW:
                return 0
            listening = listener.reader.receiver.hand_over() if listener is not None else None
            _start_anew(lock, listening, home, log, echo=echo)
    except (SocketError, HistoryError) as error:
        log.error(str(error))
        return _refuse(str(error))
    finally:
        lock.release()


def _take_place_when_there_is_room(
    home: str, log: Log, *, replace: bool
) -> tuple[Lock, socket.socket | None]:
    """`_take_place`, again and again while the disk has no room for the lock's file."""
    while True:
        try:
            return _take_place(home, log, replace=replace)
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            _wait_for_room(home, error, log)


def _take_place(home: str, log: Log, *, replace: bool) -> tuple[Lock, socket.socket | None]:
    """The lock, taken and signed, and the socket where one was handed over. Raises Held, OSError, SocketError."""
    path, socket_path = os.path.join(home, paths.LOCK), os.path.join(home, paths.SOCKET)
    passed = handover.take(path, socket_path)
    if passed is not None:
        return passed
    lock, listening = Lock(path), None
    try:
        lock.acquire(timeout=PROBE_SECONDS)
    except Held:
        holder = holder_of(path)
        if replace:
            listening = open_socket(socket_path, replace=True)
            for identity in find.listeners(home):
                process_identity.send(identity, 15)
            lock.acquire(timeout=REPLACE_SECONDS)
        elif holder is not None and holder.role == "report" and process_identity.lives(holder.identity):
            log.info("a report reads into the history: waiting for it to end")
            lock.acquire(timeout=REPORT_SECONDS)
        else:
            raise
    lock.sign("listener")
    return lock, listening


def _start_anew(lock: Lock, listening: socket.socket | None, home: str, log: Log, *, echo: bool) -> None:
    """Become the program that is installed now. Returns only where that fails."""
    given = handover.give(lock, listening, os.path.join(home, paths.SOCKET))
    words = own_python.module("aitop", "listen", *([] if echo else ["--quiet"]))
    try:
        os.execve(words[0], words, os.environ | given)  # noqa: S606
    except OSError as error:
        handover.keep(lock, listening)
        log.error(f"{words[0]} cannot be started ({error.strerror}): going on with version {__version__}")


def _serve(home: str, log: Log, lock: Lock, listening: socket.socket | None) -> "tuple[Listener | None, str]":
    """Listen until the end; why it ended. A fault that a damaged history explains ends as DAMAGED."""
    listener = None
    try:
        listener = _open(home, log, lock, listening)
        gc.freeze()
        gc.enable()
        log.info(f"aitop {__version__} listens (pid {os.getpid()})")
        reason = listener.run()
        trouble = listener.guard.error or "the daily check"
    except (SocketError, HistoryError):
        raise
    except Exception as error:
        damage = _damage(home)
        if damage is None:
            log.error(f"ended by a fault: {type(error).__name__}")
            raise
        reason, trouble = DAMAGED, damage
    log.info(f"ended: {reason}")
    if reason == DAMAGED:
        try:
            restore.suspect(home, trouble)
        except OSError as error:  # then the next start has to find it out by itself
            log.error(f"{home}: {error.strerror}")
    return listener, reason


def _open(home: str, log: Log, lock: Lock, listening: socket.socket | None) -> "Listener":
    """The listener with its history open. While the disk is full or read-only it waits."""
    from aitop.listener.loop import Listener

    config, problem = _configuration(log)
    while True:
        try:
            listener = Listener(home, log, config, time.time(), lock, listening)
        except sqlite3.Error as error:
            if not integrity.is_passing(error):
                raise
            log.error(f"{os.path.join(home, paths.HISTORY)}: {error}. Waiting until it can be opened")
            time.sleep(RETRY_SECONDS)
        except (OSError, SocketError) as error:
            cause = error.__cause__ if isinstance(error, SocketError) else error
            if not isinstance(cause, OSError) or cause.errno not in NO_ROOM:
                raise
            _wait_for_room(home, cause, log)
        else:
            listener.settings.config_error = problem
            return listener


def _wait_for_room(home: str, error: OSError, log: Log) -> None:
    log.error(f"{home}: {error.strerror}. Waiting until there is room")
    time.sleep(RETRY_SECONDS)


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


def _refuse(text: str) -> int:
    sys.stderr.write(f"aitop: {text}\n")
    return 1
