"""Whether a process stems from another one. Linux says it; elsewhere the answer is yes.

On the way of `aitop jump`, so it imports nothing heavy. It reads, and signals nothing.
"""

import os

MAX_GENERATIONS = 32


def descends(pid: int, ancestor: int) -> bool:
    """Whether a process is the other one or stems from it; True where the system does not say."""
    for _ in range(MAX_GENERATIONS):
        if pid == ancestor:
            return True
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                pid = int(file.read().rpartition(b")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            return not os.path.isdir("/proc/self")
        if pid <= 1:
            return False
    return False
