"""What every command over the history begins with: the configuration, the history brought up to date.

Errors become click's own, in one sentence that says what to do. Progress goes to a terminal's stderr alone.
"""

import contextlib
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from typing import TypeVar

import click

from aitop.config import Config, ConfigError
from aitop.config import load as load_config
from aitop.history.schema import HistoryError
from aitop.model import periods
from aitop.reports import catchup
from aitop.reports.catchup import Ready
from aitop.reports.currency import currency as currency  # noqa: PLC0414 - asked for here by many commands

SHOWN_FROM_BYTES = 4 << 20  # less is read before a bar could be seen
BAR_CELLS = 30

T = TypeVar("T")


def configuration() -> Config:
    """The user's configuration; from now on weeks begin as it says. Raises click.ClickException."""
    try:
        config = load_config()
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    periods.begin_weeks_on(periods.WEEKDAYS[config["week_start"]])
    return config


def history(*, rows: bool = True, until: float = 0.0, keep: catchup.Keep = lambda _: None) -> Ready:
    """The history with everything that the clients wrote so far. Raises click.ClickException.

    Without `rows`, sums alone may be asked: what was read becomes durable when the command has ended and its
    output is closed. With `until` (epoch seconds) a running listener has read what was written at that moment.
    `keep`: as `Ready.finish` calls it at the end.
    """
    progress = _Progress()
    try:
        ready = catchup.catch_up(progress, rows=rows, until=until)
    except (catchup.NotReadyError, HistoryError, ConfigError) as error:
        raise click.ClickException(str(error)) from error
    except sqlite3.Error as error:
        raise click.ClickException(
            f"the history cannot be read: {error}; `aitop doctor` says what to do"
        ) from error
    finally:
        progress.end()
    click.get_current_context().call_on_close(lambda: _finish(ready, keep))
    return ready


def asked(question: Callable[[], T], ready: Ready) -> T:
    """Its answer. Where the sums of all sessions together do not give it, once more when the others are there."""
    try:
        return question()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_AUTH:
            raise
    ready.more()
    return question()


def _finish(ready: Ready, keep: catchup.Keep) -> None:
    """Close the output, so that its reader goes on, and make durable what was read."""
    try:
        _close_output()
    finally:
        try:
            ready.finish(keep)
        except sqlite3.Error as error:
            sys.stderr.write(
                f"aitop: what was read could not be kept ({error}): the next report reads it again\n"
            )
            sys.exit(1)


def _close_output() -> None:
    """Close a pipe or a file. A terminal has shown the answer already."""
    out = sys.__stdout__
    if out is None or sys.stdout is not out or out.isatty():
        return
    with contextlib.suppress(OSError):
        out.flush()
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, out.fileno())
    os.close(nothing)


class _Progress:
    """A bar on a terminal's stderr; elsewhere nothing."""

    def __init__(self, what: str = "reading", least: int = SHOWN_FROM_BYTES) -> None:
        self._shown, self._what, self._least = -1, what, least

    def __call__(self, done: int, total: int) -> None:
        percent = 100 * done // total if total else 100
        if percent != self._shown and total > self._least and sys.stderr.isatty():
            self._shown = percent
            bar = "#" * (percent * BAR_CELLS // 100)
            amount = (
                f"  {done / 1e6:,.0f} of {total / 1e6:,.0f} MB" if self._least == SHOWN_FROM_BYTES else ""
            )
            sys.stderr.write(f"\r{self._what} {bar:<{BAR_CELLS}} {percent:3d} %{amount}")
            sys.stderr.flush()

    def end(self) -> None:
        if self._shown >= 0:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()


@contextlib.contextmanager
def progress(what: str, least: int = SHOWN_FROM_BYTES) -> Iterator[Callable[[int, int], None]]:
    """A bar for as long as something takes; `least`: a smaller amount needs none."""
    bar = _Progress(what, least)
    try:
        yield bar
    finally:
        bar.end()
