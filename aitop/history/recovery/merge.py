"""What can still be read of a damaged history, taken into a sound one that lacks it.

Rows find each other by what the clients call things (a session's name, a file's path, a response's ids),
never by their numbers, which two files may have given out differently. What a file on the disk still tells
is left to be read again from there. Sums move only through the ledger, so they agree with the rows.
"""

# ruff: noqa: S608 - the names of tables and columns are those of the schema
import os
import sqlite3
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from aitop.history import columns
from aitop.history.recovery.salvage import Damaged, Values
from aitop.history.rows import Contribution
from aitop.history.write import commit, load
from aitop.history.write.ledger import Ledger
from aitop.model.events import Place
from aitop.model.sums import Sum

AT_ONCE = 500
UPWARDS = 3  # folders above a file that is missing
LOST = "unknown"  # the name of what has lost its own
# Columns of `session` that are sums of its rows; the ledger makes them.
_SUMMED = frozenset(
    ("id", "compactions", "stop_reasons", "inherited", "timings", *(sql for sql, _ in columns.STORED))
)
_UNSEEN = dict.fromkeys(("info_at", "last_at", "status_at", "context_at"), 0.0) | {"status_live": 0}


class Merge:
    """One merge into `db`, inside the caller's transaction: `take`, then `finish`. `carried`: rows taken."""

    def __init__(self, db: sqlite3.Connection, alive: Callable[[], None]) -> None:
        self.db, self.carried = db, 0
        self._alive = alive
        self._models: dict[int, str] = {}
        self._places: dict[int, Place] = {}
        self._names: dict[int, list[int]] | None = (
            None  # response there → its keys, where a row has none of its own
        )
        self._files: dict[int, int] = {}  # number there → number here
        self._sessions: dict[int, int] = {}
        self._intact: set[int] = set()  # files, by their number there, that can be read again
        self._of_file: dict[int, tuple[str, str]] = {}  # file there → (provider, session)

    def take(self, damaged: Damaged) -> None:
        """Everything that is lacking here and that no file holds any more."""
        self._models = {row["id"]: row["name"] for row in damaged.rows("model")}
        self._places = {row["id"]: Place(row["cwd"], row["branch"] or None) for row in damaged.rows("place")}
        self._take_files(damaged)
        self._take_sessions(damaged)
        ledger = Ledger(self.db, float("inf"), float("inf"))
        taken = self._take_responses(damaged, ledger)
        self._take_parts(damaged, taken, ledger)
        self._take_tools(damaged, ledger)
        self._take_incidents(damaged, ledger)
        for row in damaged.rows("usage_limit"):
            self._insert("usage_limit", row, "OR IGNORE")
        self._take_side_calls(damaged, ledger)
        self._take_pull_requests(damaged)
        commit.everything(self.db, ledger.out, [], ledger.names)
        ledger.write_sums()
        commit.new_names(self.db, ledger.names)
        commit.sessions(self.db, [session for session in ledger.sessions.values() if session.dirty])

    def finish(self) -> None:
        """Every file is read from its start again."""
        self.db.execute(
            "UPDATE file SET device = NULL, inode = NULL, size = 0, mtime_ns = 0, offset = 0, tail = 0, "
            "bad_lines = 0, pending = NULL"
        )

    # -- who and where ---------------------------------------------------------------------------------------

    def _take_files(self, damaged: Damaged) -> None:
        disk = _Disk()
        numbers = {path: number for number, path in self.db.execute("SELECT id, path FROM file")}
        for row in damaged.rows("file"):
            there = row.pop("id")
            if row["path"] not in numbers:
                numbers[row["path"]] = self._insert("file", row)
            self._files[there] = numbers[row["path"]]
            self._of_file[there] = (row["provider"], row["session"] or LOST)
            if disk.has(row):
                self._intact.add(there)

    def _file(self, there: int) -> int:
        """A file's number here. One with a lost row is last in every order."""
        if there and there not in self._files:
            row = self.db.execute("SELECT id FROM file WHERE path = ?", (LOST,)).fetchone()
            blank = dict.fromkeys(("size", "mtime_ns", "offset", "tail", "bad_lines"), 0)
            self._files[there] = (
                row[0] if row else self._insert("file", {"provider": LOST, "path": LOST, **blank})
            )
        return self._files[there] if there else 0

    def _take_sessions(self, damaged: Damaged) -> None:
        for row in damaged.rows("session"):
            there = row["id"]
            facts = {name: value for name, value in row.items() if name not in _SUMMED}
            self._sessions[there] = self._session(row["provider"], row["name"])
            given = {name: value for name, value in facts.items() if value is not None}
            marks = ", ".join(f"{name} = ?" for name in given)
            self.db.execute(
                f"UPDATE session SET {marks} WHERE id = ? AND ifnull(last_at, 0) <= ?",
                (*given.values(), self._sessions[there], row["last_at"] or 0),
            )

    def _session(self, provider: str, name: str) -> int:
        row = self.db.execute(
            "SELECT id FROM session WHERE provider = ? AND name = ?", (provider, name)
        ).fetchone()
        return row[0] if row else self._insert("session", {"provider": provider, "name": name, **_UNSEEN})

    def _session_of(self, row: Values, file: int) -> int:
        """The session of a row; where that cannot be read any more, its file's."""
        session = self._sessions.get(row["session"])
        if session is None:
            provider, name = self._of_file.get(file, (LOST, LOST))
            session = self._sessions[row["session"]] = self._session(provider, name)
        return session

    # -- what counts -----------------------------------------------------------------------------------------

    def _take_responses(self, damaged: Damaged, ledger: Ledger) -> dict[int, int]:
        """Number there → number here of the responses taken."""
        taken: dict[int, int] = {}
        for rows in _parts(damaged.rows("response")):
            self._alive()
            names = {row["id"]: _names(row) or self._keys_of(damaged, row["id"]) for row in rows}
            numbers = load.aliases(self.db, [name for keys in names.values() for name in keys])
            here: list[int] = []
            for row in rows:
                there = row.pop("id")
                if row["file"] in self._intact and not row["copies"]:
                    continue
                same = next((numbers[name] for name in names[there] if name in numbers), None)
                if same is not None and not self._gives_way(same, row, ledger):
                    continue
                number = self._insert("response", self._here(row, ledger), identity=same)
                taken[there] = number
                here.append(number)
                numbers.update(dict.fromkeys(names[there], number))
                self._alias((name, number) for name in names[there])
            for written in load.rows(self.db, here, ledger.names).values():
                ledger.book(written.contribution(), 1)
                ledger.seen(ledger.session_by_id(written.session), written.evidence.at)
        self.carried += len(taken)
        return taken

    def _keys_of(self, damaged: Damaged, response: int) -> list[int]:
        """The keys of a response that has no id of its own."""
        if self._names is None:
            self._names = {}
            for row in damaged.rows("alias"):
                self._names.setdefault(row["response"], []).append(row["key"])
        return self._names.get(response, [])

    def _take_side_calls(self, damaged: Damaged, ledger: Ledger) -> None:
        """Untracked money of sessions for which nothing is booked here."""
        booked = {number for (number,) in self.db.execute("SELECT DISTINCT session FROM side_call")}
        for row in damaged.rows("side_call"):
            session = self._sessions.get(row["session"])
            if session is not None and session not in booked and row["picodollars"] > 0:
                model = ledger.names.model(self._models.get(row["model"], LOST))
                ledger.book_untracked(row["at"], session, model, row["picodollars"])

    def _take_pull_requests(self, damaged: Damaged) -> None:
        for row in damaged.rows("pull_request"):
            session = self._sessions.get(row["session"])
            if session is not None:
                self._insert("pull_request", row | {"session": session}, "OR IGNORE")

    def _gives_way(self, number: int, row: Values, ledger: Ledger) -> bool:
        """Whether a response that is known here was still being written then, and is whole there."""
        if row["stop_reason"] is None:
            return False
        here = load.rows(self.db, [number], ledger.names).get(number)
        if here is None or here.evidence.stop_reason is not None:
            return False
        ledger.book(here.contribution(), -1)
        self.db.execute("DELETE FROM response WHERE id = ?", (number,))
        self.db.execute("DELETE FROM copy WHERE response = ?", (number,))
        return True

    def _here(self, row: Values, ledger: Ledger) -> Values:
        """A response's or a copy's row with our numbers."""
        file = row["file"]
        name = self._models.get(row["model"], LOST)
        place = self._places.get(row["place"] or 0)
        own = {
            **row,
            "model": ledger.names.model(name),
            "file": self._file(file),
            "place": ledger.names.place(place),
        }
        self.db.execute("INSERT OR IGNORE INTO model (id, name) VALUES (?, ?)", (own["model"], name))
        if place is not None:
            stored = (own["place"], place.cwd, place.branch or "")
            self.db.execute("INSERT OR IGNORE INTO place (id, cwd, branch) VALUES (?, ?, ?)", stored)
        return own | ({"session": self._session_of(row, file)} if "session" in row else {})

    def _take_parts(self, damaged: Damaged, taken: dict[int, int], ledger: Ledger) -> None:
        """What belongs to the responses taken: other files' versions, further names, sub-agents."""
        for row in damaged.rows("copy"):
            if row["response"] in taken:
                self._insert(
                    "copy", self._here(row, ledger) | {"response": taken[row["response"]]}, "OR IGNORE"
                )
        self._alias(
            (row["key"], taken[row["response"]]) for row in damaged.rows("alias") if row["response"] in taken
        )
        for row in damaged.rows("agent"):
            if row["session"] in self._sessions:
                self._insert("agent", row | {"session": self._sessions[row["session"]]}, "OR IGNORE")

    def _alias(self, pairs: Iterator[tuple[int, int]]) -> None:
        self.db.executemany("INSERT OR IGNORE INTO alias VALUES (?, ?)", pairs)

    def _take_tools(self, damaged: Damaged, ledger: Ledger) -> None:
        for rows in _parts(damaged.rows("tool")):
            self._alive()
            stored = load.tools(self.db, [row["key"] for row in rows])
            for row in rows:
                file = row["from_file"]
                if row["key"] in stored or file in self._intact:
                    continue
                session = self._session_of(row, file)
                self._insert("tool", row | {"session": session, "from_file": self._file(file)})
                ledger.book_tool(row["at"], session, row["name"], bool(row["failed"]), 1)
                self.carried += 1

    def _take_incidents(self, damaged: Damaged, ledger: Ledger) -> None:
        taken = []
        for row in damaged.rows("incident"):
            if row["from_file"] in self._intact or load.incident(self.db, row["key"]) is not None:
                continue
            row["session"] = self._session_of(row, row["from_file"])
            row["from_file"] = self._file(row["from_file"])
            self._insert("incident", row)
            taken.append(row)
        self.carried += len(taken)
        for row in taken:
            if row["twin"] is not None and load.incident(self.db, row["twin"]) is None:
                row["twin"] = None  # its file is read again
                self.db.execute("UPDATE incident SET twin = NULL WHERE key = ?", (row["key"],))
            if row["twin"] is not None and not row["from_file"]:
                continue
            if row["kind"] == "compaction":
                ledger.book_compaction(row["at"], row["session"], 1)
            else:
                ledger.book(Contribution(row["at"], row["session"], "", Sum(errors=1)), 1)

    def _insert(self, table: str, row: Values, how: str = "", *, identity: int | None = None) -> int:
        values = row if identity is None else row | {"id": identity}
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        done = self.db.execute(
            f"INSERT {how} INTO {table} ({names}) VALUES ({marks})", tuple(values.values())
        )
        return done.lastrowid or 0


def _names(row: Values) -> list[int]:
    """The keys that a stored response's own ids lead to it by."""
    if row["message_key"] is not None:
        return [row["message_key"]]
    return [row["request_key"]] if row["request_key"] is not None else []


class _Disk:
    """Which of the files that were read are still there with all that was read of them, whatever they are called."""

    def __init__(self) -> None:
        self._around: dict[str, dict[tuple[int, int], os.stat_result]] = {}

    def has(self, row: Values) -> bool:
        try:
            status = os.stat(row["path"], follow_symlinks=False)
            readable = os.access(row["path"], os.R_OK)
        except FileNotFoundError:  # moved, or its path is what was damaged
            other = self._near(row["path"]).get((row["device"], row["inode"]))
            return other is not None and other.st_size >= row["offset"]
        except (OSError, ValueError):
            return False
        return readable and status.st_ino == row["inode"] and bool(status.st_size >= row["offset"])

    def _near(self, path: str) -> dict[tuple[int, int], os.stat_result]:
        """Every file below the nearest folder above that exists, by device and inode."""
        folder = path
        for _ in range(UPWARDS):
            folder = os.path.dirname(folder)
            if folder == os.path.dirname(folder):
                break  # not the whole disk
            if os.path.isdir(folder):
                if folder not in self._around:
                    self._around[folder] = {(f.st_dev, f.st_ino): f for f in _files_below(folder)}
                return self._around[folder]
        return {}


def _files_below(folder: str) -> Iterator[os.stat_result]:
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                yield os.stat(os.path.join(parent, name), follow_symlinks=False)
            except OSError:
                continue


def _parts(rows: Iterator[Values]) -> Iterator[list[Any]]:
    while part := list(islice(rows, AT_ONCE)):
        yield part
