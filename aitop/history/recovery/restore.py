"""A damaged, missing or poorer history is put together anew: from the fullest backup and what can still be read.

The clients' files are the record: every file's offset goes back to its start, so what they hold is read
again. So only what no file holds any more has to come from the backup (which is believed) and from the
damaged file (which counts where no other source has the row). A day that ends up with fewer requests than
the old sums said is named, and stays named.

The new file is built beside the old one and takes its place by renames that a kill may interrupt anywhere.
"""

import os
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime

from aitop import paths
from aitop.history import schema
from aitop.history.recovery import backup, fullness, integrity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aitop.history.recovery.gaps import Restored

MARK = "history.damaged"  # left where damage was noticed: the next start restores
BUILT = "history.restored.db"  # whole, and about to take the history's place
ASIDE = "history.damaged-"
STAMP = "%Y%m%dT%H%M%SZ.db"
KEPT = 3  # damaged files kept aside
AGAIN = 60.0  # seconds: damaged again so soon, restoring is not what helps
DAY = 86_400.0
SIDES = ("-wal", "-shm", "-journal")

Say = Callable[[str], None]
Alive = Callable[[], None]


def connect(home: str, now: float, say: Say, alive: Alive = lambda: None) -> sqlite3.Connection:
    """`schema.connect`, after a restore where one is needed. Raises HistoryError, sqlite3.Error.

    `say` is called with each thing that happens, `alive` now and then while it lasts.
    """
    path = os.path.join(home, paths.HISTORY)
    _finish(home, now)
    trouble = _noticed(home, path)
    if trouble is None:
        try:
            return schema.connect(path)
        except schema.NewerError:
            if not integrity.misnumbered(path):
                raise
            trouble = "its version number is damaged"
        except (sqlite3.Error, ValueError) as error:  # a message that quotes damaged bytes is no text
            if integrity.is_passing(error):
                raise
            trouble = str(error) if integrity.is_damage(error) else integrity.problem_of(path)
            if trouble is None:
                raise
    _not_again(home, now)
    there = os.path.exists(path)
    say(f"history: {trouble}: {'setting it aside and ' if there else ''}restoring it")
    restored = _build(home, now, say, alive)
    _finish(home, now)
    rows = f" and {restored.carried} rows of {restored.aside}" if there else ""
    say(f"history: restored from {restored.base or 'nothing'}{rows}")
    return schema.connect(path)


def suspect(home: str, trouble: str) -> None:
    """Leave word that the history is damaged. Raises OSError."""
    with open(os.path.join(home, MARK), "w", encoding="utf-8") as file:
        file.write(trouble)


# -- noticing ----------------------------------------------------------------------------------------------------


def _noticed(home: str, path: str) -> str | None:
    """Damage that was marked, and a history that is missing, empty or poorer than its backup."""
    try:
        return paths.read(os.path.join(home, MARK))[:500].decode("utf-8", "replace") or "damaged"
    except OSError:
        pass
    backups = _backups(home)
    if not backups:
        return None
    if not os.path.exists(path):
        return f"{paths.HISTORY} is missing beside {backups[0]}"
    if not os.path.getsize(path):
        return "the file is empty"
    return _poorer(home, path)


def _poorer(home: str, path: str) -> str | None:
    """Which backup holds more of the past than the history, which was then swapped or begun anew."""
    here = fullness.days_of(path)
    if not here and not integrity.is_history(path):
        return None  # damaged: opening it says how
    for name in backup.GENERATIONS:
        days = fullness.lacking(here, fullness.days_of(os.path.join(home, name), at_rest=True))
        if days:
            return f"it holds less than {name} of {len(days)} days"
    return None


def _not_again(home: str, now: float) -> None:
    """Raises HistoryError where the last restore is too young for another one to help."""
    names = _asides(home)
    if names and 0 <= now - _made_at(names[-1]) < AGAIN:
        raise schema.HistoryError(
            f"{os.path.join(home, paths.HISTORY)} was restored a moment ago and is damaged again: "
            "look after the disk, then `aitop start`"
        )


# -- building ----------------------------------------------------------------------------------------------------


def _build(home: str, now: float, say: Say, alive: Alive) -> "Restored":
    from aitop.history.recovery.gaps import Witness, remember
    from aitop.history.recovery.merge import Merge
    from aitop.history.recovery.salvage import open_damaged

    path, fresh = os.path.join(home, paths.HISTORY), os.path.join(home, paths.HISTORY + ".new")
    base = _base(home, fresh, say)
    alive()
    db = schema.connect(fresh)
    damaged = open_damaged(path, now + DAY)
    try:
        db.execute("BEGIN IMMEDIATE")
        witness = Witness(db, now)
        merge = Merge(db, alive)
        if damaged is not None:
            merge.take(damaged)
        merge.finish()
        restored = witness.restored(damaged, _aside_name(now), base, merge.carried)
        remember(db, restored)
        db.execute("DELETE FROM meta WHERE name = 'prices'")  # priced again: a cost may be what was damaged
        db.execute("COMMIT")
        db.execute("PRAGMA journal_mode = DELETE")
    finally:
        if damaged is not None:
            damaged.close()
        db.close()
    with open(fresh, "rb+") as file:
        os.fsync(file.fileno())
    os.replace(fresh, os.path.join(home, BUILT))
    return restored


def _base(home: str, fresh: str, say: Say) -> str | None:
    """Copy the fullest sound backup to `fresh`; its name, None where there is none.

    Each damaged daily copy is set aside, also one that is not needed now: the next backup must not keep it
    in the place of a good one.
    """
    by_fullness = sorted(
        _backups(home),
        key=lambda name: -sum(fullness.days_of(os.path.join(home, name), at_rest=True).values()),
    )
    base = None
    for name in by_fullness:
        source = os.path.join(home, name)
        if base is None:
            problem = _problem_as_base(source, fresh)
        else:
            problem = integrity.problem_of_pages(source) if name in backup.GENERATIONS else None
        if problem is not None:
            say(f"history: {name} is damaged too: {problem}")
            os.replace(source, os.path.join(home, f"{ASIDE}{name.removeprefix('history.')}"))
        elif base is None:
            base = name
    if base is None:
        _remove(fresh)
    return base


def _problem_as_base(source: str, fresh: str) -> str | None:
    """Copy a backup to `fresh` and check the copy, migrated: what is wrong with it."""
    _remove(fresh)
    _copy(source, fresh)
    try:
        db = schema.connect(fresh)
        try:
            return integrity.problem(db)
        finally:
            db.close()
    except (sqlite3.Error, ValueError, schema.HistoryError) as error:
        if integrity.is_passing(error):
            raise
        return str(error)


def _copy(source: str, target: str) -> None:
    fd = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    with open(source, "rb") as original, open(fd, "wb") as copy:
        while part := original.read(1 << 20):
            copy.write(part)


def _backups(home: str) -> list[str]:
    """The copies there are, newest first: the daily ones, then those made before a migration."""
    migrated = sorted((n for n in os.listdir(home) if n.startswith(paths.HISTORY + ".v") and n[12:].isdigit()),
                      key=lambda name: -int(name[12:]))  # fmt: skip
    return [name for name in (*backup.GENERATIONS, *migrated) if os.path.isfile(os.path.join(home, name))]


# -- changing places ---------------------------------------------------------------------------------------------


def _finish(home: str, now: float) -> None:
    """Put a finished restore in place. Whatever step a kill fell on, the next call goes on from there.

    The log is moved before its file: beside another file it would be taken for that one's.
    """
    path, built = os.path.join(home, paths.HISTORY), os.path.join(home, BUILT)
    if not os.path.exists(built):
        return
    name = _name_in(built) or _aside_name(now)
    if os.path.exists(path + "-wal"):
        os.replace(path + "-wal", os.path.join(home, name + "-wal"))
    for side in SIDES:
        _remove(path + side)
    if os.path.exists(path):
        os.replace(path, os.path.join(home, name))
    os.replace(built, path)
    _remove(os.path.join(home, MARK))
    for old in _asides(home)[:-KEPT]:
        _remove(os.path.join(home, old))
        _remove(os.path.join(home, old + "-wal"))


def _name_in(built: str) -> str | None:
    """The name that the restore chose for the damaged file."""
    from aitop.history.recovery.gaps import last

    db = sqlite3.connect(f"file:{schema.quoted(built)}?mode=ro", uri=True)
    try:
        restored = last(db)
    finally:
        db.close()
    return restored.aside if restored else None


def _aside_name(now: float) -> str:
    return f"{ASIDE}{datetime.fromtimestamp(now, UTC).strftime(STAMP)}"


def _made_at(name: str) -> float:
    try:
        return datetime.strptime(name, ASIDE + STAMP).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0


def _asides(home: str) -> list[str]:
    """Damaged histories kept aside, oldest first."""
    return sorted(n for n in os.listdir(home) if n.startswith(ASIDE + "2") and n.endswith("Z.db"))


def _remove(path: str) -> None:
    for name in (path, *(path + side for side in SIDES)):
        try:
            os.unlink(name)
        except FileNotFoundError:
            pass
