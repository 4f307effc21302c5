"""Run a command, look at its processes while it runs, stop it above its budget, and sum up what they spent.

The command keeps the terminal, its input and its output. Ctrl-C reaches the command alone; this process goes on
until the command has ended, so that the result is always given.
"""

import os
import secrets
import signal
import sqlite3
import subprocess
import time
from typing import Self

import click

from aitop import paths
from aitop.agents.processes import MARK, Found, Tree, told_by_hooks
from aitop.agents.run_result import Run
from aitop.history import schema
from aitop.history.query import between
from aitop.model.sums import PICO, total
from aitop.providers import selection
from aitop.providers.load import load as load_providers
from aitop.reports.ready import configuration, currency, history
from aitop.segments.money import Currency

LOOK_SECONDS = 0.1
ASK_SECONDS = 0.5  # between two looks at what is spent
NOT_EXECUTABLE, NOT_FOUND = 126, 127
SIGNALLED = 128  # plus the signal's number, as shells have it
LATER_SECONDS = 1.0  # a record's time may lie a little after the end that was seen


class StartError(Exception):
    """The command could not be started; `code` is the exit code that shells have for it."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def run_command(command: tuple[str, ...], budget: float | None, *, stop: bool) -> tuple[Run, Currency]:
    """Run it to its end; the result, and how money is shown. Raises StartError, click.ClickException."""
    config = configuration()
    providers = selection.enabled(load_providers()[0], config)
    mark = secrets.token_hex(8)
    outer = os.environ.get(MARK)
    started = time.time()
    environ = os.environ | {MARK: f"{outer}:{mark}" if outer else mark}
    with _Forwarding() as signals:
        child = _started(command, environ)
        signals.to(child)
        tree = Tree(child.pid, mark, providers)
        seen, stopped = _watched(child, tree, started, budget if stop else None)
    code = child.returncode if child.returncode >= 0 else SIGNALLED - child.returncode
    ended = time.time()
    try:
        db = history(until=ended).db
        sessions = seen.sessions | between.sessions_of(db, seen.records)
        parts = between.parts(db, sessions, started, ended + LATER_SECONDS)
        shown_in = currency(db, config, ended)
    except (click.ClickException, sqlite3.Error, OSError) as error:  # the command ran: its exit code stays
        reason = error.format_message() if isinstance(error, click.ClickException) else str(error)
        click.echo(f"aitop run: the cost is unknown: {reason}", err=True)
        sessions, parts, shown_in = frozenset(), [], Currency()
    unattributed = sorted(seen.clients - {provider for provider, _ in sessions})
    result = Run(command, started, ended, code, stopped, budget, parts, len(sessions), unattributed)
    return result, shown_in


def _started(command: tuple[str, ...], environ: dict[str, str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(command, env=environ)
    except OSError as error:
        code = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
        raise StartError(f"{command[0]}: {error.strerror}", code) from error


def _watched(
    child: subprocess.Popen[bytes], tree: Tree, started: float, budget: float | None
) -> tuple[Found, bool]:
    """Look at the command until it ends; the evidence, and whether it was stopped above its budget."""
    stopped, next_ask = False, started
    while True:
        seen = tree.look(told_by_hooks(time.time()))
        if budget is not None and not stopped and time.time() >= next_ask:
            next_ask = time.time() + ASK_SECONDS
            if _spent(seen, started) > round(budget * PICO):
                stopped = True
                tree.end()
        try:
            child.wait(LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        return seen, stopped


class _Forwarding:
    """While it is entered, signals that ask this process to end go to the command, also those that came first.

    Ctrl-C is ignored here: the terminal sends it to the command too.
    """

    def __enter__(self) -> Self:
        self._child: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        self._before = {number: signal.getsignal(number) for number in numbers}
        signal.signal(signal.SIGTERM, self._received)
        signal.signal(signal.SIGHUP, self._received)
        signal.signal(signal.SIGINT, _ignored)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def to(self, child: subprocess.Popen[bytes]) -> None:
        """From now on to this process."""
        self._child = child
        for number in self._early:
            child.send_signal(number)

    def _received(self, number: int, _: object) -> None:
        if self._child is None:
            self._early.append(number)
        else:
            self._child.send_signal(number)


def _ignored(number: int, _: object) -> None:
    """A handler, because a command would inherit that a signal is ignored, but not that it is handled."""


def _spent(seen: Found, started: float) -> int:
    """Picodollars so far, as the listener has counted them; 0 while its history cannot be asked."""
    try:
        db = schema.connect_read_only(os.path.join(paths.home(), paths.HISTORY))
        try:
            sessions = seen.sessions | between.sessions_of(db, seen.records)
            parts = between.parts(db, sessions, started, float("inf"))
        finally:
            db.close()
    except (sqlite3.Error, schema.HistoryError):
        return 0
    return total(part.sum for part in parts).spent
