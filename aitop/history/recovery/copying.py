"""A checked copy of an open history: for backups, and before a migration."""

import os
import sqlite3
import stat


class DamageError(sqlite3.DatabaseError):
    """A copy was made and what is in it is not sound."""


def copy(source: sqlite3.Connection, target: str, *, check: bool = True) -> None:
    """A copy of an open database, checked unless the caller does it; nothing is left at `target` when that fails."""
    if os.path.exists(target):
        os.unlink(target)
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR, stat.S_IRUSR | stat.S_IWUSR))
    copied = sqlite3.connect(target, isolation_level=None)
    try:
        source.backup(copied, pages=1024, sleep=0.005)
        copied.execute("PRAGMA journal_mode = DELETE")
        copied.execute(
            "DELETE FROM meta WHERE name = 'backup_checked_at'"
        )  # what was checked was another copy
        verdict = copied.execute("PRAGMA quick_check(1)").fetchone()[0] if check else "ok"
    except BaseException:
        copied.close()
        os.unlink(target)
        raise
    copied.close()
    if verdict != "ok":
        os.unlink(target)
        raise DamageError(f"the copy of the history did not pass its check: {verdict}")
