"""The token of the telemetry receiver. It is needed because every user of the machine reaches loopback.

One line in `$AITOP_HOME/otel.token`, mode 0600 from birth, made once. Settings of clients hold a copy, so it
stays the same until `aitop uninstall`.
"""

import os
import stat

from aitop import paths

MISSING = "telemetry needs its extra: pip install 'aitop-status[otel]'"
HEADER = "x-aitop-token"
BYTES = 24


def read_or_make(home: str) -> str:
    """The token, made at the first call. Raises OSError, also for a file that others may read."""
    path = os.path.join(home, paths.OTEL)
    found = read(home)
    if found is not None:
        return found
    fresh = f"{path}.{os.getpid()}"
    fd = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(fd, "w", encoding="ascii") as file:
            file.write(os.urandom(BYTES).hex() + "\n")
        os.link(fresh, path)  # fails where another process was first: then its token is the one
    except FileExistsError:
        pass
    finally:
        os.unlink(fresh)
    made = read(home)
    if made is None:
        raise OSError(f"{path}: holds no token; remove it")
    return made


def read(home: str) -> str | None:
    """The token, None where there is none. Raises OSError."""
    path = os.path.join(home, paths.OTEL)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    with os.fdopen(fd, "rb") as file:
        if os.fstat(fd).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise OSError(f"{path}: others can read it: chmod 600 {path}, or remove it for a new one")
        token = file.read(256).decode("ascii", "replace").strip()
    return token if len(token) >= BYTES else None
