"""The file in which Claude Code says which session a process of its works on: `sessions/PID.json`.

Claude Code 2.1.300 and later write it in their configuration folder, also without hooks and with `--print`, and
write it anew after `/clear`. Reads one small file of a process that is named; it searches nothing.
"""

import os
from collections.abc import Mapping

from aitop.providers.lenient import loads, text

FOLDER = "sessions"
MAX_BYTES = 65_536
EARLIER_SECONDS = 5.0  # that a client may have begun to write before the system counts its start


def session_of(pid: int, began: float, environ: Mapping[str, str]) -> str | None:
    """The session that a process works on now; None where no file of that very process says it.

    `began` is the process's start in epoch seconds: a file that an earlier process of that number left is older.
    `environ` is the process's own environment.
    """
    home = environ.get("CLAUDE_CONFIG_DIR") or os.path.join(environ.get("HOME", ""), ".claude")
    try:
        with open(os.path.join(home, FOLDER, f"{pid}.json"), "rb") as file:
            record = loads(file.read(MAX_BYTES))
    except OSError:
        return None
    if not isinstance(record, dict) or record.get("pid") != pid:
        return None
    started = record.get("startedAt")  # milliseconds
    if not isinstance(started, int | float) or started / 1000 < began - EARLIER_SECONDS:
        return None
    return text(record.get("sessionId"), 128)
