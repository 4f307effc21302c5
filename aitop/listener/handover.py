"""Passing the lock and the listening socket through a re-execution, so that no hook meets a closed door.

`exec` keeps the process, its number and these two descriptors; connections wait in the socket's queue
until the new program takes them. What was passed is checked before it is used.
"""

import os
import socket
import stat

from aitop.listener.lock import Lock

VARIABLE = "AITOP_HANDOVER"


def give(lock: Lock, listening: socket.socket, path: str) -> dict[str, str]:
    """Make both survive `exec`; the environment in which the next program finds them."""
    assert lock.fd is not None
    os.set_inheritable(lock.fd, True)
    listening.set_inheritable(True)
    there = os.lstat(path)
    return {VARIABLE: f"{lock.fd} {listening.fileno()} {there.st_dev} {there.st_ino}"}


def take(lock_path: str, socket_path: str) -> tuple[Lock, socket.socket | None] | None:
    """What an earlier run of this process passed on; None where there is nothing, or it is not ours."""
    words = os.environ.pop(VARIABLE, "").split()
    if len(words) != 4 or not all(word.isdecimal() for word in words):
        return None
    lock_fd, socket_fd, device, inode = map(int, words)
    try:
        if not stat.S_ISREG(os.fstat(lock_fd).st_mode) or not stat.S_ISSOCK(os.fstat(socket_fd).st_mode):
            return None
        os.set_inheritable(lock_fd, False)
        os.set_inheritable(socket_fd, False)
    except OSError:
        return None
    lock = Lock(lock_path, lock_fd)
    listening = socket.socket(fileno=socket_fd)
    if not lock.is_in_place():
        lock.release()
        listening.close()
        return None
    if not _is_bound_to(listening, socket_path, (device, inode)):
        listening.close()
        return lock, None
    listening.setblocking(False)
    return lock, listening


def _is_bound_to(listening: socket.socket, path: str, place: tuple[int, int]) -> bool:
    """Whether it listens, and its name still leads to it."""
    try:
        there = os.lstat(path)
        accepts = listening.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError:
        return False
    return listening.family == socket.AF_UNIX and bool(accepts) and (there.st_dev, there.st_ino) == place
