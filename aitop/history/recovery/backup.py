"""Verified copies of the history: clients delete their files after 30 days, then it is the only one.

A copy is made page by page beside a running writer, checked, and only then takes its name; two
generations are kept. Called from a process of its own (the listener must not wait for it), whose
exit code says when it is the history itself that did not pass.
"""

import os
import sqlite3

from aitop.history.recovery import integrity
from aitop.history.recovery.copying import DamageError, copy

DAY = 86_400
GENERATIONS = ("history.backup-1.db", "history.backup-2.db")
DAMAGED = 3  # the exit code


def due(home: str, now: float) -> bool:
    """Whether the newest backup is older than a day (or there is none)."""
    try:
        return now - os.stat(os.path.join(home, GENERATIONS[0])).st_mtime >= DAY
    except OSError:
        return True


def run(history: str, home: str) -> int:
    """`make` as a process: its exit code. Raises sqlite3.Error, OSError for what says nothing against the history."""
    try:
        make(history, home)
    except sqlite3.Error as error:
        if isinstance(error, DamageError) or integrity.is_damage(error):
            return DAMAGED
        raise
    return 0


def make(history: str, home: str) -> None:
    """Back up `history` into `home`: the last good copy moves down one generation. Raises sqlite3.Error, OSError."""
    newest, older = (os.path.join(home, name) for name in GENERATIONS)
    source = sqlite3.connect(f"file:{history}?mode=ro", uri=True, timeout=5)
    try:
        copy(source, newest + ".new")
    finally:
        source.close()
    problem = integrity.problem_of(newest + ".new")
    if problem is not None:
        os.unlink(newest + ".new")
        raise DamageError(f"the history did not pass its check: {problem}")
    if os.path.exists(newest):
        os.replace(newest, older)
    os.replace(newest + ".new", newest)
