"""Read the transcripts that the history knows, and put each act into its session and turn.

A turn begins with a prompt of its session and ends with the next one. Copies of a record (forks, resumed sessions)
count once, for the session that the history counts their response for. Only files that changed since the first day
asked for are read; a file that is gone, or packed, or too large leaves its session without a record.
"""

import os
import sqlite3
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import NamedTuple

from aitop.history import keys
from aitop.ingest.worktrees import repository
from aitop.providers.codex import PACKED
from aitop.providers.files import open_regular
from aitop.providers.zstd_stream import pieces
from aitop.reports.shipped import claude_acts, codex_acts
from aitop.reports.shipped.acts import Acts, Call, Edit, Prompt

CLAUDE, ROLLOUTS = ("claude-code", "openclaude"), ("codex", "trae")
CLIENTS = (*CLAUDE, *ROLLOUTS)  # whose records hold edits that are read here
NOWHERE = -1  # the session of a record that the history does not know
RUN_BYTES = 16 << 20
ROLLOUT_BYTES = 256 << 20  # a longer one is left out
OWN_WORKTREE = f"{os.sep}.claude{os.sep}worktrees{os.sep}"

Progress = Callable[[int, int], None]  # bytes or files done, of how many
Turn = tuple[int, int]  # (session, how many of its prompts came before)


class Written(NamedTuple):
    """One edit in its turn; `path` is where the file is now, if it is anywhere, `folder` where work was done."""

    turn: Turn
    at: float
    path: str
    folder: str
    lines: tuple[int, ...]


class Reading:
    """All acts of the files: by turn, each once."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        names = db.execute("SELECT provider, name, id FROM session")
        self._sessions = {(provider, name): number for provider, name, number in names}
        self._starts: dict[int, list[float]] = {}
        self.seen: set[int] = set()  # sessions with a record
        self.prompts: dict[Turn, Prompt] = {}
        self.stops: set[Turn] = set()
        self.calls: list[tuple[Turn, Call]] = []
        self.written: list[Written] = []

    def add(self, of: list[tuple[str, Acts]]) -> None:
        """(provider, acts) of every file."""
        prompts: dict[tuple[int, str], Prompt] = {}
        for provider, acts in of:
            self.seen |= {self._number(provider, name) for name in acts.sessions} - {NOWHERE}
            for prompt in acts.prompts:
                session = self._number(provider, prompt.session)
                prompts.setdefault((session, prompt.id), prompt)
        for (session, _), prompt in prompts.items():
            self._starts.setdefault(session, []).append(prompt.at)
        for starts in self._starts.values():
            starts.sort()
        for (session, _), prompt in prompts.items():
            self.prompts[self.turn(session, prompt.at)] = prompt
        self._add_calls(of)

    def _add_calls(self, of: list[tuple[str, Acts]]) -> None:
        known: set[str] = set()
        for provider, acts in of:
            for stop in acts.stops:
                self.stops.add(self.turn(self._number(provider, stop.session), stop.at))
            for call in acts.calls:
                if call.id in known:
                    continue
                known.add(call.id)
                session, place = self._counted(call) or (self._number(provider, call.session), None)
                turn = self.turn(session, call.at)
                self.calls.append((turn, call))
                self.written += [_written(turn, call.at, edit, place) for edit in call.edits]

    def turn(self, session: int, at: float) -> Turn:
        """The turn of a session that a moment lies in."""
        return session, bisect_right(self._starts.get(session, ()), at)

    def _number(self, provider: str, name: str) -> int:
        number: int = self._sessions.get((provider, name), NOWHERE)
        return number

    def _counted(self, call: Call) -> tuple[int, str | None] | None:
        """(session, folder) that the history counts a call's response for."""
        for name in call.names:
            row = self._db.execute(
                "SELECT response.session, place.cwd FROM alias JOIN response ON response.id = alias.response "
                "LEFT JOIN place ON place.id = response.place WHERE alias.key = ?",
                (keys.key("m", name),),
            ).fetchone()
            if row is not None:
                return row  # type: ignore[no-any-return]
        return None


def _written(turn: Turn, at: float, edit: Edit, place: str | None) -> Written:
    """An edit where it is found now: a worktree that was removed left its work in the main checkout."""
    path, folder = edit.path, edit.cwd or os.path.dirname(edit.path)
    if not os.path.isdir(folder):
        for moved in (place, repository(folder)):
            if moved and moved != folder and os.path.isdir(moved) and path.startswith(folder + os.sep):
                return Written(turn, at, moved + path[len(folder) :], moved, edit.lines)
    if OWN_WORKTREE in path and not os.path.isdir(os.path.dirname(path)):
        path = os.path.join(repository(os.path.dirname(path)), os.path.basename(path))
    return Written(turn, at, path, folder, edit.lines)


def read(db: sqlite3.Connection, since: float, progress: Progress) -> Reading:
    """Every file that can hold acts since a moment. Raises sqlite3.Error."""
    wanted = []
    for provider, path, agent in db.execute("SELECT provider, path, agent FROM file ORDER BY path"):
        size = _changed(path, since) if provider in CLIENTS else None
        if size is not None:
            wanted.append((provider, path, agent, size))
    done, total = 0, sum(size for *_, size in wanted)
    found = []
    for provider, path, agent, size in wanted:
        acts = _acts(path, agent, is_rollout=provider in ROLLOUTS)
        if acts is not None:
            found.append((provider, acts))
        done += size
        progress(done, total)
    reading = Reading(db)
    reading.add(found)
    return reading


def _changed(path: str, since: float) -> int | None:
    """The size of a file that changed since a moment, None for others."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_size if status.st_mtime >= since else None


def _acts(path: str, agent: str | None, *, is_rollout: bool) -> Acts | None:
    """What a file says; None where it cannot be read."""
    try:
        if not is_rollout:
            return claude_acts.read(_runs(path), agent)
        data = bytearray()
        for piece in pieces(path) if path.endswith(PACKED) else _runs(path):
            data += piece
            if len(data) > ROLLOUT_BYTES:
                return None
        return codex_acts.read(bytes(data) + b"\n", path)
    except OSError:
        return None


def _runs(path: str) -> Iterator[bytes]:
    """A file in runs of whole lines. Raises OSError."""
    opened = open_regular(path)
    if opened is None:
        return
    with open(opened[0], "rb") as file:
        while run := file.read(RUN_BYTES):
            rest = b"" if run.endswith(b"\n") else file.readline()
            yield run + rest if (rest or run).endswith(b"\n") else run + rest + b"\n"
