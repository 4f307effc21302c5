"""A secret of the user's in a file of one line, mode 0600 from birth, made once.

Programs that must show it hold a copy in their settings, so it never changes by itself.
"""

import os
import stat

BYTES = 24


def read_or_make(path: str) -> str:
    """The secret, made at the first call. Raises OSError, also for a file that others may read."""
    secret = read(path)
    if secret is not None:
        return secret
    fresh = f"{path}.{os.getpid()}"
    fd = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(fd, "w", encoding="ascii") as file:
            file.write(os.urandom(BYTES).hex() + "\n")
        os.link(fresh, path)  # fails where another process was first: then its secret is the one
    except FileExistsError:
        pass
    finally:
        os.unlink(fresh)
    made = read(path)
    if made is None:
        raise OSError(f"{path}: it holds no token; remove it")
    return made


def read(path: str) -> str | None:
    """The secret, None where there is none. Raises OSError, also for a file that others may read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    with os.fdopen(fd, "rb") as file:
        if os.fstat(fd).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise OSError(f"{path}: others can read it: chmod 600 {path}, or remove it for a new one")
        secret = file.read(256).decode("ascii", "replace").strip()
    return secret if len(secret) >= BYTES else None
