"""Opening the listening socket, private from birth, and asking who connects to it."""

import os
import socket
import stat
import struct
import sys

BACKLOG = 4096
LOCAL_PEERCRED, LOCAL_PEERPID = 1, 2  # macOS, at level SOL_LOCAL, which is 0


class SocketError(Exception):
    """The socket cannot be opened; the message says what to do."""


def listen(path: str, *, replace: bool = False) -> socket.socket:
    """A listening socket, 0600 from birth, where no living listener answers. Raises SocketError.

    With `replace` it takes the name over from a socket that another listener of ours serves: that one keeps
    the connections it has, new ones come here, and at no moment is there none.
    """
    room = 107 if sys.platform.startswith("linux") else 103
    if len(os.fsencode(path)) > room:
        raise SocketError(
            f"{path} is too long for a Unix socket ({room} bytes): set AITOP_HOME to a shorter path"
        )
    if os.path.lexists(path):
        if replace and stat.S_ISSOCK(os.lstat(path).st_mode):
            return _over(path)
        _remove_dead(path)
    return _bound(path)


def _over(path: str) -> socket.socket:
    fresh = os.path.join(os.path.dirname(path), ".sock")  # no longer than the name it gets
    try:
        os.unlink(fresh)
    except OSError:
        pass
    sock = _bound(fresh)
    try:
        os.replace(fresh, path)
    except OSError as error:
        sock.close()
        raise SocketError(f"{path}: {error.strerror}") from error
    return sock


def _bound(path: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        sock.bind(path)
    except OSError as error:
        sock.close()
        raise SocketError(
            f"{path}: {error.strerror}. If this file system has no sockets, set AITOP_HOME to a local folder"
        ) from error
    finally:
        os.umask(before)
    sock.listen(BACKLOG)
    sock.setblocking(False)
    return sock


def _remove_dead(path: str) -> None:
    """Remove a socket that nothing serves; never a living one, nor a file that is no socket."""
    if not stat.S_ISSOCK(os.lstat(path).st_mode):
        raise SocketError(f"{path} exists and is no socket: move it away")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
        except FileNotFoundError:
            return
        except OSError as error:
            raise SocketError(f"{path} belongs to a listener that does not answer: {error}") from error
    raise SocketError(f"another program listens on {path}: stop it, or set AITOP_HOME to a folder of our own")


def peer_of(sock: socket.socket) -> tuple[bool, int]:
    """(whether the peer runs as this user, its process or 0 where the system does not say).

    Where the system cannot name the user either, the socket's mode has decided.
    """
    try:
        if hasattr(socket, "SO_PEERCRED"):
            pid, uid, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        elif sys.platform == "darwin":  # struct xucred
            _, uid = struct.unpack("2I", sock.getsockopt(0, LOCAL_PEERCRED, 76)[:8])
            (pid,) = struct.unpack("i", sock.getsockopt(0, LOCAL_PEERPID, 4))
        else:
            return True, 0
    except OSError:
        return False, 0
    return uid == os.getuid(), pid
