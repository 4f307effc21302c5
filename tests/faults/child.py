"""`python child.py PLAN WORDS…`: runs `aitop WORDS…`, and dies by SIGKILL at one of its steps.

A step is a call into the system or into SQLite. PLAN is `record FILE` (write down at the end which steps
were taken, how often) or `kill NAME N` (die when step NAME is taken for the n-th time; `kill NAME -N`: when
it has just been done). The profiler of the interpreter sees the calls, so no line of the product knows.
"""

import atexit
import collections
import json
import os
import signal
import sys

STEPS = frozenset(
    ("replace", "rename", "unlink", "open", "write", "pread", "read", "fork", "execute", "executemany", "executescript",
     "commit", "backup", "utime", "fsync", "listen", "bind", "scandir", "dumps", "symlink", "close", "sendto", "stat",
     "chmod", "connect")
)  # fmt: skip


def main():
    how = sys.argv[1].split()
    seen = collections.Counter()

    def die():
        os.kill(os.getpid(), signal.SIGKILL)

    def watch(_, event, call):
        name = call.__name__ if event in ("c_call", "c_return", "c_exception") else None
        if name not in STEPS:
            return
        if event == "c_call":
            seen[name] += 1
            if how[0] == "kill" and name == how[1] and seen[name] == int(how[2]):
                die()
        elif how[0] == "kill" and name == how[1] and seen[name] == -int(how[2]):
            die()

    def note(*_):
        sys.setprofile(None)
        with open(how[1], "w") as file:
            json.dump(seen, file)
        os._exit(0)

    sys.argv = ["aitop", *sys.argv[2:]]
    if how[0] == "record":
        signal.signal(signal.SIGUSR1, note)
        atexit.register(note)
    from aitop.__main__ import main as aitop

    sys.setprofile(watch)
    aitop()


if __name__ == "__main__":
    main()
