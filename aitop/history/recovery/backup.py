"""Verified copies of the history: clients delete their files after 30 days, then it is the only one.

A copy is made page by page beside a running writer, checked, and only then takes its name. The first generation is at
most a day old; what the history gained since is checked with it. The second one is the newest copy that passed the
whole check, which is made weekly: damage in an old page cannot displace it unseen. A copy that holds less of the past
than one that is there displaces nothing.

Called from a process of its own, at the lowest priority, because the listener must not wait for it. Its exit code says
when the history itself did not pass.
"""

import os
import sqlite3

from aitop.history import schema
from aitop.history.recovery import fullness, integrity
from aitop.history.recovery.copying import DamageError, copy

DAY = 86_400
WHOLE_EVERY = 7 * DAY
GENERATIONS = ("history.backup-1.db", "history.backup-2.db")
DAMAGED = 3  # the exit code
LOWEST_PRIORITY = 19
CHECKED = "backup_checked_at"  # in `meta` of a copy that passed the whole check: when


def due(home: str, now: float) -> bool:
    """Whether the newest backup is older than a day (or there is none)."""
    try:
        return now - os.stat(os.path.join(home, GENERATIONS[0])).st_mtime >= DAY
    except OSError:
        return True


def run(history: str, home: str) -> int:
    """`make` as a process: its exit code. Raises sqlite3.Error, OSError for what says nothing against the history."""
    os.nice(LOWEST_PRIORITY)
    try:
        make(history, home)
    except sqlite3.Error as error:
        if isinstance(error, DamageError) or integrity.is_damage(error):
            return DAMAGED
        raise
    return 0


def make(history: str, home: str, *, whole: bool = False) -> None:
    """Back up `history` into `home`. `whole`: check everything, though it is not due.

    Raises DamageError for a history that did not pass, else sqlite3.Error and OSError.
    """
    newest, older = (os.path.join(home, name) for name in GENERATIONS)
    fresh = newest + ".new"
    source = sqlite3.connect(f"file:{schema.quoted(history)}?mode=ro", uri=True, timeout=5)
    try:
        copy(source, fresh, check=False)
    finally:
        source.close()
    try:
        now = os.stat(fresh).st_mtime
        checked_at = max(_checked_at(newest), _checked_at(older))
        whole = whole or not 0 <= now - checked_at < WHOLE_EVERY
        problem = _poorer(fresh, home) or _problem(fresh, newest, whole=whole)
        if problem is not None:
            raise DamageError(f"the history did not pass its check: {problem}")  # noqa: TRY301
        if whole:
            _mark_checked(fresh, now)
    except BaseException:
        os.unlink(fresh)
        raise
    if os.path.exists(newest) and _may_follow(newest, older):
        os.replace(newest, older)
    os.replace(fresh, newest)


def _may_follow(newest: str, older: str) -> bool:
    """Whether the newest copy takes the second one's place: it passed the whole check, and its pages still do."""
    wanted = _checked_at(newest) or not os.path.exists(older)
    return bool(wanted) and integrity.problem_of_pages(newest) is None


def _poorer(fresh: str, home: str) -> str | None:
    """Which copy holds more of the past."""
    have = fullness.days_of(fresh, at_rest=True)
    for name in GENERATIONS:
        days = fullness.lacking(have, fullness.days_of(os.path.join(home, name), at_rest=True))
        if days:
            return f"it holds less than {name} of {len(days)} days"
    return None


def _problem(fresh: str, newest: str, *, whole: bool) -> str | None:
    """What is wrong with a copy: with all of it, or with what it gained since the newest one."""
    if whole:
        return integrity.problem_of(fresh)
    since = max(fullness.days_of(newest, at_rest=True), default=0)
    db = sqlite3.connect(fresh, isolation_level=None, timeout=5)
    try:
        return integrity.recent_problem(db, since)
    finally:
        db.close()


def _checked_at(path: str) -> float:
    """When a copy passed the whole check; 0 where it did not, or is not there."""
    if not os.path.exists(path):
        return 0.0
    try:
        db = sqlite3.connect(f"file:{schema.quoted(path)}?mode=ro&immutable=1", uri=True, timeout=1)
        try:
            row = db.execute("SELECT value FROM meta WHERE name = ?", (CHECKED,)).fetchone()
        finally:
            db.close()
        return float(row[0]) if row else 0.0
    except (sqlite3.Error, ValueError):
        return 0.0


def _mark_checked(path: str, now: float) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    try:
        db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (CHECKED, repr(now)))
    finally:
        db.close()
