"""Which listeners a home has: the holder of its lock, and any that lost its lock or home.

For commands. A process counts as a listener of this home when the lock file says so and it still is that
process, or when it runs `listen` and holds open a lock file that was removed from this home.
"""

import os

from aitop import paths
from aitop import state as published
from aitop.listener import lock, process_identity
from aitop.listener.lock import Held, Lock
from aitop.listener.process_identity import Identity
from aitop.model.json_types import JsonObject


def is_locked(home: str) -> bool:
    """Whether some process holds the lock."""
    path = os.path.join(home, paths.LOCK)
    if not os.path.exists(path):
        return False
    probe = Lock(path)
    try:
        probe.acquire()
    except Held:
        return True
    except OSError:
        return False
    probe.release()
    return False


def running() -> JsonObject | None:
    """The listener that holds this home's lock: `pid`, `started_at`, `version`, each None while unknown.

    None while no process holds the lock, or a report holds it. The published state is believed only about the
    process that the lock names.
    """
    home = paths.home()
    if not is_locked(home):
        return None
    published_listener = (published.read() or {}).get("listener")
    published_listener = published_listener if isinstance(published_listener, dict) else {}
    holder = lock.holder(os.path.join(home, paths.LOCK))
    if holder is None:
        older = _older_listener(home, published_listener.get("pid"))
        return published_listener if older is not None else {"pid": None, "started_at": None, "version": None}
    if holder.role == "report":
        return None
    if published_listener.get("pid") == holder.identity.pid:
        return published_listener
    pid = holder.identity.pid if process_identity.lives(holder.identity) else None
    return {"pid": pid, "started_at": None, "version": None}


def listeners(home: str) -> list[Identity]:
    """Every living listener of this home."""
    path = os.path.join(home, paths.LOCK)
    identities = set()
    if is_locked(home):
        holder = lock.holder(path)
        if holder is not None and holder.role == "listener" and process_identity.lives(holder.identity):
            identities.add(holder.identity)
        elif holder is None:
            published_listener = (published.read() or {}).get("listener")
            older = _older_listener(
                home, published_listener.get("pid") if isinstance(published_listener, dict) else None
            )
            identities |= {older} if older else set()
    return sorted(identities | set(_with_removed_lock(path)))


def _older_listener(home: str, pid: object) -> Identity | None:
    """A listener of a version that signs no lock: the state's process, if it holds this lock file open."""
    if not isinstance(pid, int) or pid <= 1 or os.path.join(home, paths.LOCK) not in _open_files(pid):
        return None
    return process_identity.of(pid)


def _with_removed_lock(path: str) -> list[Identity]:
    """Listeners that still hold a lock file which was removed from its place (Linux)."""
    try:
        numbers = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    except OSError:
        return []
    identities = []
    for pid in numbers:
        if (
            pid == os.getpid()
            or b"listen" not in _command(pid)
            or f"{path} (deleted)" not in _open_files(pid)
        ):
            continue
        identity = process_identity.of(pid)
        if identity is not None:
            identities.append(identity)
    return identities


def _command(pid: int) -> list[bytes]:
    try:
        if os.stat(f"/proc/{pid}").st_uid != os.getuid():
            return []
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read(65_536).split(b"\0")
    except OSError:
        return []


def _open_files(pid: int) -> set[str]:
    folder = f"/proc/{pid}/fd"
    targets: set[str] = set()
    try:
        names = os.listdir(folder)
    except OSError:
        return targets
    for name in names:
        try:
            targets.add(os.readlink(os.path.join(folder, name)))
        except OSError:
            continue
    return targets
