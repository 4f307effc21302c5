"""One listener per home: preparing the home, starting in the background, stopping.

Commands use this module from outside; the running listener uses only `prepare_home` and the lock.
"""

import os
import signal
import sqlite3
import time

from aitop import __version__, paths
from aitop import state as published
from aitop.history import schema
from aitop.listener import find, process_identity
from aitop.listener.lock import Lock
from aitop.listener.process_identity import Identity
from aitop.model.json_types import JsonObject
from aitop.system import own_python

NETWORK = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "9p", "fuse.sshfs", "ceph", "glusterfs", "lustre")
)


is_locked, running = find.is_locked, find.running  # what commands ask


class LifeError(Exception):
    """The listener cannot start; the message says what to do."""


def prepare_home(home: str) -> None:
    """Make `$AITOP_HOME`, private to this user. Raises LifeError."""
    named = os.environ.get("AITOP_HOME", "")
    if named and not named.startswith(("/", "~")):
        raise LifeError(
            f"AITOP_HOME is {named}, which means another folder in each directory: set it to an absolute path"
        )
    try:
        os.makedirs(home, mode=0o700, exist_ok=True)
        status = os.stat(home)
    except OSError as error:
        raise LifeError(unwritable(home, error)) from error
    if status.st_uid != os.getuid():
        raise LifeError(f"{home} belongs to another user. Set AITOP_HOME to a folder of your own")
    if status.st_mode & 0o077:
        try:
            os.chmod(home, 0o700)
        except OSError as error:
            raise LifeError(unwritable(home, error)) from error
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


def outdated(listener: JsonObject) -> str | None:
    """What a running listener is, where this installation should take its place; None where it is the same.

    It is another version, or it holds a history that this version has to migrate. Raises LifeError where
    the history is of a newer version: then this installation could not go on with it.
    """
    version, at = listener.get("version"), _history_version()
    if at > schema.VERSION:
        raise LifeError(
            f"the history was written by a newer aitop ({version} runs): upgrade this installation, or use that one"
        )
    if isinstance(version, str) and version != __version__:
        return f"version {version}"
    return f"a listener with history version {at}" if 0 < at < schema.VERSION else None


def _history_version() -> int:
    """The version of the tables of `history.db`; 0 where there is none, or it cannot be asked now."""
    path = paths.in_home(paths.HISTORY)
    if not os.path.exists(path):
        return 0
    try:
        db = sqlite3.connect(f"file:{schema.quoted(path)}?mode=ro", uri=True, timeout=1.0)
        try:
            (version,) = db.execute("PRAGMA user_version").fetchone()
        finally:
            db.close()
    except sqlite3.Error:
        return 0
    return int(version)


def clean_environment(environ: dict[str, str]) -> dict[str, str]:
    """What a listener may know: a hook's environment holds its client's secrets."""
    from aitop.listener import environment

    return environment.allowed(environ)


def start_detached(wait: float = 5.0, *, replace: bool = False) -> bool:
    """Start a listener of its own session, cwd `/`, with a cut environment; whether one runs in the end.

    With `replace` it takes the socket over from the one that runs, so no hook is refused, and ends that one.
    Raises LifeError.
    """
    home = paths.home()
    prepare_home(home)
    import subprocess  # every report loads this module, few start a listener

    log = _begin(home)
    try:
        process = subprocess.Popen(
            own_python.module("aitop", "listen", "--quiet", *(["--replace"] if replace else [])),
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
            return not replace and find.is_locked(home)
        if _published_by(process.pid):
            process.returncode = 0  # it lives on; this process does not wait for it
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
    """Ask every listener of this home to end and wait for it; whether none runs in the end."""
    home = paths.home()
    asked: set[Identity] = set()
    deadline = time.monotonic() + timeout
    while True:
        living = find.listeners(home)
        for identity in living:
            if identity not in asked:
                process_identity.send(identity, signal.SIGTERM)
                asked.add(identity)
        if not living and find.running() is None:
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.05)


def _published_by(pid: int) -> bool:
    holder = (published.read() or {}).get("listener")
    return isinstance(holder, dict) and holder.get("pid") == pid
