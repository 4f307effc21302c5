"""Notices when another time zone comes into force while this process runs.

A process reads its zone once. When the user travels, the system's zone file or the file that `$TZ` names is
replaced, and every midnight moves. Looks at one file's stamp; the C library reads the zone again when it changed.
"""

import os
import time

SYSTEM_ZONE = "/etc/localtime"
ZONES = "/usr/share/zoneinfo"


class ZoneWatch:
    """Remembers the zone that is in force."""

    def __init__(self) -> None:
        self._stamp = _stamp()

    def changed(self) -> bool:
        """Whether another zone is in force than at the last call; local time follows it from now on."""
        stamp = _stamp()
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        _read_again()
        return True


def zone_file() -> str:
    """The file that the zone is read from; it need not exist (`TZ=CET-1`)."""
    named = os.environ.get("TZ", "").removeprefix(":")
    return os.path.join(os.environ.get("TZDIR") or ZONES, named) if named else SYSTEM_ZONE


def _stamp() -> tuple[str, int, int, int] | None:
    path = zone_file()
    try:
        status = os.stat(path)
    except OSError:
        return None
    return path, status.st_ino, status.st_mtime_ns, status.st_size


def _read_again() -> None:
    """The C library looks at a zone's file again only where `$TZ` is another text than before."""
    named = os.environ.get("TZ")
    os.environ["TZ"] = "UTC0"
    time.tzset()
    if named is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = named
    time.tzset()
