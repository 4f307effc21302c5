"""How many connections a port may hold below the limit of open files of its process."""

import contextlib
import resource

WANTED = 4096


def raise_limit() -> None:
    """Raise the soft limit of open files, as far as the hard one allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(hard, WANTED)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def connections(most: int, *, reserved: int, per_connection: int, least: int = 2) -> int:
    """Connections that fit: at most `most`, each with so many descriptors, beside the reserved ones."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return most
    return max(least, min(most, (soft - reserved) // per_connection))
