"""Which process a number means: numbers are given away again, so each is kept with its start time.

A signal goes only to the process that had the number when it was written down. On Linux the process is
held while it is compared and signalled, so its number cannot change hands in between.
"""

import os
import signal
import sys
from typing import NamedTuple


class Identity(NamedTuple):
    """A process: its number, and when the system says it started (an opaque text)."""

    pid: int
    started: str


def of(pid: int) -> Identity | None:
    """The process that has this number now; None where there is none or the system does not say."""
    started = _started(pid)
    return Identity(pid, started) if started else None


def lives(identity: Identity) -> bool:
    """Whether this very process still lives."""
    return of(identity.pid) == identity


def send(identity: Identity, number: int) -> bool:
    """Signal exactly this process; False where it has ended or may not be signalled."""
    held = None
    try:
        if hasattr(os, "pidfd_open") and hasattr(signal, "pidfd_send_signal"):
            held = os.pidfd_open(identity.pid)
        if not lives(identity):
            return False
        if held is None:
            os.kill(identity.pid, number)
        else:
            signal.pidfd_send_signal(held, number)
    except OSError:
        return False
    finally:
        if held is not None:
            os.close(held)
    return True


def _started(pid: int) -> str | None:
    if sys.platform.startswith("linux"):
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            return None
        ended = fields[:1] in ([b"Z"], [b"X"])
        return None if ended or len(fields) < 20 else fields[19].decode()
    import subprocess

    try:
        answer = subprocess.run(
            ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, env={"LC_ALL": "C", "PATH": os.defpath},
            timeout=2, check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.decode("ascii", "replace").strip() or None
