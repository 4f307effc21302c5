"""What every command over the history begins with: the configuration, the history brought up to date, the currency.

Errors become click's own, in one sentence that says what to do. Progress goes to a terminal's stderr alone.
"""

import sqlite3
import sys

import click

from aitop.config import Config, ConfigError
from aitop.config import load as load_config
from aitop.history.query import sums_since
from aitop.history.schema import HistoryError
from aitop.model import periods
from aitop.reports import catchup
from aitop.reports.catchup import Ready
from aitop.segments.money import Currency

SHOWN_FROM_BYTES = 4 << 20  # less is read before a bar could be seen
BAR_CELLS = 30


def configuration() -> Config:
    """The user's configuration; from now on weeks begin as it says. Raises click.ClickException."""
    try:
        config = load_config()
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    periods.begin_weeks_on(periods.WEEKDAYS[config["week_start"]])
    return config


def history() -> Ready:
    """The history with everything that the clients wrote so far. Raises click.ClickException."""
    progress = _Progress()
    try:
        return catchup.catch_up(progress)
    except (catchup.NotReadyError, HistoryError, ConfigError) as error:
        raise click.ClickException(str(error)) from error
    except sqlite3.Error as error:
        raise click.ClickException(
            f"the history cannot be read: {error}; `aitop doctor` says what to do"
        ) from error
    finally:
        progress.end()


def currency(db: sqlite3.Connection, config: Config, now: float) -> Currency:
    """How money is shown: as configured; with `billing = "auto"` a client that reports limits is a subscription's."""
    billing = config["billing"]
    subscription = bool(sums_since.limits(db, now)) if billing == "auto" else billing == "subscription"
    return Currency(config["currency.symbol"], config["currency.rate"], subscription=subscription)


class _Progress:
    """A bar on a terminal's stderr; elsewhere nothing."""

    def __init__(self) -> None:
        self._shown = -1

    def __call__(self, done: int, total: int) -> None:
        percent = 100 * done // total if total else 100
        if percent != self._shown and total > SHOWN_FROM_BYTES and sys.stderr.isatty():
            self._shown = percent
            bar = "#" * (percent * BAR_CELLS // 100)
            sys.stderr.write(
                f"\rreading {bar:<{BAR_CELLS}} {percent:3d} %  {done / 1e6:,.0f} of {total / 1e6:,.0f} MB"
            )
            sys.stderr.flush()

    def end(self) -> None:
        if self._shown >= 0:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
