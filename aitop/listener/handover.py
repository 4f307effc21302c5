"""Passing the lock and the listening socket through a re-execution, so that no hook meets a closed door.

`exec` keeps the process, its number and these two descriptors; connections wait in the socket's queue
until the new program takes them. What was passed is checked before it is used.
"""

import os
import socket
import stat

from aitop.listener.lock import Lock

VARIABLE = "AITOP_HANDOVER"
NONE = "-"  # in the place of a socket that is not passed on


def give(lock: Lock, listening: socket.socket | None, path: str) -> dict[str, str]:
    """Make both survive `exec`; the environment in which the next program finds them.

    The lock is always passed on, so that no other process comes between. A socket that has lost its name is not.
    """
    assert lock.fd is not None
    passed = f"{NONE} 0 0"
    if listening is not None:
        try:
            there = os.lstat(path)
        except OSError:
            pass  # the next program opens its own
        else:
            listening.set_inheritable(True)
            passed = f"{listening.fileno()} {there.st_dev} {there.st_ino}"
    os.set_inheritable(lock.fd, True)
    return {VARIABLE: f"{lock.fd} {passed}"}


def keep(lock: Lock, listening: socket.socket | None) -> None:
    """`exec` failed: no program that is started from here may inherit them."""
    if lock.fd is not None:
        os.set_inheritable(lock.fd, False)
    if listening is not None:
        listening.set_inheritable(False)


def take(lock_path: str, socket_path: str) -> tuple[Lock, socket.socket | None] | None:
    """What an earlier run of this process passed on; None where there is nothing, or it is not ours."""
    words = os.environ.pop(VARIABLE, "").split()
    if len(words) != 4 or not all(word.isdecimal() for word in words if word != NONE) or words[0] == NONE:
        return None
    lock_fd, device, inode = int(words[0]), words[2], words[3]
    try:
        if not stat.S_ISREG(os.fstat(lock_fd).st_mode):
            return None
        os.set_inheritable(lock_fd, False)
    except OSError:
        return None
    listening = _socket(words[1])
    lock = Lock(lock_path, lock_fd)
    if not lock.is_in_place():
        lock.release()
        if listening is not None:
            listening.close()
        return None
    if listening is None:
        return lock, None
    if not _is_bound_to(listening, socket_path, (device, inode)):
        listening.close()
        return lock, None
    listening.setblocking(False)
    return lock, listening


def _socket(number: str) -> socket.socket | None:
    """The socket that was passed on; None for none, and for a descriptor that is something else."""
    if number == NONE:
        return None
    try:
        if not stat.S_ISSOCK(os.fstat(int(number)).st_mode):
            return None
        os.set_inheritable(int(number), False)
        return socket.socket(fileno=int(number))
    except OSError:
        return None


def _is_bound_to(listening: socket.socket, path: str, place: tuple[str, str]) -> bool:
    """Whether it listens, and its name still leads to it."""
    try:
        there = os.lstat(path)
        accepts = listening.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError:
        return False
    return (
        listening.family == socket.AF_UNIX
        and bool(accepts)
        and (str(there.st_dev), str(there.st_ino)) == place
    )
