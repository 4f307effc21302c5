"""A damaged history is set aside and put together anew: from the newest sound backup and what can still be read.

The clients' files are the record: every file's offset goes back to its start, so what they hold is read
again. So only what no file tells any more has to come from the backup (which is believed) and from the
damaged file (whose word counts where nobody else has one). A day that ends up with fewer requests than
the old sums said is named, and stays named.

The new file is built beside the old one and takes its place by renames that a kill may interrupt anywhere.
"""

import json
import os
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from aitop import paths, periods
from aitop.history import backup, check, schema
from aitop.history.merge import Merge
from aitop.history.salvage import Damaged, open_damaged
from aitop.history.store import History

MARK = "history.damaged"  # left by whoever noticed the damage: the next start restores
BUILT = "history.restored.db"  # whole, and about to take the history's place
ASIDE = "history.damaged-"
KEPT = 3  # damaged files kept aside
AGAIN = 60.0  # seconds: damaged again so soon, restoring is not what helps
KEPT_BY_CLIENTS = 30 * 86_400.0
DAY = 86_400.0
MOST_A_DAY = 1_000_000  # requests: a sum beyond it is damage
SIDES = ("-wal", "-shm", "-journal")

Say = Callable[[str], None]
Alive = Callable[[], None]


class Restored(NamedTuple):
    """What the last restore did, as the history remembers it. Times are epoch seconds."""

    at: float
    aside: str  # the damaged file's name now
    base: str | None  # the backup it began from
    carried: int  # rows taken from the damaged file
    expected: dict[str, int]  # local date → requests that the old sums spoke of
    unknown: str | None  # the span for which no old sums could be read
    incomplete: list[str] | None = None  # None until the clients' files have been read again

    def published(self) -> dict[str, object]:
        """As the state tells of it."""
        return {"at": self.at, "file": self.aside, "backup": self.base, "rows": self.carried,
                "incomplete_days": self.incomplete}  # fmt: skip


def connect(home: str, now: float, say: Say, alive: Alive = lambda: None) -> sqlite3.Connection:
    """`schema.connect`, after a restore where one is needed. Raises HistoryError, sqlite3.Error.

    `say` is told what happens, `alive` is called now and then while it lasts.
    """
    path = os.path.join(home, paths.HISTORY)
    _finish(home, now)
    trouble = _noticed(home, path)
    if trouble is None:
        try:
            return schema.connect(path)
        except schema.NewerError:
            if not check.misnumbered(path):
                raise
            trouble = "its version number is damaged"
        except (sqlite3.Error, ValueError) as error:  # a message that quotes damaged bytes is no text
            if check.is_passing(error):
                raise
            trouble = str(error) if check.is_damage(error) else check.problem_of(path)
            if trouble is None:
                raise
    _not_again(home, now)
    say(f"history: {trouble}: setting it aside and restoring it")
    known = _build(home, now, say, alive)
    _finish(home, now)
    say(f"history: restored from {known.base or 'nothing'} and {known.carried} rows of {known.aside}")
    return schema.connect(path)


def suspect(home: str, trouble: str) -> None:
    """Leave word that the history is damaged. Raises OSError."""
    with open(os.path.join(home, MARK), "w", encoding="utf-8") as file:
        file.write(trouble)


def last(db: sqlite3.Connection) -> Restored | None:
    """What the last restore of this history did, if there was one."""
    row = db.execute("SELECT value FROM meta WHERE name = 'restored'").fetchone()
    try:
        return Restored(*json.loads(row[0])) if row else None
    except (ValueError, TypeError):
        return None


def judge(history: History) -> Restored | None:
    """After the clients' files were read again: which days hold less than the old sums said."""
    known = last(history.db)
    if known is None or known.incomplete is not None:
        return known
    have = _days(history.db.execute("SELECT at, requests FROM quarter").fetchall())
    short = sorted(day for day, requests in known.expected.items() if have.get(day, 0) < requests)
    known = known._replace(incomplete=[*([known.unknown] if known.unknown else []), *short])
    history.begin()
    _remember(history.db, known)
    return known


# -- noticing ----------------------------------------------------------------------------------------------------


def _noticed(home: str, path: str) -> str | None:
    """Damage that somebody left word of, or that is seen without opening the file."""
    try:
        return paths.read(os.path.join(home, MARK))[:500].decode("utf-8", "replace") or "damaged"
    except OSError:
        pass
    empty = os.path.exists(path) and not os.path.getsize(path)
    return "the file is empty" if empty and _backups(home) else None


def _not_again(home: str, now: float) -> None:
    newest = max((os.stat(os.path.join(home, name)).st_ctime for name in _asides(home)), default=0.0)
    if 0 <= now - newest < AGAIN:
        raise schema.HistoryError(
            f"{os.path.join(home, paths.HISTORY)} was restored a moment ago and is damaged again: "
            "look after the disk, then `aitop start`"
        )


# -- building ----------------------------------------------------------------------------------------------------


def _build(home: str, now: float, say: Say, alive: Alive) -> Restored:
    path, fresh = os.path.join(home, paths.HISTORY), os.path.join(home, paths.HISTORY + ".new")
    base = _base(home, fresh, say)
    alive()
    db = schema.connect(fresh)
    damaged = open_damaged(path, now + DAY)
    try:
        db.execute("BEGIN IMMEDIATE")
        expected = _days(db.execute("SELECT at, requests FROM quarter").fetchall())
        earlier = last(db)
        until = max(expected, default=None)
        deleted = _deleted_early(db, now)
        merge = Merge(db, alive)
        if damaged is not None:
            merge.take(damaged)
            earlier = _earlier(damaged) or earlier
            for day, requests in _days(_old_sums(damaged)).items():
                if until is None or day >= until:
                    expected[day] = max(expected.get(day, 0), requests)
        merge.finish()
        unseen = damaged is None or "quarter" in damaged.holes
        known = Restored(
            now, _aside_name(now), base, merge.carried, expected, _unknown(unseen, until, deleted, now)
        )
        known = known if earlier is None else _with_earlier(known, earlier)
        _remember(db, known)
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
    return known


def _base(home: str, fresh: str, say: Say) -> str | None:
    """Copy the newest sound backup to `fresh`; its name, None where there is none. A bad one makes way."""
    for name in _backups(home):
        _remove(fresh)
        source = os.path.join(home, name)
        import shutil  # with its archives, for the one start in thousands that restores

        shutil.copyfile(source, fresh)
        os.chmod(fresh, 0o600)
        try:
            db = schema.connect(fresh)
            try:
                problem = check.problem(db)
            finally:
                db.close()
        except (sqlite3.Error, ValueError, schema.HistoryError) as error:
            if check.is_passing(error):
                raise
            problem = str(error)
        if problem is None:
            return name
        say(f"history: {name} is damaged too: {problem}")
        os.replace(source, os.path.join(home, f"{ASIDE}{name.removeprefix('history.')}"))
    _remove(fresh)
    return None


def _backups(home: str) -> list[str]:
    """The copies there are, newest first: the daily ones, then those made before a migration."""
    migrated = sorted((n for n in os.listdir(home) if n.startswith(paths.HISTORY + ".v") and n[12:].isdigit()),
                      key=lambda name: -int(name[12:]))  # fmt: skip
    return [name for name in (*backup.GENERATIONS, *migrated) if os.path.isfile(os.path.join(home, name))]


def _old_sums(damaged: Damaged) -> list[tuple[int, int]]:
    sums = {(r["at"], r["session"], r["model"]): r["requests"] for r in damaged.rows("quarter")}
    return [(at, requests) for (at, _, _), requests in sums.items()]


def _days(quarters: list[tuple[int, int]]) -> dict[str, int]:
    """Local date → requests."""
    days: dict[str, int] = {}
    dates: dict[int, str] = {}
    for at, requests in quarters:
        if requests:
            day = dates.get(at) or dates.setdefault(at, periods.date_of(at).isoformat())
            days[day] = days.get(day, 0) + requests
    return {day: requests for day, requests in days.items() if 0 < requests < MOST_A_DAY}


def _unknown(unseen: bool, until: str | None, deleted: bool, now: float) -> str | None:
    """The span without a witness, where it may be that the clients' files do not hold everything any more."""
    kept_from = periods.date_of(now if deleted else now - KEPT_BY_CLIENTS).isoformat()
    if not unseen or (until and until > kept_from):
        return None
    return f"{until or 'the beginning'} to {kept_from}"


def _deleted_early(db: sqlite3.Connection, now: float) -> bool:
    """Whether a file is gone that clients as they come would still keep."""
    since = (now - KEPT_BY_CLIENTS) * 1e9
    young = db.execute("SELECT path FROM file WHERE mtime_ns > ?", (since,))
    return any(not os.path.exists(path) for (path,) in young)


def _earlier(damaged: Damaged) -> Restored | None:
    for row in damaged.rows("meta"):
        if row["name"] == "restored":
            try:
                return Restored(*json.loads(row["value"]))
            except (ValueError, TypeError):
                return None
    return None


def _with_earlier(known: Restored, earlier: Restored) -> Restored:
    """A history damaged again: what an earlier restore missed is still missing."""
    expected = dict(known.expected)
    if earlier.incomplete is None:
        for day, requests in earlier.expected.items():
            expected[day] = max(expected.get(day, 0), requests)
    else:
        for day in set(earlier.incomplete) & set(earlier.expected):
            expected[day] = max(expected.get(day, 0), earlier.expected[day])
    return known._replace(expected=expected, unknown=known.unknown or earlier.unknown)


def _remember(db: sqlite3.Connection, known: Restored) -> None:
    db.execute("INSERT OR REPLACE INTO meta VALUES ('restored', ?)", (json.dumps(known),))


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
    db = sqlite3.connect(f"file:{schema.quoted(built)}?mode=ro", uri=True)
    try:
        known = last(db)
    finally:
        db.close()
    return known.aside if known else None


def _aside_name(now: float) -> str:
    return f"{ASIDE}{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}.db"


def _asides(home: str) -> list[str]:
    """Damaged histories kept aside, oldest first."""
    return sorted(n for n in os.listdir(home) if n.startswith(ASIDE + "2") and n.endswith("Z.db"))


def _remove(path: str) -> None:
    for name in (path, *(path + side for side in SIDES)):
        try:
            os.unlink(name)
        except FileNotFoundError:
            pass
