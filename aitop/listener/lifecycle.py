"""One listener per home: the lock, starting in the background, stopping, and knowing whether one runs.

Commands use this room from outside; the running listener uses only the lock. Nothing here loops.
"""

import os
import signal
import subprocess
import sys
import time
from typing import Any

from aitop import paths
from aitop import state as published
from aitop.listener.lock import Held, Lock

NETWORK = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "9p", "fuse.sshfs", "ceph", "glusterfs", "lustre")
)


class LifeError(Exception):
    """The listener cannot start; the message says what to do."""


def prepare_home(home: str) -> None:
    """Make `$AITOP_HOME`, private to this user. Raises LifeError."""
    try:
        os.makedirs(home, mode=0o700, exist_ok=True)
        found = os.stat(home)
    except OSError as error:
        raise LifeError(unwritable(home, error)) from error
    if found.st_uid != os.getuid():
        raise LifeError(f"{home} belongs to another user. Set AITOP_HOME to a folder of your own")
    if found.st_mode & 0o077:
        os.chmod(home, 0o700)
    kind = file_system(home)
    if kind in NETWORK:
        raise LifeError(
            f"{home} is on a network file system ({kind}), where neither sockets nor the history are safe "
            "between hosts. Set AITOP_HOME to a local folder, for example /var/tmp/$USER-aitop"
        )


def unwritable(home: str, error: OSError) -> str:
    """What to say where the home cannot be written."""
    return f"{home}: {error.strerror}. Set AITOP_HOME to a folder you can write"


def file_system(path: str) -> str | None:
    """The type of the file system that holds a path; None where the system does not say."""
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:
        return None
    best, kind = "", None
    real = os.path.realpath(path)
    for line in lines:
        fields, _, rest = line.partition(" - ")
        point = fields.split()[4].replace("\\040", " ")
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, rest.split()[0]
    return kind


def lock(home: str) -> Lock:
    """The one listener's lock, not yet taken."""
    return Lock(os.path.join(home, paths.LOCK))


def is_locked(home: str) -> bool:
    """Whether some process holds the lock."""
    if not os.path.exists(os.path.join(home, paths.LOCK)):
        return False
    probe = lock(home)
    try:
        probe.acquire()
    except Held:
        return True
    except OSError:
        return False
    probe.release()
    return False


def running() -> dict[str, Any] | None:
    """`listener` of the published state while a listener holds the lock: pid, started_at, version."""
    if not is_locked(paths.home()):
        return None
    found = (published.read() or {}).get("listener")
    return found if isinstance(found, dict) else {"pid": None, "started_at": None, "version": None}


def clean_environment(environ: dict[str, str]) -> dict[str, str]:
    """What a listener may know: a hook's environment holds its client's secrets."""
    from aitop.listener import environment

    return environment.allowed(environ)


def start_detached(wait: float = 5.0) -> bool:
    """Start a listener of its own session, cwd `/`, with a cut environment; whether one runs in the end.

    Raises LifeError.
    """
    home = paths.home()
    prepare_home(home)
    log = _begin(home)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "aitop", "listen", "--quiet"],
            cwd="/",
            env=clean_environment(dict(os.environ)) | {"AITOP_HOME": home},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            close_fds=True,
        )
    finally:
        os.close(log)
    deadline = time.monotonic() + wait
    while time.monotonic() < deadline:
        if process.poll() is not None:
            return is_locked(home)
        if _published_by(process.pid):
            process.returncode = 0  # it lives on; nobody waits for it here
            return True
        time.sleep(0.02)
    return process.poll() is None


def _begin(home: str) -> int:
    """Take back an earlier `aitop stop`; the log, opened to be written. Raises LifeError."""
    try:
        try:
            os.unlink(os.path.join(home, paths.STOPPED))
        except FileNotFoundError:
            pass
        how = (
            os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC | os.O_NONBLOCK
        )  # a FIFO would wait for a reader
        return os.open(os.path.join(home, paths.LOG), how, 0o600)
    except OSError as error:
        raise LifeError(unwritable(home, error)) from error


def stop(timeout: float = 10.0) -> bool:
    """Ask the listener to end and wait for it; whether none runs in the end."""
    home = paths.home()
    found = running()
    if found is None:
        return True
    pid = found.get("pid")
    deadline = time.monotonic() + timeout
    if isinstance(pid, int) and pid > 1:
        try:
            os.kill(pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
    while time.monotonic() < deadline:
        if not is_locked(home):
            return True
        time.sleep(0.05)
    return not is_locked(home)


def _published_by(pid: int) -> bool:
    found = (published.read() or {}).get("listener")
    return isinstance(found, dict) and found.get("pid") == pid
