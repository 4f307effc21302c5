"""The processes of one command, and the evidence by which a client's session belongs to one of them.

A process belongs to the command when it descends from the command's first process, or when its environment holds
the command's mark, which a process that left its parent still has. A session belongs to a process by what that
process or its client itself shows: the file Claude Code writes for each process, a record that the process has open,
or the process number that a hook told. Nothing is guessed from folders or times, so two commands at once stay apart.
It must not signal a process that does not belong to the command.
"""

import contextlib
import os
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import psutil

from aitop import state as published
from aitop.history.query.between import Named
from aitop.providers.claude_code import session_registry
from aitop.providers.isolation import Guarded
from aitop.top.processes import CLIENTS, Process, is_client

MARK = "AITOP_RUN"
CLAUDE = "claude-code"
END_SECONDS = 5.0  # between asking the processes to end and ending them


class Found(NamedTuple):
    """What the looks at the processes showed so far."""

    sessions: frozenset[Named]
    records: frozenset[
        str
    ]  # paths of clients' records that a process had open; the history knows their sessions
    clients: frozenset[str]  # providers that had a process


class Tree:
    """The processes of one command; call `look` several times a second while it runs."""

    def __init__(self, root: int, mark: str, providers: Iterable[Guarded]) -> None:
        self._mark = mark
        self._providers = list(providers)
        self._members: dict[tuple[int, float], psutil.Process] = {}
        self._environ: dict[tuple[int, float], dict[str, str]] = {}
        self._strangers: set[tuple[int, float]] = set()
        self._sessions: set[Named] = set()
        self._records: set[str] = set()
        self._looked_at: set[tuple[int, str]] = set()  # (process number, open file) that was judged already
        self._clients: set[str] = set()
        with contextlib.suppress(psutil.Error):
            self._add(psutil.Process(root))

    def look(self, by_process: Mapping[int, Named]) -> Found:
        """Find new processes and their sessions. `by_process`: process number → session, as hooks told it."""
        self._grow()
        for key, process in list(self._members.items()):
            if not process.is_running():
                del self._members[key]
                continue
            if key[0] in by_process:
                self._sessions.add(by_process[key[0]])
            self._see(process, key)
            self._clients.update(_clients_of(process, key))
        return Found(frozenset(self._sessions), frozenset(self._records), frozenset(self._clients))

    def alive(self) -> list[psutil.Process]:
        """The command's processes that run now."""
        return [process for process in self._members.values() if process.is_running()]

    def end(self) -> None:
        """Ask every process of the command to end; end those that still run after some seconds."""
        self._grow()
        members = self.alive()
        for process in members:
            with contextlib.suppress(psutil.Error):
                process.terminate()
        _, left = psutil.wait_procs(members, timeout=END_SECONDS)
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()

    def _grow(self) -> None:
        """Add each process that appeared since the last look and belongs to the command."""
        pids = {pid for pid, _ in self._members}
        for process in psutil.process_iter():
            try:
                key = (process.pid, process.create_time())
                if key in self._members or process.pid == os.getpid():
                    continue
                if process.ppid() in pids or (key not in self._strangers and self._is_marked(process)):
                    self._add(process)
                    pids.add(process.pid)
                else:
                    self._strangers.add(key)
            except (psutil.Error, OSError):
                continue

    def _is_marked(self, process: psutil.Process) -> bool:
        try:
            return self._mark in process.environ().get(MARK, "").split(":")
        except (psutil.Error, OSError):
            return False

    def _add(self, process: psutil.Process) -> None:
        self._members[process.pid, process.create_time()] = process

    def _see(self, process: psutil.Process, key: tuple[int, float]) -> None:
        """Take the sessions that a process itself shows."""
        try:
            environ = self._environ[key] = self._environ.get(key) or process.environ()
            opened = {(key[0], file.path) for file in process.open_files()} - self._looked_at
        except (psutil.Error, OSError):
            return
        session = session_registry.session_of(*key, environ)
        if session is not None:
            self._sessions.add((CLAUDE, session))
        self._looked_at |= opened
        for _, path in opened:
            self._records.update(self._as_record(path, environ))

    def _as_record(self, path: str, environ: dict[str, str]) -> list[str]:
        """An open file as the history may name it, where it is a client's record: also below a linked folder."""
        for provider in self._providers:
            if not provider.wants(path):
                continue
            for folder in provider.folders([], environ):
                below = os.path.realpath(folder) + os.sep
                if path.startswith(below):
                    return [path, os.path.join(folder, path.removeprefix(below))]
        return []


def _clients_of(process: psutil.Process, key: tuple[int, float]) -> list[str]:
    """The client that a process is, by its program's name."""
    try:
        described = Process(key[0], process.uids().real, str(key[1]), tuple(process.cmdline()))
    except (psutil.Error, OSError):
        return []
    return [provider for provider in CLIENTS if is_client(described, provider)]


def session_above(by_process: Mapping[int, Named]) -> Named | None:
    """The session of the client that started this process, by the processes above it; None where none shows one.

    `by_process`: process number → session, as hooks told it.
    """
    try:
        above = psutil.Process().parents()
    except psutil.Error:
        return None
    for process in above:
        if process.pid in by_process:
            return by_process[process.pid]
        try:
            session = session_registry.session_of(process.pid, process.create_time(), process.environ())
        except (psutil.Error, OSError):
            continue
        if session is not None:
            return CLAUDE, session
    return None


def told_by_hooks(now: float) -> Mapping[int, Named]:
    """Process number → session, as the published state has it from hooks; none where the state is old."""
    state = published.read()
    rows = state.get("sessions") if state is not None and published.is_fresh(state, now) else None
    return {
        row["pid"]: (row["provider"], row["id"])
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict) and isinstance(row.get("pid"), int)
    }
